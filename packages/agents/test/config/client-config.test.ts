import { afterAll, describe, expect, it } from 'vitest'
import { formatIpPrefix } from '@breakwater/core'
import { loadClientConfig } from '../../src/config/load.ts'
import { siteOfConfig } from '../../src/config/site-of-config.ts'
import { mistakesOf, Sandbox } from './sandbox.ts'

const sandbox = new Sandbox()
afterAll(() => sandbox.remove())

const good = `site:
  providerIndependent:
    - prefix: 198.51.100.0/24
domains:
  - name: isp-a
    prefixes: [203.0.113.0/24]
    sources: [203.0.113.10]
    server:
      name: DOTS.isp-a.example
      addresses: [192.0.2.1]
    credentials: { certificate: own.crt, privateKey: own.key, trustAnchors: own.crt }
  - name: isp-b
    prefixes: [2001:db8:b::/48]
    sources: [2001:db8:b::10]
    servers:
      - name: east.isp-b.example
        addresses: ["2001:db8:ffff::1"]
      - name: west.isp-b.example
        addresses: ["2001:db8:ffff::2"]
        port: 5646
    credentials: { pskIdentity: home, keyFile: good.psk }
`

function mistakes(text: string): string[] | undefined {
  return mistakesOf(() => loadClientConfig(sandbox.write('client.yaml', text)))
}

/** What is declared of each server, in order. */
function transports(text: string): unknown[] {
  const { site } = siteOfConfig(loadClientConfig(sandbox.write('client.yaml', text)).config)
  return site.domains.flatMap((domain) => domain.servers.map((server) => server.transports))
}

