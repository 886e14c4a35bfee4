import { Instant, WallTime } from '@breakwater/core'
import { describe, expect, it } from 'vitest'
import {
  DEFAULT_LIFETIME_POLICY,
  expiryOf,
  grantLifetime,
  parseLifetime,
  remainingLifetimeSeconds
} from '../../src/signal/lifetime.ts'

describe('lifetimes', () => {
  it('-1 is without end; 0, below -1 and fractions are nothing', () => {
    expect(parseLifetime(-1)).toEqual({ ok: true, value: 'indefinite' })
    expect(parseLifetime(1)).toEqual({ ok: true, value: 1 })
    for (const seconds of [0, -2, 1.5, Number.NaN]) expect(parseLifetime(seconds).ok).toBe(false)
  })

  it('are granted up to the longest; without end only where the policy says so', () => {
    const policy = { maximumSeconds: 100, grantIndefinite: false }
    expect([
      grantLifetime(99, policy),
      grantLifetime(101, policy),
      grantLifetime('indefinite', policy)
    ]).toEqual([99, 100, 100])
    expect(grantLifetime('indefinite', { ...policy, grantIndefinite: true })).toBe('indefinite')
    expect(grantLifetime(5, { ...policy, minimumSeconds: 60 })).toBe(60)
    expect(grantLifetime(3600, DEFAULT_LIFETIME_POLICY)).toBe(3600)
  })

  it('end at a moment of either clock', () => {
    expect(expiryOf(10, Instant(5))).toBe(10_005)
    expect(expiryOf(10, WallTime(5))).toBe(10_005)
    expect(expiryOf('indefinite', Instant(5))).toBe('never')
  })

  it('are shown in whole seconds, never negative but for -1', () => {
    expect(remainingLifetimeSeconds(Instant(10_000), Instant(0))).toBe(10)
    expect(remainingLifetimeSeconds(Instant(10_000), Instant(1))).toBe(10)
    expect(remainingLifetimeSeconds(Instant(10_000), Instant(10_000))).toBe(0)
    expect(remainingLifetimeSeconds(Instant(10_000), Instant(99_999))).toBe(0)
    expect(remainingLifetimeSeconds('never', Instant(0))).toBe(-1)
  })
})
