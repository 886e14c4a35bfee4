import { Seconds, after, earlier, formatIpAddress, inSeconds } from '@breakwater/core'
import type { Duration, Instant, IpAddress } from '@breakwater/core'
import { WATCHED_NAME_SECONDS } from '../../domain/resolver.ts'
import type { NameAnswer } from '../../domain/resolver.ts'
import { sortedAddresses } from './name-standing.ts'

/** Addresses of one name at most, with those that are leaving: more are no service but somebody's mistake or mischief. */
export const MOST_ADDRESSES_PER_NAME = 64

/** Beyond the TTL that others go by: the next answer, which may name the address again, is to come before it is let go. */
const MARGIN: Duration = Seconds(15)

/** What the record of a name holds. */
export interface RememberedName {
  readonly addresses: readonly IpAddress[]
  readonly lifetime: Duration
}

interface Remembered {
  readonly address: IpAddress
  /** Undefined: the last answer had it. */
  readonly leavesAt: Instant | undefined
}

/**
 * The addresses of one name. One that an answer leaves out stays for as long as the answer before it was good for: that
 * long others may go by that one, and attack there. So a service that moves is protected at both places meanwhile, and one
 * whose answers take turns is not asked for and withdrawn by turns.
 */
export class NameMemory {
  #addresses = new Map<string, Remembered>()
  #lifetime: Duration = Seconds(WATCHED_NAME_SECONDS.least)

  /** For how long the last answer is good, within bounds. */
  get lifetime(): Duration {
    return this.#lifetime
  }

  get addresses(): IpAddress[] {
    return sortedAddresses([...this.#addresses.values()].map(({ address }) => address))
  }

  get leaving(): IpAddress[] {
    const leaving = [...this.#addresses.values()].filter(({ leavesAt }) => leavesAt !== undefined)
    return sortedAddresses(leaving.map(({ address }) => address))
  }

  /** When the first address leaves. */
  get nextLeave(): Instant | undefined {
    let next: Instant | undefined
    for (const { leavesAt } of this.#addresses.values()) next = earlier(next, leavesAt)
    return next
  }

  /** What an earlier life knew. */
  restore({ addresses, lifetime }: RememberedName): void {
    this.#lifetime = bounded(lifetime)
    for (const address of addresses)
      this.#addresses.set(formatIpAddress(address), { address, leavesAt: undefined })
  }

  /** An answer that names something, and no more than may be. */
  learn({ addresses, ttlSeconds }: Extract<NameAnswer, { kind: 'addresses' }>, now: Instant): void {
    const before = [...this.#addresses]
    const leavesAt = after(after(now, this.#lifetime), MARGIN)
    this.#addresses = new Map(
      addresses.map((address) => [formatIpAddress(address), { address, leavesAt: undefined }])
    )
    const left = before
      .filter(([key]) => !this.#addresses.has(key))
      .map(([key, known]) => [key, { ...known, leavesAt: known.leavesAt ?? leavesAt }] as const)
      .toSorted(([, a], [, b]) => b.leavesAt - a.leavesAt)
    for (const [key, known] of left.slice(0, MOST_ADDRESSES_PER_NAME - this.#addresses.size))
      this.#addresses.set(key, known)
    this.#lifetime = bounded(Seconds(ttlSeconds))
  }

  /** Lets go of what has had its time. */
  expire(now: Instant): void {
    for (const [key, { leavesAt }] of this.#addresses)
      if (leavesAt !== undefined && leavesAt <= now) this.#addresses.delete(key)
  }
}

function bounded(lifetime: Duration): Duration {
  const { least, most } = WATCHED_NAME_SECONDS
  return Seconds(Math.min(most, Math.max(least, inSeconds(lifetime))))
}
