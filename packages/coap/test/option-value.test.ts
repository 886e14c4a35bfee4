import * as fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import {
  OptionNumber,
  readString,
  readUint,
  readUriPath,
  stringOption,
  uintOption,
  uintValue,
  uriPath
} from '../src/index.ts'

const code = (text: string): Error => expect.objectContaining({ code: text }) as Error

describe('uint options', () => {
  test.each([
    [0, []],
    [1, [1]],
    [255, [255]],
    [256, [1, 0]],
    [65_536, [1, 0, 0]],
    [0xff_ffff, [255, 255, 255]],
    [0x100_0000, [1, 0, 0, 0]],
    [0xffff_ffff, [255, 255, 255, 255]]
  ])('%i takes as few bytes as possible [RFC7252-3.2-S01]', (value, bytes) => {
    expect([...uintOption(14, value).value]).toEqual(bytes)
  })

  test('leading zero bytes are read [RFC7252-3.2-M01]', () => {
    expect(uintValue(Uint8Array.of(0, 0, 0, 5))).toBe(5)
    expect(uintValue(Uint8Array.of(0))).toBe(0)
    expect(uintValue(Uint8Array.of(0, 1, 0))).toBe(256)
  })

  test('every uint comes back', () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 0xffff_ffff }), (value) => {
        expect(readUint([uintOption(14, value)], 14)).toBe(value)
      })
    )
  })

  test.each([-1, 1.5, 0x1_0000_0000, Number.NaN])('%d is no uint', (value) => {
    expect(() => uintOption(14, value)).toThrow(code('COAP_OPTION_VALUE_INVALID'))
  })

  test('five bytes are too long, none at all is undefined', () => {
    expect(() => uintValue(new Uint8Array(5))).toThrow(code('COAP_OPTION_UINT_TOO_LONG'))
    expect(readUint([], 14)).toBeUndefined()
  })
})

describe('Uri-Path', () => {
  test('a path comes back segment by segment, empty ones too', () => {
    expect(readUriPath(uriPath('.well-known', 'dots', '', 'ü'))).toEqual(['.well-known', 'dots', '', 'ü'])
  })

  test('"." and ".." are neither written nor read [RFC7252-5.10.1-M01]', () => {
    for (const dots of ['.', '..']) {
      expect(() => uriPath('a', dots)).toThrow(code('COAP_OPTION_VALUE_INVALID'))
      expect(() => readUriPath([stringOption(OptionNumber.uriPath, dots)])).toThrow(
        code('COAP_URI_PATH_INVALID')
      )
    }
  })

  test('a segment above 255 bytes is not written', () => {
    expect(uriPath('ü'.repeat(127))).toHaveLength(1)
    expect(() => uriPath('ü'.repeat(128))).toThrow(code('COAP_OPTION_VALUE_INVALID'))
  })

  test('bytes that are not UTF-8 are refused', () => {
    const bad = { number: OptionNumber.uriPath, value: Uint8Array.of(0xff) }
    expect(() => readUriPath([bad])).toThrow(code('CORE_UTF8_INVALID'))
    expect(() => readString([bad], OptionNumber.uriPath)).toThrow(code('CORE_UTF8_INVALID'))
  })
})
