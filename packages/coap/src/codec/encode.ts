import { InternalError } from '@breakwater/core'
import { Code } from '../code.ts'
import type { CoapMessage, CoapOption, MessageType } from '../message.ts'
import { codeFault } from './code-fault.ts'
import {
  HEADER_BYTES,
  MAXIMUM_MESSAGE_BYTES,
  MAXIMUM_OPTION_NUMBER,
  MAXIMUM_OPTIONS,
  MAXIMUM_TOKEN_BYTES,
  PAYLOAD_MARKER
} from './limit.ts'

const typeBits: Readonly<Record<MessageType, number>> = {
  confirmable: 0x40,
  'non-confirmable': 0x50,
  acknowledgement: 0x60,
  reset: 0x70
}

/**
 * Writes one CoAP message (RFC 7252 §3) into a fresh array. Options may come in any order: they are sorted by number, and
 * equal numbers keep the order that they were given in.
 *
 * @throws InternalError `COAP_MESSAGE_UNSENDABLE` on what `decodeMessage` would refuse: it is the caller's mistake.
 */
export function encodeMessage(message: CoapMessage): Uint8Array {
  const { type, code, messageId, token, payload } = message
  const options = sorted(message.options)
  const size = sizeOf(message, options)
  const bytes = new Uint8Array(size)
  bytes[0] = typeBits[type] | token.length
  bytes[1] = code
  bytes[2] = messageId >> 8
  bytes[3] = messageId
  writeOptionsAndPayload(bytes, copy(token, bytes, HEADER_BYTES), options, payload)
  return bytes
}

/** Writes what stands behind the token: sorted options, and a payload if there is one. */
export function writeOptionsAndPayload(
  bytes: Uint8Array,
  start: number,
  options: readonly CoapOption[],
  payload: Uint8Array
): void {
  let at = start
  let before = 0
  for (const option of options) {
    at = writeOptionHead(bytes, at, option.number - before, option.value.length)
    at = copy(option.value, bytes, at)
    before = option.number
  }
  if (payload.length > 0) {
    bytes[at++] = PAYLOAD_MARKER
    copy(payload, bytes, at)
  }
}

/** Checks all that can be wrong and answers the length of the datagram in bytes. */
function sizeOf(message: CoapMessage, options: readonly CoapOption[]): number {
  const { type, code, messageId, token, payload } = message
  if (!isInteger(code, 0xff)) throw unsendable(`code ${code} is not a byte`)
  const fault = codeFault(type, code)
  if (fault !== undefined) throw unsendable(fault.message)
  if (!isInteger(messageId, 0xffff)) throw unsendable(`Message ID ${messageId} is not of 0 … 65535`)
  if (token.length > MAXIMUM_TOKEN_BYTES) throw unsendable(`a token of ${token.length} bytes`)
  const size = HEADER_BYTES + token.length + optionsAndPayloadBytes(options, payload)
  if (code === Code.empty && size > HEADER_BYTES) throw unsendable('an Empty message is not empty')
  if (size > MAXIMUM_MESSAGE_BYTES) throw unsendable(`${size} bytes are above ${MAXIMUM_MESSAGE_BYTES}`)
  return size
}

/** The length of what stands behind the token, in bytes. */
export function optionsAndPayloadBytes(options: readonly CoapOption[], payload: Uint8Array): number {
  if (options.length > MAXIMUM_OPTIONS) throw unsendable(`${options.length} options`)
  let size = 0
  let before = 0
  for (const { number, value } of options) {
    if (!isInteger(number, MAXIMUM_OPTION_NUMBER)) throw unsendable(`option number ${number}`)
    size += 1 + extensionBytes(number - before) + extensionBytes(value.length) + value.length
    before = number
  }
  return payload.length > 0 ? size + 1 + payload.length : size
}

/** By number; equal numbers keep their order. */
export function sorted(options: readonly CoapOption[]): readonly CoapOption[] {
  let before = 0
  for (const { number } of options) {
    if (number < before) return options.toSorted((a, b) => a.number - b.number)
    before = number
  }
  return options
}

/** RFC 7252 §3.1: 0 … 12 fit the nibble, 13 … 268 take one more byte, the rest two. */
function extensionBytes(value: number): number {
  if (value < 13) return 0
  return value < 269 ? 1 : 2
}

function nibble(value: number): number {
  if (value < 13) return value
  return value < 269 ? 13 : 14
}

function writeOptionHead(bytes: Uint8Array, start: number, delta: number, length: number): number {
  bytes[start] = (nibble(delta) << 4) | nibble(length)
  return writeExtension(bytes, writeExtension(bytes, start + 1, delta), length)
}

function writeExtension(bytes: Uint8Array, at: number, value: number): number {
  if (value < 13) return at
  if (value < 269) {
    bytes[at] = value - 13
    return at + 1
  }
  bytes[at] = (value - 269) >> 8
  bytes[at + 1] = value - 269
  return at + 2
}

// Below some 32 bytes the call of `set` costs more than the loop.
const LOOP_BYTES = 32

function copy(from: Uint8Array, to: Uint8Array, at: number): number {
  const length = from.length
  if (length > LOOP_BYTES) to.set(from, at)
  else for (let i = 0; i < length; i++) to[at + i] = from[i] ?? 0
  return at + length
}

function isInteger(value: number, maximum: number): boolean {
  return Number.isInteger(value) && value >= 0 && value <= maximum
}

/** A message that is the caller's mistake. */
export function unsendable(what: string): InternalError {
  return new InternalError('COAP_MESSAGE_UNSENDABLE', what)
}
