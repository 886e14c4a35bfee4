import { RECURSION_DESIRED, decode, encode } from 'dns-packet'
import type { Packet } from 'dns-packet'
import { randomInt } from 'node:crypto'

/** What is asked: the addresses of one family of a name. */
export interface DnsQuestion {
  readonly name: string
  readonly type: 'A' | 'AAAA'
}

/** What a server may send us in one datagram: what no usual link divides (RFC 9715 §3). */
const UDP_PAYLOAD = 1232

/** RFC 1035 §4.1.1: a server that does not know EDNS may say so by these. */
const FORMAT_ERROR = 1
const NOT_IMPLEMENTED = 4

/** RFC 5452 §9.2: nobody who has not seen the question may guess its number. */
export function randomQuestionId(): number {
  return randomInt(0x1_0000)
}

/** @param extended Tell the server how long a datagram may be (RFC 6891); over streams that means nothing. */
export function encodeQuestion({ name, type }: DnsQuestion, id: number, extended: boolean): Buffer {
  const options = { type: 'OPT', name: '.', udpPayloadSize: UDP_PAYLOAD, flags: 0, options: [] } as const
  return encode({
    type: 'query',
    id,
    flags: RECURSION_DESIRED,
    questions: [{ type, name }],
    // The types of dns-packet want fields that it fills in itself.
    ...(extended ? { additionals: [options as unknown as NonNullable<Packet['additionals']>[number]] } : {})
  })
}

/** Undefined: the bytes are no DNS message. */
export function decodePacket(bytes: Buffer): Packet | undefined {
  try {
    return decode(bytes)
  } catch {
    return undefined
  }
}

/** Whether a message answers the question; what does not repeat it answers another one. */
export function isAnswerTo(packet: Packet, { name, type }: DnsQuestion): boolean {
  const [asked] = packet.questions ?? []
  if (packet.type !== 'response' || asked === undefined) return false
  return asked.type === type && asked.name.toLowerCase() === name.toLowerCase()
}

export function responseCodeOf({ flags = 0 }: Packet): number {
  return flags & 0xf
}

/** The rest did not fit the datagram, and can be had over TCP (RFC 7766 §5). */
export function isTruncated({ flags = 0 }: Packet): boolean {
  return (flags & 0x200) !== 0
}

export function refusesExtension(packet: Packet): boolean {
  const code = responseCodeOf(packet)
  return code === FORMAT_ERROR || code === NOT_IMPLEMENTED
}
