import { DecodeError, decodeUtf8, encodeUtf8, InternalError } from '@breakwater/core'
import type { CoapOption } from './message.ts'
import { OptionNumber } from './option.ts'

const nothing = new Uint8Array(0)

/** Longest uint that is read or written, in bytes; Max-Age and the Size options have 4. */
const MAXIMUM_UINT_BYTES = 4

/**
 * An option with a uint of 0 … 2^32 − 1 in the fewest bytes, 0 in none (RFC 7252 §3.2).
 * @throws InternalError `COAP_OPTION_VALUE_INVALID` outside that range.
 */
export function uintOption(number: number, value: number): CoapOption {
  return { number, value: uintBytes(value) }
}

function uintBytes(value: number): Uint8Array {
  if (!Number.isInteger(value) || value < 0 || value > 0xffff_ffff)
    throw new InternalError('COAP_OPTION_VALUE_INVALID', `${value} is no uint of 32 bits`)
  if (value === 0) return nothing
  if (value < 0x100) return Uint8Array.of(value)
  if (value < 0x1_0000) return Uint8Array.of(value >> 8, value)
  if (value < 0x100_0000) return Uint8Array.of(value >> 16, value >> 8, value)
  return Uint8Array.of(value >>> 24, value >> 16, value >> 8, value)
}

/** An option with a text in UTF-8. Throws a DecodeError on half of a surrogate pair. */
export function stringOption(number: number, text: string): CoapOption {
  return { number, value: encodeUtf8(text) }
}

/** An option without a value. */
export function emptyOption(number: number): CoapOption {
  return { number, value: nothing }
}

/**
 * One Uri-Path option for each segment: `uriPath('.well-known', 'dots')`.
 * @throws InternalError `COAP_OPTION_VALUE_INVALID` on `.` and `..` (RFC 7252 §5.10.1) and above 255 bytes.
 */
export function uriPath(...segments: readonly string[]): CoapOption[] {
  return segments.map((segment) => {
    const option = stringOption(OptionNumber.uriPath, segment)
    if (isDotSegment(segment) || option.value.length > 255)
      throw new InternalError('COAP_OPTION_VALUE_INVALID', `"${segment.slice(0, 40)}" is no Uri-Path`)
    return option
  })
}

/**
 * The segments of the path, in order.
 * @throws DecodeError `COAP_URI_PATH_INVALID` on `.` and `..` (RFC 7252 §5.10.1), `CORE_UTF8_INVALID` on other bytes.
 */
export function readUriPath(options: readonly CoapOption[]): string[] {
  const segments: string[] = []
  for (const { number, value } of options) {
    if (number !== OptionNumber.uriPath) continue
    const segment = decodeUtf8(value)
    if (isDotSegment(segment)) throw new DecodeError('COAP_URI_PATH_INVALID', `a segment "${segment}"`)
    segments.push(segment)
  }
  return segments
}

function isDotSegment(segment: string): boolean {
  return segment === '.' || segment === '..'
}

/** The first option of that number. */
export function findOption(options: readonly CoapOption[], number: number): CoapOption | undefined {
  // A loop, as this runs for every message, and `find` would make a closure each time.
  for (const option of options) if (option.number === number) return option
  return undefined
}

/**
 * The first option of that number as a uint, leading zero bytes or not (RFC 7252 §3.2); undefined when there is none.
 * @throws DecodeError `COAP_OPTION_UINT_TOO_LONG` above 4 bytes.
 */
export function readUint(options: readonly CoapOption[], number: number): number | undefined {
  const option = findOption(options, number)
  return option === undefined ? undefined : uintValue(option.value)
}

/** Reads a uint of 0 … 4 bytes in network order; see `readUint`. */
export function uintValue(bytes: Uint8Array): number {
  if (bytes.length > MAXIMUM_UINT_BYTES)
    throw new DecodeError('COAP_OPTION_UINT_TOO_LONG', `a uint of ${bytes.length} bytes`)
  let value = 0
  for (const byte of bytes) value = value * 256 + byte
  return value
}

/** The first option of that number as a text; undefined when there is none. Throws a DecodeError on bad UTF-8. */
export function readString(options: readonly CoapOption[], number: number): string | undefined {
  const option = findOption(options, number)
  return option === undefined ? undefined : decodeUtf8(option.value)
}
