import { Milliseconds, Seconds } from '@breakwater/core'
import { Method, uriPath } from '@breakwater/coap'
import { describe, expect, it } from 'vitest'
import { CUID, ServerBed, entryOf, only } from '../../packages/dots/test/server/server-bed.ts'
import type { Peer } from '../../packages/dots/test/server/server-bed.ts'

const TARGET = { targetPrefix: ['192.0.2.7/32'], lifetime: 3600 }

function deleteAt(peer: Peer, ...segments: string[]): string {
  return only(peer.request(Method.delete, uriPath('.well-known', 'dots', 'mitigate', ...segments))).code
}

describe('RFC 9132 §4.4.4: withdrawing a mitigation', () => {
  it('is acknowledged with 2.02 without body, also when there is nothing to withdraw', () => {
    const bed = new ServerBed()
    const peer = bed.establish()
    const unknown = only(peer.delete(1))
    peer.put(1, TARGET)
    for (const answer of [unknown, only(peer.delete(1)), only(peer.delete(1)), only(peer.delete(77))]) {
      expect(answer.code).toBe('2.02')
      expect(answer.response.payload).toHaveLength(0)
    }
    expect(bed.machine.sizes().mitigations).toBe(1)
  })

  it('without cuid and mid it is 4.00 [RFC9132-4.4.4-M03]', () => {
    const bed = new ServerBed()
    const peer = bed.establish()
    peer.put(1, TARGET)
    expect(deleteAt(peer)).toBe('4.00')
    expect(deleteAt(peer, `cuid=${CUID}`)).toBe('4.00')
    expect(deleteAt(peer, 'mid=1')).toBe('4.00')
    expect(entryOf(only(peer.get(1))).status).toBe(2)
  })

  it('with an empty value it is 4.00 [RFC9132-4.4.4-M02]', () => {
    const peer = new ServerBed().establish()
    peer.put(1, TARGET)
    expect(deleteAt(peer, `cuid=${CUID}`, 'mid=')).toBe('4.00')
    expect(deleteAt(peer, 'cuid=', 'mid=1')).toBe('4.00')
    expect(entryOf(only(peer.get(1))).status).toBe(2)
  })

  it('lets the filter stay for a while and says that it is terminating [RFC9132-4.4.4-O01] [RFC9132-4.4.4-S01]', () => {
    const bed = new ServerBed()
    const peer = bed.establish()
    peer.put(1, TARGET)
    peer.delete(1)
    expect(bed.plans()).toHaveLength(1)
    bed.advance(Seconds(50))
    expect(entryOf(only(peer.get(1)))).toMatchObject({ status: 5, lifetime: 70 })
  })

  it('by default for 120 seconds, after which it is over [RFC9132-4.4.4-S03] [RFC9132-4.4.4-M04]', () => {
    const bed = new ServerBed()
    const peer = bed.establish()
    peer.put(1, TARGET)
    peer.delete(1)
    bed.advance(Seconds(119))
    expect(bed.plans()).toHaveLength(1)
    bed.advance(Seconds(1))
    expect(bed.plans()).toEqual([])
    expect(only(peer.get(1)).code).toBe('4.04')
    expect(bed.records.size).toBe(0)
  })

  it('by default for as long as a route takes through four networks that each hold it back for the 30 s of RFC 4271 §10, and for longer where the operator knows slower ones [RFC9132-4.4.4-S02]', () => {
    const held = Seconds(30)
    for (const [networks, policy] of [
      [4, {}],
      [8, { activeButTerminating: Seconds(8 * 30) }]
    ] as const) {
      const bed = new ServerBed({ policy })
      const peer = bed.establish()
      peer.put(1, TARGET)
      // The client withdraws and announces its prefix itself again. While that is on its way, traffic still comes here.
      peer.delete(1)
      for (let passed = 0; passed < networks; passed++) {
        bed.advance(Milliseconds(held - 1))
        expect(bed.plans()).toHaveLength(1)
        expect(entryOf(only(peer.get(1)))).toMatchObject({ status: 5 })
        bed.advance(Milliseconds(1))
      }
      expect(bed.plans()).toEqual([])
    }
  })

  it('doubles that time, up to 300 seconds, for a client that asks again before it is over [RFC9132-4.4.4-O02]', () => {
    const bed = new ServerBed()
    const peer = bed.establish()
    const periods: (number | undefined)[] = []
    for (const id of [1, 2, 3, 3]) {
      expect(only(peer.put(id, TARGET)).code).toBe('2.01')
      peer.delete(id)
      periods.push(entryOf(only(peer.get(id))).lifetime)
    }
    expect(periods).toEqual([120, 240, 300, 300])
    expect(bed.plans()).toHaveLength(1)
  })

  it('a mitigation asked for again under its own mid is new: 2.01, and it outlives the old one', () => {
    const bed = new ServerBed()
    const peer = bed.establish()
    peer.put(1, TARGET)
    bed.advance(Seconds(1))
    peer.delete(1)
    bed.advance(Seconds(60))
    expect(only(peer.put(1, { ...TARGET, lifetime: 600 })).code).toBe('2.01')
    bed.advance(Seconds(120))
    expect(entryOf(only(peer.get(1)))).toMatchObject({ status: 2, lifetime: 480 })
    expect(bed.plans()).toHaveLength(1)
    bed.advance(Seconds(480))
    expect(bed.plans()).toEqual([])
  })

  it('is not acknowledged before it is stored', () => {
    const bed = new ServerBed()
    const peer = bed.establish()
    peer.put(1, TARGET)
    bed.hold.add('store')
    const answers = peer.delete(1)
    expect(answers).toEqual([])
    expect(entryOf(only(peer.get(1))).status).toBe(2)
    bed.release()
    expect(only(answers).code).toBe('2.02')
  })
})
