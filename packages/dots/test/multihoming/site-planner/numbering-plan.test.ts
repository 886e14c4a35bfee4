import { equalPrefixes, formatIpPrefix, parseIpPrefix, prefixContains } from '@breakwater/core'
import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { compileSite } from '../../../src/multihoming/site-plan.ts'
import { planNumbering } from '../../../src/multihoming/site-planner/numbering-plan.ts'
import type { SiteTopology } from '../../../src/multihoming/site-planner/topology.ts'
import { net } from '../sites.ts'
import { addressesOn, codesOf, linksOf, router, topology } from './topologies.ts'

/** Two providers at one router, a link behind it and one behind the router inside. */
const home = topology({ A: ['2001:db8:101::/48'], B: ['2001:db8:202:100::/56'] }, [
  router('cpe', { exits: ['A', 'B'], links: ['lan'] }),
  router('inner', { from: ['cpe'], links: ['lab'] })
])

describe('the plan of a site', () => {
  it('gives every link a /64 of every provider, whatever the length of the prefix', () => {
    expect(linksOf(planNumbering(home))).toEqual([
      'lan 2001:db8:101::/64',
      'lan 2001:db8:202:100::/64',
      'lab 2001:db8:101:1000::/64',
      'lab 2001:db8:202:110::/64'
    ])
  })

  it('orders the addresses of hosts by the length of the blocks, one of every provider first', () => {
    expect(addressesOn(planNumbering(home), 'lab')).toEqual([
      '2001:db8:101:1000::1 preferred',
      '2001:db8:202:110::1 preferred'
    ])
  })

  it('says of every prefix its class, servers and exit router, as placement does', () => {
    const own = { ...home.site, providerIndependent: [{ prefix: net('2001:db8:e::/48') }] }
    const rows = planNumbering({ ...home, site: own }).prefixes
    expect(
      rows.map(({ prefix, ...row }) => [formatIpPrefix(prefix), row.class.kind, row.servers, row.exitRouters])
    ).toEqual([
      ['2001:db8:101::/48', 'pa', ['A'], ['cpe']],
      ['2001:db8:202:100::/56', 'pa', ['B'], ['cpe']],
      ['2001:db8:e::/48', 'pi', ['A', 'B'], ['cpe']]
    ])
  })

  it('numbers one link from a /64, and more from anything shorter', () => {
    const routers = [router('cpe', { exits: ['A'], links: ['one', 'two', 'three'] })]
    expect(linksOf(planNumbering(topology({ A: ['2001:db8:1:2::/64'] }, routers)))).toEqual([
      'one 2001:db8:1:2::/64'
    ])
    expect(linksOf(planNumbering(topology({ A: ['2001:db8:1:2::/63'] }, routers)))).toEqual([
      'one 2001:db8:1:2::/64',
      'two 2001:db8:1:3::/64'
    ])
  })
})

describe('the checks of a plan', () => {
  const cpe = [router('cpe', { exits: ['A', 'B'], links: ['lan'] })]

  it('finds prefixes of two providers of which one lies in the other', () => {
    const plan = planNumbering(topology({ A: ['2001:db8::/32'], B: ['2001:db8:5::/48'] }, cpe))
    expect(plan.problems.map(({ message }) => message)).toEqual([
      '2001:db8::/32 of A and 2001:db8:5::/48 of B overlap: their links would share addresses'
    ])
  })

  it('finds a prefix that is too long for a link', () => {
    const plan = planNumbering(topology({ A: ['2001:db8:1::/48'], B: ['2001:db8:2::/80'] }, cpe))
    expect(codesOf(plan)).toEqual(['PREFIX_TOO_LONG'])
  })

  it('finds a prefix without a server, and one without an exit', () => {
    const base = topology({ A: ['2001:db8:1::/48'], B: ['2001:db8:2::/48'] }, [
      router('cpe', { exits: ['A'], links: ['lan'] })
    ])
    const domains = base.site.domains.map((domain) =>
      domain.name === 'A' ? { ...domain, servers: [] } : domain
    )
    const plan = planNumbering({ ...base, site: { ...base.site, domains } })
    expect(plan.problems.map(({ code, severity, place }) => `${code} ${severity} ${place}`)).toEqual([
      'PREFIX_WITHOUT_SERVER warning domain A',
      'PREFIX_WITHOUT_EXIT error domain B'
    ])
  })

  it('finds a link that gets no prefix', () => {
    const lonely = topology({ A: ['2001:db8:1::/48'] }, [
      router('cpe', { exits: ['A'] }),
      router('lost', { links: ['cellar'] })
    ])
    expect(codesOf(planNumbering(lonely))).toEqual(['LINK_WITHOUT_PREFIX'])
  })
})

