import { concatBytes, formatIpAddress } from '@breakwater/core'
import { RecordKind } from './record.ts'
import { StreamReceiver } from './stream-receiver.ts'
import { StreamRecordReader } from './stream-record.ts'
import { decodeSegment, SegmentKind } from './stream-segment.ts'
import type { TraceEntry } from './trace.ts'

/** One direction of one connection, as a bystander puts it together. */
interface TappedDirection {
  readonly receiver: StreamReceiver
  readonly records: StreamRecordReader
}

/** What one packet was the first to bring, and by which connection. */
export interface TappedPlaintext {
  /** The same for all packets of one direction of one connection. */
  readonly direction: string
  /** The same for both directions. */
  readonly connection: number
  readonly bytes: Uint8Array
}

const nothing = new Uint8Array(0)

/**
 * Reads along what simulated streams carry, for tests and auditors: each byte once, however often it was sent. It stands at
 * the source of every packet, or at its destination.
 */
export class StreamTap {
  readonly #when: 'sent' | 'delivered'
  readonly #directions = new Map<string, TappedDirection>()

  /** @param when Default `sent`. */
  constructor(when: 'sent' | 'delivered' = 'sent') {
    this.#when = when
  }

  /** The plaintext that this packet adds here; undefined when it is none of a stream, or adds nothing. */
  read({ fate, transport, path, bytes }: TraceEntry): TappedPlaintext | undefined {
    const segment = fate.kind === this.#when && transport === 'tcp' ? decodeSegment(bytes) : undefined
    if (segment === undefined || segment.kind !== SegmentKind.data) return undefined
    if (segment.payload.length === 0) return undefined
    const ends = [path.local, path.remote].map(({ address, port }) => `${formatIpAddress(address)} ${port}`)
    const direction = `${ends.join(' > ')} ${segment.connection}`
    const tapped = this.#directions.get(direction) ?? newDirection()
    this.#directions.set(direction, tapped)
    for (const piece of tapped.receiver.receive(segment)) tapped.records.add(piece)
    const plaintext = plaintextOf(tapped.records)
    const { connection } = segment
    return plaintext.length === 0 ? undefined : { direction, connection, bytes: plaintext }
  }
}

function newDirection(): TappedDirection {
  return { receiver: new StreamReceiver(), records: new StreamRecordReader() }
}

function plaintextOf(records: StreamRecordReader): Uint8Array {
  const payloads: Uint8Array[] = []
  for (let record = records.next(); record !== undefined; record = records.next()) {
    if (record === 'malformed') break
    if (record.kind === RecordKind.plaintext) payloads.push(record.payload)
  }
  return payloads.length === 0 ? nothing : concatBytes(payloads)
}
