import { Seconds } from '@breakwater/core'
import { prefix } from '@breakwater/testing'
import { describe, expect, it } from 'vitest'
import { CUID, ServerBed, certificate } from '../server-bed.ts'

describe('what an operator sees of a server', () => {
  it('is each mitigation with its domain, state, what is left of its lifetime, and counters when they are known', () => {
    const bed = new ServerBed()
    const peer = bed.establish()
    peer.put(7, { targetPrefix: ['192.0.2.7/32'], lifetime: 600 })
    bed.advance(Seconds(10))
    const shown = {
      domain: 'example',
      cuid: CUID,
      mitigationId: 7,
      state: 'active',
      status: 2,
      target: { prefixes: [prefix('192.0.2.7/32')], ports: [], protocols: [] },
      remainingLifetimeSeconds: 590
    }
    expect(bed.machine.mitigations(bed.now)).toEqual([shown])
    const [plan] = bed.inForce.keys()
    if (plan === undefined) throw new Error('no plan')
    const dropped = { packets: 3n, bytes: 180n }
    bed.counters = new Map([[plan, dropped]])
    bed.advance(Seconds(20))
    expect(bed.machine.mitigations(bed.now)).toEqual([{ ...shown, remainingLifetimeSeconds: 570, dropped }])
    peer.delete(7)
    expect(bed.machine.mitigations(bed.now)).toMatchObject([
      { state: 'terminating', status: 5, remainingLifetimeSeconds: 120 }
    ])
  })

  it('is each session: whose, which set of parameters holds and who wanted it, silence, and what hangs on it', () => {
    const bed = new ServerBed()
    const peer = bed.establish()
    peer.configure(7, { idleConfig: { heartbeatInterval: { currentValue: 240 } } })
    const [fresh] = bed.machine.sessions(bed.now)
    expect(fresh).toMatchObject({
      peer: peer.id,
      identity: 'dns:client.example.net',
      domain: 'example',
      transport: 'udp',
      ageSeconds: 0,
      silentSeconds: 0,
      unansweredHeartbeats: 0,
      set: 'idle',
      sid: 7,
      parameters: { heartbeatIntervalSeconds: 240, missingHeartbeatsAllowed: 15 },
      idle: { heartbeatIntervalSeconds: 240 },
      mitigating: { heartbeatIntervalSeconds: 30 },
      cuids: [],
      mitigations: 0,
      observations: 0
    })
    peer.put(1, { targetPrefix: ['192.0.2.7/32'], lifetime: 600 })
    peer.observe(1)
    peer.answersHeartbeats = false
    bed.advance(Seconds(100))
    const [later] = bed.machine.sessions(bed.now)
    expect(later).toMatchObject({
      ageSeconds: 100,
      silentSeconds: 100,
      set: 'mitigating',
      parameters: { heartbeatIntervalSeconds: 30 },
      cuids: [CUID],
      mitigations: 1,
      observations: 1
    })
    expect(later?.unansweredHeartbeats).toBeGreaterThanOrEqual(3)
  })

  it('is a stranger, too, and a session that goes by the defaults', () => {
    const bed = new ServerBed()
    bed.establish(certificate('nobody.example.com'))
    bed.establish()
    const [stranger, plain] = bed.machine.sessions(bed.now)
    expect(stranger).toMatchObject({ domain: undefined, identity: 'dns:nobody.example.com', mitigations: 0 })
    expect(plain?.sid).toBeUndefined()
    expect(plain?.idle).toEqual(plain?.mitigating)
  })
})
