import { prefixContainsAddress, ipv4, prefixOf } from '@breakwater/core'
import type { Target } from '../../src/domain/target.ts'
import { coversScope } from '../../src/multihoming/scope.ts'

/** All addresses that occur: 10.0.0.0 and so many that follow it. */
export const ADDRESSES = 2 ** 17
const SPACE = prefixOf(ipv4(0x0a000000), 15)

/** The numbers of the addresses of a target. */
export function addressesOf(target: Target): number[] {
  return target.prefixes.flatMap(({ address, length }) => {
    if (length < SPACE.length || !prefixContainsAddress(SPACE, address)) throw new Error('not of this world')
    return Array.from({ length: 2 ** (32 - length) }, (_, low) => address.a - 0x0a000000 + low)
  })
}

/**
 * A server that does what RFC 9132 §4.4.1.3 says, and knows nothing of prefixes: it remembers for each single address
 * which request it is in.
 */
export class AddressServer {
  readonly requests = new Map<number, Target>()
  /** 0: in none. */
  readonly #owner = new Uint32Array(ADDRESSES)

  /** Of two requests with a common address the higher `mid` deletes the lower. */
  doomedBy(mid: number, target: Target): number[] {
    const owners = new Set(addressesOf(target).map((at) => this.#owner[at] ?? 0))
    return [...owners].filter((other) => other !== 0 && other !== mid)
  }

  put(mid: number, target: Target): 'created' | 'changed' | 'conflict' {
    const doomed = this.doomedBy(mid, target)
    if (doomed.some((other) => other > mid)) return 'conflict'
    for (const other of doomed) this.delete(other)
    const isKnown = this.requests.has(mid)
    this.requests.set(mid, target)
    for (const at of addressesOf(target)) this.#owner[at] = mid
    return isKnown ? 'changed' : 'created'
  }

  delete(mid: number): void {
    const target = this.requests.get(mid)
    if (target === undefined) return
    this.requests.delete(mid)
    for (const at of addressesOf(target)) this.#owner[at] = 0
  }

  /** Whether this address is in a request with at least the ports and protocols of `target`. */
  protects(at: number, target: Target): boolean {
    const request = this.requests.get(this.#owner[at] ?? 0)
    return request !== undefined && coversScope(request, target)
  }
}
