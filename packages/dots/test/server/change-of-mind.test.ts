import { Seconds, WallTime } from '@breakwater/core'
import { DEFAULT_SERVER_POLICY } from '@breakwater/dots'
import type { StoredRecord } from '@breakwater/dots'
import { describe, expect, it } from 'vitest'
import { EXAMPLE, OTHER, ServerBed, WALL_START, certificate, cuid, entryOf, only } from './server-bed.ts'
import type { Seen } from './server-bed.ts'

/** What comes between the question and its answer. */

const TARGET = { targetPrefix: ['192.0.2.7/32'], targetProtocol: [17], lifetime: 3600 }
const NO_ENTRY = { code: 'DEVICE_REFUSED', message: 'no', retryable: false }

function recordsOf(bed: ServerBed): StoredRecord[] {
  return [...bed.records].map(([key, value]) => ({ key, value }))
}

describe('a withdrawal that the mitigator overtakes', () => {
  it('leaves no record of a mitigation that failed while its withdrawal was being stored', () => {
    const bed = new ServerBed()
    bed.hold.add('apply')
    const peer = bed.establish()
    peer.put(1, TARGET)
    bed.hold.add('store')
    peer.delete(1)
    bed.mitigatorFailure = NO_ENTRY
    const stores = bed.held.filter(({ kind }) => kind === 'store')
    bed.held.splice(0, bed.held.length, ...bed.held.filter(({ kind }) => kind === 'apply'), ...stores)
    bed.release()
    expect(bed.machine.mitigations(bed.now)).toEqual([])
    expect(recordsOf(bed)).toEqual([])
  })
})

describe('a mitigation that is asked for anew while the record of the last one is being deleted', () => {
  it('keeps its own record: a store writes in the order in which it was asked', () => {
    const bed = new ServerBed()
    const peer = bed.establish()
    peer.put(1, { ...TARGET, lifetime: 30 })
    bed.hold.add('store')
    const other = peer.put(2, { ...TARGET, targetPrefix: ['192.0.2.8/32'] })
    bed.advance(Seconds(40))
    expect(bed.plans()).toEqual([])
    const again = peer.put(1, TARGET)
    bed.release()
    expect([only(other).code, only(again).code]).toEqual(['2.01', '2.01'])
    expect(bed.plans()).toHaveLength(2)
    expect(recordsOf(bed).map(({ key }) => key.split('/')[1])).toEqual(['2', '1'])
  })
})

function lifetimeOf(seen: readonly Seen[]): number | undefined {
  return entryOf(only(seen)).lifetime
}

describe('a store that takes its time', () => {
  it('has the client promised no more of the lifetime than is left', () => {
    const bed = new ServerBed()
    const peer = bed.establish()
    bed.hold.add('store')
    const put = peer.put(1, { ...TARGET, lifetime: 300 })
    bed.advance(Seconds(20))
    bed.release()
    expect(lifetimeOf(put)).toBe(280)
    bed.advance(Seconds(279))
    expect(bed.plans()).toHaveLength(1)

    bed.hold.add('store')
    const refresh = peer.put(1, { ...TARGET, lifetime: 600 })
    bed.advance(Seconds(10))
    bed.release()
    expect(lifetimeOf(refresh)).toBe(590)
    bed.advance(Seconds(589))
    expect(bed.plans()).toHaveLength(1)
    bed.advance(Seconds(2))
    expect(bed.plans()).toEqual([])
  })
})

describe('a client that is not who it was', () => {
  it('loses its mitigations when its identity is taken out of the client domain', () => {
    const bed = new ServerBed()
    bed.establish().put(1, TARGET)
    expect(bed.plans()).toHaveLength(1)
    bed.feed({ kind: 'domains', domains: [{ ...EXAMPLE, dnsNames: ['second.example.net'] }, OTHER] })
    expect(bed.plans()).toEqual([])
    expect(bed.records.size).toBe(0)
  })

  it('loses them also when that happened while the server was down', () => {
    const before = new ServerBed()
    before.establish().put(1, TARGET)
    const bed = new ServerBed({
      records: recordsOf(before),
      inForce: [...before.inForce.keys()],
      domains: [{ ...EXAMPLE, dnsNames: ['second.example.net'] }, OTHER]
    })
    expect(bed.plans()).toEqual([])
    expect(bed.machine.mitigations(bed.now)).toEqual([])
  })

  it('keeps what its new domain is entitled to when its identity moves there', () => {
    const bed = new ServerBed()
    const peer = bed.establish()
    peer.put(1, TARGET)
    peer.put(2, { ...TARGET, targetPrefix: ['192.0.2.130/32'] })
    const heir = {
      ...OTHER,
      dnsNames: ['client.example.net'],
      prefixes: EXAMPLE.prefixes.slice(1).concat({ ...EXAMPLE.prefixes[0]!, length: 25 })
    }
    bed.feed({ kind: 'domains', domains: [{ ...EXAMPLE, dnsNames: ['second.example.net'] }, heir] })
    expect(
      bed.machine.mitigations(bed.now).map(({ mitigationId, domain }) => [mitigationId, domain])
    ).toEqual([[1, 'other']])
  })
})

