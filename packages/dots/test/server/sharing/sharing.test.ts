import { Seconds } from '@breakwater/core'
import { describe, expect, it } from 'vitest'
import { HOUR, ServerBed, certificate, cuid, entryOf, only } from '../server-bed.ts'
import type { Peer } from '../server-bed.ts'
import { TwoServers } from './two-servers.ts'

const TARGET = { targetPrefix: ['192.0.2.7/32'], targetProtocol: [17], lifetime: 3600 }
const SECOND_CUID = cuid('bz6pHjaADkaFTbjr0JGBpw')

function mids(answers: ReturnType<ReturnType<ServerBed['establish']>['get']>): (number | undefined)[] {
  return (only(answers).body?.mitigationScope?.scope ?? []).map(({ mid }) => mid)
}

function dropped(peer: Peer): unknown {
  return entryOf(only(peer.get(1))).pktsDropped
}

describe('RFC 9284 §5.4: two servers of one provider that share a store', () => {
  it('know what was asked of the other, and ask the device once', () => {
    const servers = new TwoServers()
    const { one, other } = servers
    servers.settle()
    expect(only(one.establish().put(1, TARGET)).code).toBe('2.01')
    servers.settle()
    const peer = other.establish()
    expect(mids(peer.get())).toEqual([1])
    expect(entryOf(only(peer.get(1)))).toMatchObject({ ...TARGET, lifetime: 3599, status: 2 })
    expect([...one.applyCalls, ...other.applyCalls]).toHaveLength(1)
  })

  it('know how it stands at the device, also one that starts while another leads', () => {
    const servers = new TwoServers()
    only(servers.one.establish().put(1, TARGET))
    servers.settle()
    const late = new ServerBed({ shared: servers.store })
    expect(entryOf(only(late.establish().get(1))).status).toBe(2)
    expect(late.applyCalls).toEqual([])
  })

  it('take a request that came to both at the same moment for one', () => {
    const servers = new TwoServers()
    const { one, other } = servers
    servers.settle()
    expect(only(one.establish().put(1, TARGET)).code).toBe('2.01')
    // Nothing of it is known here yet: the store says so.
    expect(only(other.establish().put(1, TARGET)).code).toBe('2.04')
    servers.settle()
    expect(one.plans()).toHaveLength(1)
    expect(servers.store.load('mitigations').records).toHaveLength(1)
  })

  it('refresh what was asked of the other: it expires once, when the later lifetime is over', () => {
    const servers = new TwoServers()
    const { one, other } = servers
    const here = one.establish()
    const there = other.establish()
    for (const peer of [here, there]) expect(peer.answersHeartbeats).toBe(true)
    only(here.put(1, { ...TARGET, lifetime: 60 }))
    // In the last moment, before the first one can have heard of it.
    servers.advance(Seconds(59.9))
    expect(only(there.put(1, { ...TARGET, lifetime: 60 })).code).toBe('2.04')
    servers.advance(Seconds(50))
    expect(mids(here.get())).toEqual([1])
    expect(one.withdrawCalls).toEqual([])
    expect(one.applyCalls).toHaveLength(1)
    servers.advance(Seconds(12))
    for (const peer of [here, there]) expect(only(peer.get()).code).toBe('4.04')
    expect([...one.withdrawCalls, ...other.withdrawCalls]).toHaveLength(1)
    expect(servers.store.load('mitigations').records).toEqual([])
  })

  it('replace the lower mid that came to the other, without a moment without a filter', () => {
    const servers = new TwoServers()
    const { one, other } = servers
    only(one.establish().put(1, TARGET))
    servers.settle()
    const there = other.establish()
    expect(only(there.put(2, { ...TARGET, targetPrefix: ['192.0.2.0/28'] })).code).toBe('2.01')
    servers.settle()
    expect(mids(there.get())).toEqual([2])
    expect(one.plans()).toHaveLength(1)
    expect(one.applyCalls).toHaveLength(2)
    expect(one.withdrawCalls).toEqual([one.applyCalls[0]?.id])
  })

  it('replace the only mitigation of a client that has no session at the other', () => {
    const servers = new TwoServers()
    const here = servers.one.establish()
    only(here.put(1, TARGET))
    servers.settle()
    only(here.put(2, { ...TARGET, targetPrefix: ['192.0.2.0/28'] }))
    servers.settle()
    const there = servers.other.establish()
    expect(mids(there.get())).toEqual([2])
    expect(only(there.delete(2)).code).toBe('2.02')
    servers.settle()
    expect(entryOf(only(here.get(2))).status).toBe(5)
  })

  it('end what the other withdrew before it died, also when that is heard of after the grace period', () => {
    const servers = new TwoServers({ activeButTerminating: Seconds(0) })
    const { one, other } = servers
    only(one.establish().put(1, TARGET))
    servers.settle()
    // It dies before it removes the record.
    other.around = (output, perform) => {
      perform()
      if (output.kind === 'store') servers.kill(other)
    }
    other.establish().delete(1)
    servers.settle()
    expect([one.machine.sizes().mitigations, one.plans()]).toEqual([0, []])
    expect(servers.store.load('mitigations').records).toEqual([])
  })

  it('refuse a lower mid than the other has', () => {
    const servers = new TwoServers()
    only(servers.one.establish().put(2, TARGET))
    expect(only(servers.other.establish().put(1, TARGET)).code).toBe('4.09')
  })

  it('withdraw what was asked of the other, and its observers hear of it within a second', () => {
    const servers = new TwoServers()
    const here = servers.one.establish()
    only(here.put(1, TARGET))
    only(here.observe(1))
    servers.advance(Seconds(5))
    const before = here.notifications.length
    expect(only(servers.other.establish().delete(1)).code).toBe('2.02')
    servers.settle()
    expect(here.notifications.length).toBeGreaterThan(before)
    expect(entryOf(here.notifications.at(-1)).status).toBe(5)
    servers.advance(Seconds(125))
    expect(servers.one.plans()).toEqual([])
  })

  it('withdraw at once what the other has granted this moment', () => {
    const servers = new TwoServers()
    const { one, other } = servers
    const here = one.establish()
    servers.settle()
    expect(only(here.put(1, TARGET)).code).toBe('2.01')
    expect(only(other.establish().delete(1)).code).toBe('2.02')
    servers.settle()
    expect(entryOf(only(here.get(1))).status).toBe(5)
    servers.advance(Seconds(125))
    expect(one.plans()).toEqual([])
  })

  it('refuse nothing because of what was withdrawn at the other this moment', () => {
    const servers = new TwoServers()
    const here = servers.one.establish()
    const there = servers.other.establish()
    only(there.put(2, TARGET))
    servers.settle()
    only(here.delete(2))
    expect(only(there.put(1, TARGET)).code).toBe('2.01')
  })

  it('keep nothing of a client that withdraws what neither knows', () => {
    const { one } = new TwoServers()
    expect(only(one.establish().delete(1)).code).toBe('2.02')
    expect(one.machine.sizes().clients).toBe(0)
  })

  it.each(['reject', 'accept'] as const)('see a conflict with another client of the other (%s)', (policy) => {
    const servers = new TwoServers({ clientConflict: policy })
    only(servers.one.establish().put(1, TARGET))
    const rival = servers.other.establish(certificate('second.example.net'))
    const answer = only(rival.put(1, TARGET, SECOND_CUID))
    expect(answer.code).toBe(policy === 'reject' ? '4.09' : '2.01')
    expect(entryOf(answer).conflictInformation).toBeDefined()
  })

  it("see that a cuid is another client's of the other", () => {
    const servers = new TwoServers()
    only(servers.one.establish().put(1, TARGET))
    const thief = servers.other.establish(certificate('second.example.net'))
    const answer = only(thief.put(7, { ...TARGET, targetPrefix: ['192.0.2.99/32'] }))
    expect(answer.code).toBe('4.09')
    expect(entryOf(answer).conflictInformation?.conflictCause).toBe(3)
  })

  it('have one that leads; when it is killed the other asks the device, within six seconds', () => {
    const servers = new TwoServers()
    const { one, other } = servers
    only(one.establish().put(1, TARGET))
    servers.settle()
    servers.kill(one)
    const peer = other.establish()
    expect(only(peer.put(2, { ...TARGET, targetPrefix: ['192.0.2.9/32'] })).code).toBe('2.01')
    servers.advance(Seconds(6))
    expect(other.inForce.size).toBe(2)
    // What the first one had applied was found, and left alone.
    expect(other.applyCalls).toHaveLength(1)
    expect(mids(peer.get())).toEqual([1, 2])
  })

  it('leave alone what one applied last before it stopped, when the other leads at once', () => {
    const servers = new TwoServers()
    const { one, other } = servers
    servers.settle()
    other.hold.add('read-changes')
    only(one.establish().put(1, TARGET))
    servers.stop(one)
    servers.settle()
    expect(other.held).not.toEqual([])
    other.release()
    servers.settle()
    expect([other.withdrawCalls, other.applyCalls, other.plans().length]).toEqual([[], [], 1])
    expect(other.eventsOf('lead-changed')).toHaveLength(1)
  })

  it('ask the device no more when it was held up until another one led', () => {
    const servers = new TwoServers()
    const { one, other } = servers
    const here = one.establish()
    servers.settle()
    other.advance(Seconds(7))
    expect(other.eventsOf('lead-changed').at(-1)?.leads).toBe(true)
    one.now = other.now
    // It has not looked at its timers yet: what came first was a request.
    only(here.put(1, TARGET))
    expect(one.applyCalls).toEqual([])
    servers.settle()
    expect([one.applyCalls.length, other.applyCalls.length]).toEqual([0, 1])
  })

  it('show what was dropped at the one that leads, and at the other when that leads', () => {
    const servers = new TwoServers()
    const { one, other } = servers
    const beds = [one, other]
    const peers = beds.map((bed) => bed.establish())
    peers[0]?.put(1, TARGET)
    servers.settle()
    for (const plan of one.inForce.keys())
      for (const bed of beds) bed.counters = new Map([[plan, { packets: 7n, bytes: 700n }]])
    servers.advance(Seconds(30))
    expect(peers.map(dropped)).toEqual([7n, undefined])
    servers.kill(one)
    servers.advance(Seconds(40))
    expect(peers.slice(1).map(dropped)).toEqual([7n])
  })

  it('bring a preconfigured request into force when neither hears the client any more, and not before', () => {
    const servers = new TwoServers()
    const { one, other } = servers
    const here = one.establish()
    const there = other.establish()
    only(here.put(1, { ...TARGET, lifetime: 36_000, triggerMitigation: false }))
    here.answersHeartbeats = false
    here.deaf = true
    servers.advance(HOUR)
    expect(one.plans()).toEqual([])
    there.answersHeartbeats = false
    there.deaf = true
    servers.advance(Seconds(1000))
    expect(one.plans()).toHaveLength(1)
    expect(servers.store.load('mitigations').records).toHaveLength(1)
  })

  it('change nothing for a server that shares with nobody: it asks the store for nothing', () => {
    const bed = new ServerBed()
    bed.hold.add('read-changes').add('beat')
    only(bed.establish().put(1, TARGET))
    bed.advance(HOUR)
    expect(bed.held).toEqual([])
  })
})
