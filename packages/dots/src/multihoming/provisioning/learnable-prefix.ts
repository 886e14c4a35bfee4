import {
  BROADCAST_PREFIXES,
  LINK_LOCAL_PREFIXES,
  LOOPBACK_PREFIXES,
  MULTICAST_PREFIXES,
  UNSPECIFIED_PREFIXES,
  ipv4,
  ipv6,
  overlapsAny,
  prefixContains,
  prefixOf
} from '@breakwater/core'
import type { IpPrefix } from '@breakwater/core'

/** RFC 1918 §3, RFC 6598 §7, RFC 4193 §3.1: used by many at once, so that no server could protect one of them. */
const PRIVATE_PREFIXES: readonly IpPrefix[] = [
  prefixOf(ipv4(0x0a000000), 8),
  prefixOf(ipv4(0xac100000), 12),
  prefixOf(ipv4(0xc0a80000), 16),
  prefixOf(ipv4(0x64400000), 10),
  prefixOf(ipv6(0xfc000000, 0, 0, 0), 7)
]

const NEVER_ASSIGNED: readonly IpPrefix[] = [
  ...LOOPBACK_PREFIXES,
  ...MULTICAST_PREFIXES,
  ...UNSPECIFIED_PREFIXES,
  ...LINK_LOCAL_PREFIXES,
  ...BROADCAST_PREFIXES,
  prefixOf(ipv6(0, 0, 0xffff, 0), 96)
]

/** No site is given more by a message that nobody signed: who has more writes it into the configuration. */
export const SHORTEST_LEARNT_PREFIX = { 4: 16, 6: 28 } as const

/** What speaks against a prefix as one that a provider assigned, whoever says so. */
export type Unlearnable = 'private' | 'special' | 'too-large'

/** Undefined: a provider may have assigned it. */
export function unlearnable(prefix: IpPrefix): Unlearnable | undefined {
  if (prefix.length < SHORTEST_LEARNT_PREFIX[prefix.address.family]) return 'too-large'
  if (overlapsAny(prefix, NEVER_ASSIGNED)) return 'special'
  return PRIVATE_PREFIXES.some((range) => prefixContains(range, prefix)) ? 'private' : undefined
}
