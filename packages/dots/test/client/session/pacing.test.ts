import { Instant, Milliseconds } from '@breakwater/core'
import { describe, expect, it } from 'vitest'
import { Pacing } from '../../../src/client/session/pacing.ts'

describe('pacing', () => {
  it('lets the first request go, and the next after 3 seconds', () => {
    const pacing = new Pacing()
    expect(pacing.allows(Instant(0))).toBe(true)
    pacing.sent(Instant(0))
    expect(pacing.allows(Instant(2999))).toBe(false)
    expect(pacing.allows(Instant(3000))).toBe(true)
  })

  it('lets one request go for each round trip where that is known [RFC9132-4.4-M01]', () => {
    const pacing = new Pacing()
    pacing.measured(Milliseconds(40))
    pacing.sent(Instant(0))
    expect(pacing.allows(Instant(39))).toBe(false)
    expect(pacing.allows(Instant(40))).toBe(true)
  })

  it('falls back to 3 seconds when the estimate is lost', () => {
    const pacing = new Pacing()
    pacing.measured(Milliseconds(40))
    pacing.sent(Instant(0))
    pacing.forgetRoundTrip()
    expect(pacing.allows(Instant(2999))).toBe(false)
  })

  it('is not slowed down below one in 3 seconds by a server that stood still for minutes', () => {
    const pacing = new Pacing()
    pacing.measured(Milliseconds(40))
    pacing.measured(Milliseconds(176_000))
    pacing.sent(Instant(0))
    expect(pacing.allows(Instant(2999))).toBe(false)
    expect(pacing.allows(Instant(3000))).toBe(true)
  })

  it('does not burst where a clock measured nothing', () => {
    const pacing = new Pacing()
    pacing.measured(Milliseconds(0))
    pacing.sent(Instant(0))
    expect(pacing.allows(Instant(0))).toBe(false)
  })
})
