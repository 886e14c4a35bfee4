import { isLinkLocal, isLoopback, isMulticast } from '@breakwater/core'
import type { IpAddress } from '@breakwater/core'
import { withoutMapping } from './mapped-address.ts'

/** The scope field of a multicast address (RFC 4291 §2.7); those of unicast addresses are mapped to it (RFC 6724 §3.1). */
export const SCOPE = {
  interfaceLocal: 0x1,
  linkLocal: 0x2,
  adminLocal: 0x4,
  siteLocal: 0x5,
  organizationLocal: 0x8,
  global: 0xe
} as const

/**
 * Scope(A) of RFC 6724 §3.1: the smaller the number, the less far the address means something.
 *
 * Private IPv4 addresses, unique local addresses and all that embed an IPv4 address are global (§3.1 to §3.3); the loopback
 * addresses of both families are link-local (§3.2, §3.4).
 */
export function scopeOf(address: IpAddress): number {
  const plain = withoutMapping(address)
  if (plain.family === 6 && isMulticast(plain)) return (plain.a >>> 16) & 0xf
  if (isLinkLocal(plain) || isLoopback(plain)) return SCOPE.linkLocal
  return isSiteLocal(plain) ? SCOPE.siteLocal : SCOPE.global
}

/** `fec0::/10`: deprecated (RFC 3879), and still met with. */
function isSiteLocal({ family, a }: IpAddress): boolean {
  return family === 6 && a >>> 22 === 0xfec0 >>> 6
}
