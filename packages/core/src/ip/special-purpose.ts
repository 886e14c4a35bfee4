import { ipv4, ipv6 } from './address.ts'
import type { IpAddress } from './address.ts'
import { prefixContainsAddress, prefixOf, prefixesOverlap } from './prefix.ts'
import type { IpPrefix } from './prefix.ts'

/**
 * Addresses that are no target and no place on a network. Each list also names the IPv4-mapped IPv6 form
 * (RFC 4291 §2.5.5.2) of its IPv4 entries, so that `::ffff:127.0.0.1` does not slip past a check.
 */

/** RFC 1122 §3.2.1.3 (g), RFC 4291 §2.5.3. */
export const LOOPBACK_PREFIXES: readonly IpPrefix[] = [
  ...ipv4Entry(0x7f000000, 8),
  ipv6Entry(0, 0, 0, 1, 128)
]

/** RFC 5771 §3, RFC 4291 §2.7. */
export const MULTICAST_PREFIXES: readonly IpPrefix[] = [
  ...ipv4Entry(0xe0000000, 4),
  ipv6Entry(0xff000000, 0, 0, 0, 8)
]

/** RFC 1122 §3.2.1.3 (a), RFC 4291 §2.5.2: the one address of each family that means "none". */
export const UNSPECIFIED_PREFIXES: readonly IpPrefix[] = [...ipv4Entry(0, 32), ipv6Entry(0, 0, 0, 0, 128)]

/** RFC 3927 §2.1, RFC 4291 §2.5.6. */
export const LINK_LOCAL_PREFIXES: readonly IpPrefix[] = [
  ...ipv4Entry(0xa9fe0000, 16),
  ipv6Entry(0xfe800000, 0, 0, 0, 10)
]

/** RFC 919 §7: the limited broadcast. A subnet's own broadcast cannot be told from outside the subnet. */
export const BROADCAST_PREFIXES: readonly IpPrefix[] = ipv4Entry(0xffffffff, 32)

/** Whether it leads back to its own host; IPv4-mapped addresses count as what they map, here and below. */
export function isLoopback(address: IpAddress): boolean {
  return within(LOOPBACK_PREFIXES, address)
}

/** Whether it names a group. */
export function isMulticast(address: IpAddress): boolean {
  return within(MULTICAST_PREFIXES, address)
}

/** Whether it is 0.0.0.0 or ::, which is nobody's. */
export function isUnspecified(address: IpAddress): boolean {
  return within(UNSPECIFIED_PREFIXES, address)
}

/** Whether it means something on one link only. */
export function isLinkLocal(address: IpAddress): boolean {
  return within(LINK_LOCAL_PREFIXES, address)
}

/** The limited broadcast address of IPv4; IPv6 has none. */
export function isBroadcast(address: IpAddress): boolean {
  return within(BROADCAST_PREFIXES, address)
}

/** Whether one host, and no other, can be meant by it: this one, where it is a loopback address. */
export function isOfOneHost(address: IpAddress): boolean {
  return !isMulticast(address) && !isBroadcast(address) && !isUnspecified(address)
}

/** Whether `prefix` shares an address with one of `others`: `overlapsAny(target, LOOPBACK_PREFIXES)`. */
export function overlapsAny(prefix: IpPrefix, others: readonly IpPrefix[]): boolean {
  return others.some((other) => prefixesOverlap(prefix, other))
}

function within(prefixes: readonly IpPrefix[], address: IpAddress): boolean {
  return prefixes.some((prefix) => prefixContainsAddress(prefix, address))
}

function ipv4Entry(a: number, length: number): [IpPrefix, mapped: IpPrefix] {
  return [prefixOf(ipv4(a), length), ipv6Entry(0, 0, 0xffff, a, 96 + length)]
}

function ipv6Entry(a: number, b: number, c: number, d: number, length: number): IpPrefix {
  return prefixOf(ipv6(a, b, c, d), length)
}
