import { aligned, uint16At, uint32At } from './netlink-stream.ts'
import type { NetlinkMessage } from './netlink-stream.ts'

/** What a message says of a link. */
export interface LinkMessage {
  readonly index: number
  readonly name: string
  /** Not whether it has a carrier: the kernel keeps what it learnt by a link that has none. */
  readonly isUp: boolean
  readonly isGone: boolean
}

const RTM_NEWLINK = 16
const RTM_DELLINK = 17
const IFLA_IFNAME = 3
const IFF_UP = 1

/** struct ifinfomsg: family, type, index, flags, change. */
const HEADER_BYTES = 16

/** Undefined: it is about something else. A bridge tells of its ports in the same messages, by a family of its own. */
export function linkMessage({ type, body }: NetlinkMessage): LinkMessage | undefined {
  if (type !== RTM_NEWLINK && type !== RTM_DELLINK) return undefined
  if (body.length < HEADER_BYTES || body[0] !== 0) return undefined
  const name = textAttribute(body.subarray(HEADER_BYTES), IFLA_IFNAME)
  if (name === undefined) return undefined
  const isUp = (uint32At(body, 8) & IFF_UP) !== 0
  return { index: uint32At(body, 4), name, isUp, isGone: type === RTM_DELLINK }
}

function textAttribute(attributes: Buffer, wanted: number): string | undefined {
  for (let at = 0; attributes.length - at >= 4;) {
    const length = uint16At(attributes, at)
    if (length < 4 || length > attributes.length - at) return undefined
    if (uint16At(attributes, at + 2) === wanted)
      return attributes.toString('utf8', at + 4, at + length).replace(/\0.*$/s, '')
    at += aligned(length)
  }
  return undefined
}
