import { Milliseconds, Seconds } from '@breakwater/core'
import { DEFAULT_SERVER_POLICY } from '@breakwater/dots'
import type { Redirection, ServerHost } from '@breakwater/dots'
import { address, prefix, simulatedCertificate } from '@breakwater/testing'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { DryRun, ISP_A, ISP_B, TestStore, TwoProviders, site, targetOf } from '../two-providers.ts'
import { withDomain, without } from './site-variants.ts'

/** isp-a has sent the site to another server of its own (RFC 9132 §4.6), and then the site changes. */
const ALTERNATE: Redirection = {
  server: 'alt.isp-a.example',
  addresses: [address('192.0.2.77')],
  ttlSeconds: 86_400,
  clients: 'all'
}
/** RFC 9132 §4.4.4: so long a server goes on with what was withdrawn. */
const TERMINATING = Seconds(120)

const HOST_A = '198.51.100.7/32'

let world: TwoProviders
let alternate: ServerHost | undefined
let mitigator: DryRun

beforeEach(async () => {
  world = new TwoProviders()
  mitigator = new DryRun()
  await startAlternate()
  await world.startServer('isp-a', { policy: { ...DEFAULT_SERVER_POLICY, redirection: ALTERNATE } })
  await world.startServer('isp-b')
  world.startClient()
  await world.advance(Seconds(1))
  world.protect('web', targetOf(HOST_A))
  world.protect('own', targetOf('203.0.113.7/32'))
  await world.advance(Seconds(120))
  expect(redirect()).toMatchObject({ alternate: ALTERNATE.server, state: 'standing-in' })
  expect(mitigated()).toEqual(2)
  world.connects.length = 0
  world.sent.length = 0
})

afterEach(async () => {
  await alternate?.stop()
  await world.close()
})

async function startAlternate(): Promise<void> {
  const provider = world.providers['isp-a']
  const at = { address: address('192.0.2.77'), port: 4646 }
  const host = world.network.addHost('alternate', { interfaces: [{ name: 'eth0', addresses: [at.address] }] })
  const name = ALTERNATE.server
  const certificate = simulatedCertificate({ authority: 'isp-a authority', subject: name, dnsNames: [name] })
  await world.startServer('isp-a', {
    open: host.openSecureEndpoint,
    openStream: host.openSecureStream,
    listen: [{ local: at, certificate }],
    store: new TestStore(),
    mitigator
  })
  alternate = provider.server
  provider.server = undefined
}

/** How many mitigations are in force at the server that stands in. */
function mitigated(): number {
  return mitigator.plans.size
}

function redirect(): unknown {
  return world.client.status().sessions.find(({ server }) => server === 'isp-a')?.redirect
}

function toldAbout(): string[] {
  return world.sent.flatMap(({ method, mitigationId }) => (mitigationId === undefined ? [] : [method]))
}

describe('a site that changes while a provider has sent it to another server', () => {
  it('elsewhere: the session with that server goes on, and nobody hears a word', async () => {
    world.client.updateSite({ site: without(site, ISP_B) })
    await world.advance(Seconds(5))
    expect(redirect()).toMatchObject({ state: 'standing-in' })
    expect(world.connects).toEqual([])
    expect(mitigated()).toEqual(2)
    expect(world.state('web')).toBe('protected')
    expect(toldAbout()).not.toContain('PUT')
  })

  it('and loses a prefix of that provider: it is withdrawn where it is in force', async () => {
    world.client.updateSite({ site: withDomain(site, ISP_A, { prefixes: [prefix('198.51.100.128/25')] }) })
    await world.advance(Milliseconds(Seconds(5) + TERMINATING))
    expect(mitigated()).toEqual(1)
    expect(world.state('web')).toBe('refused')
    expect(world.state('own')).toBe('protected')
    expect(world.connects).toEqual([])
  })

  it('and loses that provider: all is withdrawn there, and it is let go after a minute', async () => {
    world.client.updateSite({ site: without(site, ISP_A) })
    await world.advance(Seconds(5))
    expect(toldAbout().filter((method) => method === 'DELETE')).toHaveLength(2)
    await world.advance(TERMINATING)
    expect(mitigated()).toEqual(0)
    expect(world.client.status().sessions.map(({ server }) => server)).toEqual(['isp-b'])
    expect(world.siteHost.openSockets).toBe(1)
  })

  it('and gets it back within the minute: it is asked there again, over the same session', async () => {
    world.client.updateSite({ site: without(site, ISP_A) })
    await world.advance(Seconds(30))
    world.client.updateSite({ site })
    await world.advance(Seconds(5))
    expect(world.state('web')).toBe('protected')
    expect(mitigated()).toEqual(2)
    expect(world.connects).toEqual([])
  })
})
