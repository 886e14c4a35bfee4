import { formatIpAddress } from '@breakwater/core'
import { describe, expect, it } from 'vitest'
import type { LocalAddress } from '../../src/domain/local-address.ts'
import type { DotsServer, ProvisioningDomain, Site } from '../../src/domain/site.ts'
import { alternatePaths } from '../../src/multihoming/alternate-paths.ts'
import { checkSite } from '../../src/multihoming/check-site.ts'
import { describeIllegal, legalPaths } from '../../src/multihoming/legal-path.ts'
import { own as local } from './selection-host.ts'
import { domain, ip, net, server } from './sites.ts'

/*
 *   isp-a (2001:db8:a::/48) ── wan-a ┐
 *                                    ├ host ── lo: 2001:db8:ffff::1, the site's own
 *   isp-b (2001:db8:b::/48) ── wan-b ┘
 *
 * Nobody configured `sources`: the system says which addresses there are.
 */

const on = (name: string, text: string, about: Partial<LocalAddress> = {}): LocalAddress =>
  local(text, { interface: { name }, ...about })

const everything = [
  on('wan-b', '2001:db8:b::1'),
  on('wan-b', 'fe80::b'),
  on('wan-a', 'fe80::a'),
  on('wan-a', '2001:db8:a::1'),
  on('wan-a', '192.168.1.2'),
  on('lan', '2001:db8:a:1::1'),
  on('lo', '2001:db8:ffff::1/128'),
  on('lo', '::1/128')
]

interface Options {
  readonly locals?: readonly LocalAddress[]
  readonly interfaces?: readonly string[]
  readonly sources?: readonly string[]
  readonly server?: Partial<DotsServer>
  readonly about?: Partial<Site>
}

function site(options: Options = {}): Site {
  const usual = { ...server('isp-a', '2001:db8:a:ffff::53'), transports: ['udp'] as const, ...options.server }
  const localAddresses = options.locals ?? everything
  const a: ProvisioningDomain = {
    ...domain('isp-a', {
      prefixes: ['2001:db8:a::/48'],
      interfaces: options.interfaces ?? ['wan-a'],
      sources: options.sources ?? [],
      servers: [usual]
    }),
    localAddresses
  }
  const b = { ...domain('isp-b', { prefixes: ['2001:db8:b::/48'], interfaces: ['wan-b'] }), localAddresses }
  return { domains: [a, b], providerIndependent: [{ prefix: net('2001:db8:ffff::/48') }], ...options.about }
}

function sourcesOf(of: Site): string[] {
  const { paths } = legalPaths(of, of.domains[0]!.servers[0]!)
  return paths.map((path) => `${formatIpAddress(path.source)} via ${path.interface ?? 'any'}`)
}

