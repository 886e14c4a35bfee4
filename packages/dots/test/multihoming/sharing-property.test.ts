import * as fc from 'fast-check'
import { WallTime, formatIpPrefix, ipv4, prefixContainsAddress, prefixOf } from '@breakwater/core'
import type { IpAddress, IpPrefix } from '@breakwater/core'
import { describe, expect, it } from 'vitest'
import type { Consent } from '../../src/domain/consent.ts'
import { DomainName } from '../../src/domain/identifier.ts'
import type { Site } from '../../src/domain/site.ts'
import { place } from '../../src/multihoming/placement.ts'
import { compileSite } from '../../src/multihoming/site-plan.ts'
import { domain, server } from './sites.ts'

const names = ['isp-0', 'isp-1', 'isp-2', 'service'].map(DomainName)
const NOW = WallTime(500)

const prefix = fc
  .tuple(fc.integer({ min: 0, max: 0xffff }), fc.integer({ min: 18, max: 32 }))
  .map(([low, length]) => prefixOf(ipv4(0x0a000000 + low), length))
/** Prefixes by chance, which seldom meet, and those of the site by their number, cut in halves or not. */
const prefixes = fc.array(
  fc.oneof(
    prefix,
    fc.record({ at: fc.nat({ max: 11 }), longer: fc.nat({ max: 1 }) }),
    fc.record({ at: fc.nat({ max: 11 }), longer: fc.constant(0) })
  ),
  { maxLength: 6 }
)
type Chosen = IpPrefix | { readonly at: number; readonly longer: number }

function among(own: readonly IpPrefix[], chosen: readonly Chosen[]): IpPrefix[] {
  return chosen.flatMap((each) => {
    if (!('at' in each)) return [each]
    const found = own[each.at % own.length]
    return found === undefined ? [] : [prefixOf(found.address, Math.min(32, found.length + each.longer))]
  })
}

const consents = fc.array(
  fc.record({
    name: fc.constant('consent'),
    of: fc.constantFrom(...names.slice(0, 3)),
    to: fc.constantFrom(...names),
    prefixes,
    givenBy: fc.constant('somebody'),
    from: fc.constantFrom(WallTime(0), WallTime(0), WallTime(600)),
    until: fc.constantFrom(WallTime(400), WallTime(1000), WallTime(1000))
  }),
  { maxLength: 4 }
)

/** Sites of three providers and a service, and what is in common to them; of some, there is no server. */
const sites = fc
  .record({
    own: fc.uniqueArray(prefix, { minLength: 1, maxLength: 12, selector: formatIpPrefix }),
    protects: prefixes,
    consents,
    filter: fc.option(prefixes, { nil: undefined, freq: 1 }),
    bare: fc.integer({ min: -1, max: 3 }),
    attachments: fc.constantFrom('none', 'one', 'all')
  })
  .map((shape): { readonly site: Site; readonly owners: readonly (readonly [IpPrefix, number])[] } => {
    // 0, 1, 2: assigned by that provider; 3: the site's own; 4: the group of providers 0 and 1.
    const owners = shape.own.map((each, index) => [each, index % 5] as const)
    const of = (owner: number): IpPrefix[] => owners.filter(([, at]) => at === owner).map(([each]) => each)
    const serversOf = (name: DomainName, index: number) =>
      index === shape.bare ? [] : [server(name, `192.0.2.${index + 1}`)]
    const { attachments } = shape
    return {
      owners,
      site: {
        domains: names.map((name, index) => ({
          ...domain(name, { servers: serversOf(name, index) }),
          ...(index === 3
            ? { kind: 'service' as const, protects: among(shape.own, shape.protects) }
            : { prefixes: of(index) })
        })),
        providerIndependent: of(3).map((each) => ({ prefix: each })),
        groups: [{ name: 'group', domains: names.slice(0, 2), prefixes: of(4) }],
        consents: shape.consents.map((each) => ({ ...each, prefixes: among(shape.own, each.prefixes) })),
        filters:
          shape.filter === undefined ? [] : [{ name: 'filter', prefixes: among(shape.own, shape.filter) }],
        providers:
          attachments === 'none' ? [] : [{ name: 'provider', domains: names.slice(1, 3), attachments }]
      }
    }
  })

