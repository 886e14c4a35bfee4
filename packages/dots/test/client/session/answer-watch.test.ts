import { Instant, Milliseconds } from '@breakwater/core'
import { expect, it } from 'vitest'
import { AnswerWatch } from '../../../src/client/session/answer-watch.ts'

it('waits 3 seconds for an answer where no round trip is known, and tells once', () => {
  const watch = new AnswerWatch()
  watch.sent(Instant(0))
  expect(watch.handleTimeout(Instant(2999))).toBeUndefined()
  expect(watch.handleTimeout(Instant(3000))).toBe(0)
  expect(watch.nextTimeout()).toBeUndefined()
  watch.sent(Instant(3000))
  expect(watch.nextTimeout()).toBe(6000)
})

it('waits half a second at least, and longer where round trips vary', () => {
  const watch = new AnswerWatch()
  for (const roundTrip of [40, 40, 40]) watch.answered(Milliseconds(roundTrip))
  watch.sent(Instant(0))
  expect(watch.nextTimeout()).toBe(500)
  watch.answered(Milliseconds(1200))
  watch.sent(Instant(10_000))
  expect(watch.nextTimeout()).toBeGreaterThan(11_000)
  expect(watch.nextTimeout()).toBeLessThanOrEqual(13_000)
})

it('counts from the first of what waits, and not after an answer', () => {
  const watch = new AnswerWatch()
  watch.answered(Milliseconds(40))
  watch.sent(Instant(0))
  watch.sent(Instant(300))
  expect(watch.handleTimeout(Instant(500))).toBe(0)
  watch.sent(Instant(600))
  watch.answered(undefined)
  expect(watch.nextTimeout()).toBeUndefined()
})
