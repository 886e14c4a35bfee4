import { Instant } from '@breakwater/core'
import { describe, expect, it } from 'vitest'
import { DEFAULT_SERVER_POLICY } from '../../../src/server/policy.ts'
import { RequestRate } from '../../../src/server/requests/request-rate.ts'

function rateOf(perSecond: number, burst: number): RequestRate {
  return new RequestRate({
    ...DEFAULT_SERVER_POLICY.limits,
    requestsPerClientPerSecond: perSecond,
    requestBurstPerClient: burst
  })
}

/** How many of `count` requests at one moment pass. */
function passing(rate: RequestRate, count: number, atSeconds: number, owner = 'dns:a'): number {
  const at = Instant(atSeconds * 1000)
  return Array.from({ length: count }, () => rate.take(owner, at)).filter((wait) => wait === 0).length
}

describe('the rate of requests of one client', () => {
  it('lets a burst pass, then as many as the rate says', () => {
    const rate = rateOf(2, 5)
    expect(passing(rate, 10, 0)).toBe(5)
    expect(passing(rate, 10, 1)).toBe(2)
    expect(passing(rate, 10, 1.5)).toBe(1)
    expect(passing(rate, 10, 1.75)).toBe(0)
    expect(passing(rate, 10, 2)).toBe(1)
  })

  it('saves up no more than a burst', () => {
    const rate = rateOf(2, 5)
    passing(rate, 10, 0)
    expect(passing(rate, 100, 86_400)).toBe(5)
  })

  it('says when the next one will pass, and asking in vain does not put that off', () => {
    const rate = rateOf(0.25, 1)
    expect(rate.take('dns:a', Instant(0))).toBe(0)
    expect(rate.take('dns:a', Instant(0))).toBe(4)
    expect(rate.take('dns:a', Instant(3000))).toBe(1)
    expect(rate.take('dns:a', Instant(4000))).toBe(0)
  })

  it('counts each client by itself', () => {
    const rate = rateOf(1, 3)
    expect(passing(rate, 9, 0, 'dns:a')).toBe(3)
    expect(passing(rate, 9, 0, 'dns:b')).toBe(3)
  })

  it('limits refusals alike', () => {
    const rate = rateOf(2, 5)
    const refusals = (count: number, atSeconds: number): number =>
      Array.from({ length: count }, () => rate.mayRefuse('dns:a', Instant(atSeconds * 1000))).filter(Boolean)
        .length
    expect(refusals(100, 0)).toBe(5)
    expect(refusals(100, 1)).toBe(2)
    expect(passing(rate, 10, 1)).toBe(5)
  })
})
