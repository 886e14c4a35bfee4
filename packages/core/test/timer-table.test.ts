import { Instant, TimerTable } from '@breakwater/core'
import type { Timer } from '@breakwater/core'
import * as fc from 'fast-check'
import { describe, expect, test } from 'vitest'

const name = fc.constantFrom(
  'heartbeat',
  'retransmit:1',
  'retransmit:2',
  'lifetime:7',
  'lifetime:8',
  'grace:9'
)
const moment = fc.nat(5).map(Instant)

const step = fc.oneof(
  { weight: 4, arbitrary: fc.record({ kind: fc.constant('set' as const), name, at: moment }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('cancel' as const), name }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('take' as const), at: moment }) }
)

describe('TimerTable', () => {
  test('hands out what is due, the earliest first', () => {
    const timers = new TimerTable()
    timers.set('late', Instant(30))
    timers.set('early', Instant(10))
    timers.set('middle', Instant(20))
    expect(timers.next()).toBe(10)
    expect(takeAll(timers, 20)).toEqual(['early', 'middle'])
    expect(timers.next()).toBe(30)
    expect(takeAll(timers, 29.999)).toEqual([])
    expect(takeAll(timers, 30)).toEqual(['late'])
    expect(timers.next()).toBeUndefined()
  })

  test('hands out timers of one moment in the order of setting; one set again goes last', () => {
    const timers = new TimerTable()
    for (const each of ['a', 'b', 'c', 'd', 'e']) timers.set(each, Instant(1))
    timers.set('b', Instant(1))
    expect(takeAll(timers, 1)).toEqual(['a', 'c', 'd', 'e', 'b'])
  })

  test('moves a timer in either direction', () => {
    const timers = new TimerTable()
    timers.set('x', Instant(10))
    timers.set('y', Instant(20))
    timers.set('x', Instant(30))
    expect(timers.next()).toBe(20)
    timers.set('x', Instant(5))
    expect(timers.next()).toBe(5)
    expect(timers.at('x')).toBe(5)
    expect(timers.at('z')).toBeUndefined()
  })

  test('keeps one entry for a name however often it is set', () => {
    const timers = new TimerTable()
    for (let count = 0; count < 1000; count++) timers.set('heartbeat', Instant(1000 - count))
    expect(timers.size).toBe(1)
    expect(timers.list()).toEqual([{ name: 'heartbeat', at: 1 }])
    expect(takeAll(timers, 1000)).toEqual(['heartbeat'])
  })

  test('lets a timer be set again while due ones are taken', () => {
    const timers = new TimerTable()
    timers.set('tick', Instant(1))
    expect(timers.takeDue(Instant(5))).toBe('tick')
    timers.set('tick', Instant(6))
    expect(timers.takeDue(Instant(5))).toBeUndefined()
    expect(timers.size).toBe(1)
  })

  test('does what a sorted list does, through any sequence of steps', () => {
    fc.assert(
      fc.property(fc.array(step, { maxLength: 80 }), (steps) => {
        const timers = new TimerTable()
        let model: Timer<string>[] = []
        for (const each of steps) {
          switch (each.kind) {
            case 'set':
              timers.set(each.name, each.at)
              // Stable sorting keeps the order of setting among equals.
              model = [...without(model, each.name), { name: each.name, at: each.at }].toSorted(
                (x, y) => x.at - y.at
              )
              break
            case 'cancel':
              expect(timers.cancel(each.name)).toBe(model.some((timer) => timer.name === each.name))
              model = without(model, each.name)
              break
            case 'take': {
              const due = model.find((timer) => timer.at <= each.at)
              expect(timers.takeDue(each.at)).toBe(due?.name)
              model = without(model, due?.name)
              break
            }
          }
          expect(timers.list()).toEqual(model)
          expect(timers.next()).toBe(model[0]?.at)
          expect(timers.size).toBe(model.length)
        }
      })
    )
  })

  test('sorts ten thousand timers set, moved and cancelled in disorder', () => {
    const timers = new TimerTable()
    const moments = Array.from({ length: 10_000 }, (_, index) => (index * 7919) % 10_007)
    for (const [index, at] of moments.entries()) timers.set(`t${index}`, Instant(2 * at))
    for (const [index, at] of moments.entries()) timers.set(`t${index}`, Instant(at))
    for (let index = 0; index < 10_000; index += 3) timers.cancel(`t${index}`)
    const expected = moments
      .map((at, index) => ({ name: `t${index}`, at }))
      .filter((_, index) => index % 3 !== 0)
      .toSorted((x, y) => x.at - y.at)
    expect(takeAll(timers, 20_000)).toEqual(expected.map((timer) => timer.name))
  })
})

function takeAll(timers: TimerTable, now: number): string[] {
  const taken: string[] = []
  for (let due = timers.takeDue(Instant(now)); due !== undefined; due = timers.takeDue(Instant(now)))
    taken.push(due)
  return taken
}

function without(timers: readonly Timer<string>[], gone: string | undefined): Timer<string>[] {
  return timers.filter((timer) => timer.name !== gone)
}
