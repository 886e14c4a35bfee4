import { Instant } from '@breakwater/core'
import { describe, expect, test } from 'vitest'
import { isFresher } from '../../src/observe/freshness.ts'

/** Whether a notification V2 at T2 is fresher than V1 at 0. */
const fresher = (v1: number, v2: number, t2Seconds = 1): boolean =>
  isFresher({ sequence: v1, at: Instant(0) }, v2, Instant(t2Seconds * 1000))

describe('the order of notifications', () => {
  test.each([
    [1, 2, true],
    [2, 1, false],
    [7, 7, false],
    [0, 2 ** 23 - 1, true],
    [0, 2 ** 23, false],
    [2 ** 23, 0, false],
    [2 ** 23 + 1, 0, true],
    [2 ** 24 - 1, 0, true],
    [0, 2 ** 24 - 1, false],
    [2 ** 24 - 1, 5, true]
  ])('%i then %i: fresher is %s [RFC7641-3.4-M01]', (v1, v2, expected) => {
    expect(fresher(v1, v2)).toBe(expected)
  })

  test('after more than 128 seconds every notification is fresher [RFC7641-3.4-M01]', () => {
    expect(fresher(7, 6, 128)).toBe(false)
    expect(fresher(7, 6, 128.001)).toBe(true)
    expect(fresher(7, 7, 129)).toBe(true)
  })
})
