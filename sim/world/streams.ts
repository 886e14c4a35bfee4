import { FrameReader } from '@breakwater/coap'
import type { StreamMessage } from '@breakwater/coap'
import { StreamTap } from '@breakwater/testing'
import type { TraceEntry } from '@breakwater/testing'

/** More than any message of an agent. */
const LONGEST_MESSAGE = 65_536

/** What a packet of TCP completes. */
export interface CompletedMessages {
  /** The same for both directions of a connection. */
  readonly session: string
  readonly messages: readonly StreamMessage[]
}

const NOTHING: CompletedMessages = { session: '', messages: [] }

/** Puts the messages of all streams together, as their senders wrote them or as their destinations got them. */
export class StreamReader {
  readonly #tap: StreamTap
  /** By direction of a connection. */
  readonly #readers = new Map<string, FrameReader>()

  constructor(when: 'sent' | 'delivered') {
    this.#tap = new StreamTap(when)
  }

  read(entry: TraceEntry): CompletedMessages {
    const plaintext = this.#tap.read(entry)
    if (plaintext === undefined) return NOTHING
    const reader = this.#readers.get(plaintext.direction) ?? new FrameReader(LONGEST_MESSAGE)
    this.#readers.set(plaintext.direction, reader)
    reader.feed(plaintext.bytes)
    const messages: StreamMessage[] = []
    for (let next = reader.next(); next !== undefined; next = reader.next()) messages.push(next)
    return { session: `tcp ${plaintext.connection}`, messages }
  }
}
