import { Seconds, WallTime, after } from '@breakwater/core'
import type { Duration } from '@breakwater/core'
import type { PlanId, StoredRecord } from '@breakwater/dots'
import { describe, expect, it } from 'vitest'
import { CUID, ServerBed, WALL_START, certificate, entryOf, only } from './server-bed.ts'
import type { BedOptions } from './bed-options.ts'

const TARGET = { targetPrefix: ['192.0.2.7/32'], targetProtocol: [17], lifetime: 3600 }

/** What is left of a server that stops here, for the next to start from after `pause`. */
function leftOf(bed: ServerBed, pause: Duration): BedOptions {
  const records: StoredRecord[] = [...bed.records].map(([key, value]) => ({ key, value }))
  return { records, inForce: [...bed.inForce.keys()], wallClock: after(bed.wallClock(), pause) }
}

function serverWith(...prefixes: string[]): ServerBed {
  const bed = new ServerBed()
  const peer = bed.establish()
  for (const [index, prefix] of prefixes.entries()) peer.put(index + 1, { ...TARGET, targetPrefix: [prefix] })
  return bed
}

describe('a server that starts again', () => {
  it('goes on with its mitigations, with the lifetime that is left by the calendar', () => {
    const before = serverWith('192.0.2.7/32')
    before.advance(Seconds(600))
    const bed = new ServerBed(leftOf(before, Seconds(1000)))
    const shown = entryOf(only(bed.establish().get(1)))
    expect(shown).toEqual({ mid: 1, mitigationStart: 1_767_225_600n, ...TARGET, lifetime: 2000, status: 2 })
    bed.advance(Seconds(2000))
    expect(bed.plans()).toEqual([])
    expect(bed.records.size).toBe(0)
  })

  it('leaves plans that are in force alone, applies what is missing once, and withdraws what nobody wants', () => {
    const before = serverWith('192.0.2.7/32', '192.0.2.8/32')
    const left = leftOf(before, Seconds(1))
    const [kept] = left.inForce ?? []
    if (kept === undefined) throw new Error('no plan')
    const bed = new ServerBed({ ...left, inForce: [kept, 'gone-client/9/abc' as PlanId] })
    expect(bed.applyCalls.map(({ id }) => id)).toEqual(left.inForce?.slice(1))
    expect(bed.withdrawCalls).toEqual(['gone-client/9/abc'])
    expect(bed.plans()).toEqual(left.inForce?.map(String).toSorted())
    expect(bed.eventsOf('orphan-withdrawn')).toHaveLength(1)
    expect(only(bed.establish().get()).body?.mitigationScope?.scope?.map(({ status }) => status)).toEqual([
      2, 2
    ])
  })

  it('ends what expired meanwhile', () => {
    const before = serverWith('192.0.2.7/32')
    const bed = new ServerBed(leftOf(before, Seconds(3601)))
    expect(bed.plans()).toEqual([])
    expect(bed.records.size).toBe(0)
    expect(bed.eventsOf('resumed')).toEqual([{ kind: 'resumed', mitigations: 0, expired: 1 }])
    expect(only(bed.establish().get(1)).code).toBe('4.04')
  })

  it('goes on with a withdrawn one until its grace period is over', () => {
    const before = new ServerBed()
    const peer = before.establish()
    peer.put(1, TARGET)
    peer.delete(1)
    const bed = new ServerBed(leftOf(before, Seconds(100)))
    expect(entryOf(only(bed.establish().get(1)))).toMatchObject({ status: 5, lifetime: 20 })
    bed.advance(Seconds(20))
    expect(bed.plans()).toEqual([])
  })

  it('a calendar that was set back does not make a grace period endless', () => {
    const before = new ServerBed()
    const peer = before.establish()
    peer.put(1, TARGET)
    peer.delete(1)
    const bed = new ServerBed({ ...leftOf(before, Seconds(0)), wallClock: WallTime(WALL_START - 1e10) })
    bed.advance(Seconds(300))
    expect(bed.plans()).toEqual([])
  })

  it('remembers who a cuid belongs to', () => {
    const before = serverWith('192.0.2.7/32')
    const bed = new ServerBed(leftOf(before, Seconds(1)))
    expect(only(bed.establish(certificate('second.example.net')).put(2, TARGET)).code).toBe('4.09')
    expect(only(bed.establish().put(1, TARGET)).code).toBe('2.04')
  })

  it('reports damaged records, keeps them, and serves the others', () => {
    const before = serverWith('192.0.2.7/32', '192.0.2.8/32')
    const left = leftOf(before, Seconds(1))
    const [first, second] = left.records ?? []
    if (first === undefined || second === undefined) throw new Error('no records')
    const cut = { key: first.key, value: first.value.subarray(0, 20) }
    const records = [cut, second, { key: 'no key', value: second.value }]
    const bed = new ServerBed({ ...left, records, damaged: ['flipped/1'] })
    expect(bed.eventsOf('record-damaged').map(({ key }) => key)).toEqual(['flipped/1', first.key, 'no key'])
    expect(bed.machine.counters.value('dots_server_records_damaged_total')).toBe(3)
    expect(bed.eventsOf('resumed')[0]).toMatchObject({ mitigations: 1 })
    expect(bed.records.has(first.key)).toBe(true)
  })

  it('leaves a record of a version to come alone, and says so', () => {
    const left = leftOf(serverWith('192.0.2.7/32'), Seconds(1))
    const [written] = left.records ?? []
    if (written === undefined) throw new Error('no record')
    const value = written.value.slice()
    value[0] = 3
    const bed = new ServerBed({ ...left, records: [{ key: written.key, value }] })
    const [event] = bed.eventsOf('record-damaged')
    expect(event?.reason).toBe('DOTS_SERVER_RECORD_VERSION_UNKNOWN: version 3; this server reads 1 and 2')
    bed.advance(Seconds(4000))
    expect(bed.records.get(written.key)).toEqual(value)
  })

  it('ends what its client is not authorised for any more', () => {
    const before = serverWith('192.0.2.7/32')
    const bed = new ServerBed({ ...leftOf(before, Seconds(1)), domains: [] })
    expect(bed.plans()).toEqual([])
    expect(bed.records.size).toBe(0)
  })

  it('applies all again when the mitigator does not say what it has, and looks for orphans later', () => {
    const before = serverWith('192.0.2.7/32')
    const bed = new ServerBed()
    bed.mitigatorFailure = { code: 'MITIGATOR_DOWN', message: 'no device', retryable: true }
    bed.inForce.set('old/1/x' as PlanId, undefined)
    const { records = [] } = leftOf(before, Seconds(1))
    bed.feed({ kind: 'loaded', records, damaged: [] })
    expect(bed.applyCalls).toHaveLength(1)
    bed.mitigatorFailure = undefined
    bed.advance(Seconds(31))
    expect(bed.plans()).toHaveLength(1)
    expect(bed.plans()[0]).toContain(CUID)
  })
})

