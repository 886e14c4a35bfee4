import { Instant } from '@breakwater/core'
import * as fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { Deduplication } from '../../src/message/deduplication.ts'

const at = Instant

describe('deduplication', () => {
  test('knows a message until it expires', () => {
    const seen = new Deduplication(8)
    const entry = seen.remember(7, at(0), at(100))
    expect(seen.find(7, at(99))).toBe(entry)
    expect(seen.find(7, at(100))).toBeUndefined()
    expect(seen.find(8, at(0))).toBeUndefined()
  })

  test('beyond its capacity forgets the oldest', () => {
    const seen = new Deduplication(100)
    for (let id = 0; id < 40_000; id++) seen.remember(id, at(0), at(1000))
    expect(seen.size).toBe(100)
    expect(seen.find(39_899, at(0))).toBeUndefined()
    expect(seen.find(39_900, at(0))?.messageId).toBe(39_900)
    expect(seen.find(39_999, at(0))?.messageId).toBe(39_999)
  })

  test('is empty after everything has expired', () => {
    const seen = new Deduplication(100)
    for (let id = 0; id < 50; id++) seen.remember(id, at(id), at(id + 100))
    seen.expire(at(120))
    expect(seen.size).toBe(29)
    seen.expire(at(1000))
    expect(seen.size).toBe(0)
  })

  test('an id that comes again behind a longer-lived message is found until its own end', () => {
    const seen = new Deduplication(8)
    seen.remember(1, at(0), at(247))
    seen.remember(2, at(0), at(145))
    // The first entry of 2 has expired, but waits in the ring behind 1.
    const again = seen.remember(2, at(200), at(345))
    expect(seen.size).toBe(3)
    seen.expire(at(300))
    expect(seen.find(2, at(300))).toBe(again)
  })

  test('behaves like a table without limits as long as there is room', () => {
    const step = fc.record({ id: fc.nat(20), wait: fc.nat(60), long: fc.boolean() })
    fc.assert(
      fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
        const seen = new Deduplication(64)
        const model = new Map<number, number>()
        let now = 0
        for (const { id, wait, long } of steps) {
          now += wait
          const known = (model.get(id) ?? -1) > now
          expect(seen.find(id, at(now)) !== undefined).toBe(known)
          if (known) continue
          const end = now + (long ? 247 : 145)
          seen.remember(id, at(now), at(end))
          model.set(id, end)
        }
      })
    )
  })
})
