import { ipv4, ipv6 } from '@breakwater/core'
import type { IpAddress } from '@breakwater/core'

/** How many bits stand before the IPv4 address in an IPv4-mapped one. */
export const MAPPED_BITS = 96

/** RFC 6724 §3.2: an IPv4 address as the IPv4-mapped IPv6 address that its attributes are found by. */
export function asMapped(address: IpAddress): IpAddress {
  return address.family === 6 ? address : ipv6(0, 0, 0xffff, address.a)
}

/** The IPv4 address that an IPv4-mapped one stands for: packets to it are IPv4 packets. Others stay as they are. */
export function withoutMapping(address: IpAddress): IpAddress {
  return isMapped(address) ? ipv4(address.d) : address
}

/** `::ffff:192.0.2.1` (RFC 4291 §2.5.5.2). */
function isMapped({ family, a, b, c }: IpAddress): boolean {
  return family === 6 && a === 0 && b === 0 && c === 0xffff
}
