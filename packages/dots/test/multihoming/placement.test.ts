import * as fc from 'fast-check'
import { formatIpPrefix, ipv4, prefixContainsAddress, prefixOf } from '@breakwater/core'
import type { IpAddress, IpPrefix } from '@breakwater/core'
import { describe, expect, it } from 'vitest'
import type { Site } from '../../src/domain/site.ts'
import { place, placeOne } from '../../src/multihoming/placement.ts'
import type { Placement } from '../../src/multihoming/placement.ts'
import { compileSite } from '../../src/multihoming/site-plan.ts'
import { domain, net, server, target, twoProviders } from './sites.ts'

const plan = compileSite(twoProviders)

/** `isp-a: 198.51.100.7/32` for every assignment. */
function asked(placement: Placement): string[] {
  return placement.assignments.map((each) => {
    return `${each.server}: ${each.target.prefixes.map((prefix) => formatIpPrefix(prefix)).join(' ')}`
  })
}

describe('placement', () => {
  it('asks the server of the domain that assigned the address, and nobody else', () => {
    const placement = place(target('198.51.100.7/32'), plan)
    expect(asked(placement)).toEqual(['isp-a: 198.51.100.7/32'])
    expect(placement.assignments[0]).toMatchObject({ because: 'pa-own-domain' })
    expect(placement.assignments[0]?.text).toContain('RFC 9284 §5.1')
  })

  it('splits targets of several domains: each domain hears of its own only', () => {
    const placement = place(target('198.51.100.7/32', '100.64.7.7/32'), plan)
    expect(asked(placement)).toEqual(['isp-a: 198.51.100.7/32', 'isp-b: 100.64.7.7/32'])
  })

  it('asks every server of every domain about a provider-independent address', () => {
    expect(asked(place(target('203.0.113.5/32'), plan))).toEqual([
      'isp-a: 203.0.113.5/32',
      'isp-b: 203.0.113.5/32'
    ])
  })

  it('asks only the domains through which a provider-independent prefix is announced', () => {
    const site: Site = {
      ...twoProviders,
      providerIndependent: [{ prefix: net('203.0.113.0/24'), domains: [twoProviders.domains[1]!.name] }]
    }
    const placement = place(target('203.0.113.0/24'), compileSite(site))
    expect(asked(placement)).toEqual(['isp-b: 203.0.113.0/24'])
    expect(placement.assignments[0]?.because).toBe('pi-named-domains')
  })

  it('asks nobody about a foreign address', () => {
    const placement = place(target('8.8.8.8/32'), plan)
    expect(placement.assignments).toEqual([])
    expect(placement.refusals).toMatchObject([{ because: 'foreign' }])
  })

  it('lets nothing leave when a part of the target is foreign', () => {
    const placement = place(target('198.51.100.7/32', '8.8.8.8/32'), plan)
    expect(placement.parts).toEqual([])
    expect(placement.assignments).toEqual([])
  })

  it('asks for its own part only when the operator allows it', () => {
    const placement = place(target('198.51.100.7/32', '8.8.8.8/32'), plan, { allowPartial: true })
    expect(asked(placement)).toEqual(['isp-a: 198.51.100.7/32'])
    expect(placement.refusals).toMatchObject([{ because: 'foreign' }])
  })

  it('cuts a prefix at the borders between classes', () => {
    const site: Site = {
      domains: [
        domain('isp-a', { prefixes: ['10.0.0.0/9'], servers: [server('isp-a', '192.0.2.1')] }),
        domain('isp-b', { prefixes: ['10.128.0.0/9'], servers: [server('isp-b', '192.0.2.2')] })
      ],
      providerIndependent: [{ prefix: net('10.0.0.0/16') }]
    }
    const placement = place(target('10.0.0.0/8'), compileSite(site))
    expect(placement.refusals).toEqual([])
    expect(asked(placement)).toContain('isp-b: 10.128.0.0/9')
    expect(asked(placement)).toContain('isp-b: 10.0.0.0/16')
    expect(asked(placement)).toContain('isp-a: 10.0.0.0/16')
    expect(asked(placement).find((text) => text.startsWith('isp-a: 10.1.'))).toContain('10.64.0.0/10')
  })

  it('names the foreign piece of a prefix that is partly ours', () => {
    const placement = place(target('198.51.100.0/23'), plan)
    expect(placement.assignments).toEqual([])
    expect(placement.refusals[0]).toMatchObject({
      because: 'part-foreign',
      prefixes: [net('198.51.101.0/24')]
    })
  })

  it('refuses 0.0.0.0/0 whatever is allowed', () => {
    expect(place(target('0.0.0.0/0'), plan, { allowPartial: true })).toMatchObject({
      assignments: [],
      refusals: [{ because: 'not-unicast' }]
    })
  })

  it.each(['127.0.0.1/32', '224.0.0.1/32', '255.255.255.255/32', '0.0.0.0/32', '::1/128', 'ff02::1/128'])(
    'refuses %s, which is no address of a host',
    (text) => {
      expect(place(target(text), plan).refusals).toMatchObject([{ because: 'not-unicast' }])
    }
  )

  it('does not take an IPv4-mapped IPv6 address for ours', () => {
    expect(place(target('::ffff:198.51.100.7/128'), plan).refusals).toMatchObject([{ because: 'foreign' }])
  })

  it('refuses a target without prefixes', () => {
    expect(place(target(), plan).refusals).toMatchObject([{ because: 'no-prefix' }])
  })

  it('keeps ports and protocols', () => {
    const narrow = { ...target('198.51.100.7/32'), ports: [{ lower: 80, upper: 81 }], protocols: [6] }
    expect(place(narrow, plan).assignments[0]?.target).toEqual(narrow)
  })

  it('reports a domain without a DOTS server as uncovered', () => {
    const [a, b] = twoProviders.domains
    const site: Site = { ...twoProviders, domains: [a!, { ...b!, servers: [] }] }
    const placement = place(target('203.0.113.5/32'), compileSite(site))
    expect(asked(placement)).toEqual(['isp-a: 203.0.113.5/32'])
    expect(placement.uncovered).toMatchObject([{ domain: 'isp-b' }])
  })

  it('never asks another domain when the own one has no server', () => {
    const [a, b] = twoProviders.domains
    const site: Site = { ...twoProviders, domains: [a!, { ...b!, servers: [] }] }
    const placement = place(target('100.64.7.7/32'), compileSite(site))
    expect(placement.assignments).toEqual([])
    expect(placement.uncovered).toMatchObject([{ domain: 'isp-b' }])
  })

  it('asks all servers of a domain that has several', () => {
    const two = domain('isp-a', {
      prefixes: ['198.51.100.0/24'],
      servers: [server('isp-a', '192.0.2.1', 'isp-a/east'), server('isp-a', '192.0.2.2', 'isp-a/west')]
    })
    const placement = place(
      target('198.51.100.7/32'),
      compileSite({ domains: [two], providerIndependent: [] })
    )
    expect(asked(placement)).toEqual(['isp-a/east: 198.51.100.7/32', 'isp-a/west: 198.51.100.7/32'])
  })

  it('refuses a prefix with more classes inside than anybody can mean', () => {
    const prefixes = Array.from({ length: 5000 }, (_, index) => prefixOf(ipv4(0x0a000000 + 512 * index), 24))
    const many = { ...domain('isp-a', { servers: [server('isp-a', '192.0.2.1')] }), prefixes }
    const placement = place(target('10.0.0.0/8'), compileSite({ domains: [many], providerIndependent: [] }))
    expect(placement.refusals).toMatchObject([{ because: 'too-many-borders' }])
  })
})

