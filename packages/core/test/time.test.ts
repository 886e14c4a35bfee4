import {
  Instant,
  Milliseconds,
  Minutes,
  Seconds,
  WallTime,
  after,
  between,
  earlier,
  inSeconds
} from '@breakwater/core'
import { describe, expect, test } from 'vitest'

describe('time', () => {
  test('counts milliseconds', () => {
    expect(Seconds(1.5)).toBe(Milliseconds(1500))
    expect(Minutes(2)).toBe(Seconds(120))
    expect(inSeconds(Milliseconds(250))).toBe(0.25)
  })

  test('goes forth and back on either clock', () => {
    expect(after(Instant(10), Seconds(1))).toBe(1010)
    expect(after(WallTime(10), Milliseconds(-20))).toBe(-10)
    expect(between(Instant(30), Instant(10))).toBe(-20)
    expect(between(WallTime(10), after(WallTime(10), Minutes(1)))).toBe(60_000)
  })

  test.each([
    [Instant(1), Instant(2), 1],
    [Instant(2), Instant(1), 1],
    [undefined, Instant(0), 0],
    [Instant(0), undefined, 0],
    [undefined, undefined, undefined]
  ])('has never as the latest moment: of %s and %s the earlier is %s', (a, b, expected) => {
    expect(earlier(a, b)).toBe(expected)
  })
})
