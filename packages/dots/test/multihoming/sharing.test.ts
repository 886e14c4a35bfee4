import { WallTime } from '@breakwater/core'
import { describe, expect, it } from 'vitest'
import type { Consent } from '../../src/domain/consent.ts'
import { DomainName, ServerName } from '../../src/domain/identifier.ts'
import type { Site } from '../../src/domain/site.ts'
import { checkSite } from '../../src/multihoming/check-site.ts'
import { legalPaths } from '../../src/multihoming/legal-path.ts'
import { place } from '../../src/multihoming/placement.ts'
import type { PlacementOptions } from '../../src/multihoming/placement.ts'
import { explain } from '../../src/multihoming/plan.ts'
import { compileSite } from '../../src/multihoming/site-plan.ts'
import { domain, net, server, target, twoProviders } from './sites.ts'

const A = DomainName('isp-a')
const B = DomainName('isp-b')
const SCRUBBER = DomainName('scrubber')
const [ispA, ispB] = twoProviders.domains

/** With a mitigation service that may protect half of isp-a's prefix and the site's own. */
const withService: Site = {
  ...twoProviders,
  domains: [
    ...twoProviders.domains,
    {
      ...domain('scrubber', { servers: [server('scrubber', '192.0.2.200')] }),
      kind: 'service',
      protects: [net('198.51.100.0/25'), net('203.0.113.0/25')]
    }
  ]
}

function consent(changes: Partial<Consent> = {}): Consent {
  const dates = { from: WallTime(1000), until: WallTime(2000) }
  const prefixes = [net('198.51.100.0/26')]
  return { name: 'scrub-a', of: A, to: SCRUBBER, prefixes, givenBy: 'A. Admin', ...dates, ...changes }
}

function asked(site: Site, prefix: string, options: PlacementOptions = {}): string[] {
  return place(target(prefix), compileSite(site), options).assignments.map((each) => each.server)
}

function codes(site: Site): string[] {
  return checkSite(site).map(({ code }) => code)
}

function given(...consents: Consent[]): Site {
  return { ...withService, consents }
}

function provided(attachments: 'one' | 'all', site: Site = twoProviders): Site {
  return { ...site, providers: [{ name: 'isp', domains: [A, B], attachments }] }
}

describe('a group of providers', () => {
  const site: Site = {
    ...twoProviders,
    domains: [...twoProviders.domains, domain('isp-c', { servers: [server('isp-c', '192.0.2.9')] })],
    groups: [{ name: 'city', domains: [A, B], prefixes: [net('192.0.3.0/24')] }]
  }

  it('is asked as a whole, and nobody else is', () => {
    expect(asked(site, '192.0.3.7/32')).toEqual(['isp-a', 'isp-b'])
    const [part] = explain(target('192.0.3.7/32'), compileSite(site)).parts
    expect(part?.classText).toBe('assigned by isp-a and isp-b together (group city)')
    expect(part?.notAsked).toMatchObject([{ server: 'isp-c' }])
  })

  it('leaves a member without a server uncovered', () => {
    const bare = { ...site, domains: [ispA!, { ...ispB!, servers: [] }] }
    expect(place(target('192.0.3.7/32'), compileSite(bare)).uncovered).toMatchObject([{ domain: 'isp-b' }])
  })

  it('is of providers of the site', () => {
    expect(codes({ ...site, groups: [{ ...site.groups![0]!, domains: [DomainName('isp-x')] }] })).toContain(
      'GROUP_DOMAIN_UNKNOWN'
    )
  })
})

describe('a mitigation service', () => {
  it('is asked, too, about what is the site’s own and on its list', () => {
    expect(asked(withService, '203.0.113.5/32')).toEqual(['isp-a', 'isp-b', 'scrubber'])
    expect(asked(withService, '203.0.113.200/32')).toEqual(['isp-a', 'isp-b'])
  })

  it('hears nothing of what a provider assigned', () => {
    expect(asked(withService, '198.51.100.7/32', { at: WallTime(1500) })).toEqual(['isp-a'])
  })

  it('is reached over the links of all providers, from sources that belong there', () => {
    const { paths } = legalPaths(withService, withService.domains[2]!.servers[0]!)
    const ways = paths.filter(({ transport }) => transport === 'udp').map(({ interface: via }) => via)
    expect(ways).toEqual(['wan-a', 'wan-b'])
    expect(paths.every(({ domain: of }) => of === SCRUBBER)).toBe(true)
  })

  it('has no link of its own, and protects prefixes of the site', () => {
    const [, , service] = withService.domains
    const change = (changes: object): Site => ({
      ...withService,
      domains: [ispA!, ispB!, { ...service!, ...changes }]
    })
    expect(codes(withService)).toEqual([])
    expect(codes(change({ prefixes: [net('10.0.0.0/8')] }))).toContain('SERVICE_WITH_LINK')
    expect(codes(change({ protects: [net('10.0.0.0/8')] }))).toContain('SERVICE_PREFIX_FOREIGN')
    expect(codes(change({ kind: 'access' }))).toContain('PROTECTS_OF_PROVIDER')
  })
})

