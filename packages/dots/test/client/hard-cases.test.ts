import { Minutes, Seconds, UnavailableError, after } from '@breakwater/core'
import { address, prefix, simulatedCertificate } from '@breakwater/testing'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { legalPaths } from '../../src/multihoming/legal-path.ts'
import type { Site } from '../../src/domain/site.ts'
import { NAME_A, NamedServers } from './location/named-servers.ts'
import { ISP_A, ISP_B, TwoProviders, site, targetOf } from './two-providers.ts'

/** Where the server of isp-a is to be, shows itself by this name, of the authority of this provider. */
async function startImpostor(world: TwoProviders, authority: string, name: string): Promise<void> {
  const certificate = simulatedCertificate({ authority, subject: name, dnsNames: [name] })
  const listen = world.listenOver('isp-a', 'udp', 'tcp').map((each) => ({ ...each, certificate }))
  await world.startServer('isp-a', { listen })
}

describe('a server with the certificate of another domain', () => {
  let world: TwoProviders
  beforeEach(() => {
    world = new TwoProviders()
  })
  afterEach(() => world.close())

  it.each([
    ['isp-b', 'dots.isp-b.example'],
    ['isp-b', 'dots.isp-a.example'],
    ['isp-a', 'dots.isp-b.example']
  ])(
    'of the authority of %s for %s is asked for nothing, and the other one not in its place',
    async (...who) => {
      await startImpostor(world, ...who)
      await world.startServer('isp-b')
      world.startClient()
      await world.advance(Seconds(5))
      world.protect('web', targetOf('198.51.100.7/32'))
      world.protect('mail', targetOf('100.64.7.7/32'))
      await world.advance(Minutes(20))
      expect(world.state('web')).toBe('waiting')
      expect(world.state('mail')).toBe('protected')
      expect(world.sent.filter((request) => world.ispAt(request) === 'isp-a')).toEqual([])
      const { text } = world.client.status().sessions.find(({ server }) => server === 'isp-a') ?? {}
      expect(text).toMatch(/certificate|name/)
      await world.stopServer('isp-a')
      await world.startServer('isp-a')
      await world.advance(Minutes(6))
      expect(world.state('web')).toBe('protected')
      expect(world.wrongServerRequests()).toEqual([])
    }
  )
})

describe('an interface that vanishes between selection and sending', () => {
  it('costs seconds, no timer of RFC 9132 §4.7, and nothing leaves by another one', async () => {
    const world = new TwoProviders()
    await world.startServer('isp-a')
    await world.startServer('isp-b')
    let attempts = 0
    let isGone = true
    const onlyWhereItIs =
      <Options extends { readonly interface?: string }, Handlers, Endpoint>(
        open: (options: Options, handlers: Handlers) => Promise<Endpoint>
      ): typeof open =>
      (options, handlers) => {
        if (options.interface !== 'wan-a' || !isGone) return open(options, handlers)
        attempts++
        return Promise.reject(new UnavailableError('NO_DEVICE', 'ENODEV', true))
      }
    const { openSecureEndpoint, openSecureStream } = world.siteHost
    world.startClient({
      open: onlyWhereItIs(openSecureEndpoint),
      openStream: onlyWhereItIs(openSecureStream)
    })
    world.protect('web', targetOf('198.51.100.7/32'))
    await world.advance(Minutes(2))
    expect(world.state('web')).toBe('waiting')
    // Every few seconds, not every few minutes.
    expect(attempts).toBeGreaterThan(10)
    isGone = false
    await world.advance(Seconds(10))
    expect(world.state('web')).toBe('protected')
    expect(world.wrongServerRequests()).toEqual([])
    await world.close()
  })
})

describe('an IPv6-only and an IPv4-only domain in one site', () => {
  const both = [address('2001:db8::1'), address('192.0.2.1')]
  const [a, b] = site.domains
  const mixed: Site = {
    ...site,
    domains: [
      {
        ...a!,
        prefixes: [],
        sources: [address('2001:db8:a::1')],
        servers: a!.servers.map((server) => ({ ...server, addresses: both }))
      },
      { ...b!, servers: b!.servers.map((server) => ({ ...server, addresses: both })) }
    ]
  }

  it('each reach a server of both families in their own alone', () => {
    const remotes = mixed.domains.map(({ servers }) =>
      legalPaths(mixed, servers[0]!).paths.map(({ remote, source, interface: via }) =>
        [remote.address.family, source.family, via].join(' ')
      )
    )
    expect(remotes).toEqual([
      ['6 6 wan-a', '6 6 wan-a'],
      ['4 4 wan-b', '4 4 wan-b']
    ])
  })

  it('of which one gets addresses of the other family alone for its server, tell so', async () => {
    const names = new NamedServers()
    names.say(names.a, NAME_A, both[0]!)
    await names.start()
    expect(names.sessions()).toEqual({ 'isp-a': 'no-path', 'isp-b': 'established' })
    expect(names.textOf('isp-a')).toContain('no source of the family of 2001:db8::1')
    await names.close()
  })
})

describe('a clock that steps beyond the end of a consent', () => {
  it('ends it within a minute: nothing more is said of it, and what was asked is withdrawn', async () => {
    const world = new TwoProviders()
    const begin = world.clock.wallClock()
    const given = {
      name: 'b-helps-a',
      of: ISP_A,
      to: ISP_B,
      prefixes: [prefix('198.51.100.0/28')],
      givenBy: 'A. Admin',
      from: begin,
      until: after(begin, Minutes(60))
    }
    const prefixes = [prefix('198.51.100.0/24'), prefix('100.64.7.0/24')]
    await world.startServer('isp-a')
    await world.startServer('isp-b', {
      domains: [{ name: 'site', dnsNames: ['site.isp-b.example'], pskIdentities: [], prefixes }]
    })
    world.startClient({ site: { ...site, consents: [given] } })
    await world.advance(Seconds(1))
    world.protect('web', targetOf('198.51.100.7/32'))
    await world.advance(Seconds(5))
    expect(heardByB(world)).toEqual(['PUT isp-b'])
    world.clock.stepWallClock(Minutes(120))
    await world.advance(Seconds(65))
    expect(heardByB(world)).toContain('DELETE isp-b')
    expect(world.state('web')).toBe('protected')
    await world.close()
  })
})

/** What isp-b was asked about mitigations, each kind once. */
function heardByB(world: TwoProviders): string[] {
  const heard = world.mitigationRequests().filter((text) => text.endsWith('isp-b') && !text.startsWith('GET'))
  return [...new Set(heard)]
}
