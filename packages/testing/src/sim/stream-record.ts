import { concatBytes } from '@breakwater/core'
import { RecordKind } from './record.ts'

/** A TLS record in clear text (RFC 8446 §5.1). */
export interface StreamRecord {
  readonly kind: RecordKind
  readonly payload: Uint8Array
}

/** RFC 8446 §5.1. */
export const longestRecord = 16_384

const headerBytes = 5

/** The legacy version of every record: TLS 1.2. */
const version = 0x0303

const nothing = new Uint8Array(0)

export function encodeStreamRecord(kind: RecordKind, payload: Uint8Array): Uint8Array {
  const header = new Uint8Array(headerBytes)
  const view = new DataView(header.buffer)
  view.setUint8(0, kind)
  view.setUint16(1, version)
  view.setUint16(3, payload.length)
  return concatBytes([header, payload])
}

/** Finds records in a stream. */
export class StreamRecordReader {
  #waiting: Uint8Array = nothing

  add(bytes: Uint8Array): void {
    this.#waiting = this.#waiting.length === 0 ? bytes.slice() : concatBytes([this.#waiting, bytes])
  }

  /** The next whole record; undefined while there is none; `malformed` when the stream is no TLS. */
  next(): StreamRecord | 'malformed' | undefined {
    const [first, major] = this.#waiting
    if (first === undefined) return undefined
    const kind = Object.values(RecordKind).find((one) => one === first)
    if (kind === undefined || (major !== undefined && major !== version >> 8)) return 'malformed'
    if (this.#waiting.length < headerBytes) return undefined
    const length = ((this.#waiting[3] ?? 0) << 8) | (this.#waiting[4] ?? 0)
    if (length > longestRecord) return 'malformed'
    const end = headerBytes + length
    if (this.#waiting.length < end) return undefined
    const payload = this.#waiting.subarray(headerBytes, end)
    this.#waiting = this.#waiting.subarray(end)
    return { kind, payload }
  }
}
