import type { DecodeError } from '@breakwater/core'
import type { CoapSessionOutput } from '../session.ts'
import { type Capabilities, baseCapabilities } from './signal.ts'
import type { Framing } from './framing.ts'
import type { StreamMessage } from './stream-message.ts'

/**
 * What both halves of a session on a stream stand on: outputs, and what the peer takes. There is no message layer, as the
 * stream repeats, orders and deduplicates (RFC 8323 §3.2).
 */
export class StreamLink {
  /** What the peer has said of itself in its CSMs. */
  peer: Capabilities = baseCapabilities
  readonly #framing: Framing
  #outputs: CoapSessionOutput[] = []
  #polled = 0

  constructor(framing: Framing) {
    this.#framing = framing
  }

  emit(output: CoapSessionOutput): void {
    this.#outputs.push(output)
  }

  poll(): CoapSessionOutput | undefined {
    const output = this.#outputs[this.#polled]
    if (output === undefined) return undefined
    this.#polled++
    if (this.#polled === this.#outputs.length) {
      this.#outputs.length = 0
      this.#polled = 0
    }
    return output
  }

  /**
   * Sends one message.
   * @returns false when it is longer than the peer takes (RFC 8323 §5.3.1): then it is not sent.
   */
  transmit(message: StreamMessage): boolean {
    const bytes = this.#framing.encode(message)
    if (bytes.length > this.peer.maxMessageBytes) return false
    this.emit({ kind: 'send', bytes })
    return true
  }

  /** Sends a signaling message: these are short, and not held back by what the peer says of itself. */
  signal(message: StreamMessage): void {
    this.emit({ kind: 'send', bytes: this.#framing.encode(message) })
  }

  malformed(error: DecodeError): void {
    this.emit({ kind: 'malformed', error })
  }
}
