import { Seconds, after } from '@breakwater/core'
import type { StoredRecord } from '@breakwater/dots'
import { DEFAULT_SERVER_POLICY } from '@breakwater/dots'
import { describe, expect, it } from 'vitest'
import { HOUR, ServerBed, entryOf, only } from '../../packages/dots/test/server/server-bed.ts'
import type { BedOptions } from '../../packages/dots/test/server/bed-options.ts'
import type { Peer } from '../../packages/dots/test/server/server-bed.ts'

const PRECONFIGURED = { targetPrefix: ['192.0.2.0/28'], triggerMitigation: false, lifetime: 86_400 }
const IMMEDIATE = { targetPrefix: ['192.0.2.7/32'], lifetime: 3600 }

/** 15 heartbeats of 30 s, each up to a tenth late: 495 s, and a moment more. */
const SILENCE = Seconds(496)

function statusOf(peer: Peer, id: number): number | undefined {
  return entryOf(only(peer.get(id))).status
}

function waiting(options: BedOptions = {}): { bed: ServerBed; peer: Peer } {
  const bed = new ServerBed(options)
  const peer = bed.establish()
  expect(only(peer.put(1, PRECONFIGURED)).code).toBe('2.01')
  return { bed, peer }
}

/** Loses the signal of the peer for so long that the server sees it. */
function loseSignal(bed: ServerBed, peer: Peer): void {
  peer.deaf = true
  peer.answersHeartbeats = false
  bed.advance(SILENCE)
}

function plansOf(bed: ServerBed, id: number): string[] {
  return bed.plans().filter((plan) => plan.split('/')[1] === String(id))
}

function restarted(bed: ServerBed): ServerBed {
  const records: StoredRecord[] = [...bed.records].map(([key, value]) => ({ key, value }))
  return new ServerBed({
    records,
    inForce: [...bed.inForce.keys()],
    wallClock: after(bed.wallClock(), Seconds(10))
  })
}

