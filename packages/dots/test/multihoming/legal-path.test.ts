import { formatIpAddress } from '@breakwater/core'
import { describe, expect, it } from 'vitest'
import type { Site } from '../../src/domain/site.ts'
import { checkSite } from '../../src/multihoming/check-site.ts'
import { describeIllegal, legalPaths } from '../../src/multihoming/legal-path.ts'
import type { LegalPath } from '../../src/multihoming/legal-path.ts'
import { domain, ip, net, server, twoProviders } from './sites.ts'

function text(path: LegalPath): string {
  const via = path.interface ?? 'any'
  const [source, remote] = [path.source, path.remote.address].map(formatIpAddress)
  return `${path.domain} ${path.transport} ${source} via ${via} to ${remote}`
}

describe('legal paths', () => {
  it("lead by the domain's interface from the domain's source to the server", () => {
    const [a] = twoProviders.domains
    const { paths } = legalPaths(twoProviders, a!.servers[0]!)
    expect(paths.map(text)).toEqual([
      'isp-a udp 198.51.100.1 via wan-a to 192.0.2.1',
      'isp-a tcp 198.51.100.1 via wan-a to 192.0.2.1'
    ])
    expect(paths[0]?.networkPath).toEqual({
      local: { address: ip('198.51.100.1'), port: 0 },
      remote: { address: ip('192.0.2.1'), port: 4646 },
      interface: 'wan-a'
    })
  })

  it('lead by any interface where the domain names none', () => {
    const a = domain('isp-a', { sources: ['198.51.100.1'], servers: [server('isp-a', '192.0.2.1')] })
    const { paths } = legalPaths({ domains: [a], providerIndependent: [] }, a.servers[0]!)
    expect(paths.map((path) => path.interface)).toEqual([undefined, undefined])
  })

  it('pair only addresses of one family, in order of preference', () => {
    const both = {
      ...server('isp-a', '2001:db8:ffff::1'),
      addresses: [ip('2001:db8:ffff::1'), ip('192.0.2.1')],
      transports: ['udp'] as const
    }
    const a = domain('isp-a', {
      sources: ['198.51.100.1', '2001:db8:a::1'],
      interfaces: ['wan-a', 'wan-c'],
      servers: [both]
    })
    const { paths } = legalPaths({ domains: [a], providerIndependent: [] }, both)
    expect(paths.map(text)).toEqual([
      'isp-a udp 2001:db8:a::1 via wan-a to 2001:db8:ffff::1',
      'isp-a udp 2001:db8:a::1 via wan-c to 2001:db8:ffff::1',
      'isp-a udp 198.51.100.1 via wan-a to 192.0.2.1',
      'isp-a udp 198.51.100.1 via wan-c to 192.0.2.1'
    ])
  })

  it('prefer datagrams to streams and IPv6 to IPv4, whatever the order of the addresses (RFC 9132 §4.3)', () => {
    const both = { ...server('isp-a', '192.0.2.1'), addresses: [ip('192.0.2.1'), ip('2001:db8:ffff::1')] }
    const a = domain('isp-a', { sources: ['198.51.100.1', '2001:db8:a::1'], servers: [both] })
    const { paths } = legalPaths({ domains: [a], providerIndependent: [] }, both)
    expect(paths.map((path) => `${path.transport} over IPv${path.remote.address.family}`)).toEqual([
      'udp over IPv6',
      'udp over IPv4',
      'tcp over IPv6',
      'tcp over IPv4'
    ])
  })

  it('lead only over the transports of the server, to the port of each', () => {
    const streams = { ...server('isp-a', '192.0.2.1'), transports: ['tcp'] as const }
    const twoPorts = { ...server('isp-a', '192.0.2.1'), tcpPort: 4647 }
    const a = domain('isp-a', { sources: ['198.51.100.1'], servers: [streams] })
    const ports = (of: typeof twoPorts | typeof streams): readonly string[] =>
      legalPaths({ domains: [a], providerIndependent: [] }, of).paths.map(
        ({ transport, remote }) => `${transport} ${remote.port}`
      )
    expect(ports(streams)).toEqual(['tcp 4646'])
    expect(ports(twoPorts)).toEqual(['udp 4646', 'tcp 4647'])
  })

  it('never start from an address that another domain assigned', () => {
    const [a, b] = twoProviders.domains
    const site: Site = { ...twoProviders, domains: [{ ...a!, sources: [ip('100.64.7.1')] }, b!] }
    const { paths, illegal } = legalPaths(site, a!.servers[0]!)
    expect(paths).toEqual([])
    expect(illegal.map(describeIllegal)).toContain('source 100.64.7.1 belongs to isp-b')
  })

  it('may start from a provider-independent address that the domain announces', () => {
    const [a, b] = twoProviders.domains
    const own = { prefix: net('203.0.113.0/24'), domains: [b!.name] }
    const fromOwn = (name: 'isp-a' | 'isp-b'): readonly LegalPath[] => {
      const domains = [a!, b!].map((each) => ({ ...each, sources: [ip('203.0.113.1')] }))
      const site: Site = { domains, providerIndependent: [own] }
      return legalPaths(site, domains.find((each) => each.name === name)!.servers[0]!).paths
    }
    expect(fromOwn('isp-b')).toHaveLength(2)
    expect(fromOwn('isp-a')).toHaveLength(0)
  })

  it('cannot be made by hand', () => {
    const [path] = legalPaths(twoProviders, twoProviders.domains[0]!.servers[0]!).paths
    const shape = { domain: path!.domain, server: path!.server, source: path!.source, remote: path!.remote }
    // @ts-expect-error A literal of the same shape is no LegalPath.
    const forged: LegalPath = {
      ...shape,
      transport: 'udp',
      interface: 'wan-b',
      referenceName: '',
      networkPath: path!.networkPath
    }
    expect(forged).not.toBe(path)
  })
})

