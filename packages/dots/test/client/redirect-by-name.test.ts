import { Seconds } from '@breakwater/core'
import { DEFAULT_SERVER_POLICY } from '../../src/index.ts'
import { SimulatedNameService, address } from '@breakwater/testing'
import { afterEach, describe, expect, it } from 'vitest'
import { ISP_A, TwoProviders, targetOf } from './two-providers.ts'

const ELSEWHERE = 'dots2.isp-a.example'

let world: TwoProviders
afterEach(() => world.close())

/** Provider A sends its clients to a name; the name service of the domain knows it, or is dead. */
async function sentAway(isDead: boolean): Promise<SimulatedNameService> {
  world = new TwoProviders()
  const names = new SimulatedNameService(world.clock)
  names.isDead = isDead
  names.names.set(ELSEWHERE, { kind: 'addresses', addresses: [address('192.0.2.1')], ttlSeconds: 60 })
  const redirection = { server: ELSEWHERE, addresses: [], ttlSeconds: 600, clients: 'all' as const }
  await world.startServer('isp-a', { policy: { ...DEFAULT_SERVER_POLICY, redirection } })
  await world.startServer('isp-b')
  world.startClient({ resolvers: new Map([[ISP_A, names.resolver(Seconds(8))]]) })
  await world.advance(Seconds(1))
  return names
}

describe('a client that a server sends to a name', () => {
  it('asks the resolver of that domain and goes where it says', async () => {
    await sentAway(false)
    await world.advance(Seconds(2))
    expect(world.events).toContainEqual({ kind: 'redirected', server: 'isp-a', alternate: ELSEWHERE })
  })

  it('is not slowed by a name service that is dead: others protect at once, and nothing is lost', async () => {
    await sentAway(true)
    world.protect('web', targetOf('203.0.113.7/32'))
    await world.advance(Seconds(2))
    expect(world.mitigated()).toEqual(['isp-b: 203.0.113.7/32'])
    await world.advance(Seconds(10))
    expect(world.events.filter(({ kind }) => kind === 'redirect-refused').length).toBeGreaterThan(0)
    expect(world.state('web')).not.toBe('requested')
    expect(world.client.status().requests.find(({ server }) => server === 'isp-a')?.state).toBe('refused')
  })
})
