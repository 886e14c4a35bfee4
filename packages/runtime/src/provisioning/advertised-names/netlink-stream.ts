import { endianness } from 'node:os'
import { DecodeError } from '@breakwater/core'

/** A message of rtnetlink(7), without its header. */
export interface NetlinkMessage {
  readonly type: number
  readonly body: Buffer
}

/** struct nlmsghdr: length, type, flags, sequence, port. */
const HEADER_BYTES = 16

/** The kernel makes none that is longer by far. */
const LONGEST_MESSAGE_BYTES = 262_144

/** Netlink speaks the byte order of its host. */
const isLittleEndian = endianness() === 'LE'

export function uint16At(bytes: Buffer, at: number): number {
  return isLittleEndian ? bytes.readUInt16LE(at) : bytes.readUInt16BE(at)
}

export function uint32At(bytes: Buffer, at: number): number {
  return isLittleEndian ? bytes.readUInt32LE(at) : bytes.readUInt32BE(at)
}

/** Messages and attributes begin at multiples of four. */
export function aligned(length: number): number {
  return (length + 3) & ~3
}

/** Takes a stream of netlink messages apart, wherever it is torn. */
export class NetlinkStream {
  #rest: Buffer = Buffer.alloc(0)

  /**
   * @returns Those messages that are whole now.
   * @throws DecodeError `RUNTIME_NETLINK_MALFORMED`: nothing that follows can be made sense of.
   */
  push(bytes: Buffer): NetlinkMessage[] {
    const all = this.#rest.length === 0 ? bytes : Buffer.concat([this.#rest, bytes])
    const found: NetlinkMessage[] = []
    let at = 0
    while (all.length - at >= HEADER_BYTES) {
      const length = uint32At(all, at)
      if (length < HEADER_BYTES || length > LONGEST_MESSAGE_BYTES)
        throw new DecodeError('RUNTIME_NETLINK_MALFORMED', `a netlink message of ${length} bytes`)
      if (all.length - at < aligned(length)) break
      found.push({ type: uint16At(all, at + 4), body: all.subarray(at + HEADER_BYTES, at + length) })
      at += aligned(length)
    }
    // Copy: a few bytes would keep a whole chunk.
    this.#rest = Buffer.from(all.subarray(at))
    return found
  }
}
