import { Counters, Instant } from '@breakwater/core'
import type { NetworkPath, PeerId } from '@breakwater/core'
import type { IncomingExchange } from '@breakwater/coap'
import { DEFAULT_SERVER_POLICY, PlanId, plainRequest } from '@breakwater/dots'
import { address, seededEntropy } from '@breakwater/testing'
import { describe, expect, it } from 'vitest'
import { Observations } from '../../src/server/observation/observation.ts'
import type { Mitigation } from '../../src/server/mitigations/mitigation.ts'
import { ServerSession } from '../../src/server/sessions/server-session.ts'
import { ServerState } from '../../src/server/server-state.ts'
import { CUID, WALL_START, mid } from './server-bed.ts'

const local = { address: address('192.0.2.250'), port: 4646 }
const path: NetworkPath = { local, remote: { address: address('192.0.2.1'), port: 5000 } }

describe('what is kept for an observer until its turn comes', () => {
  it('is bounded, however many mitigations its client asks for and withdraws meanwhile', () => {
    const now = Instant(1000)
    const state = new ServerState(DEFAULT_SERVER_POLICY, seededEntropy(1), new Counters())
    const client = state.clients.ensure(CUID, { domain: 'example', owner: 'psk:example' })
    const session = new ServerSession(
      { peer: 1 as PeerId, identity: { kind: 'psk', identity: 'example' }, path, transport: 'udp' },
      state,
      { request: () => undefined, observerGone: () => undefined },
      now
    )
    let told = 0
    const observations = new Observations(state, ({ id }) => {
      told++
      return { mid: id, lifetime: 0 }
    })
    observations.add(session, 1 as IncomingExchange, client, 'all', 'all')
    for (let count = 0; count < 10_000; count++) observations.changed(ended(count), now)
    observations.notify(session, now)
    expect(told).toBeLessThan(100)

    function ended(count: number): Mitigation {
      return {
        key: `${CUID}/${count}`,
        client,
        id: mid(count),
        trigger: 'immediate',
        requested: plainRequest({ prefixes: [], ports: [], protocols: [] }),
        target: { prefixes: [], ports: [], protocols: [] },
        planId: PlanId(`plan-${count}`),
        startedAt: WALL_START,
        grace: DEFAULT_SERVER_POLICY.activeButTerminating,
        expiresAt: 'never',
        state: { kind: 'ended', reason: 'withdrawn' },
        inherited: []
      }
    }
  })
})
