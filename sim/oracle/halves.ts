import { addressBits, ipAddressFromBytes, ipAddressToBytes, prefixOf } from '@breakwater/core'
import type { IpPrefix } from '@breakwater/core'

/** The lower and the upper half of a prefix; a host has none. Not those of the code under test. */
export function halvesOf({ address, length }: IpPrefix): IpPrefix[] {
  if (length >= addressBits(address.family)) return []
  const bytes = ipAddressToBytes(address)
  const index = length >> 3
  bytes[index] = (bytes[index] ?? 0) | (0x80 >> (length & 7))
  return [prefixOf(address, length + 1), prefixOf(ipAddressFromBytes(bytes), length + 1)]
}
