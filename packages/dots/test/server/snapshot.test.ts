import { Seconds } from '@breakwater/core'
import { prefix } from '@breakwater/testing'
import { describe, expect, it } from 'vitest'
import { CUID, ServerBed } from './server-bed.ts'

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
})