describe("RFC 9132 §4.4.1.1: requests with 'trigger-mitigation' false", () => {
  it('is accepted, shown with status 8 and without a start, and not in force', () => {
    const { bed, peer } = waiting()
    const entry = entryOf(only(peer.get(1)))
    expect(entry).toEqual({ mid: 1, ...PRECONFIGURED, status: 8 })
    expect(bed.applyCalls).toEqual([])
    bed.advance(HOUR)
    expect(bed.applyCalls).toEqual([])
  })

  it('comes into force when nothing at all was heard for the time that heartbeats may be missing', () => {
    const { bed, peer } = waiting()
    bed.advance(Seconds(95))
    peer.deaf = true
    peer.answersHeartbeats = false
    // The last that came was the answer to one of the first three heartbeats, half a minute ago at most.
    bed.advance(Seconds(460))
    expect(bed.applyCalls).toEqual([])
    bed.advance(Seconds(36))
    expect(plansOf(bed, 1)).toHaveLength(1)
    expect(bed.eventsOf('signal-lost')).toEqual([
      { kind: 'signal-lost', client: 'dns:client.example.net', mitigations: 1 }
    ])
  })

  it('does not while anything comes from the client, though it answers no heartbeat [RFC9132-4.7-M07]', () => {
    const { bed, peer } = waiting()
    peer.answersHeartbeats = false
    peer.deaf = true
    for (let minute = 0; minute < 30; minute++) {
      peer.heartbeat()
      bed.advance(Seconds(60))
    }
    expect(bed.applyCalls).toEqual([])
  })

  it('counts all sessions of the client: one that lives is enough, and a new one in time, too', () => {
    const { bed, peer } = waiting()
    peer.deaf = true
    bed.feed({ kind: 'session-closed', peer: peer.id, reason: 'alert' })
    bed.advance(Seconds(300))
    const second = bed.establish()
    bed.advance(HOUR)
    expect(bed.applyCalls).toEqual([])
    loseSignal(bed, second)
    expect(plansOf(bed, 1)).toHaveLength(1)
  })

  it('a client that closes its session and does not come back has lost its signal as well', () => {
    const { bed, peer } = waiting()
    bed.feed({ kind: 'session-closed', peer: peer.id, reason: 'close-notify' })
    bed.advance(SILENCE)
    expect(plansOf(bed, 1)).toHaveLength(1)
  })

  it('goes on when the signal recovers, until it is withdrawn [RFC9132-4.4.4-M05]', () => {
    const { bed, peer } = waiting()
    loseSignal(bed, peer)
    const again = bed.establish()
    bed.advance(HOUR)
    expect(entryOf(only(again.get(1)))).toMatchObject({ status: 2, triggerMitigation: false })
    // Nor is a refresh of the request a word about that.
    expect(only(again.put(1, PRECONFIGURED)).code).toBe('2.04')
    bed.advance(HOUR)
    expect(plansOf(bed, 1)).toHaveLength(1)
    expect(only(again.delete(1)).code).toBe('2.02')
    bed.advance(Seconds(121))
    expect(bed.plans()).toEqual([])
  })

  it('waits again for the next loss, of a client that was heard in between', () => {
    const { bed, peer } = waiting()
    loseSignal(bed, peer)
    const again = bed.establish()
    again.delete(1)
    bed.advance(Seconds(121))
    again.put(2, PRECONFIGURED)
    bed.advance(HOUR)
    expect(bed.plans()).toEqual([])
    loseSignal(bed, again)
    expect(plansOf(bed, 2)).toHaveLength(1)
  })

  it('survives a restart, waiting or in force', () => {
    const { bed, peer } = waiting()
    peer.put(2, { ...PRECONFIGURED, targetPrefix: ['192.0.2.16/28'] })
    const next = restarted(bed)
    expect(next.applyCalls).toEqual([])
    const back = next.establish()
    expect([1, 2].map((id) => statusOf(back, id))).toEqual([8, 8])
    loseSignal(next, back)
    const third = restarted(next)
    const last = third.establish()
    expect([1, 2].map((id) => entryOf(only(last.get(id))))).toMatchObject([
      { status: 2, triggerMitigation: false },
      { status: 2, triggerMitigation: false }
    ])
    expect(third.withdrawCalls).toEqual([])
  })

  it('after a restart, a client has as long to find it out as the server has, and then is lost', () => {
    const bed = restarted(waiting().bed)
    bed.advance(SILENCE)
    expect(bed.applyCalls).toEqual([])
    bed.advance(SILENCE)
    expect(plansOf(bed, 1)).toHaveLength(1)
  })

  it('is no mitigation under way: its client stays in idle-config until it is in force', () => {
    const { bed, peer } = waiting()
    expect(only(peer.configure(1, { idleConfig: { heartbeatInterval: { currentValue: 240 } } })).code).toBe(
      '2.01'
    )
    bed.advance(Seconds(1))
    const before = peer.heartbeats
    bed.advance(Seconds(200))
    expect(peer.heartbeats).toBeLessThanOrEqual(before + 1)
  })

  it('ends with its lifetime, in force or not', () => {
    const bed = new ServerBed()
    const peer = bed.establish()
    peer.put(1, { ...PRECONFIGURED, lifetime: 60 })
    bed.advance(Seconds(61))
    expect(only(peer.get(1)).code).toBe('4.04')
    expect(bed.records.size).toBe(0)
  })

  it('is withdrawn at once where nothing is in force', () => {
    const { bed, peer } = waiting()
    expect(only(peer.delete(1)).code).toBe('2.02')
    expect(only(peer.get(1)).code).toBe('4.04')
    expect(bed.records.size).toBe(0)
  })

  it('a refresh that makes it an immediate one is 4.00: that wants another mid [RFC9132-4.4.1.3-M10]', () => {
    const { bed, peer } = waiting()
    const answer = only(peer.put(1, { ...PRECONFIGURED, triggerMitigation: true }))
    expect(answer.code).toBe('4.00')
    expect(answer.text).toContain('trigger-mitigation')
    expect(bed.applyCalls).toEqual([])
  })
})

