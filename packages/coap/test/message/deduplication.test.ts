import { Instant } from '@breakwater/core'
import * as fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { Deduplication } from '../../src/message/deduplication.ts'

const at = Instant
const REPLY = { bytes: Uint8Array.of(1), composedAt: at(0) }

interface Step {
  readonly id: number
  readonly wait: number
  readonly long: boolean
}

function behavesLikeATable(steps: readonly Step[]): void {
  const seen = new Deduplication(64)
  const model = new Map<number, number>()
  let now = 0
  for (const { id, wait, long } of steps) {
    now += wait
    for (const each of model.keys()) expect(seen.knows(each, at(now))).toBe((model.get(each) ?? -1) > now)
    if ((model.get(id) ?? -1) > now) continue
    const end = now + (long ? 247 : 145)
    seen.remember(id, at(now), at(end))
    model.set(id, end)
  }
}

describe('deduplication', () => {
  test('knows a message until it expires', () => {
    const seen = new Deduplication(8)
    seen.remember(7, at(0), at(100))
    expect(seen.knows(7, at(99))).toBe(true)
    expect(seen.knows(7, at(100))).toBe(false)
    expect(seen.knows(8, at(0))).toBe(false)
  })

  test('beyond its capacity forgets the oldest', () => {
    const seen = new Deduplication(100)
    for (let id = 0; id < 40_000; id++) seen.remember(id, at(0), at(1000))
    expect(seen.size).toBe(100)
    expect(seen.knows(39_899, at(0))).toBe(false)
    expect(seen.knows(39_900, at(0))).toBe(true)
    expect(seen.knows(39_999, at(0))).toBe(true)
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
    seen.remember(2, at(200), at(345))
    seen.answered(2, REPLY)
    expect(seen.size).toBe(3)
    seen.expire(at(300))
    expect(seen.size).toBe(1)
    expect(seen.knows(2, at(300))).toBe(true)
    expect(seen.replyTo(2)).toBe(REPLY)
  })

  test('has the reply to a message as long as it knows the message', () => {
    const seen = new Deduplication(2)
    seen.remember(1, at(0), at(100))
    seen.answered(1, REPLY)
    expect(seen.replyTo(1)).toBe(REPLY)
    seen.remember(2, at(0), at(100))
    expect(seen.replyTo(2)).toBeUndefined()
    seen.remember(3, at(0), at(100))
    expect(seen.replyTo(1)).toBeUndefined()
    // Too late: it was forgotten, and would never be forgotten again.
    seen.answered(1, REPLY)
    expect(seen.replyTo(1)).toBeUndefined()
  })

  test('a message that comes again after its end has no reply of before', () => {
    const seen = new Deduplication(8)
    seen.remember(9, at(0), at(247))
    seen.remember(1, at(0), at(145))
    seen.answered(1, REPLY)
    seen.remember(1, at(200), at(345))
    expect(seen.replyTo(1)).toBeUndefined()
  })

  test('ids that meet in the index do not hide each other, whichever goes first', () => {
    // So scattered, all of these begin at the first slot of an index of up to 128.
    const meeting = Array.from({ length: 65_536 }, (_, id) => id).filter(
      (id) => Math.imul(id, 0x9e37_79b1) >>> 25 === 0
    )
    const id = fc.oneof(fc.constantFrom(...meeting.slice(0, 20)), fc.nat(20))
    const step = fc.record({ id, wait: fc.nat(60), long: fc.boolean() })
    fc.assert(fc.property(fc.array(step, { maxLength: 60 }), behavesLikeATable))
  })

  test('behaves like a table without limits as long as there is room', () => {
    const step = fc.record({ id: fc.nat(20), wait: fc.nat(60), long: fc.boolean() })
    fc.assert(fc.property(fc.array(step, { maxLength: 60 }), behavesLikeATable))
  })
})
