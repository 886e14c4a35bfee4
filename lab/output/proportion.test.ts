import { describe, expect, it } from 'vitest'

import { atMost, isCompatible, proportion, proportionText, share } from './proportion.ts'

describe('proportions', () => {
  it('are counted', () => {
    const seen = proportion([1, 2, 3], (number) => number > 1)
    expect(seen).toEqual({ hits: 2, runs: 3 })
    expect(share(seen)).toBe(0.6667)
    expect(proportionText(seen)).toBe('66.7 % of 3')
  })

  it('come by chance as the binomial distribution says', () => {
    expect(atMost(0, 3, 0.5)).toBeCloseTo(1 / 8)
    expect(atMost(1, 3, 0.5)).toBeCloseTo(4 / 8)
    expect(atMost(2, 3, 0.9)).toBeCloseTo(1 - 0.9 ** 3)
    expect(atMost(3, 3, 0.9)).toBe(1)
    // Half of 2000 is the median of a fair coin.
    expect(atMost(1000, 2000, 0.5)).toBeCloseTo(0.5, 1)
  })

  it('fail an aim only where chance is no excuse', () => {
    expect(isCompatible({ hits: 885, runs: 1000 }, 0.9)).toBe(true)
    expect(isCompatible({ hits: 850, runs: 1000 }, 0.9)).toBe(false)
    expect(isCompatible({ hits: 10, runs: 10 }, 0.99)).toBe(true)
    expect(isCompatible({ hits: 0, runs: 10 }, 0.5)).toBe(true)
    expect(isCompatible({ hits: 0, runs: 20 }, 0.5)).toBe(false)
  })
})
