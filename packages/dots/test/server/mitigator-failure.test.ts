import { Seconds } from '@breakwater/core'
import { describe, expect, it } from 'vitest'
import { PlanId } from '../../src/domain/mitigator.ts'
import { DEFAULT_SERVER_POLICY } from '../../src/server/policy.ts'
import { ServerBed, entryOf, only } from './server-bed.ts'

const TARGET = { targetPrefix: ['192.0.2.7/32'], lifetime: 3600 }
const DOWN = { code: 'MITIGATOR_DOWN', message: 'no device', retryable: true }
const NEVER = { code: 'MITIGATOR_REFUSED', message: 'cannot do that', retryable: false }

describe('a mitigator that fails', () => {
  it('does not hold up the answer to the client, and is reported with the next attempt', () => {
    const bed = new ServerBed()
    bed.mitigatorFailure = DOWN
    expect(only(bed.establish().put(1, TARGET)).code).toBe('2.01')
    expect(bed.eventsOf('mitigator-failed')[0]).toMatchObject({
      operation: 'apply',
      code: 'MITIGATOR_DOWN',
      retryInSeconds: 1
    })
  })

  it('is asked again after 1, 2, 4 … seconds, at most 60 apart', () => {
    const bed = new ServerBed()
    bed.mitigatorFailure = DOWN
    bed.establish().put(1, TARGET)
    bed.advance(Seconds(600))
    const pauses = bed
      .eventsOf('mitigator-failed')
      .flatMap((event) => (event.operation === 'apply' ? [event.retryInSeconds] : []))
    expect(pauses.slice(0, 9)).toEqual([1, 2, 4, 8, 16, 32, 60, 60, 60])
  })

  it('is not asked again to apply what it says it never can; the client sees that at once', () => {
    const bed = new ServerBed()
    const peer = bed.establish()
    bed.mitigatorFailure = NEVER
    peer.put(1, TARGET)
    bed.advance(Seconds(600))
    expect(bed.applyCalls).toHaveLength(1)
    expect(entryOf(only(peer.get(1))).status).toBe(4)
  })

  it('is asked for ever to withdraw: no rule stays that nobody wants', () => {
    const bed = new ServerBed()
    const peer = bed.establish()
    peer.put(1, { ...TARGET, lifetime: 10 })
    bed.mitigatorFailure = NEVER
    bed.advance(Seconds(1000))
    expect(bed.plans()).toHaveLength(1)
    bed.mitigatorFailure = undefined
    bed.advance(Seconds(60))
    expect(bed.plans()).toEqual([])
    expect(bed.machine.timers().some(({ name }) => name.startsWith('retry:'))).toBe(false)
  })

  it('gets one call of a plan at a time: a withdrawal waits for the application before it', () => {
    const bed = new ServerBed()
    const peer = bed.establish()
    bed.hold.add('apply')
    peer.put(1, { ...TARGET, lifetime: 10 })
    bed.advance(Seconds(10))
    expect(bed.withdrawCalls).toEqual([])
    expect(bed.held).toHaveLength(1)
    bed.release()
    expect(bed.withdrawCalls).toHaveLength(1)
    expect(bed.plans()).toEqual([])
  })

  it('a withdrawn mitigation that never came into force is over at once', () => {
    const bed = new ServerBed()
    const peer = bed.establish()
    bed.mitigatorFailure = DOWN
    peer.put(1, TARGET)
    expect(only(peer.delete(1)).code).toBe('2.02')
    expect(only(peer.get(1)).code).toBe('4.04')
    bed.mitigatorFailure = undefined
    bed.advance(Seconds(120))
    expect(bed.plans()).toEqual([])
    expect(bed.records.size).toBe(0)
  })

  it('does not lose the old filter when the new one of a changed request cannot be applied', () => {
    const bed = new ServerBed()
    const peer = bed.establish()
    peer.put(1, TARGET)
    bed.mitigatorFailure = DOWN
    peer.put(2, { targetPrefix: ['192.0.2.0/28'], lifetime: 3600 })
    expect(bed.plans()).toHaveLength(1)
    bed.mitigatorFailure = undefined
    bed.advance(Seconds(1))
    expect(bed.plans()).toHaveLength(1)
    expect(bed.plans()[0]).toContain('/2/')
    bed.mitigatorFailure = DOWN
  })

  it('an old filter goes when the new one comes, also when that was withdrawn in between', () => {
    const bed = new ServerBed()
    const peer = bed.establish()
    peer.put(1, TARGET)
    bed.hold.add('apply')
    peer.put(2, TARGET)
    peer.delete(2)
    bed.release()
    expect(bed.plans()).toHaveLength(1)
    expect(bed.plans()[0]).toContain('/2/')
  })

  it('a new request that cannot be stored does not touch the filter of the one before it', () => {
    const bed = new ServerBed()
    const peer = bed.establish()
    peer.put(1, TARGET)
    peer.delete(1)
    bed.storeFailure = { code: 'STORE_DOWN', message: 'no disk', retryable: true }
    expect(only(peer.put(1, TARGET)).code).toBe('5.03')
    expect(bed.plans()).toHaveLength(1)
    expect(entryOf(only(peer.get(1))).status).toBe(5)
  })

  it('whose counters cannot be read shows no counters', () => {
    const bed = new ServerBed()
    const peer = bed.establish()
    peer.put(1, TARGET)
    const [plan] = bed.inForce.keys()
    if (plan === undefined) throw new Error('no plan')
    bed.counters = new Map([[plan, { packets: 1n, bytes: 1n }]])
    bed.advance(Seconds(30))
    expect(entryOf(only(peer.get(1))).pktsDropped).toBe(1n)
    bed.mitigatorFailure = DOWN
    bed.advance(Seconds(30))
    expect(entryOf(only(peer.get(1)))).not.toHaveProperty('pktsDropped')
  })
})