describe('sources that the system gives', () => {
  it('are those of the interface first, then what the domain accepts besides; of no other domain', () => {
    expect(sourcesOf(site())).toEqual([
      '2001:db8:a::1 via wan-a',
      '2001:db8:a:1::1 via wan-a',
      '2001:db8:ffff::1 via wan-a'
    ])
    const { illegal } = legalPaths(site(), site().domains[0]!.servers[0]!)
    expect(illegal.map(describeIllegal)).toEqual(['source 2001:db8:b::1 belongs to isp-b'])
  })

  it('serve a domain without interfaces from all that is no other’s', () => {
    const all = sourcesOf(site({ interfaces: [] }))
    expect(all).toEqual(['2001:db8:a::1 via any', '2001:db8:a:1::1 via any', '2001:db8:ffff::1 via any'])
  })

  it('of no class are the domain’s by its interface alone', () => {
    const translated = { addresses: [ip('192.0.2.1')] }
    expect(sourcesOf(site({ server: translated }))).toEqual(['192.168.1.2 via wan-a'])
    const locals = [on('wan-b', '192.168.7.2'), on('lan', '192.168.9.2')]
    expect(sourcesOf(site({ server: translated, locals }))).toEqual([])
    expect(sourcesOf(site({ server: translated, locals, interfaces: [] }))).toEqual(['192.168.9.2 via any'])
  })

  it('of too small a scope lead nowhere', () => {
    expect(sourcesOf(site({ locals: [on('wan-a', 'fe80::a')] }))).toEqual([])
    const onLink = { addresses: [ip('fe80::1')] }
    expect(sourcesOf(site({ server: onLink }))).toContain('fe80::a via wan-a')
    expect(sourcesOf(site({ server: onLink }))).not.toContain('fe80::b via wan-a')
  })

  it('are one of each prefix: the temporary one, or the public one where that is preferred', () => {
    const locals = [on('wan-a', '2001:db8:a::1'), on('wan-a', '2001:db8:a::2', { isTemporary: true })]
    expect(sourcesOf(site({ locals }))).toEqual(['2001:db8:a::2 via wan-a'])
    const about = { addressSelection: { prefersPublic: true } }
    expect(sourcesOf(site({ locals, about }))).toEqual(['2001:db8:a::1 via wan-a'])
  })

  it('are deprecated ones only where there is no other', () => {
    const old = on('wan-a', '2001:db8:a::1', { state: 'deprecated' })
    expect(sourcesOf(site({ locals: [old] }))).toEqual(['2001:db8:a::1 via wan-a'])
    const locals = [old, on('wan-a', '2001:db8:a:7::1')]
    expect(sourcesOf(site({ locals }))).toEqual(['2001:db8:a:7::1 via wan-a'])
  })

  it('give way to those that the operator chose, in the order that the operator gave', () => {
    const sources = ['2001:db8:ffff::1', '2001:db8:a::1']
    expect(sourcesOf(site({ sources }))).toEqual(['2001:db8:ffff::1 via wan-a', '2001:db8:a::1 via wan-a'])
    expect(sourcesOf(site({ sources: sources.toReversed() }))).toEqual([
      '2001:db8:a::1 via wan-a',
      '2001:db8:ffff::1 via wan-a'
    ])
  })

  it('cannot be chosen where no packet comes from them', () => {
    const group = site({ sources: ['ff02::1', '::', '2001:db8:a::1'] })
    expect(sourcesOf(group)).toEqual(['2001:db8:a::1 via wan-a'])
    const { illegal } = legalPaths(group, group.domains[0]!.servers[0]!)
    expect(illegal.map(describeIllegal)).toEqual([
      'source ff02::1 is no address that a packet can come from',
      'source :: is no address that a packet can come from'
    ])
    expect(checkSite(site({ sources: ['ff02::1'] }))).toMatchObject([{ code: 'SERVER_UNREACHABLE' }])
  })

  it('follow the policy table', () => {
    const rows = [
      { prefix: net('::/0'), precedence: 40, label: 1 },
      { prefix: net('2001:db8:a:1::/64'), precedence: 40, label: 7 },
      { prefix: net('2001:db8:a:ffff::/64'), precedence: 40, label: 7 }
    ]
    const locals = [on('wan-a', '2001:db8:a::1'), on('wan-a', '2001:db8:a:1::1')]
    expect(sourcesOf(site({ locals }))[0]).toBe('2001:db8:a::1 via wan-a')
    const about = { addressSelection: { policy: rows } }
    expect(sourcesOf(site({ locals, about }))[0]).toBe('2001:db8:a:1::1 via wan-a')
  })

  it('alternate between interfaces', () => {
    const locals = [
      on('wan-a', '2001:db8:a::1'),
      on('wan-a', '2001:db8:a:1::1'),
      on('wan-c', '2001:db8:a:2::1')
    ]
    const found = sourcesOf(site({ locals, interfaces: ['wan-a', 'wan-c'] }))
    expect(found.slice(0, 2)).toEqual(['2001:db8:a::1 via wan-a', '2001:db8:a:2::1 via wan-c'])
  })

  it('may be missing now and come later: a site without any is no mistake', () => {
    const none = site({ locals: [] })
    expect(checkSite(none)).toEqual([])
    const { paths, illegal } = legalPaths(none, none.domains[0]!.servers[0]!)
    expect(paths).toEqual([])
    expect(illegal.map(describeIllegal)).toContain('domain isp-a has no source address')
  })
})

function remotesOf(of: Site, via: DotsServer): string[] {
  return legalPaths(of, via).paths.map(({ remote }) => formatIpAddress(remote.address))
}

describe('the addresses of a server', () => {
  const near = '2001:db8:a:ffff::53'
  const far = '2001:db8:9:9::53'
  const only = { locals: [on('wan-a', '2001:db8:a::1')] }

  it('stay in the order of the operator', () => {
    const given = site({ ...only, server: { addresses: [ip(far), ip(near)] } })
    expect(remotesOf(given, given.domains[0]!.servers[0]!)).toEqual([far, near])
  })

  it('that nobody ordered are ordered by RFC 6724, within a family and a transport', () => {
    const addresses = [ip('192.0.2.1'), ip(far), ip(near)]
    const locals = [...only.locals, on('wan-a', '192.168.1.2')]
    // Of equal precedence, IPv4 would come first: RFC 9132 §4.3 decides between families all the same.
    const rows = [
      { prefix: net('::/0'), precedence: 40, label: 1 },
      { prefix: net('::ffff:0:0/96'), precedence: 100, label: 4 }
    ]
    const about = { addressSelection: { policy: rows } }
    const given = site({
      locals,
      about,
      server: { addresses, transports: ['udp', 'tcp'], isUnordered: true }
    })
    const once = [near, far, '192.0.2.1']
    expect(remotesOf(given, given.domains[0]!.servers[0]!)).toEqual([...once, ...once])
  })

  it('are ordered so where a redirect named them', () => {
    const given = site(only)
    const alternate = { referenceName: 'other.example', addresses: [ip(far), ip(near)] }
    const found = alternatePaths(given, given.domains[0]!.servers[0]!, alternate)
    const remotes = found.ok ? found.paths.paths.map(({ remote }) => formatIpAddress(remote.address)) : []
    expect(remotes).toEqual([near, far])
  })
})