/** Providers with prefixes that lie apart, and routers that ask any of the others. */
const topologies: fc.Arbitrary<SiteTopology> = fc
  .record({
    lengths: fc.array(fc.integer({ min: 32, max: 64 }), { minLength: 1, maxLength: 4 }),
    bits: fc.integer({ min: 1, max: 6 }),
    routers: fc.array(
      fc.record({ from: fc.array(fc.nat(9), { maxLength: 3 }), exit: fc.nat(9), links: fc.nat(3) }),
      { minLength: 1, maxLength: 10 }
    )
  })
  .map(({ lengths, bits, routers }) => {
    const names = lengths.map((_, index) => `isp${index}`)
    const prefixes = lengths.map((length, index) => [`isp${index}`, [prefixText(index, length)]])
    return topology(
      Object.fromEntries(prefixes) as Record<string, string[]>,
      routers.map(({ from, exit, links }, index) =>
        router(`r${index}`, {
          from: [...new Set(from)]
            .filter((other) => other < routers.length && other !== index)
            .map((other) => `r${other}`),
          exits: names.filter((_, at) => at === exit),
          links: Array.from({ length: links }, (_, link) => `r${index}l${link}`)
        })
      ),
      bits
    )
  })

function prefixText(index: number, length: number): string {
  const prefix = parseIpPrefix(`2001:d${index}8:aaaa:bbbb::/${length}`, 'clear')
  if (prefix === undefined) throw new Error('no prefix')
  return formatIpPrefix(prefix)
}

describe('every plan', () => {
  it('gives no two links the same /64, and every /64 lies in a prefix of its provider, which placement asks', () => {
    fc.assert(
      fc.property(topologies, (site) => {
        const { links } = planNumbering(site)
        expect(new Set(links.map(({ prefix }) => formatIpPrefix(prefix))).size).toBe(links.length)
        const { table } = compileSite(site.site)
        for (const { prefix, domain } of links) {
          const owner = site.site.domains.find(({ name }) => name === domain)
          expect(owner?.prefixes.some((global) => prefixContains(global, prefix))).toBe(true)
          expect(
            table
              .cover(prefix)
              ?.alternatives.flat()
              .map((server) => server.domain)
          ).toEqual([domain])
        }
      }),
      { numRuns: 200 }
    )
  })

  it('is the same for the same site', () => {
    fc.assert(
      fc.property(topologies, (site) => {
        expect(planNumbering(structuredClone(site))).toEqual(planNumbering(site))
      }),
      { numRuns: 50 }
    )
  })

  it('keeps to the limits and to the loop rule, and gives no block twice', () => {
    fc.assert(
      fc.property(topologies, (site) => {
        const holdings = planNumbering(site).routers.flatMap(({ blocks }) =>
          blocks.map(({ holding }) => holding)
        )
        for (const { name } of site.routers) {
          const held = holdings.filter(({ router: owner }) => owner === name)
          expect(held.length).toBeLessThanOrEqual(7)
          expect(held.filter(({ isShortened }) => !isShortened).length).toBeLessThanOrEqual(5)
          const given = holdings.filter(({ from }) => from?.router === name)
          for (const { from } of held)
            expect(given.some(({ block }) => from !== undefined && prefixContains(block, from.block))).toBe(
              false
            )
          for (const each of given)
            expect(given.filter(({ block }) => equalPrefixes(block, each.block))).toHaveLength(1)
        }
      }),
      { numRuns: 200 }
    )
  })
})
