import { ConfigError, Minutes, Seconds } from '@breakwater/core'
import { address, prefix } from '@breakwater/testing'
import { describe, expect, it } from 'vitest'
import { Notebook } from '../../../src/client/memory/notebook.ts'
import { ISP_A, ISP_B, TestStore, TwoProviders, site, targetOf } from '../two-providers.ts'
import { renumbered, withDomain, without } from './site-variants.ts'

const HOST_A = '198.51.100.7/32'
const HOST_B = '100.64.7.9/32'
const HOST_OWN = '203.0.113.5/32'
const MINUTE = Minutes(1)

async function protectedSite(): Promise<TwoProviders> {
  const world = new TwoProviders()
  await world.start()
  world.protect('a', targetOf(HOST_A))
  world.protect('b', targetOf(HOST_B))
  world.protect('own', targetOf(HOST_OWN))
  await world.advance(Seconds(2))
  world.sent.length = 0
  world.connects.length = 0
  return world
}

describe('a site that is described again', () => {
  it('as it was: nothing is sent', async () => {
    const world = await protectedSite()
    world.client.updateSite({ site: { ...site, domains: site.domains.map((each) => ({ ...each })) } })
    await world.advance(Seconds(2))
    expect(world.mitigationRequests()).toEqual([])
    expect(world.connects).toEqual([])
    await world.close()
  })

  it('with a mistake in it: it is refused, and nothing changes', async () => {
    const world = await protectedSite()
    const overlapping = withDomain(site, ISP_B, { prefixes: [prefix('198.51.100.0/24')] })
    expect(() => world.client.updateSite({ site: overlapping })).toThrow(ConfigError)
    const nameless = withDomain(site, ISP_A, { name: 'isp-c' as typeof ISP_A })
    expect(() => world.client.updateSite({ site: nameless })).toThrow(/cannot run/)
    await world.advance(Seconds(2))
    expect(world.mitigationRequests()).toEqual([])
    expect(['a', 'b', 'own'].map((id) => world.state(id))).toEqual(['protected', 'protected', 'protected'])
    await world.close()
  })
})

describe('a provider that goes', () => {
  it('hears what is withdrawn, and of the others nothing changes', async () => {
    const world = await protectedSite()
    world.client.updateSite({ site: without(site, ISP_B) })
    await world.advance(Seconds(4))
    expect(world.mitigationRequests().every((text) => text === 'DELETE isp-b')).toBe(true)
    const asked = world.client.status().requests
    expect(asked.map(({ server, state }) => `${server} ${state}`)).toEqual([
      'isp-a in-force',
      'isp-a in-force'
    ])
    expect(world.state('a')).toBe('protected')
    expect(world.state('own')).toBe('protected')
    const orphan = world.client.status().protections.find(({ id }) => id === 'b')
    expect(orphan).toMatchObject({ state: 'refused', alarm: true })
    expect(orphan?.missing.map(({ kind, text }) => `${kind}: ${text}`)).toEqual([
      'foreign: 100.64.7.9/32 belongs to no domain of the site, so no server may be asked (RFC 9284 §5.1)'
    ])
    expect(world.wrongServerRequests()).toEqual([])
    await world.close()
  })

  it('is let go after a minute, with its session and its socket', async () => {
    const world = await protectedSite()
    world.client.updateSite({ site: without(site, ISP_B) })
    await world.advance(Seconds(30))
    expect(world.client.status().sessions.map(({ server }) => server)).toEqual(['isp-a', 'isp-b'])
    await world.advance(Seconds(60))
    expect(world.client.status().sessions.map(({ server }) => server)).toEqual(['isp-a'])
    expect(world.siteHost.openSockets).toBe(1)
    await world.close()
  })

  it('and comes back within the minute keeps its session, and is asked for what it had', async () => {
    const world = await protectedSite()
    world.client.updateSite({ site: without(site, ISP_B) })
    await world.advance(Seconds(30))
    world.client.updateSite({ site })
    await world.advance(Seconds(2))
    expect(world.connects).toEqual([])
    expect(['a', 'b', 'own'].map((id) => world.state(id))).toEqual(['protected', 'protected', 'protected'])
    expect(world.wrongServerRequests()).toEqual([])
    await world.close()
  })

  it('and comes back after an hour is asked under ids that it has not seen', async () => {
    const world = await protectedSite()
    const before = idsAt(world, 'isp-b')
    world.client.updateSite({ site: without(site, ISP_B) })
    await world.advance(Minutes(60))
    world.client.updateSite({ site })
    await world.advance(Seconds(2))
    expect(world.state('b')).toBe('protected')
    expect(Math.min(...idsAt(world, 'isp-b'))).toBeGreaterThan(Math.max(...before))
    await world.close()
  })

  it('leaves of a target of two providers what is still the site’s', async () => {
    const world = await protectedSite()
    world.protect('both', targetOf('198.51.100.8/32', '100.64.7.8/32'))
    await world.advance(Seconds(2))
    world.client.updateSite({ site: without(site, ISP_B) })
    await world.advance(Seconds(2))
    expect(world.state('both')).toBe('partly-protected')
    expect(world.mitigated()).toContain('isp-a: 198.51.100.8/32')
    await world.close()
  })
})

