import { Instant } from '@breakwater/core'
import { describe, expect, it } from 'vitest'
import { ProbingRate } from '../../../src/client/session/probing-rate.ts'

describe('probing-rate', () => {
  it('lets go at once what the rate has room for in the shortest average', () => {
    const probing = new ProbingRate(5)
    expect(probing.nextAt(1000)).toBeUndefined()
    probing.sent(60, Instant(1000))
    expect(probing.nextAt(45)).toBeUndefined()
  })

  it('makes a question to a silent server wait until the average allows it', () => {
    const probing = new ProbingRate(5)
    probing.sent(60, Instant(1000))
    expect(probing.nextAt(60)).toBe(1000 + 24_000)
    probing.sent(60, Instant(25_000))
    expect(probing.nextAt(60)).toBe(1000 + 36_000)
  })

  it('follows another rate', () => {
    const probing = new ProbingRate(5)
    probing.sent(90, Instant(0))
    probing.bytesPerSecond = 8
    expect(probing.nextAt(90)).toBe(22_500)
  })

  it('saves nothing up for later: after an hour of silence no more goes at once than after a minute', () => {
    const probing = new ProbingRate(5)
    probing.sent(60, Instant(0))
    probing.sent(100, Instant(3_600_000))
    expect(probing.nextAt(60)).toBe(3_600_000 + 11_000)
    probing.sent(60, Instant(3_611_000))
    expect(probing.nextAt(60)).toBe(3_611_000 + 12_000)
  })

  it('forgets what was sent as soon as the server is heard', () => {
    const probing = new ProbingRate(5)
    probing.sent(600, Instant(0))
    probing.heard()
    expect(probing.nextAt(600)).toBeUndefined()
  })
})
