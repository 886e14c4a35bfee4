import { describe, expect, it } from 'vitest'
import { systemEntropy } from '../src/index.ts'

describe('the system entropy', () => {
  it('gives fresh arrays of the length asked for', () => {
    const entropy = systemEntropy()
    const first = entropy.bytes(32)
    const second = entropy.bytes(32)
    expect(first).toHaveLength(32)
    expect(second).not.toEqual(first)
    expect(entropy.bytes(0)).toHaveLength(0)
  })

  it('gives unsigned 32-bit integers, also across the refill of its pool', () => {
    const entropy = systemEntropy()
    const drawn = Array.from({ length: 5000 }, () => entropy.uint32())
    expect(drawn.every((value) => Number.isInteger(value) && value >= 0 && value <= 0xffff_ffff)).toBe(true)
    // 5,000 draws of 2^32 collide three times or more with a probability below one in ten million.
    expect(new Set(drawn).size).toBeGreaterThan(4997)
  })

  it('uses all 32 bits', () => {
    const entropy = systemEntropy()
    let seen = 0
    for (let draw = 0; draw < 200; draw++) seen |= entropy.uint32()
    expect(seen >>> 0).toBe(0xffff_ffff)
  })
})
