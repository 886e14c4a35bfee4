import { isLoopback, prefixContainsAddress, prefixOf, ipv6 } from '@breakwater/core'
import type { IpAddress, IpPrefix } from '@breakwater/core'
import type { LocalAddress } from '../../domain/local-address.ts'
import { withoutMapping } from './mapped-address.ts'

/**
 * Where an address can be deprecated at all: global unicast, unique local, link-local and site-local ones (RFC 4291 §2.4).
 * IPv4, IPv4-compatible and IPv4-mapped addresses, the loopback address and formats that nobody has defined yet count as
 * preferred whatever is said of them (RFC 6724 §3.2 to §3.4).
 */
const DEPRECABLE: readonly IpPrefix[] = [
  prefixOf(ipv6(0x20000000, 0, 0, 0), 3),
  prefixOf(ipv6(0xfc000000, 0, 0, 0), 7),
  prefixOf(ipv6(0xfe800000, 0, 0, 0), 10),
  prefixOf(ipv6(0xfec00000, 0, 0, 0), 10)
]

/**
 * Whether an address is to be avoided in the sense of rule 3. An optimistic one is, too (RFC 4429).
 * @param converted Prefixes whose addresses stand for IPv4 nodes (RFC 6145): they count as preferred (RFC 6724 §3.3).
 */
export function isDeprecated(local: LocalAddress, converted: readonly IpPrefix[] = []): boolean {
  if (local.state === undefined || local.state === 'preferred') return false
  return (
    canBeDeprecated(local.address) &&
    !converted.some((prefix) => prefixContainsAddress(prefix, local.address))
  )
}

function canBeDeprecated(address: IpAddress): boolean {
  const plain = withoutMapping(address)
  return !isLoopback(plain) && DEPRECABLE.some((prefix) => prefixContainsAddress(prefix, plain))
}
