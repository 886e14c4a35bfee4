import { after, Instant, inSeconds, Milliseconds, Seconds } from '@breakwater/core'
import * as fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { defaultParameters, deriveTimes } from '../../src/index.ts'
import type { TransmissionParameters } from '../../src/index.ts'
import { Retransmission } from '../../src/message/retransmission.ts'
import { Lockstep, steadyEntropy } from '../lockstep.ts'

const highest = 0xffff_ffff

/** When each retransmission was due and when it gave up, in seconds, with a host that is never late. */
function timeline(draw: number, parameters: TransmissionParameters = defaultParameters): number[] {
  const retransmission = new Retransmission(parameters, steadyEntropy(draw), Instant(0))
  const moments: number[] = []
  for (;;) {
    const now = retransmission.dueAt
    moments.push(inSeconds(Milliseconds(now)))
    if (retransmission.step(now) === 'give-up') return moments
  }
}

describe('retransmission', () => {
  test('keeps a timeout that doubles and a counter up to MAX_RETRANSMIT [RFC7252-4.2-M05]', () => {
    expect(timeline(0)).toEqual([2, 6, 14, 30, 62])
  })

  test('the first timeout lies between ACK_TIMEOUT and ACK_TIMEOUT × ACK_RANDOM_FACTOR', () => {
    expect(timeline(0x8000_0000)).toEqual([2.5, 7.5, 17.5, 37.5, 77.5])
    const [first = 0, , , last = 0, end = 0] = timeline(highest)
    expect(first).toBeCloseTo(3, 5)
    expect(last).toBeCloseTo(45, 5)
    expect(end).toBeCloseTo(93, 5)
  })

  test('stays within MAX_TRANSMIT_SPAN and MAX_TRANSMIT_WAIT whatever the draw and the parameters', () => {
    const parameters = fc.record({
      ackTimeoutSeconds: fc.double({ min: 0.1, max: 30, noNaN: true }),
      ackRandomFactor: fc.double({ min: 1, max: 4, noNaN: true }),
      maxRetransmit: fc.integer({ min: 0, max: 15 }),
      nstart: fc.constant(1),
      maxLatencySeconds: fc.constant(100)
    })
    fc.assert(
      fc.property(parameters, fc.integer({ min: 0, max: highest }), (given, draw) => {
        const times = deriveTimes(given)
        const moments = timeline(draw, given)
        expect(moments).toHaveLength(given.maxRetransmit + 1)
        expect(moments.at(-2) ?? 0).toBeLessThanOrEqual(inSeconds(times.maxTransmitSpan) * 1.000_001)
        expect(moments.at(-1)).toBeLessThanOrEqual(inSeconds(times.maxTransmitWait) * 1.000_001)
      })
    )
  })

  test('an early wake-up does nothing', () => {
    const retransmission = new Retransmission(defaultParameters, steadyEntropy(0), Instant(0))
    expect(retransmission.step(Instant(1999))).toBe('wait')
    expect(retransmission.counter).toBe(0)
  })

  test('after a late wake-up, copies are ACK_TIMEOUT apart and none leaves after MAX_TRANSMIT_SPAN [RFC7252-4.2-M06]', () => {
    const retransmission = new Retransmission(defaultParameters, steadyEntropy(0), Instant(0))
    // Due at 2 s, woken at 13 s: the next was due at 6 s, but not before 15 s.
    expect(retransmission.step(Instant(13_000))).toBe('retransmit')
    expect(retransmission.dueAt).toBe(15_000)
    // Woken at 46 s, after the span of 45 s: the opportunity is missed.
    expect(retransmission.step(Instant(46_000))).toBe('wait')
    expect(retransmission.dueAt).toBe(93_000)
    expect(retransmission.step(Instant(93_000))).toBe('give-up')
  })

  test('a wake-up after MAX_TRANSMIT_WAIT gives up at once', () => {
    const retransmission = new Retransmission(defaultParameters, steadyEntropy(0), Instant(0))
    expect(retransmission.step(Instant(200_000))).toBe('give-up')
  })

  test('the last copy is not lost to a timer of a few milliseconds where ACK_RANDOM_FACTOR is 1', () => {
    const parameters = { ...defaultParameters, ackRandomFactor: 1, maxRetransmit: 1 }
    const retransmission = new Retransmission(parameters, steadyEntropy(0), Instant(0))
    expect(retransmission.step(Instant(2005))).toBe('retransmit')
  })
})

describe('a Confirmable request that nobody answers', () => {
  test('leaves five times within 30 s and fails after 62 s', () => {
    const client = new Lockstep({ draw: 0 })
    const moments: number[] = []
    const collect = (lines: readonly string[]): void => {
      for (const text of lines) if (text.startsWith('> ')) moments.push(client.now / 1000)
    }
    collect(client.get(1))
    for (let i = 0; i < 4; i++) collect(client.wake())
    expect(moments).toEqual([0, 2, 6, 14, 30])
    expect(client.wake()).toEqual(['failed 1 timeout'])
    expect(client.now).toBe(62_000)
    expect(client.session.nextTimeout()).toBeUndefined()
  })

  test('every copy is the same, Message ID and token included', () => {
    const client = new Lockstep({ draw: 0x1234_5678 })
    client.get(1)
    client.advance(Seconds(100))
    expect(client.sent).toHaveLength(5)
    for (const copy of client.sent) expect(copy).toEqual(client.sent[0])
  })

  test('keeps the parameters that it began with; the next one has the new ones', () => {
    const client = new Lockstep({ draw: 0 })
    client.get(1)
    client.feed({
      kind: 'parameters',
      parameters: { ...defaultParameters, ackTimeoutSeconds: 1, maxRetransmit: 1 }
    })
    expect(client.session.nextTimeout()).toBe(2000)
    client.advance(Seconds(62))
    const begin = client.now
    client.get(2)
    expect(client.session.nextTimeout()).toBe(after(begin, Seconds(1)))
    expect(client.advance(Seconds(3)).at(-1)).toBe('failed 2 timeout')
    expect(client.now).toBe(after(begin, Seconds(3)))
  })
})