describe('RFC 9132 §4.4.1.3: immediate and preconfigured requests that overlap', () => {
  it('override each other only within their kind [RFC9132-4.4.1.3-M04]', () => {
    const { bed, peer } = waiting()
    expect(only(peer.put(2, IMMEDIATE)).code).toBe('2.01')
    expect([1, 2].map((id) => statusOf(peer, id))).toEqual([8, 2])
    expect(only(peer.put(3, { ...PRECONFIGURED, targetPrefix: ['192.0.2.0/24'] })).code).toBe('2.01')
    expect(only(peer.get(1)).code).toBe('4.04')
    expect([2, 3].map((id) => statusOf(peer, id))).toEqual([2, 8])
    // A lower mid of the other kind is no obstacle, either.
    expect(only(peer.put(0, { ...IMMEDIATE, targetPrefix: ['192.0.2.9/32'] })).code).toBe('2.01')
    expect(plansOf(bed, 2)).toHaveLength(1)
  })

  it('an immediate one deactivates a preconfigured one that is in force: status 7 four times, then 8 [RFC9132-4.4.1.3-S01]', () => {
    const { bed, peer } = waiting()
    loseSignal(bed, peer)
    const again = bed.establish()
    expect(only(again.observe(1)).code).toBe('2.05')
    bed.advance(Seconds(10))
    again.notifications.length = 0
    expect(only(again.put(2, IMMEDIATE)).code).toBe('2.01')
    // The filter of the one goes when that of the other is there, without the period of a withdrawal.
    expect(plansOf(bed, 1)).toEqual([])
    expect(plansOf(bed, 2)).toHaveLength(1)
    bed.advance(Seconds(300))
    const told = again.notifications.map((seen) => entryOf(seen).status)
    expect(told).toEqual([7, 7, 7, 7, 8])
  })

  it('and leaves its filter in place until that of the immediate one is', () => {
    const { bed, peer } = waiting()
    loseSignal(bed, peer)
    const again = bed.establish()
    bed.hold.add('apply')
    again.put(2, IMMEDIATE)
    bed.advance(Seconds(300))
    expect(plansOf(bed, 1)).toHaveLength(1)
    bed.release()
    expect(plansOf(bed, 1)).toEqual([])
    expect(plansOf(bed, 2)).toHaveLength(1)
  })

  it('where the operator wants it, both stay in force', () => {
    const { bed, peer } = waiting({ policy: { onOverlap: 'keep' } })
    loseSignal(bed, peer)
    const again = bed.establish()
    again.put(2, IMMEDIATE)
    expect([1, 2].map((id) => statusOf(again, id))).toEqual([2, 2])
  })

  it('the loss of the signal withdraws immediate ones that overlap, as the preconfigured ones take precedence [RFC9132-4.4.1.3-S02]', () => {
    const { bed, peer } = waiting()
    peer.put(2, { ...IMMEDIATE, lifetime: 86_400 })
    peer.put(3, { targetPrefix: ['192.0.2.200/32'], lifetime: 86_400 })
    loseSignal(bed, peer)
    expect(plansOf(bed, 1)).toHaveLength(1)
    expect(plansOf(bed, 2)).toEqual([])
    // What does not overlap stays.
    expect(plansOf(bed, 3)).toHaveLength(1)
    const again = bed.establish()
    expect(only(again.get(2)).code).toBe('4.04')
    expect([...bed.records.keys()].map((key) => key.split('/')[1])).toEqual(['1', '3'])
  })

  it('without a moment in which neither is in force', () => {
    const { bed, peer } = waiting()
    peer.put(2, { ...IMMEDIATE, lifetime: 86_400 })
    bed.hold.add('apply')
    loseSignal(bed, peer)
    expect(plansOf(bed, 2)).toHaveLength(1)
    bed.release()
    expect(plansOf(bed, 2)).toEqual([])
  })

  it.each([
    ['add', 1, 1],
    ['ignore', 0, 1]
  ] as const)('by the policy %s, otherwise', (onSignalLoss, preconfigured, immediate) => {
    const { bed, peer } = waiting({ policy: { onSignalLoss } })
    peer.put(2, { ...IMMEDIATE, lifetime: 86_400 })
    loseSignal(bed, peer)
    expect(plansOf(bed, 1)).toHaveLength(preconfigured)
    expect(plansOf(bed, 2)).toHaveLength(immediate)
  })

  it('a request that adjusts a preconfigured one in force is in force as well', () => {
    const { bed, peer } = waiting()
    loseSignal(bed, peer)
    const again = bed.establish()
    expect(only(again.put(2, { ...PRECONFIGURED, targetPrefix: ['192.0.2.0/29'] })).code).toBe('2.01')
    expect(plansOf(bed, 2)).toHaveLength(1)
    expect(plansOf(bed, 1)).toEqual([])
  })

  it('a request that waits leaves a filter alone that its client withdrew', () => {
    const bed = new ServerBed()
    const peer = bed.establish()
    peer.put(1, IMMEDIATE)
    peer.delete(1)
    peer.put(2, PRECONFIGURED)
    expect([1, 2].map((id) => statusOf(peer, id))).toEqual([5, 8])
    expect(plansOf(bed, 1)).toHaveLength(1)
    bed.advance(Seconds(121))
    expect(bed.plans()).toEqual([])
  })

  it('many losses and recoveries leave no filter that nobody wants', () => {
    const { bed, peer } = waiting()
    let current = peer
    for (let round = 1; round <= 5; round++) {
      loseSignal(bed, current)
      current = bed.establish()
      current.put(10 + round, IMMEDIATE)
      bed.advance(Seconds(200))
      current.delete(10 + round)
      bed.advance(Seconds(301))
      expect(statusOf(current, 1)).toBe(8)
      expect(bed.plans()).toEqual([])
    }
  })
})

