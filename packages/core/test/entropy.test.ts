import { fraction, integerBelow } from '@breakwater/core'
import type { Entropy } from '@breakwater/core'
import { describe, expect, test } from 'vitest'

const always = (word: number): Entropy => ({ bytes: (count) => new Uint8Array(count), uint32: () => word })

describe('entropy', () => {
  test('gives fractions from 0 up to, but never, 1', () => {
    expect(fraction(always(0))).toBe(0)
    expect(fraction(always(0x80000000))).toBe(0.5)
    expect(fraction(always(0xffffffff))).toBeLessThan(1)
  })

  test('gives integers from 0 up to, but never, the bound', () => {
    expect(integerBelow(always(0), 7)).toBe(0)
    expect(integerBelow(always(0xffffffff), 7)).toBe(6)
    expect(integerBelow(always(0xffffffff), 1)).toBe(0)
    expect(integerBelow(always(0xffffffff), 2 ** 32)).toBe(0xffffffff)
  })
})