function codes(site: Site): string[] {
  return checkSite(site).map((problem) => problem.code)
}

describe('checking a site', () => {
  const [a, b] = twoProviders.domains

  it('has nothing against two proper providers', () => {
    expect(checkSite(twoProviders)).toEqual([])
  })

  it('finds a prefix that two domains assigned', () => {
    const site: Site = {
      ...twoProviders,
      domains: [a!, { ...b!, prefixes: [...b!.prefixes, ...a!.prefixes] }]
    }
    expect(codes(site)).toContain('PREFIX_OF_TWO')
    expect(checkSite(site)[0]?.message).toContain('198.51.100.0/24')
  })

  it('finds a prefix that is provider-independent and assigned at once', () => {
    const site: Site = { ...twoProviders, providerIndependent: [{ prefix: net('198.51.100.0/24') }] }
    expect(codes(site)).toContain('PREFIX_OF_TWO')
  })

  it('allows a longer prefix of another class inside a shorter one', () => {
    const site: Site = { ...twoProviders, providerIndependent: [{ prefix: net('198.51.100.128/25') }] }
    expect(codes(site)).toEqual([])
  })

  it('finds a source of another domain, and the server that it leaves without a path', () => {
    const site: Site = { ...twoProviders, domains: [a!, { ...b!, sources: a!.sources }] }
    expect(codes(site)).toEqual(['SOURCE_OF_OTHER_DOMAIN', 'SERVER_UNREACHABLE'])
  })

  it('finds unknown and missing domains of provider-independent prefixes', () => {
    const own = net('203.0.113.0/24')
    const stranger = domain('isp-z').name
    expect(codes({ ...twoProviders, providerIndependent: [{ prefix: own, domains: [stranger] }] })).toEqual([
      'PI_DOMAIN_UNKNOWN'
    ])
    expect(codes({ ...twoProviders, providerIndependent: [{ prefix: own, domains: [] }] })).toEqual([
      'PI_WITHOUT_DOMAIN'
    ])
  })

  it('finds names given twice and servers under the wrong domain', () => {
    expect(codes({ domains: [a!, a!], providerIndependent: [] })).toEqual([
      'DOMAIN_DUPLICATE',
      'SERVER_DUPLICATE'
    ])
    const stray = { ...b!, servers: [server('isp-a', '192.0.2.77', 'isp-b/stray')] }
    expect(codes({ domains: [a!, stray], providerIndependent: [] })).toContain('SERVER_OF_OTHER_DOMAIN')
  })

  it('finds one address for the servers of two domains, unless interfaces keep them apart', () => {
    const shared = [a!, { ...b!, servers: [server('isp-b', '192.0.2.1')] }]
    expect(codes({ ...twoProviders, domains: shared })).toEqual([])
    const unbound = shared.map((each) => ({ ...each, interfaces: [] }))
    expect(codes({ ...twoProviders, domains: unbound })).toEqual(['SERVER_ADDRESS_SHARED'])
  })

  it('finds everything at once', () => {
    const site: Site = {
      domains: [
        { ...a!, sources: [] },
        { ...b!, prefixes: a!.prefixes }
      ],
      providerIndependent: [{ prefix: net('203.0.113.0/24'), domains: [] }]
    }
    expect(new Set(codes(site))).toEqual(
      new Set(['PREFIX_OF_TWO', 'PI_WITHOUT_DOMAIN', 'SERVER_UNREACHABLE'])
    )
  })
})
