import { encodeFrame } from './frame.ts'
import { FrameReader } from './frame-reader.ts'
import type { StreamMessage } from './stream-message.ts'

/** Finds messages in what comes. */
export interface MessageReader {
  /** Bytes that wait for the rest of their message. */
  readonly waiting: number
  /** Takes what came; the view need only live during the call. */
  feed(bytes: Uint8Array): void
  /** The next whole message; undefined when more has to come. Throws a DecodeError, after which there are none. */
  next(): StreamMessage | undefined
}

/** How messages lie in what carries them: TCP (RFC 8323 §3.2) or WebSocket messages (RFC 8323 §4.2). */
export interface Framing {
  /** @throws InternalError `COAP_MESSAGE_UNSENDABLE`. */
  encode(message: StreamMessage): Uint8Array
  reader(maximumMessageBytes: number): MessageReader
}

export const tcpFraming: Framing = {
  encode: encodeFrame,
  reader: (maximumMessageBytes) => new FrameReader(maximumMessageBytes)
}
