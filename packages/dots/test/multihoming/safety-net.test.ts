import { formatIpPrefix } from '@breakwater/core'
import { describe, expect, it } from 'vitest'
import { DomainName, ServerName } from '../../src/domain/identifier.ts'
import type { Site } from '../../src/domain/site.ts'
import { checkSite } from '../../src/multihoming/check-site.ts'
import { explain } from '../../src/multihoming/plan.ts'
import { safetyNets } from '../../src/multihoming/safety-net.ts'
import { compileSite } from '../../src/multihoming/site-plan.ts'
import { net, server, target, twoProviders } from './sites.ts'

const [A, B] = [DomainName('isp-a'), DomainName('isp-b')]
const OWN = '203.0.113.0/24'

/** `isp-a: 198.51.100.0/24`, for each server that stands by with something. */
function nets(site: Site, ...chosen: string[]): string[] {
  expect(checkSite(site)).toEqual([])
  const found = safetyNets(compileSite(site), new Set(chosen.map((name) => ServerName(name))))
  return [...found].map(([name, scopes]) => {
    const prefixes = scopes.flatMap((scope) => scope.target.prefixes.map((prefix) => formatIpPrefix(prefix)))
    return `${name}: ${prefixes.join(' ')}`
  })
}

/** With what these domains have preconfigured. */
function withNets(site: Site, scopes: Readonly<Record<string, string>>): Site {
  const domains = site.domains.map((domain) => {
    const prefix = scopes[domain.name]
    return prefix === undefined
      ? domain
      : { ...domain, preconfigured: [{ target: target(prefix), lifetime: 3600 }] }
  })
  return { ...site, domains }
}

function provided(attachments: 'one' | 'all'): Site {
  return { ...twoProviders, providers: [{ name: 'isp', domains: [A, B], attachments }] }
}

/** isp-a has a pool of two servers. */
const pooled: Site = {
  ...twoProviders,
  domains: twoProviders.domains.map((domain) =>
    domain.name === A
      ? {
          ...domain,
          isPool: true as const,
          servers: [...domain.servers, server('isp-a', '192.0.2.2', 'isp-a/2')]
        }
      : domain
  )
}

describe('who stands by with what is preconfigured', () => {
  it('is a provider of which it is declared, and no other, also for what is the site’s own', () => {
    expect(nets(withNets(twoProviders, { 'isp-b': OWN }))).toEqual([`isp-b: ${OWN}`])
  })

  it('is the server of a pool that is chosen, and with that one alone', () => {
    const site = withNets(pooled, { 'isp-a': OWN })
    expect(nets(site)).toEqual([`isp-a: ${OWN}`])
    expect(nets(site, 'isp-a/2')).toEqual([`isp-a/2: ${OWN}`])
  })

  it('is every server of a domain that has no pool', () => {
    const [first, ...others] = pooled.domains
    const domains = [{ ...twoProviders.domains[0]!, servers: first!.servers }, ...others]
    const site = withNets({ ...pooled, domains }, { 'isp-a': OWN })
    expect(nets(site, 'isp-a/2')).toEqual([`isp-a: ${OWN}`, `isp-a/2: ${OWN}`])
  })

  it('is the attachment that is chosen, whichever of them it is declared at', () => {
    for (const declared of ['isp-a', 'isp-b']) {
      const site = withNets(provided('one'), { [declared]: OWN })
      expect(nets(site, 'isp-a')).toEqual([`isp-a: ${OWN}`])
      expect(nets(site, 'isp-b')).toEqual([`isp-b: ${OWN}`])
    }
  })

  it('is one attachment for what several have declared', () => {
    const site = withNets(provided('one'), { 'isp-a': '198.51.100.0/24', 'isp-b': '100.64.7.0/24' })
    expect(nets(site, 'isp-b')).toEqual(['isp-b: 198.51.100.0/24 100.64.7.0/24'])
  })

  it('is every attachment where all are asked', () => {
    const site = withNets(provided('all'), { 'isp-b': '100.64.7.0/24' })
    expect(nets(site).toSorted()).toEqual(['isp-a: 100.64.7.0/24', 'isp-b: 100.64.7.0/24'])
  })
})

/** `isp-a 203.0.113.0/24: stands by …`, as a plan for the prefix tells. */
function told(site: Site, prefix: string, ...chosen: string[]): string[] {
  const options = { chosen: new Set(chosen.map((name) => ServerName(name))) }
  const { preconfigured } = explain(target(prefix), compileSite(site), options)
  return preconfigured.map(({ domain, prefixes, text }) => {
    return `${domain} ${prefixes.map((each) => formatIpPrefix(each)).join(' ')}: ${text}`
  })
}

describe('a plan of what is preconfigured', () => {
  it('names who stands by', () => {
    expect(told(withNets(pooled, { 'isp-a': OWN }), '203.0.113.7/32', 'isp-a/2')).toEqual([
      'isp-a 203.0.113.0/24: stands by with isp-a/2 for the loss of the session (RFC 9132 §4.4.1.1), and moves to whoever is asked in its stead (RFC 9284 §5.4)'
    ])
  })

  it('says nothing of what the target has nothing to do with', () => {
    expect(told(withNets(pooled, { 'isp-a': OWN }), '198.51.100.7/32')).toEqual([])
  })

  it('refuses what nobody can be asked for', () => {
    const site = withNets(twoProviders, { 'isp-b': OWN })
    const filters = [{ name: 'half', prefixes: [net('203.0.113.0/25')] }]
    expect(told({ ...site, filters }, '203.0.113.0/24')).toEqual([
      expect.stringMatching(/^isp-b 203\.0\.113\.0\/25: stands by with isp-b /),
      expect.stringMatching(/^isp-b 203\.0\.113\.128\/25: nobody stands by: .* inside none of the filters/)
    ])
    const bare = site.domains.map((each) => (each.name === B ? { ...each, servers: [] } : each))
    expect(told({ ...site, domains: bare }, '203.0.113.7/32')).toEqual([
      'isp-b 203.0.113.0/24: nobody stands by: isp-b has no DOTS server'
    ])
    const part = { prefix: net('203.0.113.128/25'), domains: [A] }
    const divided = { ...site, providerIndependent: [...site.providerIndependent, part] }
    expect(told(divided, '203.0.113.200/32')).toEqual([
      expect.stringContaining('not for isp-b to protect (RFC 9284 §5.1)')
    ])
  })
})
