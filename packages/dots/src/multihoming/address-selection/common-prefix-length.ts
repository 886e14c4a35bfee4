import type { IpAddress } from '@breakwater/core'
import type { LocalAddress } from '../../domain/local-address.ts'
import { MAPPED_BITS, asMapped } from './mapped-address.ts'

/**
 * CommonPrefixLen(S, D) of RFC 6724 §2.2: how many leading bits the two have in common, up to the length of the source's
 * prefix. Of IPv4 addresses, those of their IPv4-mapped forms.
 */
export function commonPrefixLength(source: LocalAddress, destination: IpAddress): number {
  const prefixLength = source.address.family === 4 ? MAPPED_BITS + source.prefixLength : source.prefixLength
  return Math.min(prefixLength, commonBits(asMapped(source.address), asMapped(destination)))
}

function commonBits(x: IpAddress, y: IpAddress): number {
  const words = [x.a ^ y.a, x.b ^ y.b, x.c ^ y.c, x.d ^ y.d]
  const first = words.findIndex((word) => word !== 0)
  return first < 0 ? 128 : 32 * first + Math.clz32(words[first] ?? 0)
}
