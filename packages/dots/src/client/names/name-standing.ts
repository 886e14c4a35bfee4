import { formatIpAddress } from '@breakwater/core'
import type { Instant, IpAddress } from '@breakwater/core'

/**
 * How a watched name stands.
 * - `resolving`: nobody has said yet what it means.
 * - `resolved`: the last answer is good.
 * - `kept`: the last question got no usable answer; what was known before is held on to.
 * - `unresolved`: nothing is known of it.
 * - `no-room`: so many names are watched that this one is not.
 */
export interface NameStanding {
  readonly name: string
  readonly state: 'resolving' | 'resolved' | 'kept' | 'unresolved' | 'no-room'
  /** What is protected in its stead; sorted. */
  readonly addresses: readonly IpAddress[]
  /** Those of them that the last answer left out: others may remember them for a while. */
  readonly leaving: readonly IpAddress[]
  /** When it is asked for again; undefined: it is being asked for, or nobody asks. */
  readonly askedAgainAt: Instant | undefined
  /** What is wrong, for the operator; empty: nothing. */
  readonly text: string
}

/** Of a name that nobody has been asked for. */
export function unknownName(name: string): NameStanding {
  return { name, state: 'resolving', addresses: [], leaving: [], askedAgainAt: undefined, text: '' }
}

/** Whether two sets of addresses are one. */
export function sameAddresses(a: readonly IpAddress[], b: readonly IpAddress[]): boolean {
  return a.map(formatIpAddress).join() === b.map(formatIpAddress).join()
}

/** In an order that does not depend on the one of an answer. */
export function sortedAddresses(addresses: Iterable<IpAddress>): IpAddress[] {
  const byText = new Map([...addresses].map((address) => [formatIpAddress(address), address]))
  return [...byText].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, address]) => address)
}
