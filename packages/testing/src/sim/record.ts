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
  bytes[0] = record.kind
  writeWord(bytes, 1, 2, version)
  writeWord(bytes, 3, 4, record.session.client)
  writeWord(bytes, 7, 4, record.session.server)
  writeWord(bytes, 11, 2, Math.floor(record.sequence / 0x1_0000_0000))
  writeWord(bytes, 13, 4, record.sequence)
  writeWord(bytes, 17, 2, record.payload.length)
  bytes.set(record.payload, headerBytes)
  return bytes
}

/** The record in a datagram; undefined when it holds none. The payload is a view. */
export function decodeRecord(bytes: Uint8Array): SimulatedRecord | undefined {
  if (bytes.length < headerBytes) return undefined
  const kind = recordKind(bytes[0])
  if (kind === undefined || readWord(bytes, 1, 2) !== version) return undefined
  if (readWord(bytes, 17, 2) !== bytes.length - headerBytes) return undefined
  return {
    kind,
    session: { client: readWord(bytes, 3, 4), server: readWord(bytes, 7, 4) },
    sequence: readWord(bytes, 11, 2) * 0x1_0000_0000 + readWord(bytes, 13, 4),
    payload: bytes.subarray(headerBytes)
  }
}

/** Big-endian; a DataView costs more than such a small record is worth. */
function writeWord(bytes: Uint8Array, at: number, length: number, value: number): void {
  for (let index = length - 1, rest = value; index >= 0; index--, rest >>>= 8) bytes[at + index] = rest & 0xff
}

function readWord(bytes: Uint8Array, at: number, length: number): number {
  let value = 0
  for (let index = 0; index < length; index++) value = value * 256 + (bytes[at + index] ?? 0)
  return value
}

/** The plaintext in a traced datagram, for auditors; undefined when it carries something else. */
export function plaintextOf(datagram: Uint8Array): Uint8Array | undefined {
  const record = decodeRecord(datagram)
  return record?.kind === RecordKind.plaintext ? record.payload : undefined
}

/** Names the session of a traced datagram by its client's random number: addresses change on the way. */
export function sessionOfDatagram(datagram: Uint8Array): number | undefined {
  return decodeRecord(datagram)?.session.client
}

export function isSameSession(a: SessionName, b: SessionName): boolean {
  return a.client === b.client && a.server === b.server
}

function recordKind(byte: number | undefined): RecordKind | undefined {
  const { alert, handshake, plaintext } = RecordKind
  return byte === plaintext || byte === handshake || byte === alert ? byte : undefined
}