describe('the limit of mitigations', () => {
  it('holds for requests under several cuids that are stored at the same time', () => {
    const limits = { ...DEFAULT_SERVER_POLICY.limits, mitigationsPerClient: 1 }
    const bed = new ServerBed({ policy: { limits } })
    const peer = bed.establish()
    bed.hold.add('store')
    const first = peer.put(1, TARGET, cuid('first-cuid'))
    const second = peer.put(1, { ...TARGET, targetPrefix: ['192.0.2.8/32'] }, cuid('second-cuid'))
    bed.release()
    expect([only(first).code, only(second).code]).toEqual(['2.01', '5.03'])
    expect(bed.plans()).toHaveLength(1)
  })

  it('counts a request that could not be stored no more', () => {
    const limits = { ...DEFAULT_SERVER_POLICY.limits, mitigationsPerClient: 1 }
    const bed = new ServerBed({ policy: { limits } })
    const peer = bed.establish()
    bed.storeFailure = { code: 'DISK', message: 'full', retryable: true }
    expect(only(peer.put(1, TARGET)).code).toBe('5.03')
    bed.storeFailure = undefined
    expect(only(peer.put(2, TARGET)).code).toBe('2.01')
  })
})

describe('a calendar that steps', () => {
  it('when set back before a restart, makes no lifetime longer than any that is granted', () => {
    const before = new ServerBed()
    before.establish().put(1, TARGET)
    const bed = new ServerBed({
      records: recordsOf(before),
      inForce: [...before.inForce.keys()],
      wallClock: WallTime(WALL_START - 1e12)
    })
    bed.advance(Seconds(DEFAULT_SERVER_POLICY.lifetime.maximumSeconds))
    expect(bed.plans()).toEqual([])
  })

  it('when set right while the server runs, costs no acknowledged mitigation at the next start', () => {
    // A machine without a battery for its clock: 1970 until the network is there.
    const before = new ServerBed({ wallClock: WallTime(1000) })
    const peer = before.establish()
    peer.put(1, TARGET)
    peer.put(2, { ...TARGET, targetPrefix: ['192.0.2.8/32'] })
    peer.delete(2)
    before.feed({ kind: 'clock', wallClock: WALL_START })
    const bed = new ServerBed({
      records: recordsOf(before),
      inForce: [...before.inForce.keys()],
      wallClock: WALL_START
    })
    expect(bed.machine.mitigations(bed.now).map(({ state }) => state)).toEqual(['active', 'terminating'])
    expect(bed.withdrawCalls).toEqual([])
    bed.advance(Seconds(120))
    expect(bed.machine.mitigations(bed.now).map(({ mitigationId }) => mitigationId)).toEqual([1])
    bed.advance(Seconds(3480))
    expect(bed.plans()).toEqual([])
  })

  it('also where a refresh is on its way to the store', () => {
    const before = new ServerBed({ wallClock: WallTime(1000) })
    const peer = before.establish()
    peer.put(1, { ...TARGET, lifetime: 60 })
    before.hold.add('store')
    peer.put(1, TARGET)
    before.feed({ kind: 'clock', wallClock: WALL_START })
    before.release()
    const bed = new ServerBed({ records: recordsOf(before), wallClock: WALL_START })
    const [left] = bed.machine.mitigations(bed.now)
    expect(left?.remainingLifetimeSeconds).toBe(3600)
  })
})

/** Long prefixes of one block. */
function pieces(block: number): string[] {
  return Array.from({ length: 18 }, (_, index) => {
    return `2001:db8:${block}:4444:5555:6666:7777:${index + 0x1000}/128`
  })
}

describe('two clients that protect the same in pieces', () => {
  it('are told as much of their conflict as fits a datagram', () => {
    const bed = new ServerBed()
    const first = [...pieces(1), '2001:db8:2::/48']
    const second = [...pieces(2), '2001:db8:1::/48']
    bed.establish(certificate('second.example.net')).put(1, { targetPrefix: first, lifetime: 60 }, cuid('b'))
    const answer = only(bed.establish().put(1, { targetPrefix: second, lifetime: 60 }))
    expect(answer.code).toBe('2.01')
    expect(answer.response.payload.length).toBeLessThanOrEqual(1024)
    const shown = entryOf(answer).conflictInformation?.conflictScope?.targetPrefix ?? []
    expect(shown.length).toBeGreaterThan(0)
    expect([...first, ...second]).toEqual(expect.arrayContaining([...shown]))
  })
})
