import { Seconds } from '@breakwater/core'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { TwoProviders, targetOf } from './client/two-providers.ts'

describe('from protect to a filter at the right provider and back', () => {
  let world: TwoProviders

  beforeEach(async () => {
    world = new TwoProviders()
    await world.start()
  })

  afterEach(async () => {
    expect(world.wrongServerRequests()).toEqual([])
    await world.close()
  })

  it('has sessions with both providers before anything happens', () => {
    const states = world.client.status().sessions.map(({ server, state }) => `${server} ${state}`)
    expect(states).toEqual(['isp-a established', 'isp-b established'])
    expect(world.mitigationRequests()).toEqual([])
  })

  it('protects an address of isp-a at isp-a alone', async () => {
    world.protect('web', targetOf('198.51.100.7/32'))
    await world.advance(Seconds(1))
    expect(world.state('web')).toBe('protected')
    expect(world.mitigated()).toEqual(['isp-a: 198.51.100.7/32'])
    expect(world.mitigationRequests()).toEqual(['PUT isp-a', 'GET isp-a'])
  })

  it('protects an attack on both attachments with each provider for its own part, at the same time', async () => {
    world.protect('all', targetOf('198.51.100.7/32', '100.64.7.7/32'))
    await world.advance(Seconds(1))
    expect(world.state('all')).toBe('protected')
    expect(world.mitigated()).toEqual(['isp-a: 198.51.100.7/32', 'isp-b: 100.64.7.7/32'])
    const puts = world.sent.filter((request) => request.prefixes.length > 0)
    expect(new Set(puts.map((request) => request.at)).size).toBe(1)
  })

  it('protects a provider-independent address at both', async () => {
    world.protect('own', targetOf('203.0.113.7/32'))
    await world.advance(Seconds(1))
    expect(world.state('own')).toBe('protected')
    expect(world.mitigated()).toEqual(['isp-a: 203.0.113.7/32', 'isp-b: 203.0.113.7/32'])
  })

  it('sends nothing for a foreign address', async () => {
    const status = world.protect('theirs', targetOf('8.8.8.8/32'))
    await world.advance(Seconds(10))
    expect(status).toMatchObject({ state: 'refused', missing: [{ kind: 'foreign' }] })
    expect(world.mitigationRequests()).toEqual([])
  })

  it("shows the server's counters and the remaining lifetime", async () => {
    world.protect('web', targetOf('198.51.100.7/32'))
    await world.advance(Seconds(65))
    const [request] = world.client.status().requests
    expect(request).toMatchObject({ state: 'in-force', bytesDropped: 34n, packetsDropped: 12n })
    expect(request?.remainingSeconds).toBeGreaterThan(3500)
    expect(request?.remainingSeconds).toBeLessThanOrEqual(3600)
  })

  it('withdraws on release, and the filter goes after the terminating period', async () => {
    world.protect('web', targetOf('198.51.100.7/32'))
    await world.advance(Seconds(1))
    expect(world.release('web')?.state).toBe('ending')
    await world.advance(Seconds(1))
    expect(world.state('web')).toBeUndefined()
    expect(world.client.status().requests).toEqual([])
    await world.advance(Seconds(180))
    expect(world.mitigated()).toEqual([])
  })
})