/** The owner of one address by looking at every prefix of the site: the oracle. */
function ownerOf(owners: readonly (readonly [IpPrefix, string])[], address: IpAddress): string | undefined {
  const matching = owners.filter(([prefix]) => prefixContainsAddress(prefix, address))
  return matching.toSorted(([x], [y]) => y.length - x.length)[0]?.[1]
}

const nested = fc
  .tuple(fc.integer({ min: 0, max: 0xffff }), fc.integer({ min: 18, max: 32 }))
  .map(([low, length]) => prefixOf(ipv4(0x0a000000 + low), length))

describe('placement over random sites', () => {
  it('gives every address to the domain of its longest match and to no other', { timeout: 60_000 }, () => {
    fc.assert(
      fc.property(
        fc.uniqueArray(nested, { minLength: 1, maxLength: 12, selector: formatIpPrefix }),
        fc.array(nested, { minLength: 1, maxLength: 3 }),
        fc.infiniteStream(fc.integer({ min: 0, max: 0xffff })),
        (prefixes, wanted, addresses) => {
          const names = ['isp-0', 'isp-1', 'isp-2']
          const site: Site = {
            domains: names.map((name, index) => ({
              ...domain(name, { servers: [server(name, `192.0.2.${index + 1}`)] }),
              prefixes: prefixes.filter((_, at) => at % 3 === index)
            })),
            providerIndependent: []
          }
          const owners = prefixes.map((prefix, at) => [prefix, `isp-${at % 3}`] as const)
          const placement = place({ prefixes: wanted, ports: [], protocols: [] }, compileSite(site), {
            allowPartial: true
          })
          for (let count = 0; count < 40; count++) {
            const address = ipv4(0x0a000000 + (addresses.next().value ?? 0))
            const isWanted = wanted.some((prefix) => prefixContainsAddress(prefix, address))
            const askedOf = placement.assignments
              .filter((each) => each.target.prefixes.some((prefix) => prefixContainsAddress(prefix, address)))
              .map((each) => each.domain)
            const owner = ownerOf(owners, address)
            expect(askedOf).toEqual(isWanted && owner !== undefined ? [owner] : [])
          }
        }
      ),
      { numRuns: 300 }
    )
  })

  it('places one prefix as it places a list', () => {
    expect(placeOne(plan, net('198.51.100.0/25'))).toMatchObject({
      kind: 'one',
      value: { because: 'pa-own-domain' }
    })
    expect(placeOne(plan, net('198.51.101.0/25')).kind).toBe('none')
    expect(placeOne(plan, net('198.51.100.0/23')).kind).toBe('several')
    expect(placeOne(plan, net('127.0.0.0/8')).kind).toBe('not-unicast')
  })
})