describe('the configuration of a client', () => {
  it('takes a good one and fills in the defaults', () => {
    const { config, warnings } = loadClientConfig(sandbox.write('client.yaml', good))
    expect(config.defaults).toEqual({ lifetimeSeconds: 3600, require: 'all', policy: 'all' })
    expect(config.domains[0]?.server?.port).toBe(4646)
    expect(config.domains[1]?.interfaces).toEqual([])
    expect(warnings).toEqual([])
  })

  it('becomes a site: one server bears the name of its domain, several are told apart', () => {
    const { site } = siteOfConfig(loadClientConfig(sandbox.write('client.yaml', good)).config)
    expect(
      site.domains.flatMap((domain) => domain.servers.map(({ name, port }) => `${name}:${port}`))
    ).toEqual(['isp-a:4646', 'isp-b/east.isp-b.example:4646', 'isp-b/west.isp-b.example:5646'])
    expect(site.domains[0]?.servers[0]?.referenceName).toBe('dots.isp-a.example')
    expect(site.domains.map((domain) => domain.prefixes.map(formatIpPrefix))).toEqual([
      ['203.0.113.0/24'],
      ['2001:db8:b::/48']
    ])
    expect(site.providerIndependent.map(({ prefix }) => formatIpPrefix(prefix))).toEqual(['198.51.100.0/24'])
  })

  it('reaches servers over both transports, and by a raw public key over UDP only', () => {
    expect(transports(good)).toEqual([undefined, undefined, undefined])
    const raw = good.replace(
      /credentials: \{ certificate.*/,
      `credentials: { rawPrivateKey: own.key, serverKeys: [${'ab'.repeat(32)}] }`
    )
    expect(transports(raw)).toEqual([['udp'], undefined, undefined])
    const over = (text: string): string =>
      raw.replace('[192.0.2.1]', `[192.0.2.1]\n      transports: ${text}`)
    expect(transports(over('[udp]'))[0]).toEqual(['udp'])
    expect(mistakes(over('[tcp]'))?.join('\n')).toContain('a raw public key goes over UDP only')
    expect(mistakes(over('[udp, udp]'))?.join('\n')).toContain('a transport is given twice')
  })

  it('takes the default router of a provider in place of addresses, where it is told to', () => {
    const text = good
      .replace('addresses: [192.0.2.1]', 'defaultRouter: true')
      .replace('prefixes: [203', 'interfaces: [wan-a]\n    prefixes: [203')
    const { site } = siteOfConfig(loadClientConfig(sandbox.write('client.yaml', text)).config)
    expect(site.domains[0]?.servers[0]).toMatchObject({ isDefaultRouter: true, addresses: [] })
    expect(site.domains[1]?.servers[0]).not.toHaveProperty('isDefaultRouter')
  })

  it("takes a server by its name where the provider's own name servers can be asked, and no others", () => {
    const named = good.replace('addresses: [192.0.2.1]', 'port: 4646')
    const asking = (resolver: string): string =>
      named.replace('prefixes: [203', `${resolver}\n    prefixes: [203`)
    for (const how of ['resolver: { kind: plain, servers: [192.0.2.53] }', 'learn: { interface: wan-a }']) {
      const { site } = siteOfConfig(loadClientConfig(sandbox.write('client.yaml', asking(how))).config)
      expect(site.domains[0]?.servers[0]).toMatchObject({ isNamed: true, addresses: [] })
    }
    // Those of the system may be another provider's (RFC 9284 §5.1).
    expect(mistakes(asking('resolver: { kind: plain }'))?.join()).toContain('the key "servers" is missing')
    expect(mistakes(asking('learn: { interface: wan-a, resolvers: false }'))?.join()).toContain('"resolver"')
  })

  it('wants addresses, or to be told that the default router has the server, and by which interface', () => {
    expect(mistakes(good.replace('addresses: [192.0.2.1]', 'port: 4646'))).toEqual([
      expect.stringContaining('the key "addresses" is missing, and this provider has no "resolver"')
    ])
    const nowhere = good.replace('addresses: [192.0.2.1]', 'defaultRouter: true')
    expect(mistakes(nowhere)).toEqual([expect.stringContaining('domain isp-a names no interface')])
    const both = good.replace('addresses: [192.0.2.1]', 'addresses: [192.0.2.1]\n      defaultRouter: true')
    expect(mistakes(both)).toHaveLength(2)
  })

  it('probes for UDP no more often than RFC 9132 §4.3 allows', () => {
    const { config } = loadClientConfig(sandbox.write('client.yaml', good))
    expect(config.happyEyeballs).toEqual({
      attemptDelayMilliseconds: 250,
      attackAttemptDelayMilliseconds: 100,
      outcomeAgeSeconds: 600,
      udpProbeSeconds: 86_400
    })
    expect(mistakes(`${good}happyEyeballs: { udpProbeSeconds: 299 }\n`)).toHaveLength(1)
  })

  it('reports mistakes of form and of meaning at once, each at its line and key', () => {
    const found = mistakes(`site:
  providerIndependent:
    - prefix: 198.51.100.0
domians: []
domains:
  - name: isp a
    prefixes: [203.0.113.0/24, 10.0.0.0/33]
    server: { name: dots.isp-a.example, adresses: [192.0.2.1] }
  - name: isp-b
    prefixes: [203.0.113.0/24]
    server: { name: dots.isp-b.example, addresses: [] }
    credentials: { pskIdentity: home }
  - name: isp-c
    prefixes: [203.0.113.0/24]
defaults: { lifetimeSeconds: 0 }
`)
    expect(found).toEqual([
      '3:15 site.providerIndependent[0].prefix: has no length: 198.51.100.0/32 was meant?',
      '4:1 domians: unknown key "domians"; did you mean "domains"?',
      '6:5 domains[0]: the key "credentials" is missing: the domain has a server',
      expect.stringContaining('6:11 domains[0].name: must be 1 to 64 letters'),
      expect.stringContaining('7:32 domains[0].prefixes[1]: must be a prefix like'),
      '8:5 domains[0].server: the key "addresses" is missing, and this provider has no "resolver" that could be asked for the name; "defaultRouter: true" takes the place of both where none is known',
      '8:41 domains[0].server.adresses: unknown key "adresses"; did you mean "addresses"?',
      '11:41 domains[1].server.addresses: must have at least 1 item',
      '12:5 domains[1].credentials: the key "keyFile" is missing',
      expect.stringContaining('14:16 domains[2].prefixes[0]: 203.0.113.0/24 is both'),
      '15:30 defaults.lifetimeSeconds: 0 is outside of 60 … 2147483647'
    ])
  })

  it.each([
    [
      'two domains of one name',
      'name: isp-b\n',
      'name: isp-a\n',
      /^12:11 domains\[1\]\.name: two domains are called isp-a$/
    ],
    [
      'a prefix of two domains',
      '2001:db8:b::/48',
      '203.0.113.0/24',
      /^13:16 domains\[1\]\.prefixes\[0\]: 203\.0\.113\.0\/24 is both/
    ],
    [
      'a source that another domain assigned',
      '[2001:db8:b::10]',
      '[203.0.113.20]',
      /source 203\.0\.113\.20 of isp-b/
    ],
    [
      'a server without a source of its family',
      '[2001:db8:b::10]',
      '[192.0.2.77]',
      /no legal path leads to server isp-b\/east/
    ],
    ['two servers of one name', 'west.isp-b', 'east.isp-b', /two servers are called isp-b\/east/],
    [
      'a domain that is none',
      '- prefix: 198.51.100.0/24',
      '- { prefix: 198.51.100.0/24, domains: [isp-z] }',
      /announced through isp-z/
    ],
    [
      '"server" beside "servers"',
      '    servers:',
      '    server: { name: x.example, addresses: [192.0.2.9] }\n    servers:',
      /both "server" and "servers"/
    ],
    [
      'an alias of nothing',
      'name: isp-b\n',
      'name: *nothing\n',
      /^12:11 : YAML: no anchor stands before the alias \*nothing$/
    ]
  ])('refuses %s', (_, from, to, mistake) => {
    expect(good).toContain(from)
    expect(mistakes(good.replace(from, to))?.join('\n')).toMatch(new RegExp(mistake.source, 'mi'))
  })

  it('warns of a credential that two providers get to see', () => {
    const text = good.replace(
      '{ pskIdentity: home, keyFile: good.psk }',
      '{ certificate: own.crt, privateKey: own.key, trustAnchors: other.crt }'
    )
    const { warnings } = loadClientConfig(sandbox.write('client.yaml', text))
    expect(warnings.map(({ line, path }) => `${line} ${path}`)).toEqual(['21 domains[1].credentials'])
  })

  it.each(['session', 'idleSession'])(
    'refuses retransmission in %s that RFC 7252 §4.8.1 forbids, and warns of what is quick [RFC9132-4.5.2-S04]',
    (section) => {
      expect(mistakes(`${good}${section}:\n  ackTimeoutSeconds: 0\n`)).toHaveLength(1)
      expect(mistakes(`${good}${section}:\n  ackRandomFactor: 1.0\n`)).toHaveLength(1)
      const text = `${good}${section}:\n  ackTimeoutSeconds: 1\n`
      const { warnings } = loadClientConfig(sandbox.write('client.yaml', text))
      expect(warnings.map(({ path }) => path)).toEqual([`${section}.ackTimeoutSeconds`])
    }
  )

  it('warns of a domain without a server: it stays uncovered', () => {
    const text = `domains:\n  - name: isp-a\n    prefixes: [203.0.113.0/24]\n`
    const { warnings } = loadClientConfig(sandbox.write('client.yaml', text))
    expect(warnings.map(({ line, message }) => `${line}: ${message}`)).toEqual([
      '2: domain isp-a has no DOTS server: it stays uncovered'
    ])
  })

  const shared = `site:
  groups:
    - { name: both, domains: [isp-a, isp-b], prefixes: [192.0.3.0/24] }
  providers:
    - { name: isp, domains: [isp-a, isp-b], attachments: one }
  consents:
    - name: scrub
      of: isp-a
      to: scrubber
      prefixes: [203.0.113.0/25]
      givenBy: A. Admin
      date: 2026-11-28
      until: 2027-11-28
  filters:
    - { name: all-of-it, prefixes: [0.0.0.0/0] }
domains:
  - name: scrubber
    kind: service
    protects: [203.0.113.0/24]
`

  describe('of a provider whose servers coordinate', () => {
    const coordinating = good.replace(
      /^site:[^]*?^domains:\n/m,
      'site:\n  providers:\n    - { name: isp, domains: [isp-a, isp-b], serversCoordinate: true }\ndomains:\n'
    )

    it('wants one credential for all its attachments, and then does not warn of that', () => {
      expect(mistakes(coordinating)?.join()).toContain(
        'its domains show them different credentials: they would take us for several clients'
      )
      const one = coordinating.replace(/credentials: \{ psk.*/, good.match(/credentials: \{ cert.*/)![0])
      const { config, warnings } = loadClientConfig(sandbox.write('client.yaml', one))
      expect(siteOfConfig(config).site.providers?.[0]).toMatchObject({ serversCoordinate: true })
      expect(warnings).toEqual([])
    })

    it('is none where it is not said', () => {
      const { config } = loadClientConfig(
        sandbox.write('client.yaml', coordinating.replace('serversCoordinate: true', 'attachments: all'))
      )
      expect(siteOfConfig(config).site.providers?.[0]?.serversCoordinate).toBeUndefined()
    })
  })

  it('takes services, groups, consents, one provider, pools and filters', () => {
    const text = good
      .replace(/^site:[^]*?^domains:\n/m, shared)
      .replace('name: isp-b\n', 'name: isp-b\n    pool: true\n')
    const { site } = siteOfConfig(loadClientConfig(sandbox.write('client.yaml', text)).config)
    expect(site.domains.map(({ name, kind, isPool }) => [name, kind, isPool])).toEqual([
      ['scrubber', 'service', undefined],
      ['isp-a', 'access', undefined],
      ['isp-b', 'access', true]
    ])
    expect(site.consents).toMatchObject([
      { of: 'isp-a', to: 'scrubber', from: Date.UTC(2026, 10, 28), until: Date.UTC(2027, 10, 28) }
    ])
    expect(site.providers).toMatchObject([{ name: 'isp', attachments: 'one' }])
    expect(site.groups?.[0]?.prefixes.map(formatIpPrefix)).toEqual(['192.0.3.0/24'])
    expect(site.filters?.[0]?.name).toBe('all-of-it')
  })

  it.each([
    ['a day that there is not', '2027-11-28', '2027-02-29', /consents\[0\]\.until: must be a date/],
    [
      'a consent that ends before it begins',
      '2027-11-28',
      '2026-11-27',
      /consents\[0\]: consent scrub ends before/
    ],
    [
      'a consent about what another assigned',
      '[203.0.113.0/25]',
      '[198.51.100.0/24]',
      /isp-a did not assign/
    ],
    [
      'a service for strangers',
      'protects: [203.0.113.0/24]',
      'protects: [8.8.8.0/24]',
      /no prefix of the site/
    ]
  ])('refuses %s', (_, from, to, mistake) => {
    const text = good.replace(/^site:[^]*?^domains:\n/m, shared)
    expect(mistakes(text.replace(from, to))?.join('\n')).toMatch(mistake)
  })

  it('warns where two providers may share an address', () => {
    const text = good.replace('site:\n', 'site:\n  allowSharedServerAddresses: true\n')
    const { warnings } = loadClientConfig(sandbox.write('client.yaml', text))
    expect(warnings.map(({ path }) => path)).toEqual(['site.allowSharedServerAddresses'])
  })

  it('takes internal prefixes and their translations', () => {
    const text = good
      .replace('site:\n', 'site:\n  internal: [10.0.0.0/8]\n')
      .replace(
        'name: isp-a\n',
        'name: isp-a\n    translations: [{ internal: 10.0.0.0/24, external: 203.0.113.0/24 }]\n'
      )
    const { site } = siteOfConfig(loadClientConfig(sandbox.write('client.yaml', text)).config)
    expect(site.internal?.map(formatIpPrefix)).toEqual(['10.0.0.0/8'])
    const [translation] = site.domains[0]?.translations ?? []
    expect(translation === undefined ? '' : formatIpPrefix(translation.external)).toBe('203.0.113.0/24')
    const strange = mistakes(text.replace('external: 203.0.113.0/24', 'external: 8.8.8.0/24'))
    expect(strange?.join('\n')).toMatch(/leads to addresses that are not of isp-a/)
  })
})