describe('a provider that comes', () => {
  it('gets a session and is asked for what is its own, at once', async () => {
    const world = new TwoProviders()
    await world.startServer('isp-a')
    await world.startServer('isp-b')
    world.startClient({ site: without(site, ISP_B) })
    await world.advance(Seconds(1))
    world.protect('own', targetOf(HOST_OWN))
    await world.advance(Seconds(1))
    world.client.updateSite({ site })
    world.protect('b', targetOf(HOST_B))
    await world.advance(Seconds(1))
    expect(world.state('own')).toBe('protected')
    expect(world.state('b')).toBe('protected')
    expect(world.mitigated()).toEqual([
      'isp-a: 203.0.113.5/32',
      'isp-b: 203.0.113.5/32',
      'isp-b: 100.64.7.9/32'
    ])
    await world.close()
  })
})

describe('a provider that is gone before the client has read its notebook', () => {
  it('is talked to as soon as it is there', async () => {
    const world = new TwoProviders()
    await world.startServer('isp-a')
    await world.startServer('isp-b')
    const store = new TestStore()
    const notebook = new Notebook(store, world.clock, {
      onDamaged: () => undefined,
      onFailure: () => undefined
    })
    world.startClient({ notebook })
    world.client.updateSite({ site: without(site, ISP_B) })
    await world.advance(Seconds(5))
    world.client.updateSite({ site })
    await world.advance(Seconds(2))
    const sessions = world.client.status().sessions.map(({ server, state }) => `${server} ${state}`)
    expect(sessions).toEqual(['isp-a established', 'isp-b established'])
    await notebook.close()
    await world.close()
  })
})

describe('a provider that numbers the site otherwise', () => {
  it('gets a session from the new address before the old one ends, and only the difference is asked', async () => {
    const world = await protectedSite()
    const wan = world.siteHost.interface('wan-b')
    await world.advance(MINUTE)
    world.sent.length = 0
    wan.renumber([address('100.64.7.1'), address('100.64.7.2')])
    world.client.updateSite({ site: renumbered(site, ISP_B, '100.64.7.0/24', '100.64.7.2') })
    await world.advance(Seconds(2))
    const session = world.client.status().sessions.find(({ domain }) => domain === ISP_B)
    expect(session).toMatchObject({ state: 'established', path: { source: '100.64.7.2' } })
    expect(world.clientEndpointConnects('isp-b')).toHaveLength(1)
    expect(world.mitigationRequests().filter((text) => !text.startsWith('GET'))).toEqual([])
    expect(world.siteHost.openSockets).toBe(2)
    await world.close()
  })
})

function idsAt(world: TwoProviders, server: string): number[] {
  return world.client
    .status()
    .requests.filter((request) => request.server === server)
    .map(({ mitigationId }) => mitigationId)
}
