import { after, Instant, Milliseconds, Seconds, WallTime } from '@breakwater/core'
import { describe, expect, it } from 'vitest'
import { VirtualClock } from '../src/virtual-clock.ts'

function noting(clock: VirtualClock, notes: string[], name: string): () => void {
  return () => notes.push(`${clock.now()} ${name}`)
}

async function answer(depth: number): Promise<number> {
  return depth === 0 ? 0 : (await answer(depth - 1)) + 1
}

describe('the virtual clock', () => {
  it('runs calls in the order of their time, ties in the order in which they were scheduled', async () => {
    const clock = new VirtualClock()
    const notes: string[] = []
    clock.schedule(Instant(20), noting(clock, notes, 'late'))
    clock.schedule(Instant(10), noting(clock, notes, 'first'))
    clock.schedule(Instant(10), noting(clock, notes, 'second'))
    await clock.advance(Milliseconds(20))
    expect(notes).toEqual(['10 first', '10 second', '20 late'])
    expect(clock.now()).toBe(20)
  })

  it('keeps that order among thousands of calls, some of them cancelled', async () => {
    const clock = new VirtualClock()
    const seen: number[] = []
    const calls = Array.from({ length: 3000 }, (_, index) => {
      const at = (index * 7919) % 997
      return clock.schedule(Instant(at), () => seen.push(at))
    })
    for (const [index, call] of calls.entries()) if (index % 3 !== 0) call.cancel()
    expect(clock.pending()).toBe(1000)
    await clock.advance(Seconds(1))
    expect(seen).toHaveLength(1000)
    expect(seen).toEqual(seen.toSorted((a, b) => a - b))
    expect(clock.pending()).toBe(0)
  })

  it('never calls synchronously, not even for a time that has passed', async () => {
    const clock = new VirtualClock({ start: Instant(100) })
    let calls = 0
    clock.schedule(Instant(5), () => calls++)
    expect(calls).toBe(0)
    await clock.advance(Milliseconds(0))
    expect(calls).toBe(1)
    expect(clock.now()).toBe(100)
  })

  it('does not call what was cancelled, and cancelling twice or too late does no harm', async () => {
    const clock = new VirtualClock()
    let calls = 0
    const cancelled = clock.schedule(Instant(5), () => calls++)
    const called = clock.schedule(Instant(6), () => calls++)
    cancelled.cancel()
    cancelled.cancel()
    await clock.advance(Milliseconds(10))
    called.cancel()
    expect(calls).toBe(1)
    expect(clock.pending()).toBe(0)
  })

  it('runs what a call schedules for the same instant before time moves on', async () => {
    const clock = new VirtualClock()
    const notes: string[] = []
    clock.schedule(Instant(11), noting(clock, notes, 'later'))
    clock.schedule(Instant(10), () => clock.schedule(Instant(10), noting(clock, notes, 'same instant')))
    await clock.advance(Milliseconds(11))
    expect(notes).toEqual(['10 same instant', '11 later'])
  })

  it('serves a long chain of promises before time moves on', async () => {
    const clock = new VirtualClock()
    const notes: string[] = []
    clock.schedule(Instant(10), () => void answer(15).then(noting(clock, notes, 'answered')))
    clock.schedule(Instant(11), noting(clock, notes, 'later'))
    await clock.advance(Milliseconds(11))
    expect(notes).toEqual(['10 answered', '11 later'])
  })

  it('waits for real work that it was told to wait for', async () => {
    const clock = new VirtualClock()
    const notes: string[] = []
    clock.schedule(Instant(10), () => {
      const work = new Promise<void>((resolve) => setTimeout(resolve, 20))
      void clock.hold(work).then(noting(clock, notes, 'written'))
    })
    clock.schedule(Instant(11), noting(clock, notes, 'later'))
    await clock.advance(Milliseconds(11))
    expect(notes).toEqual(['10 written', '11 later'])
  })

  it('waits for real work that follows from real work', async () => {
    const clock = new VirtualClock()
    const notes: string[] = []
    const work = (): Promise<void> => clock.hold(new Promise((resolve) => setTimeout(resolve, 5)))
    clock.schedule(
      Instant(10),
      () =>
        void work()
          .then(work)
          .then(noting(clock, notes, 'written twice'))
    )
    clock.schedule(Instant(11), noting(clock, notes, 'later'))
    await clock.advance(Milliseconds(11))
    expect(notes).toEqual(['10 written twice', '11 later'])
  })

  it('goes on after held work that fails', async () => {
    const clock = new VirtualClock()
    const work = clock.hold(Promise.reject(new Error('disk full')))
    await clock.advance(Seconds(1))
    await expect(work).rejects.toThrow('disk full')
    expect(clock.now()).toBe(1000)
  })

  it('stops at the event that makes the condition true', async () => {
    const clock = new VirtualClock()
    let count = 0
    for (const at of [10, 20, 30]) clock.schedule(Instant(at), () => count++)
    expect(await clock.runUntil(() => count === 2, Seconds(1))).toBe(true)
    expect(clock.now()).toBe(20)
    expect(clock.pending()).toBe(1)
  })

  it('sees a condition that only a promise makes true', async () => {
    const clock = new VirtualClock()
    let done = false
    clock.schedule(Instant(10), () => void Promise.resolve().then(() => (done = true)))
    clock.schedule(Instant(20), () => undefined)
    expect(await clock.runUntil(() => done, Seconds(1))).toBe(true)
    expect(clock.now()).toBe(10)
  })

  it('gives up on the condition after the limit, and is there then', async () => {
    const clock = new VirtualClock()
    clock.schedule(Instant(5000), () => undefined)
    expect(await clock.runUntil(() => false, Seconds(2))).toBe(false)
    expect(clock.now()).toBe(2000)
    expect(clock.pending()).toBe(1)
  })

  it('steps the calendar without touching the monotonic clock', async () => {
    const clock = new VirtualClock({ wallClock: WallTime(1_000_000) })
    await clock.advance(Seconds(2))
    expect(clock.wallClock()).toBe(1_002_000)
    clock.stepWallClock(Seconds(-1000))
    expect(clock.wallClock()).toBe(2000)
    expect(clock.now()).toBe(2000)
    clock.setWallClock(WallTime(50))
    await clock.advance(Seconds(1))
    expect(clock.wallClock()).toBe(1050)
  })

  it('hands the error of a call to whoever moved time, and keeps the calls behind it', async () => {
    const clock = new VirtualClock()
    const notes: string[] = []
    clock.schedule(Instant(10), () => {
      throw new Error('broken')
    })
    clock.schedule(Instant(10), noting(clock, notes, 'next'))
    await expect(clock.advance(Seconds(1))).rejects.toThrow('broken')
    await clock.advance(Seconds(1))
    expect(notes).toEqual(['10 next'])
  })

  it('refuses to be moved by two at once', async () => {
    const clock = new VirtualClock()
    const first = clock.advance(Seconds(1))
    await expect(clock.advance(Seconds(1))).rejects.toMatchObject({ code: 'TESTING_CLOCK_BUSY' })
    await first
    expect(clock.now()).toBe(1000)
  })

  it('reports a loop that never lets time go on', async () => {
    const clock = new VirtualClock({ microtaskTurns: 0 })
    const again = (): void => void clock.schedule(clock.now(), again)
    again()
    await expect(clock.advance(Seconds(1))).rejects.toMatchObject({ code: 'TESTING_CLOCK_STUCK' })
  })

  it('gives all turns only to calls that announce promises, when quiet calls are to be cheap', async () => {
    const clock = new VirtualClock({ quietTurns: 1 })
    const notes: string[] = []
    const answerAt = (at: number, announce: () => void): void => {
      clock.schedule(Instant(at), () => {
        announce()
        void answer(20).then(noting(clock, notes, 'answered'))
      })
      clock.schedule(Instant(at + 1), noting(clock, notes, 'next'))
    }
    answerAt(10, () => clock.expectPromises())
    answerAt(20, () => undefined)
    await clock.advance(Milliseconds(30))
    expect(notes.slice(0, 3)).toEqual(['10 answered', '11 next', '21 next'])
    expect(clock.callsMade).toBe(4)
  })

  it('says when the next call is due', () => {
    const clock = new VirtualClock()
    expect(clock.nextEvent()).toBeUndefined()
    clock.schedule(after(clock.now(), Seconds(9)), () => undefined)
    const sooner = clock.schedule(after(clock.now(), Seconds(4)), () => undefined)
    expect(clock.nextEvent()).toBe(4000)
    sooner.cancel()
    expect(clock.nextEvent()).toBe(9000)
  })
})