/** Who may hear of one address, worked out address by address, without a table: the oracle. */
function entitled(
  site: Site,
  owners: readonly (readonly [IpPrefix, number])[],
  address: IpAddress
): { readonly kind: 'foreign' | 'filtered' | 'ours'; readonly must: string[]; readonly may: string[] } {
  const holds = (list: readonly IpPrefix[]): boolean =>
    list.some((each) => prefixContainsAddress(each, address))
  const [found] = owners
    .filter(([each]) => prefixContainsAddress(each, address))
    .toSorted(([x], [y]) => y.length - x.length)
  if (found === undefined) return { kind: 'foreign', must: [], may: [] }
  const filters = site.filters ?? []
  if (filters.length > 0 && !filters.some((each) => holds(each.prefixes)))
    return { kind: 'filtered', must: [], may: [] }
  const owner = found[1]
  const isOnList = holds(site.domains[3]?.protects ?? [])
  if (owner === 3)
    return { kind: 'ours', must: [...names.slice(0, 3), ...(isOnList ? [names[3]!] : [])], may: [] }
  const owning = owner === 4 ? [names[0]!, names[1]!] : [names[owner]!]
  const provider = site.providers?.[0]
  const siblings = owning.some((name) => provider?.domains.includes(name)) ? (provider?.domains ?? []) : []
  const covers = (each: Consent): boolean => each.from <= NOW && NOW < each.until && holds(each.prefixes)
  const consented = names.filter((name) => {
    const valid = (site.consents ?? []).filter((each) => each.to === name && covers(each))
    const isComplete = owning.every((own) => valid.some(({ of }) => of === own))
    return isComplete && (name !== names[3] || isOnList)
  })
  return { kind: 'ours', must: owning, may: [...siblings, ...consented] }
}

describe('placement over random sites with services, groups, consents, filters and one provider', () => {
  it(
    'tells nobody who is not entitled, forgets nobody who is, and loses no address',
    { timeout: 60_000 },
    () => {
      fc.assert(
        fc.property(
          sites,
          fc.tuple(prefix, prefixes),
          fc.array(fc.integer({ min: 0, max: 0xffff }), { minLength: 30, maxLength: 30 }),
          ({ site, owners }, [first, more], samples) => {
            const wanted = [
              first,
              ...among(
                owners.map(([each]) => each),
                more
              )
            ]
            const placement = place({ prefixes: wanted, ports: [], protocols: [] }, compileSite(site), {
              allowPartial: true,
              at: NOW
            })
            const provider = site.providers?.[0]
            for (const sample of [...samples, ...wanted.map(({ address }) => address)]) {
              const address = typeof sample === 'number' ? ipv4(0x0a000000 + sample) : sample
              const contains = (list: readonly IpPrefix[]): boolean =>
                list.some((each) => prefixContainsAddress(each, address))
              const { kind, must, may } = entitled(site, owners, address)
              const heard = placement.assignments
                .filter((each) => contains(each.target.prefixes))
                .map((each) => each.domain as string)
              const parts = placement.parts.filter((part) => contains(part.prefixes))
              const refused = placement.refusals.filter((each) => contains(each.prefixes))
              const isWanted = contains(wanted)
              expect(parts.length).toBe(isWanted && kind === 'ours' ? 1 : 0)
              // A prefix named twice is refused twice.
              expect(refused.length > 0).toBe(isWanted && kind !== 'ours')
              if (!isWanted || kind !== 'ours') expect(heard).toEqual([])
              else {
                expect([...must, ...may]).toEqual(expect.arrayContaining(heard))
                expect(new Set(heard).size).toBe(heard.length)
                const uncovered = placement.uncovered.filter((each) => contains(each.prefixes))
                for (const name of must) {
                  const standIns =
                    provider?.attachments === 'one' && provider.domains.some((each) => each === name)
                  const isAsked =
                    heard.includes(name) ||
                    (standIns && provider.domains.some((each) => heard.includes(each)))
                  expect(isAsked || uncovered.some((each) => each.domain === name)).toBe(true)
                }
              }
            }
          }
        ),
        { numRuns: 300 }
      )
    }
  )
})
