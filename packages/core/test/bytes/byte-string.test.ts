import { concatBytes, equalBytes } from '@breakwater/core'
import * as fc from 'fast-check'
import { describe, expect, test } from 'vitest'

describe('concatBytes', () => {
  test('agrees with Buffer.concat and shares no memory with its parts', () => {
    fc.assert(
      fc.property(fc.array(fc.uint8Array({ maxLength: 5 }), { maxLength: 6 }), (parts) => {
        const joined = concatBytes(parts)
        expect(Buffer.from(joined)).toEqual(Buffer.concat(parts))
        const before = [...joined]
        for (const part of parts) part.fill(0xee)
        expect([...joined]).toEqual(before)
      })
    )
  })
})

describe('equalBytes', () => {
  test('agrees with Buffer.equals', () => {
    const short = fc.array(fc.nat(1), { maxLength: 3 }).map((list) => Uint8Array.from(list))
    fc.assert(
      fc.property(short, short, (a, b) => {
        expect(equalBytes(a, b)).toBe(Buffer.from(a).equals(b))
      })
    )
  })
})
