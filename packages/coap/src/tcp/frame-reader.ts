import { DecodeError } from '@breakwater/core'
import { decodeFrame, readFrameHead } from './frame.ts'
import type { StreamMessage } from './stream-message.ts'

const SMALLEST_BUFFER = 512

/**
 * Cuts a stream into messages. It keeps no more than one message that is not complete yet, of at most
 * `maximumMessageBytes`, and what one `feed` brought.
 */
export class FrameReader {
  readonly #maximumMessageBytes: number
  #buffer = new Uint8Array(0)
  #start = 0
  #end = 0

  constructor(maximumMessageBytes: number) {
    this.#maximumMessageBytes = maximumMessageBytes
  }

  /** Bytes that wait for the rest of their message. */
  get waiting(): number {
    return this.#end - this.#start
  }

  /** Takes what came; the view need only live during the call. Then call `next` until it says undefined. */
  feed(bytes: Uint8Array): void {
    this.#makeRoom(bytes.length)
    this.#buffer.set(bytes, this.#end)
    this.#end += bytes.length
  }

  #makeRoom(bytes: number): void {
    const { waiting } = this
    if (this.#end + bytes <= this.#buffer.length) return
    const room = Math.max(SMALLEST_BUFFER, waiting + bytes)
    const target = room > this.#buffer.length ? new Uint8Array(Math.max(room, 2 * waiting)) : this.#buffer
    target.set(this.#buffer.subarray(this.#start, this.#end))
    this.#buffer = target
    this.#start = 0
    this.#end = waiting
  }

  /**
   * The next whole message, on a copy of its own; undefined when more has to come.
   * @throws DecodeError on bytes that are no message, and on one that is too long as soon as its length is known
   * (`COAP_MESSAGE_TOO_LONG`). The stream cannot be read any further then.
   */
  next(): StreamMessage | undefined {
    const head = readFrameHead(this.#buffer, this.#start, this.#end)
    if (head === undefined) return undefined
    if (head.bytes > this.#maximumMessageBytes)
      throw new DecodeError(
        'COAP_MESSAGE_TOO_LONG',
        `${head.bytes} bytes are above ${this.#maximumMessageBytes}`
      )
    if (this.waiting < head.bytes) return undefined
    const frame = this.#buffer.slice(this.#start, this.#start + head.bytes)
    this.#start += head.bytes
    if (this.#start === this.#end) this.#release()
    return decodeFrame(frame, head)
  }

  /** An idle connection holds no buffer that a long message once needed. */
  #release(): void {
    this.#start = 0
    this.#end = 0
    if (this.#buffer.length > SMALLEST_BUFFER) this.#buffer = new Uint8Array(0)
  }
}
