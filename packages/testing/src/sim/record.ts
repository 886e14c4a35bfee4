/** What a record carries, by its number in DTLS (RFC 6347 §4.1, RFC 5246 §6.2.1). */
export const RecordKind = { alert: 21, handshake: 22, plaintext: 23 } as const

export type RecordKind = (typeof RecordKind)[keyof typeof RecordKind]

/**
 * Names a session by the random numbers of both sides; stands where the keys of a real session would. While the server
 * has not chosen yet, its half is 0.
 */
export interface SessionName {
  readonly client: number
  readonly server: number
}

/** One datagram between simulated endpoints: a record in clear text. */
export interface SimulatedRecord {
  readonly kind: RecordKind
  readonly session: SessionName
  /** Counts the records of one direction of one session from 0. */
  readonly sequence: number
  readonly payload: Uint8Array
}

/** Bytes before the payload: kind, version, both halves of the session's name, sequence, length. */
const headerBytes = 1 + 2 + 4 + 4 + 6 + 2

/** DTLS 1.2 on the wire (RFC 6347 §4.1). */
const version = 0xfefd

export function encodeRecord(record: SimulatedRecord): Uint8Array {
  const bytes = new Uint8Array(headerBytes + record.payload.length)
  const view = new DataView(bytes.buffer)
  view.setUint8(0, record.kind)
  view.setUint16(1, version)
  view.setUint32(3, record.session.client)
  view.setUint32(7, record.session.server)
  view.setUint16(11, Math.floor(record.sequence / 0x1_0000_0000))
  view.setUint32(13, record.sequence)
  view.setUint16(17, record.payload.length)
  bytes.set(record.payload, headerBytes)
  return bytes
}

/** The record in a datagram; undefined when it holds none. The payload is a view. */
export function decodeRecord(bytes: Uint8Array): SimulatedRecord | undefined {
  if (bytes.length < headerBytes) return undefined
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  const kind = recordKind(view.getUint8(0))
  if (kind === undefined || view.getUint16(1) !== version) return undefined
  if (view.getUint16(17) !== bytes.length - headerBytes) return undefined
  return {
    kind,
    session: { client: view.getUint32(3), server: view.getUint32(7) },
    sequence: view.getUint16(11) * 0x1_0000_0000 + view.getUint32(13),
    payload: bytes.subarray(headerBytes)
  }
}

/** The plaintext in a traced datagram, for auditors; undefined when it carries something else. */
export function plaintextOf(datagram: Uint8Array): Uint8Array | undefined {
  const record = decodeRecord(datagram)
  return record?.kind === RecordKind.plaintext ? record.payload : undefined
}

export function isSameSession(a: SessionName, b: SessionName): boolean {
  return a.client === b.client && a.server === b.server
}

function recordKind(byte: number): RecordKind | undefined {
  return Object.values(RecordKind).find((kind) => kind === byte)
}
