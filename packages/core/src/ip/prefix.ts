import { InternalError } from '../errors.ts'
import { addressBits, compareIpAddresses, equalIpAddresses } from './address.ts'
import type { IpAddress } from './address.ts'
import { wordMask } from './word-mask.ts'

/** The first `length` bits of `address`; all others are 0. Made only by checking functions. */
export interface IpPrefix {
  readonly address: IpAddress
  /** 0 … 32 or 0 … 128. */
  readonly length: number
}

/**
 * The prefix of `length` bits that `address` lies in; host bits are cleared.
 * @throws InternalError `CORE_IP_PREFIX_LENGTH_INVALID` unless `length` is an integer of 0 … 32 or 0 … 128.
 */
export function prefixOf(address: IpAddress, length: number): IpPrefix {
  if (!Number.isInteger(length) || length < 0 || length > addressBits(address.family))
    throw new InternalError(
      'CORE_IP_PREFIX_LENGTH_INVALID',
      `prefix length ${length} is not in 0 … ${addressBits(address.family)}`
    )
  return { address: maskAddress(address, length), length }
}

/** The prefix that holds this address alone. */
export function hostPrefix(address: IpAddress): IpPrefix {
  return { address, length: addressBits(address.family) }
}

/** Whether every address of `inner` lies in `outer`; false across families. */
export function prefixContains(outer: IpPrefix, inner: IpPrefix): boolean {
  return outer.length <= inner.length && prefixContainsAddress(outer, inner.address)
}

/** Whether `address` lies in `prefix`; false across families. */
export function prefixContainsAddress(prefix: IpPrefix, address: IpAddress): boolean {
  const { address: start, length } = prefix
  return (
    start.family === address.family &&
    ((start.a ^ address.a) & wordMask(length)) === 0 &&
    ((start.b ^ address.b) & wordMask(length - 32)) === 0 &&
    ((start.c ^ address.c) & wordMask(length - 64)) === 0 &&
    ((start.d ^ address.d) & wordMask(length - 96)) === 0
  )
}

/** Whether some address lies in both: one of two overlapping prefixes always contains the other. */
export function prefixesOverlap(x: IpPrefix, y: IpPrefix): boolean {
  return x.length <= y.length ? prefixContains(x, y) : prefixContains(y, x)
}

/** Whether both are the same prefix. */
export function equalPrefixes(x: IpPrefix, y: IpPrefix): boolean {
  return x.length === y.length && equalIpAddresses(x.address, y.address)
}

/** Negative, 0 or positive: IPv4 before IPv6, then by first address, then the shorter (larger) prefix first. */
export function comparePrefixes(x: IpPrefix, y: IpPrefix): number {
  return compareIpAddresses(x.address, y.address) || x.length - y.length
}

/** A short text that is the same for equal prefixes only: a key for maps, not for people. */
export function prefixKey(prefix: IpPrefix): string {
  const { family, a, b, c, d } = prefix.address
  const bits = family === 4 ? a.toString(36) : [a, b, c, d].map((word) => word.toString(36)).join(':')
  return `${bits}/${prefix.length}`
}

/** In their order, each once. */
export function distinctPrefixes(prefixes: readonly IpPrefix[]): IpPrefix[] {
  return [...new Map(prefixes.map((prefix) => [prefixKey(prefix), prefix])).values()]
}

/** `address` with all but its first `length` bits cleared. */
function maskAddress(address: IpAddress, length: number): IpAddress {
  return {
    family: address.family,
    a: (address.a & wordMask(length)) >>> 0,
    b: (address.b & wordMask(length - 32)) >>> 0,
    c: (address.c & wordMask(length - 64)) >>> 0,
    d: (address.d & wordMask(length - 96)) >>> 0
  }
}
