import { fraction, integerBelow, toHex } from '@breakwater/core'
import { describe, expect, it } from 'vitest'
import { derivedSeed, seededEntropy } from '../src/seeded-entropy.ts'

describe('seeded entropy', () => {
  it('is the same in every run, on every machine', () => {
    // Reckoned by a second implementation, written from the published algorithms.
    const entropy = seededEntropy(7)
    expect([entropy.uint32(), entropy.uint32(), entropy.uint32()]).toEqual([210494603, 711084892, 3993689120])
    expect(toHex(entropy.bytes(6))).toBe('22d5bef3a74b')
  })

  it('differs from seed to seed, also for neighbouring seeds', () => {
    const first = new Set(Array.from({ length: 1000 }, (_, seed) => seededEntropy(seed).uint32()))
    expect(first.size).toBe(1000)
  })

  it('is spread evenly: each sixteenth of the range gets its share', () => {
    const entropy = seededEntropy(1)
    const counts = Array.from({ length: 16 }, () => 0)
    for (let draw = 0; draw < 16_000; draw++) {
      const cell = integerBelow(entropy, 16)
      counts[cell] = (counts[cell] ?? 0) + 1
    }
    // 1000 expected, standard deviation about 31.
    for (const count of counts) expect(Math.abs(count - 1000)).toBeLessThan(155)
  })

  it('stays within [0, 1) as a fraction', () => {
    const entropy = seededEntropy(3)
    const draws = Array.from({ length: 1000 }, () => fraction(entropy))
    expect(Math.min(...draws)).toBeGreaterThanOrEqual(0)
    expect(Math.max(...draws)).toBeLessThan(1)
  })

  it('gives as many bytes as asked for, in an array of its own', () => {
    const entropy = seededEntropy(4)
    expect([0, 1, 4, 5, 32].map((count) => entropy.bytes(count).length)).toEqual([0, 1, 4, 5, 32])
    expect(entropy.bytes(8)).not.toEqual(entropy.bytes(8))
  })

  it('derives a stream of its own for each name', () => {
    const seeds = ['a', 'b', 'ab', 'ba', '', 'server/eth0 up'].map((name) => derivedSeed(1, name))
    expect(new Set(seeds).size).toBe(seeds.length)
    expect(derivedSeed(1, 'a')).toBe(derivedSeed(1, 'a'))
    expect(derivedSeed(2, 'a')).not.toBe(derivedSeed(1, 'a'))
  })
})