describe('peers that misbehave', () => {
  it('bytes that are not CoAP are counted, and reported less and less often', () => {
    const bed = new ServerBed()
    const peer = bed.establish()
    for (let i = 0; i < 100; i++) peer.send(Uint8Array.of(0xff, 1, 2))
    expect(bed.machine.counters.value('dots_server_datagrams_malformed_total')).toBe(100)
    expect(bed.eventsOf('malformed').map(({ count }) => count)).toEqual([1, 2, 4, 8, 16, 32, 64])
  })

  it('datagrams of a session that is gone are counted', () => {
    const bed = new ServerBed()
    const peer = bed.establish()
    bed.feed({ kind: 'session-closed', peer: peer.id, reason: 'alert' })
    peer.send(Uint8Array.of(0x50, 0, 0, 1))
    expect(bed.machine.counters.value('dots_server_datagrams_without_session_total')).toBe(1)
  })

  it('a client whose requests wait for the store gets 5.03 for what is too much', () => {
    const limits = { ...DEFAULT_SERVER_POLICY.limits, waitingPerClient: 2 }
    const bed = new ServerBed({ policy: { limits } })
    const peer = bed.establish()
    bed.hold.add('store')
    const answers = [1, 2, 3].map((id) => peer.put(id, { targetPrefix: [`192.0.2.${id}/32`], lifetime: 60 }))
    expect(answers[2]?.[0]?.code).toBe('5.03')
    bed.release()
    expect(answers.map((each) => only(each).code)).toEqual(['2.01', '2.01', '5.03'])
  })

  it('an answer that comes too late for its session is not sent, and the audit trail says so', () => {
    const bed = new ServerBed()
    const peer = bed.establish()
    bed.hold.add('store')
    peer.put(1, TARGET)
    bed.feed({ kind: 'session-closed', peer: peer.id, reason: 'alert' })
    bed.release()
    expect(bed.eventsOf('request')).toMatchObject([{ outcome: 'created', answer: '' }])
    expect(bed.plans()).toHaveLength(1)
  })

  it('nothing is left of sessions that came and went', () => {
    const bed = new ServerBed()
    const before = bed.machine.timers().length
    for (let i = 0; i < 50; i++) {
      const peer = bed.establish()
      peer.heartbeat()
      peer.get(1)
      peer.put(1, { targetPrefix: ['192.0.2.7/32'], lifetime: 0 })
      bed.feed({ kind: 'session-closed', peer: peer.id, reason: 'close-notify' })
    }
    expect(bed.machine.sizes()).toEqual({ sessions: 0, clients: 0, mitigations: 0 })
    expect(bed.machine.timers()).toHaveLength(before)
  })

  it('and forgets its rules: they are put back when the counters next show it', () => {
    const bed = new ServerBed()
    bed.establish().put(1, TARGET)
    const before = bed.plans()
    bed.inForce.clear()
    bed.advance(Seconds(31))
    expect(bed.plans()).toEqual(before)
    expect(bed.eventsOf('plan-lost')).toEqual([{ kind: 'plan-lost', plan: before[0] }])
  })

  it('and counts for a rule that nobody wants: that rule is taken away', () => {
    const bed = new ServerBed()
    bed.establish().put(1, TARGET)
    const stray = PlanId('nobody/9/x')
    bed.inForce.set(stray, undefined)
    bed.counters = new Map([...bed.inForce.keys()].map((id) => [id, { packets: 1n, bytes: 1n }]))
    bed.advance(Seconds(31))
    expect(bed.inForce.has(stray)).toBe(false)
  })

  it('and is asked what it has while a plan changes: what it says of that plan is not believed', () => {
    const bed = new ServerBed()
    const peer = bed.establish()
    peer.put(1, TARGET)
    bed.hold.add('read-in-force')
    bed.advance(Seconds(31))
    expect(bed.held).toHaveLength(1)
    peer.put(2, { targetPrefix: ['192.0.2.8/32'], lifetime: 3600 })
    const [first] = bed.plans()
    bed.feed({ kind: 'in-force', plans: [PlanId(first ?? '')] })
    expect(bed.applyCalls).toHaveLength(2)
    expect(bed.eventsOf('plan-lost')).toEqual([])
  })
})