/** Counters of all plans at each reading, from now on. */
function count(bed: ServerBed, packets: bigint): void {
  bed.counters = new Map([...bed.inForce.keys()].map((id) => [id, { packets, bytes: packets * 100n }]))
}

describe('RFC 9132 §4.4.2, Table 3: when the attack has stopped', () => {
  const policy = { ...DEFAULT_SERVER_POLICY, attackStoppedAfter: Seconds(300) }

  it('an immediate one shows status 3 until it is withdrawn, or 2 when the attack comes back', () => {
    const bed = new ServerBed({ policy })
    const peer = bed.establish()
    peer.put(1, IMMEDIATE)
    count(bed, 1000n)
    bed.advance(Seconds(200))
    expect(statusOf(peer, 1)).toBe(2)
    bed.advance(Seconds(200))
    expect(statusOf(peer, 1)).toBe(3)
    expect(plansOf(bed, 1)).toHaveLength(1)
    count(bed, 1001n)
    bed.advance(Seconds(40))
    expect(statusOf(peer, 1)).toBe(2)
  })

  it('a preconfigured one is told of as 3 four times, and then waits again with 8', () => {
    const { bed, peer } = waiting({ policy })
    loseSignal(bed, peer)
    count(bed, 1000n)
    bed.advance(Seconds(200))
    // While the signal is lost, it stays in force, whatever comes.
    bed.advance(Seconds(400))
    expect(plansOf(bed, 1)).toHaveLength(1)
    const again = bed.establish()
    again.observe(1)
    again.notifications.length = 0
    bed.advance(Seconds(300))
    const told = again.notifications.map((seen) => entryOf(seen).status)
    expect(told.slice(-5)).toEqual([3, 3, 3, 3, 8])
    expect(bed.plans()).toEqual([])
  })

  it('nothing is claimed where nothing was ever discarded, or nothing is known', () => {
    const bed = new ServerBed({ policy })
    const peer = bed.establish()
    peer.put(1, IMMEDIATE)
    count(bed, 0n)
    bed.advance(Seconds(1000))
    expect(statusOf(peer, 1)).toBe(2)
    bed.counters = new Map()
    bed.advance(Seconds(1000))
    expect(statusOf(peer, 1)).toBe(2)
  })
})
