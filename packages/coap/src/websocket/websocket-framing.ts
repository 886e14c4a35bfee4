import { DecodeError } from '@breakwater/core'
import { MAXIMUM_TOKEN_BYTES } from '../codec/limit.ts'
import { decodeFrame, encodeFrame } from '../tcp/frame.ts'
import type { Framing, MessageReader } from '../tcp/framing.ts'
import type { StreamMessage } from '../tcp/stream-message.ts'

/** Before the token: Len and TKL, and the code. */
const CODE_AT = 1

/**
 * Messages of CoAP over WebSockets (RFC 8323 §4.2): one in each binary message, whose length says how long it is, so that
 * Len is zero.
 */
export const webSocketFraming: Framing = {
  encode: encodeWebSocketMessage,
  reader: (maximumMessageBytes) => new WebSocketReader(maximumMessageBytes)
}

function encodeWebSocketMessage(message: StreamMessage): Uint8Array {
  const frame = encodeFrame(message)
  // RFC 8323 §3.2: an extended length of 1, 2 or 4 bytes stands between the first byte and the code.
  const bytes = frame.slice([1, 2, 4][((frame[0] ?? 0) >> 4) - 13] ?? 0)
  bytes[0] = message.token.length
  return bytes
}

class WebSocketReader implements MessageReader {
  readonly #maximumMessageBytes: number
  #message: Uint8Array | undefined

  constructor(maximumMessageBytes: number) {
    this.#maximumMessageBytes = maximumMessageBytes
  }

  /** RFC 6455 brings whole messages. */
  get waiting(): number {
    return 0
  }

  feed(bytes: Uint8Array): void {
    this.#message = bytes.slice()
  }

  next(): StreamMessage | undefined {
    const bytes = this.#message
    if (bytes === undefined) return undefined
    this.#message = undefined
    if (bytes.length > this.#maximumMessageBytes)
      throw new DecodeError(
        'COAP_MESSAGE_TOO_LONG',
        `${bytes.length} bytes are above ${this.#maximumMessageBytes}`
      )
    return decodeFrame(bytes, { codeAt: CODE_AT, tokenBytes: tokenBytesOf(bytes), bytes: bytes.length })
  }
}

function tokenBytesOf(bytes: Uint8Array): number {
  const [first = 0] = bytes
  if (bytes.length < 2) throw new DecodeError('COAP_HEADER_TRUNCATED', `${bytes.length} bytes`)
  if (first >> 4 !== 0) throw new DecodeError('COAP_LENGTH_NOT_ZERO', `Len is ${first >> 4} (RFC 8323 §4.2)`)
  if (first > MAXIMUM_TOKEN_BYTES)
    throw new DecodeError('COAP_TOKEN_LENGTH_RESERVED', `token length ${first} is reserved`)
  if (bytes.length < 2 + first) throw new DecodeError('COAP_TOKEN_TRUNCATED', 'ends within the token')
  return first
}