describe('a list of client domains that changes', () => {
  it('ends what is not allowed any more, tells its observers, and serves nobody who is gone', () => {
    const bed = serverWith('192.0.2.7/32')
    const peer = bed.establish()
    peer.observe(1)
    bed.feed({ kind: 'domains', domains: [] })
    expect(bed.plans()).toEqual([])
    bed.advance(Seconds(3))
    expect(entryOf(peer.notifications.at(-1)).status).toBe(7)
    expect(only(peer.get(1)).code).toBe('4.01')
  })

  it('also ends what was on its way to the store when it changed', () => {
    const bed = new ServerBed()
    const peer = bed.establish()
    bed.hold.add('store')
    const answers = peer.put(1, TARGET)
    bed.feed({ kind: 'domains', domains: [] })
    bed.release()
    expect(only(answers).code).toBe('2.01')
    expect(bed.plans()).toEqual([])
    expect(bed.machine.sizes().mitigations).toBe(0)
  })
})

describe('timers that meet a commit under way', () => {
  it('a refresh that is being stored when the lifetime ends keeps the mitigation', () => {
    const bed = serverWith('192.0.2.7/32')
    const peer = bed.establish()
    bed.advance(Seconds(3599))
    bed.hold.add('store')
    const answers = peer.put(1, TARGET)
    bed.advance(Seconds(5))
    bed.release()
    expect(only(answers).code).toBe('2.04')
    expect(entryOf(only(peer.get(1))).lifetime).toBe(3595)
    expect(bed.plans()).toHaveLength(1)
  })

  it('and ends it when the refresh could not be stored', () => {
    const bed = serverWith('192.0.2.7/32')
    const peer = bed.establish()
    bed.advance(Seconds(3599))
    bed.hold.add('store')
    bed.storeFailure = { code: 'STORE_DOWN', message: 'no disk', retryable: true }
    const answers = peer.put(1, TARGET)
    bed.advance(Seconds(5))
    bed.release()
    expect(only(answers).code).toBe('5.03')
    bed.storeFailure = undefined
    bed.advance(Seconds(2))
    expect(bed.plans()).toEqual([])
  })

  it('a record that could not be deleted is deleted later, unless its key is in use again', () => {
    const bed = new ServerBed()
    const peer = bed.establish()
    for (const id of [1, 2]) peer.put(id, { targetPrefix: [`192.0.2.${id}/32`], lifetime: 10 })
    bed.storeFailure = { code: 'STORE_DOWN', message: 'no disk', retryable: true }
    bed.advance(Seconds(10))
    expect(bed.records.size).toBe(2)
    bed.storeFailure = undefined
    peer.put(1, { targetPrefix: ['192.0.2.1/32'], lifetime: 3600 })
    bed.advance(Seconds(31))
    expect([...bed.records.keys()]).toEqual([`${CUID}/1`])
  })
})
