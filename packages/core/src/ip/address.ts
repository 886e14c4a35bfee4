import { DecodeError } from '../errors.ts'

/** 4 or 6. */
export type IpFamily = 4 | 6

/**
 * An IP address as four unsigned 32-bit words, the most significant first. An IPv4 address stands in `a`; `b`, `c` and
 * `d` are 0, so that the first `n` bits of both families are found in the same way.
 */
export interface IpAddress {
  readonly family: IpFamily
  readonly a: number
  readonly b: number
  readonly c: number
  readonly d: number
}

/** An IPv4 address from its 32 bits; signed words are taken by their bits. */
export function ipv4(a: number): IpAddress {
  return { family: 4, a: a >>> 0, b: 0, c: 0, d: 0 }
}

/** An IPv6 address from its four 32-bit words; signed words are taken by their bits. */
export function ipv6(a: number, b: number, c: number, d: number): IpAddress {
  return { family: 6, a: a >>> 0, b: b >>> 0, c: c >>> 0, d: d >>> 0 }
}

/** How many bits an address of `family` has: 32 or 128. */
export function addressBits(family: IpFamily): number {
  return family === 4 ? 32 : 128
}

/** Whether both are the same address. An IPv4 address never equals its IPv4-mapped IPv6 form. */
export function equalIpAddresses(x: IpAddress, y: IpAddress): boolean {
  return x.a === y.a && x.b === y.b && x.c === y.c && x.d === y.d && x.family === y.family
}

/** Negative, 0 or positive: IPv4 before IPv6, then by number. */
export function compareIpAddresses(x: IpAddress, y: IpAddress): number {
  return x.family - y.family || x.a - y.a || x.b - y.b || x.c - y.c || x.d - y.d
}

/**
 * Reads 4 or 16 bytes in network order.
 * @throws DecodeError `CORE_IP_ADDRESS_LENGTH_INVALID` for any other count.
 */
export function ipAddressFromBytes(bytes: Uint8Array): IpAddress {
  if (bytes.length === 4) return ipv4(word(bytes, 0))
  if (bytes.length === 16) return ipv6(word(bytes, 0), word(bytes, 4), word(bytes, 8), word(bytes, 12))
  throw new DecodeError('CORE_IP_ADDRESS_LENGTH_INVALID', `${bytes.length} bytes are no IP address: 4 or 16`)
}

/** The 4 or 16 bytes of an address in network order. */
export function ipAddressToBytes(address: IpAddress): Uint8Array {
  const bytes = new Uint8Array(addressBits(address.family) / 8)
  const view = new DataView(bytes.buffer)
  view.setUint32(0, address.a)
  if (address.family === 4) return bytes
  view.setUint32(4, address.b)
  view.setUint32(8, address.c)
  view.setUint32(12, address.d)
  return bytes
}

function word(bytes: Uint8Array, at: number): number {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength).getUint32(at)
}
