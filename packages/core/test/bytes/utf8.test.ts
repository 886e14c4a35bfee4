import { decodeUtf8, encodeUtf8 } from '@breakwater/core'
import * as fc from 'fast-check'
import { describe, expect, test } from 'vitest'

const oracle = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })

/** Bytes from around the edges of RFC 3629 §4, where readers go wrong. */
const edgeByte = fc.constantFrom(
  0x00,
  0x41,
  0x7f,
  0x80,
  0x8f,
  0x90,
  0x9f,
  0xa0,
  0xbf,
  0xc0,
  0xc1,
  0xc2,
  0xdf,
  0xe0,
  0xe1,
  0xec,
  0xed,
  0xee,
  0xef,
  0xf0,
  0xf1,
  0xf3,
  0xf4,
  0xf5,
  0xff
)

describe('decodeUtf8', () => {
  test('agrees with a fatal TextDecoder about every byte string', () => {
    fc.assert(
      fc.property(
        fc.oneof(fc.uint8Array({ maxLength: 24 }), fc.array(edgeByte, { maxLength: 8 }).map(toBytes)),
        (bytes) => {
          expect(outcome(() => decodeUtf8(bytes))).toBe(outcome(() => oracle.decode(bytes)))
        }
      ),
      { numRuns: 3000 }
    )
  })

  test('agrees with it about every string of two edge bytes and a third', () => {
    for (let lead = 0x80; lead <= 0xff; lead++)
      for (let second = 0x7f; second <= 0xc0; second++) {
        const bytes = Uint8Array.of(lead, second, 0x80)
        expect(outcome(() => decodeUtf8(bytes))).toBe(outcome(() => oracle.decode(bytes)))
      }
  })

  test.each([
    ['an overlong slash', [0xc0, 0xaf]],
    ['an overlong slash of three', [0xe0, 0x80, 0xaf]],
    ['an overlong slash of four', [0xf0, 0x80, 0x80, 0xaf]],
    ['a surrogate', [0xed, 0xa0, 0x80]],
    ['a point beyond U+10FFFF', [0xf4, 0x90, 0x80, 0x80]],
    ['a lone continuation', [0x80]],
    ['an end within a character', [0xe2, 0x82]],
    ['a character that is broken off', [0xe2, 0x82, 0x41]]
  ])('refuses %s and says where', (_what, bad) => {
    expect(() => decodeUtf8(Uint8Array.of(0x41, 0x42, ...bad))).toThrow(
      expect.objectContaining({
        name: 'DecodeError',
        code: 'CORE_UTF8_INVALID',
        message: 'byte 2 is not UTF-8'
      })
    )
  })

  test('stays within its bounds', () => {
    const bytes = Uint8Array.of(0xff, 0x41, 0xe2, 0x82, 0xac, 0xff)
    expect(decodeUtf8(bytes, 1, 5)).toBe('A€')
    expect(decodeUtf8(bytes, 1, 1)).toBe('')
    expect(() => decodeUtf8(bytes, 1, 4)).toThrow('byte 1 is not UTF-8')
  })

  test('keeps NUL and the byte order mark', () => {
    expect(decodeUtf8(Uint8Array.of(0xef, 0xbb, 0xbf, 0))).toBe('\u{feff}\u{0}')
  })

  test.each([0, 1, 7, 8, 9, 16, 17, 1000])('reads %i ASCII characters', (length) => {
    const text = 'abcdefghij'.repeat(100).slice(0, length)
    expect(decodeUtf8(new TextEncoder().encode(text))).toBe(text)
  })
})

describe('encodeUtf8', () => {
  test('agrees with TextEncoder about every text', () => {
    fc.assert(
      fc.property(fc.oneof(fc.string({ unit: 'binary' }), fc.string()), (text) => {
        expect(encodeUtf8(text)).toEqual(new TextEncoder().encode(text))
        expect(decodeUtf8(encodeUtf8(text))).toBe(text)
      })
    )
  })

  test('gives an array of its own size', () => {
    for (const text of ['', 'abc', 'ab€', '😀']) {
      const bytes = encodeUtf8(text)
      expect(bytes.buffer.byteLength).toBe(bytes.length)
    }
  })

  test.each(['\ud800', 'a\udc00', 'ab\ud800c', '\udc00\ud800', '😀\ud83d'])(
    'refuses half a pair: %j',
    (text) => {
      expect(() => encodeUtf8(text)).toThrow(
        expect.objectContaining({ name: 'DecodeError', code: 'CORE_UTF8_LONE_SURROGATE' })
      )
    }
  )
})

function toBytes(list: readonly number[]): Uint8Array {
  return Uint8Array.from(list)
}

/** The text, or that there is none. */
function outcome(decode: () => string): string {
  try {
    return `text ${decode()}`
  } catch {
    return 'refused'
  }
}
