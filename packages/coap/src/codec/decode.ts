import { DecodeError } from '@breakwater/core'
import { Code } from '../code.ts'
import type { CoapMessage, CoapOption, MessageType } from '../message.ts'
import {
  HEADER_BYTES,
  MAXIMUM_MESSAGE_BYTES,
  MAXIMUM_OPTION_NUMBER,
  MAXIMUM_OPTIONS,
  MAXIMUM_TOKEN_BYTES,
  PAYLOAD_MARKER
} from './limit.ts'
import { codeFault } from './code-fault.ts'

const nothing = new Uint8Array(0)
const noOptions: readonly CoapOption[] = []

/**
 * Reads one datagram as a CoAP message (RFC 7252 §3).
 *
 * Nothing is copied: `token`, option values and `payload` are views on `bytes`. Who keeps the message longer than the
 * buffer gives it a copy (`decodeMessage(bytes.slice())`).
 *
 * Option values are not checked against their definitions, as that depends on who reads them: `CoapSession` does it.
 *
 * @throws DecodeError whose code begins with `COAP_`, on anything that RFC 7252 calls a message format error, on an
 * unknown version (`COAP_VERSION_UNKNOWN`, to be ignored in silence), on combinations of type and code that §4.2 and §4.3
 * rule out, and beyond `MAXIMUM_MESSAGE_BYTES` and `MAXIMUM_OPTIONS`.
 */
export function decodeMessage(bytes: Uint8Array): CoapMessage {
  const length = bytes.length
  if (length < HEADER_BYTES)
    throw new DecodeError('COAP_HEADER_TRUNCATED', `${length} bytes are no header of ${HEADER_BYTES}`)
  if (length > MAXIMUM_MESSAGE_BYTES)
    throw new DecodeError('COAP_MESSAGE_TOO_LONG', `${length} bytes are above ${MAXIMUM_MESSAGE_BYTES}`)
  const first = byteAt(bytes, 0)
  const code = byteAt(bytes, 1)
  const tokenLength = first & 0x0f
  checkHeader(first >> 6, tokenLength, length)
  const type = messageType((first >> 4) & 3)
  checkCode(type, code)
  if (code === Code.empty && length > HEADER_BYTES)
    throw new DecodeError('COAP_EMPTY_NOT_EMPTY', 'an Empty message has bytes after its Message ID')

  const messageId = (byteAt(bytes, 2) << 8) | byteAt(bytes, 3)
  const bodyAt = HEADER_BYTES + tokenLength
  const token = tokenLength === 0 ? nothing : view(bytes, HEADER_BYTES, tokenLength)
  if (bodyAt === length) return { type, code, messageId, token, options: noOptions, payload: nothing }

  const options: CoapOption[] = []
  const payloadAt = readOptions(bytes, bodyAt, options)
  const payload = payloadAt === length ? nothing : view(bytes, payloadAt, length - payloadAt)
  return { type, code, messageId, token, options, payload }
}

function checkHeader(version: number, tokenLength: number, length: number): void {
  if (version !== 1) throw new DecodeError('COAP_VERSION_UNKNOWN', `version ${version} is not 1`)
  if (tokenLength > MAXIMUM_TOKEN_BYTES)
    throw new DecodeError('COAP_TOKEN_LENGTH_RESERVED', `token length ${tokenLength} is reserved`)
  if (HEADER_BYTES + tokenLength > length)
    throw new DecodeError('COAP_TOKEN_TRUNCATED', `the message ends within its token of ${tokenLength} bytes`)
}

function checkCode(type: MessageType, code: number): void {
  const fault = codeFault(type, code)
  if (fault !== undefined) throw new DecodeError(fault.code, fault.message)
}

/**
 * Reads options from `start` into `options`; answers where the payload begins, or the end when there is none. CoAP over
 * TCP has them in the same form (RFC 8323 §3.2).
 */
export function readOptions(bytes: Uint8Array, start: number, options: CoapOption[]): number {
  const length = bytes.length
  let at = start
  let number = 0
  while (at < length) {
    const head = byteAt(bytes, at++)
    if (head === PAYLOAD_MARKER) {
      if (at === length) throw new DecodeError('COAP_PAYLOAD_MISSING', 'nothing follows the payload marker')
      return at
    }
    let delta = head >> 4
    let size = head & 0x0f
    if (delta > 12) {
      delta = extended(bytes, at, delta)
      at += delta < 269 ? 1 : 2
    }
    if (size > 12) {
      size = extended(bytes, at, size)
      at += size < 269 ? 1 : 2
    }
    number += delta
    if (number > MAXIMUM_OPTION_NUMBER)
      throw new DecodeError(
        'COAP_OPTION_NUMBER_TOO_HIGH',
        `option ${number} is above ${MAXIMUM_OPTION_NUMBER}`
      )
    if (at + size > length)
      throw new DecodeError('COAP_OPTION_TRUNCATED', `the message ends within option ${number}`)
    if (options.length === MAXIMUM_OPTIONS)
      throw new DecodeError('COAP_OPTIONS_TOO_MANY', `more than ${MAXIMUM_OPTIONS} options`)
    options.push({ number, value: size === 0 ? nothing : view(bytes, at, size) })
    at += size
  }
  return length
}

/** The value of a nibble of 13 … 15 (RFC 7252 §3.1): one more byte, two more bytes, or an error. */
function extended(bytes: Uint8Array, at: number, nibble: number): number {
  if (nibble === 15) throw new DecodeError('COAP_OPTION_NIBBLE_RESERVED', 'an option delta or length of 15')
  const end = at + nibble - 12
  if (end > bytes.length)
    throw new DecodeError('COAP_OPTION_TRUNCATED', 'the message ends within an option header')
  if (nibble === 13) return byteAt(bytes, at) + 13
  return ((byteAt(bytes, at) << 8) | byteAt(bytes, at + 1)) + 269
}

function messageType(bits: number): MessageType {
  if (bits === 0) return 'confirmable'
  if (bits === 1) return 'non-confirmable'
  return bits === 2 ? 'acknowledgement' : 'reset'
}

// Not `subarray`: it looks for a species constructor first and takes twice the time.
function view(bytes: Uint8Array, start: number, length: number): Uint8Array {
  return new Uint8Array(bytes.buffer, bytes.byteOffset + start, length)
}

function byteAt(bytes: Uint8Array, at: number): number {
  return bytes[at] ?? 0
}
