import { after, Instant, Milliseconds } from '@breakwater/core'
import { afterEach, describe, expect, it, vi } from 'vitest'
import { systemClock } from '../src/index.ts'

afterEach(() => vi.useRealTimers())

describe('the system clock', () => {
  it('calls at the moment asked for or later, never before', async () => {
    const clock = systemClock()
    const early: number[] = []
    const calls = Array.from({ length: 40 }, (_, index) => {
      const at = after(clock.now(), Milliseconds(1 + index / 7))
      return new Promise<void>((resolve) => {
        clock.schedule(at, () => {
          if (clock.now() < at) early.push(at - clock.now())
          resolve()
        })
      })
    })
    await Promise.all(calls)
    expect(early).toEqual([])
  })

  it('runs a call whose moment has passed on the next turn, not synchronously', async () => {
    const clock = systemClock()
    const order: string[] = []
    await new Promise<void>((resolve) => {
      clock.schedule(Instant(clock.now() - 1000), () => {
        order.push('called')
        resolve()
      })
      order.push('scheduled')
    })
    expect(order).toEqual(['scheduled', 'called'])
  })

  it('does not call what was cancelled, be it in the future or due already', async () => {
    const clock = systemClock()
    const called: string[] = []
    clock.schedule(clock.now(), () => called.push('due')).cancel()
    clock.schedule(after(clock.now(), Milliseconds(1)), () => called.push('future')).cancel()
    await new Promise<void>((resolve) => {
      clock.schedule(after(clock.now(), Milliseconds(5)), resolve)
    })
    expect(called).toEqual([])
  })

  it('survives that a call is cancelled after it ran', async () => {
    const clock = systemClock()
    const call = await new Promise<ReturnType<typeof clock.schedule>>((resolve) => {
      const scheduled = clock.schedule(clock.now(), () => resolve(scheduled))
    })
    expect(() => call.cancel()).not.toThrow()
  })

  it('waits out delays beyond 2^31 ms, which Node alone would cut to 1 ms', () => {
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'performance'] })
    const clock = systemClock()
    const thirtyDays = 30 * 24 * 3600 * 1000
    let called = false
    clock.schedule(after(clock.now(), Milliseconds(thirtyDays)), () => {
      called = true
    })
    vi.advanceTimersByTime(thirtyDays - 1)
    expect(called).toBe(false)
    vi.advanceTimersByTime(1)
    expect(called).toBe(true)
  })

  it('cancels a long delay between its pieces', () => {
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'performance'] })
    const clock = systemClock()
    let called = false
    const call = clock.schedule(after(clock.now(), Milliseconds(2 ** 32)), () => {
      called = true
    })
    vi.advanceTimersByTime(2 ** 31 + 5)
    call.cancel()
    vi.advanceTimersByTime(2 ** 32)
    expect(called).toBe(false)
    expect(vi.getTimerCount()).toBe(0)
  })

  it('keeps the monotonic clock and the calendar apart', () => {
    const clock = systemClock()
    const before = Date.now()
    const shown = clock.wallClock()
    expect(shown).toBeGreaterThanOrEqual(before)
    expect(clock.now()).toBeLessThan(before)
    const first = clock.now()
    expect(clock.now()).toBeGreaterThanOrEqual(first)
  })
})
