import { DecodeError } from '@breakwater/core'
import { Code, codeClass } from '../code.ts'
import { readOptions } from '../codec/decode.ts'
import { optionsAndPayloadBytes, sorted, unsendable, writeOptionsAndPayload } from '../codec/encode.ts'
import { MAXIMUM_TOKEN_BYTES } from '../codec/limit.ts'
import type { CoapOption } from '../message.ts'
import type { StreamMessage } from './stream-message.ts'

/** How a frame begins: where its code stands, and where it ends. */
export interface FrameHead {
  readonly codeAt: number
  readonly tokenBytes: number
  /** Of the whole frame. */
  readonly bytes: number
}

/** RFC 8323 §3.2: from these lengths on, 1, 2 or 4 bytes of extended length. */
const EXTENDED_8 = 13
const EXTENDED_16 = 269
const EXTENDED_32 = 65_805

/**
 * Writes one message as a frame of CoAP over TCP (RFC 8323 §3.2). Options may come in any order.
 * @throws InternalError `COAP_MESSAGE_UNSENDABLE`.
 */
export function encodeFrame(message: StreamMessage): Uint8Array {
  const { code, token, payload } = message
  if (!Number.isInteger(code) || code < 0 || code > 0xff || isReserved(code)) throw unsendable(`code ${code}`)
  if (token.length > MAXIMUM_TOKEN_BYTES) throw unsendable(`a token of ${token.length} bytes`)
  const options = sorted(message.options)
  const length = optionsAndPayloadBytes(options, payload)
  const tokenAt = 2 + extendedBytes(length)
  const bytes = new Uint8Array(tokenAt + token.length + length)
  writeLength(bytes, length, token.length)
  bytes[tokenAt - 1] = code
  bytes.set(token, tokenAt)
  writeOptionsAndPayload(bytes, tokenAt + token.length, options, payload)
  return bytes
}

function extendedBytes(length: number): number {
  if (length < EXTENDED_8) return 0
  if (length < EXTENDED_16) return 1
  return length < EXTENDED_32 ? 2 : 4
}

function writeLength(bytes: Uint8Array, length: number, tokenBytes: number): void {
  const view = new DataView(bytes.buffer)
  switch (extendedBytes(length)) {
    case 0:
      bytes[0] = (length << 4) | tokenBytes
      return
    case 1:
      bytes[0] = 0xd0 | tokenBytes
      bytes[1] = length - EXTENDED_8
      return
    case 2:
      bytes[0] = 0xe0 | tokenBytes
      view.setUint16(1, length - EXTENDED_16)
      return
    default:
      bytes[0] = 0xf0 | tokenBytes
      view.setUint32(1, length - EXTENDED_32)
  }
}

/**
 * Reads how long the frame at `start` is; undefined while too few bytes are there to tell.
 * @throws DecodeError `COAP_TOKEN_LENGTH_RESERVED`.
 */
export function readFrameHead(bytes: Uint8Array, start: number, end: number): FrameHead | undefined {
  if (start >= end) return undefined
  const first = bytes[start] ?? 0
  const tokenBytes = first & 0x0f
  if (tokenBytes > MAXIMUM_TOKEN_BYTES)
    throw new DecodeError('COAP_TOKEN_LENGTH_RESERVED', `token length ${tokenBytes} is reserved`)
  const extended = [0, 1, 2, 4][Math.max(0, (first >> 4) - 12)] ?? 0
  if (end - start < 1 + extended) return undefined
  const codeAt = 1 + extended
  return { codeAt, tokenBytes, bytes: codeAt + 1 + tokenBytes + readLength(bytes, start, first >> 4) }
}

function readLength(bytes: Uint8Array, start: number, nibble: number): number {
  const view = new DataView(bytes.buffer, bytes.byteOffset + start + 1)
  if (nibble === 13) return view.getUint8(0) + EXTENDED_8
  if (nibble === 14) return view.getUint16(0) + EXTENDED_16
  return nibble === 15 ? view.getUint32(0) + EXTENDED_32 : nibble
}

/**
 * Reads one whole frame. Token and payload are views on `bytes`.
 * @throws DecodeError whose code begins with `COAP_`.
 */
export function decodeFrame(bytes: Uint8Array, head: FrameHead): StreamMessage {
  const code = bytes[head.codeAt] ?? 0
  if (isReserved(code))
    throw new DecodeError('COAP_CODE_RESERVED', `code class ${codeClass(code)} is reserved`)
  const optionsAt = head.codeAt + 1 + head.tokenBytes
  const token = bytes.subarray(head.codeAt + 1, optionsAt)
  // RFC 8323 §3.4: ignored whatever is in it.
  if (code === Code.empty) return { code, token, options: [], payload: bytes.subarray(0, 0) }
  const options: CoapOption[] = []
  const payloadAt = readOptions(bytes, optionsAt, options)
  return { code, token, options, payload: bytes.subarray(payloadAt) }
}

/** RFC 7252 §12.1: classes 1 and 6; 7 is for signaling (RFC 8323 §5.1). */
function isReserved(code: number): boolean {
  const family = codeClass(code)
  return family === 1 || family === 6
}
