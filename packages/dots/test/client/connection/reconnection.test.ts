import { ConfigError, Instant } from '@breakwater/core'
import { describe, expect, it } from 'vitest'
import type { ConnectionId } from '../../../src/client/connection/session-state.ts'
import { Reconnection, reconnectionRule } from '../../../src/client/connection/reconnection.ts'

const [FIRST, SECOND, THIRD] = [1 as ConnectionId, 2 as ConnectionId, 3 as ConnectionId]

function tooFast(): unknown {
  return reconnectionRule({ firstRetrySeconds: 10, retrySeconds: Number.NaN })
}

describe('reconnection', () => {
  it('waits 60, 120, 240, then 300 seconds', () => {
    const reconnection = new Reconnection(reconnectionRule())
    const waits = Array.from({ length: 6 }, () => reconnection.afterFailure(Instant(0), true) / 1000)
    expect(waits).toEqual([60, 120, 240, 300, 300, 300])
  })

  it('starts anew after a success', () => {
    const reconnection = new Reconnection(reconnectionRule())
    reconnection.afterFailure(Instant(0), true)
    reconnection.established()
    expect(reconnection.afterFailure(Instant(0), true)).toBe(60_000)
  })

  it('does not count an attempt that sent nothing', () => {
    const reconnection = new Reconnection(reconnectionRule())
    expect(reconnection.afterFailure(Instant(0), false)).toBe(5000)
    expect(reconnection.afterFailure(Instant(5000), true)).toBe(65_000)
  })

  it('counts from the start of the last attempt, not from when it was given up', () => {
    const reconnection = new Reconnection(reconnectionRule())
    reconnection.attempted(Instant(0), FIRST)
    reconnection.attempted(Instant(2000), SECOND)
    for (const connection of [FIRST, SECOND]) reconnection.ended(connection, true)
    expect(reconnection.afterFailure(Instant(60_000), true)).toBe(62_000)
    reconnection.attempted(Instant(62_000), THIRD)
    expect(reconnection.afterFailure(Instant(122_000), true)).toBe(182_000)
  })

  it('never hastens back after an attempt that sent nothing when one before it did', () => {
    const reconnection = new Reconnection(reconnectionRule())
    reconnection.attempted(Instant(0), FIRST)
    reconnection.ended(FIRST, true)
    reconnection.attempted(Instant(1000), SECOND)
    reconnection.ended(SECOND, false)
    expect(reconnection.afterFailure(Instant(1000), false)).toBe(60_000)
    expect(reconnection.afterLoss(Instant(1000))).toBe(60_000)
  })

  it('refuses a rule that is faster than RFC 9132 §4.7 allows, with every mistake', () => {
    expect(tooFast).toThrow(ConfigError)
    try {
      tooFast()
    } catch (error) {
      expect(error instanceof ConfigError ? error.problems.map((each) => each.path) : []).toEqual([
        'firstRetrySeconds',
        'retrySeconds'
      ])
    }
  })
})
