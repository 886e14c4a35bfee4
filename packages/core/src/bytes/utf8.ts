import { DecodeError } from '../errors.ts'

/** Strict UTF-8 in both directions: pure packages have no TextDecoder, and U+FFFD must never hide a bad byte. */

/** Decodes `bytes[start, end)`; throws a DecodeError at the first byte that is not UTF-8 (RFC 3629). */
export function decodeUtf8(bytes: Uint8Array, start = 0, end: number = bytes.length): string {
  let text = ''
  let at = start
  while (at < end) {
    const lead = bytes[at] ?? 0
    if (lead < 0x80) {
      text += String.fromCharCode(lead)
      at++
      continue
    }
    const length = sequenceLength(lead)
    const point = length === 0 || at + length > end ? -1 : codePoint(bytes, at, lead, length)
    if (point < 0) throw new DecodeError('CORE_UTF8_INVALID', `byte ${at - start} is not UTF-8`)
    text += String.fromCodePoint(point)
    at += length
  }
  return text
}

function sequenceLength(lead: number): number {
  if (lead >= 0xc2 && lead <= 0xdf) return 2
  if (lead >= 0xe0 && lead <= 0xef) return 3
  return lead >= 0xf0 && lead <= 0xf4 ? 4 : 0
}

/** The code point, or −1 where a continuation is missing, the form is overlong, or it is a surrogate or too large. */
function codePoint(bytes: Uint8Array, at: number, lead: number, length: number): number {
  let point = lead & (0xff >> (length + 1))
  for (let i = 1; i < length; i++) {
    const next = bytes[at + i] ?? 0
    if ((next & 0xc0) !== 0x80) return -1
    point = (point << 6) | (next & 0x3f)
  }
  const least = length === 2 ? 0x80 : length === 3 ? 0x800 : 0x10000
  if (point < least || point > 0x10ffff || (point >= 0xd800 && point <= 0xdfff)) return -1
  return point
}

/** Encodes `text`; a lone surrogate is a caller's mistake and throws a DecodeError. */
export function encodeUtf8(text: string): Uint8Array {
  const bytes: number[] = []
  for (const character of text) {
    const point = character.codePointAt(0) ?? 0
    if (point >= 0xd800 && point <= 0xdfff)
      throw new DecodeError('CORE_UTF8_LONE_SURROGATE', 'the text has half of a surrogate pair')
    if (point < 0x80) bytes.push(point)
    else if (point < 0x800) bytes.push(0xc0 | (point >> 6), 0x80 | (point & 0x3f))
    else if (point < 0x10000)
      bytes.push(0xe0 | (point >> 12), 0x80 | ((point >> 6) & 0x3f), 0x80 | (point & 0x3f))
    else
      bytes.push(
        0xf0 | (point >> 18),
        0x80 | ((point >> 12) & 0x3f),
        0x80 | ((point >> 6) & 0x3f),
        0x80 | (point & 0x3f)
      )
  }
  return Uint8Array.from(bytes)
}
