/** What a TCP segment is for (RFC 9293 §3.1): `data` carries bytes, an acknowledgement, or both. */
export const SegmentKind = { syn: 1, synAck: 2, data: 3, reset: 4 } as const

export type SegmentKind = (typeof SegmentKind)[keyof typeof SegmentKind]

/** One packet of a simulated TCP connection. */
export interface Segment {
  readonly kind: SegmentKind
  /** Chosen by the client for each connection; stands where the initial sequence number would tell old segments. */
  readonly connection: number
  /** Number of the first byte of the payload; the bytes of each direction are counted from 0. */
  readonly sequence: number
  /** All bytes before this one have come. */
  readonly acknowledged: number
  /** The last of its direction. It takes one number behind the payload. */
  readonly fin: boolean
  readonly payload: Uint8Array
}

/** No datagram of the simulated DTLS begins with it. */
const marker = 0x54

/** As long as the header of TCP (RFC 9293 §3.1). */
const headerBytes = 20

/** What fits the PMTU that RFC 9132 §7.3 assumes: 1280 less the headers of IPv6 and TCP. */
export const longestPayload: number = 1280 - 40 - headerBytes

const nothing = new Uint8Array(0)

export function encodeSegment(segment: Segment): Uint8Array {
  const bytes = new Uint8Array(headerBytes + segment.payload.length)
  const view = new DataView(bytes.buffer)
  view.setUint8(0, marker)
  view.setUint8(1, segment.kind)
  view.setUint8(2, segment.fin ? 1 : 0)
  view.setUint32(4, segment.connection)
  view.setUint32(8, segment.sequence)
  view.setUint32(12, segment.acknowledged)
  bytes.set(segment.payload, headerBytes)
  return bytes
}

/** The segment in a packet; undefined when it holds none. The payload is a view. */
export function decodeSegment(bytes: Uint8Array): Segment | undefined {
  if (bytes.length < headerBytes || bytes[0] !== marker) return undefined
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  const kind = Object.values(SegmentKind).find((one) => one === bytes[1])
  if (kind === undefined) return undefined
  return {
    kind,
    connection: view.getUint32(4),
    sequence: view.getUint32(8),
    acknowledged: view.getUint32(12),
    fin: bytes[2] === 1,
    payload: bytes.subarray(headerBytes)
  }
}

export function resetOf(connection: number): Segment {
  return { kind: SegmentKind.reset, connection, sequence: 0, acknowledged: 0, fin: false, payload: nothing }
}

/** What a host answers to a packet for no connection of its own (RFC 9293 §3.5.2); nothing to a reset. */
export function refusalOf(bytes: Uint8Array): Uint8Array | undefined {
  const segment = decodeSegment(bytes)
  if (segment === undefined || segment.kind === SegmentKind.reset) return undefined
  return encodeSegment(resetOf(segment.connection))
}
