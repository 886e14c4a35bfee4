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
import { KnownOptions } from './known-options.ts'
import type { OptionList } from './known-options.ts'

const nothing = new Uint8Array(0)
const noOptions: readonly CoapOption[] = []

/** Of all messages that this process reads: what many peers say alike is read and kept once. */
const knownOptions = new KnownOptions()

/**
 * Reads one datagram as a CoAP message (RFC 7252 §3).
 *
 * The message outlives `bytes`: `token`, option values and `payload` are copies. Options may be shared with other messages
 * that say the same: nobody may write into them.
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
  const token = tokenLength === 0 ? nothing : copy(bytes, HEADER_BYTES, bodyAt)
  if (bodyAt === length) return { type, code, messageId, token, options: noOptions, payload: nothing }

  const { options, length: optionBytes } = knownOptions.find(bytes, bodyAt) ?? readUnknown(bytes, bodyAt)
  const payloadAt = bodyAt + optionBytes + 1
  const payload = payloadAt > length ? nothing : copy(bytes, payloadAt, length)
  return { type, code, messageId, token, options, payload }
}

function readUnknown(bytes: Uint8Array, start: number): OptionList {
  const options: CoapOption[] = []
  const payloadAt = readOptions(bytes, start, options)
  const end = payloadAt === bytes.length ? payloadAt : payloadAt - 1
  const list = { options, length: end - start }
  knownOptions.keep(bytes, start, list)
  return list
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
 * Reads options from `start` into `options`, with copies of their values; answers where the payload begins, or the end when there is none. CoAP over
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
    options.push({ number, value: size === 0 ? nothing : copy(bytes, at, at + size) })
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

/** Up to so many bytes an array has its content within itself, and a loop is faster than a call. */
const SMALL = 64

// No view: to make one of a small array costs more than the copy, as its content has to move out of it first.
function copy(bytes: Uint8Array, start: number, end: number): Uint8Array {
  const length = end - start
  if (length > SMALL) return bytes.slice(start, end)
  const copied = new Uint8Array(length)
  for (let i = 0; i < length; i++) copied[i] = bytes[start + i] ?? 0
  return copied
}

function byteAt(bytes: Uint8Array, at: number): number {
  return bytes[at] ?? 0
}
