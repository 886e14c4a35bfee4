import { fromHex, toHex } from '@breakwater/core'
import * as fc from 'fast-check'
import { describe, expect, test } from 'vitest'

describe('hexadecimal', () => {
  test('agrees with Buffer both ways and takes either case', () => {
    fc.assert(
      fc.property(fc.uint8Array(), (bytes) => {
        expect(toHex(bytes)).toBe(Buffer.from(bytes).toString('hex'))
        expect(fromHex(toHex(bytes))).toEqual(bytes)
        expect(fromHex(toHex(bytes).toUpperCase())).toEqual(bytes)
      })
    )
  })

  test.each(['0', '0g', '0x00', ' 00', '00\n', '-1', '00 00'])('refuses %j', (text) => {
    expect(() => fromHex(text)).toThrow(
      expect.objectContaining({ name: 'DecodeError', code: 'CORE_HEX_INVALID' })
    )
  })
})