describe('a consent', () => {
  const at = WallTime(1500)

  it('lets the servers of one other domain hear of these prefixes, and says who gave it', () => {
    expect(asked(given(consent()), '198.51.100.7/32', { at })).toEqual(['isp-a', 'scrubber'])
    const placement = place(target('198.51.100.7/32'), compileSite(given(consent())), { at })
    expect(placement.assignments[1]?.text).toContain(
      'consent scrub-a of isp-a to scrubber, given by A. Admin, holds from 1970-01-01 until 1970-01-01'
    )
    expect(placement.parts[0]?.consents).toMatchObject([
      { server: 'scrubber', consents: [{ name: 'scrub-a' }] }
    ])
  })

  it('says nothing of other prefixes: a target is cut at its border', () => {
    const placement = place(target('198.51.100.0/24'), compileSite(given(consent())), { at })
    const heard = placement.assignments.filter(({ server: name }) => name === 'scrubber')
    expect(heard.flatMap((each) => each.target.prefixes)).toEqual([net('198.51.100.0/26')])
  })

  it.each([
    ['before it begins', WallTime(999)],
    ['when it has expired', WallTime(2000)],
    ['where nobody knows the time', undefined]
  ])('is none %s', (_, moment) => {
    const options = moment === undefined ? {} : { at: moment }
    expect(asked(given(consent()), '198.51.100.7/32', options)).toEqual(['isp-a'])
  })

  it('does not widen the list of a service', () => {
    const wide = consent({ prefixes: [net('198.51.100.0/24')] })
    expect(asked(given(wide), '198.51.100.200/32', { at })).toEqual(['isp-a'])
    const [part] = explain(target('198.51.100.200/32'), compileSite(given(wide)), { at }).parts
    expect(part?.notAsked.find((each) => each.server === 'scrubber')?.text).toContain(
      'consent scrub-a does not hold here'
    )
  })

  it('may be for another provider', () => {
    expect(asked(given(consent({ to: B })), '198.51.100.7/32', { at })).toEqual(['isp-a', 'isp-b'])
  })

  it('of a group is needed of every member', () => {
    const shared = net('192.0.3.0/24')
    const site = (...consents: Consent[]): Site => ({
      ...given(...consents),
      domains: [ispA!, ispB!, { ...withService.domains[2]!, protects: [shared] }],
      groups: [{ name: 'city', domains: [A, B], prefixes: [shared] }]
    })
    const [ofA, ofB] = [
      consent({ prefixes: [shared] }),
      consent({ name: 'scrub-b', of: B, prefixes: [shared] })
    ]
    expect(asked(site(ofA), '192.0.3.7/32', { at })).toEqual(['isp-a', 'isp-b'])
    expect(asked(site(ofA, ofB), '192.0.3.7/32', { at })).toEqual(['isp-a', 'isp-b', 'scrubber'])
  })

  it('is about what its giver assigned, to another, and for some time', () => {
    expect(codes(given(consent()))).toEqual([])
    expect(codes(given(consent({ of: B })))).toEqual(['CONSENT_OF_OTHER'])
    expect(codes(given(consent({ to: A })))).toEqual(['CONSENT_TO_OWNER'])
    expect(codes(given(consent({ until: WallTime(1000) })))).toEqual(['CONSENT_WITHOUT_TIME'])
    expect(codes(given(consent({ to: DomainName('nobody') })))).toEqual(['CONSENT_DOMAIN_UNKNOWN'])
    expect(codes(given(consent(), consent()))).toEqual(['NAME_DUPLICATE'])
  })
})

