import { Instant, Seconds } from '@breakwater/core'
import { seededEntropy } from '@breakwater/testing'
import * as fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { MessageIds } from '../../src/message/message-ids.ts'
import { steadyEntropy } from '../lockstep.ts'

const lifetime = Seconds(247)

describe('Message IDs', () => {
  test('begin anywhere and count on', () => {
    const ids = new MessageIds(steadyEntropy(0xfffe_0000))
    expect([0, 1, 2, 3].map(() => ids.allocate(Instant(0), lifetime))).toEqual([0xfffe, 0xffff, 0, 1])
    const starts = [1, 2, 3].map((seed) => new MessageIds(seededEntropy(seed)).allocate(Instant(0), lifetime))
    expect(new Set(starts).size).toBe(3)
  })

  test('run out within EXCHANGE_LIFETIME, and come back block by block after it [RFC7252-4.4-M02]', () => {
    const ids = new MessageIds(steadyEntropy(0))
    const given = new Set<number>()
    for (let message = 0; message < 70_000; message++) {
      const id = ids.allocate(Instant(0), lifetime)
      if (id === undefined) break
      if (given.has(id)) throw new Error(`${id} came twice`)
      given.add(id)
    }
    expect(given.size).toBeGreaterThan(60_000)
    expect(ids.availableAt(Instant(0), lifetime)).toBe(247_000)
    expect(ids.allocate(Instant(246_999), lifetime)).toBeUndefined()
    expect(ids.allocate(Instant(247_000), lifetime)).toBeTypeOf('number')
  })

  test('never repeat within the lifetime, however bursts and pauses fall', () => {
    const burst = fc.record({ count: fc.integer({ min: 1, max: 30_000 }), pauseSeconds: fc.nat(300) })
    fc.assert(
      fc.property(fc.integer(), fc.array(burst, { minLength: 1, maxLength: 10 }), (seed, bursts) => {
        const ids = new MessageIds(seededEntropy(seed))
        const lastUse = new Float64Array(65_536).fill(-1e9)
        let now = 0
        for (const { count, pauseSeconds } of bursts) {
          for (let i = 0; i < count; i++) {
            const id = ids.allocate(Instant(now), lifetime)
            if (id === undefined) break
            if (now - (lastUse[id] ?? 0) < lifetime) throw new Error(`${id} at ${now}`)
            lastUse[id] = now
          }
          now += pauseSeconds * 1000
        }
      }),
      { numRuns: 30 }
    )
  })
})