describe('servers that stand in for one another', () => {
  const servers = [server('isp-a', '192.0.2.1', 'isp-a/east'), server('isp-a', '192.0.2.2', 'isp-a/west')]
  const [EAST, WEST] = [ServerName('isp-a/east'), ServerName('isp-a/west')]
  const pool: Site = { ...twoProviders, domains: [{ ...ispA!, servers, isPool: true }, ispB!] }

  it('are asked one at a time: the chosen one, the first while nobody has chosen', () => {
    expect(asked(pool, '198.51.100.7/32')).toEqual([EAST])
    expect(asked(pool, '198.51.100.7/32', { chosen: new Set([WEST]) })).toEqual([WEST])
    expect(asked(pool, '203.0.113.7/32', { chosen: new Set([WEST]) })).toEqual([WEST, B])
  })

  it('are known to a plan, each list once', () => {
    expect(compileSite(pool).standIns.map((list) => list.map(({ name }) => name))).toEqual([[EAST, WEST]])
  })

  it('are told from those that nobody stands in for where some targets are concerned', () => {
    expect(compileSite(pool).alone).toEqual(new Set([B]))
    const [first, second] = twoProviders.domains.map(({ name }) => name)
    const own = { prefix: net('203.0.113.0/24'), domains: [first!] }
    const providers = [{ name: 'isp', domains: [first!, second!], attachments: 'one' as const }]
    const site: Site = { ...twoProviders, providers, providerIndependent: [own] }
    expect(compileSite(site).alone).toEqual(new Set([ServerName('isp-a')]))
  })

  it('are explained', () => {
    const [part] = explain(target('198.51.100.7/32'), compileSite(pool)).parts
    expect(part?.notAsked[0]?.text).toBe('isp-a/east is asked in its stead: pool of isp-a')
  })
})

describe('one provider with several attachments', () => {
  const onlyB = { chosen: new Set([ServerName('isp-b')]) }

  it('is asked over all of them, or over one that is available', () => {
    expect(asked(provided('all'), '198.51.100.7/32')).toEqual(['isp-a', 'isp-b'])
    expect(asked(provided('one'), '198.51.100.7/32')).toEqual(['isp-a'])
    expect(asked(provided('one'), '100.64.7.7/32')).toEqual(['isp-b'])
    expect(asked(provided('one'), '198.51.100.7/32', onlyB)).toEqual(['isp-b'])
    expect(
      place(target('198.51.100.7/32'), compileSite(provided('one')), onlyB).assignments[0]?.text
    ).toContain('isp-b is an attachment of the provider that assigned it, isp (RFC 9284 §5.4)')
  })

  it('has one server at both, which is asked once', () => {
    const same: Site = {
      ...twoProviders,
      domains: twoProviders.domains.map((each) => ({
        ...each,
        servers: each.servers.map((one) => ({ ...one, referenceName: 'dots.isp.example' }))
      }))
    }
    expect(asked(provided('all', same), '198.51.100.7/32')).toEqual(['isp-a'])
  })

  it('may have one address at both, or the operator answers for it', () => {
    const shared: Site = {
      ...twoProviders,
      domains: twoProviders.domains.map((each) => ({
        ...each,
        interfaces: [],
        servers: each.servers.map((one) => ({ ...one, addresses: ispA!.servers[0]!.addresses }))
      }))
    }
    expect(codes(shared)).toEqual(['SERVER_ADDRESS_SHARED'])
    expect(codes(provided('all', shared))).toEqual([])
    expect(codes({ ...shared, allowsSharedServerAddresses: true })).toEqual([])
  })

  it('is not two providers', () => {
    const one = { name: 'isp', domains: [A, B], attachments: 'all' as const }
    expect(codes({ ...twoProviders, providers: [one, { ...one, name: 'isp-2' }] })).toContain(
      'DOMAIN_OF_TWO_PROVIDERS'
    )
    expect(codes({ ...twoProviders, providers: [{ ...one, domains: [DomainName('isp-x')] }] })).toEqual([
      'PROVIDER_DOMAIN_UNKNOWN'
    ])
  })
})

describe('a filter', () => {
  const filtered: Site = {
    ...twoProviders,
    filters: [{ name: 'only-a', prefixes: [net('198.51.100.0/24')] }]
  }

  it('leaves the rest to others, and is named', () => {
    const placement = place(target('203.0.113.7/32'), compileSite(filtered))
    expect(placement.assignments).toEqual([])
    expect(placement.refusals).toMatchObject([{ because: 'filtered' }])
    expect(placement.refusals[0]?.text).toContain('inside none of the filters of this client (only-a)')
  })

  it('does not keep the client from asking for the part that is inside', () => {
    const placement = place(target('198.51.100.7/32', '100.64.7.7/32'), compileSite(filtered))
    expect(placement.assignments.map((each) => each.server)).toEqual(['isp-a'])
    expect(placement.refusals).toMatchObject([{ because: 'filtered', prefixes: [net('100.64.7.7/32')] }])
  })

  it('cuts a prefix at its border', () => {
    const half: Site = { ...twoProviders, filters: [{ name: 'half', prefixes: [net('198.51.100.0/25')] }] }
    const placement = place(target('198.51.100.0/24'), compileSite(half))
    expect(placement.assignments[0]?.target.prefixes).toEqual([net('198.51.100.0/25')])
    expect(placement.refusals).toMatchObject([{ prefixes: [net('198.51.100.128/25')] }])
  })
})
