import { Instant, Minutes, Seconds } from '@breakwater/core'
import { describe, expect, it } from 'vitest'
import { DomainName } from '../../../src/domain/identifier.ts'
import type { Site } from '../../../src/domain/site.ts'
import { ProvisioningBook } from '../../../src/multihoming/provisioning/provisioning-book.ts'
import type { ProvisioningOutput } from '../../../src/multihoming/provisioning/provisioning-book.ts'
import { compileSite } from '../../../src/multihoming/site-plan.ts'
import { place } from '../../../src/multihoming/placement.ts'
import { domain, net, server, target, twoProviders } from '../sites.ts'
import { ProvisioningWorld, learningRules, learningSite, learnt, local, rule } from './provisioning-world.ts'

describe('what is learnt becomes a site', () => {
  it('gives each domain what came by its interface (RFC 7556 §2)', () => {
    const world = new ProvisioningWorld()
    world.learn({ via: 'wan-a', prefixes: ['2001:db8:a::/56'], resolvers: ['2001:db8:a::53'] })
    world.pass(SITE_PAUSE)
    world.learn({ via: 'wan-b', origin: 'dhcpv4', addresses: ['203.0.113.5'], resolvers: ['203.0.113.1'] })
    expect(world.sites).toEqual([
      'isp-a: 2001:db8:a::/56; isp-b: -',
      'isp-a: 2001:db8:a::/56; isp-b: 203.0.113.5/32'
    ])
    expect(world.resolvers).toEqual(['isp-a: 2001:db8:a::53', 'isp-b: 203.0.113.1'])
  })

  it('takes the word of a source for the domain, unless its interface is another’s', () => {
    const world = new ProvisioningWorld()
    world.learn({ domain: 'isp-b', prefixes: ['2001:db8:b::/56'] }, 'pco')
    world.pass(SITE_PAUSE)
    world.learn({ domain: 'isp-b', via: 'wan-a', prefixes: ['2001:db8:c::/56'] }, 'liar')
    world.learn({ domain: 'isp-x', prefixes: ['2001:db8:d::/56'] }, 'stray')
    expect(world.sites).toEqual(['isp-a: -; isp-b: 2001:db8:b::/56'])
    expect(world.refusals).toEqual([
      'liar: isp-b does not learn from wan-a',
      'stray: no domain isp-x of this site learns anything'
    ])
  })

  it('tells two domains on one interface apart by name only', () => {
    const world = new ProvisioningWorld(learningSite, [rule('isp-a', 'lan'), rule('isp-b', 'lan')])
    world.learn({ via: 'lan', origin: 'ra', prefixes: ['2001:db8:a::/64'] }, 'nameless')
    world.learn({ via: 'lan', origin: 'ra', domain: 'isp-b', prefixes: ['2001:db8:b::/64'] }, 'named')
    expect(world.sites).toEqual(['isp-a: -; isp-b: 2001:db8:b::/64'])
    expect(world.refusals[0]).toMatch(/isp-a and isp-b learn from ra on lan/)
  })

  it('learns nothing from where the operator does not want it', () => {
    const world = new ProvisioningWorld(learningSite, [
      rule('isp-a', 'wan-a', { from: new Set(['dhcpv6']), prefixes: false }),
      rule('isp-b', 'wan-b', { resolvers: false })
    ])
    world.learn({ via: 'wan-a', prefixes: ['2001:db8:a::/56'], resolvers: ['2001:db8:a::53'] }, 'pd')
    world.learn({ via: 'wan-a', origin: 'ra', resolvers: ['2001:db8:a::54'] }, 'ra')
    world.learn({ via: 'wan-b', resolvers: ['2001:db8:b::53'] }, 'b')
    expect(world.sites).toEqual([])
    expect(world.resolvers).toEqual(['isp-a: 2001:db8:a::53'])
    expect(world.book.report(world.now).domains[0]?.facts).toEqual([
      expect.objectContaining({ text: '2001:db8:a::/56', state: 'noted' }),
      expect.objectContaining({ text: '2001:db8:a::53', state: 'used' })
    ])
  })

  it('keeps an IPv6-only and an IPv4-only domain in one site', () => {
    const world = new ProvisioningWorld()
    world.learn({ via: 'wan-a', origin: 'ra', prefixes: ['2001:db8:a::/64'] })
    world.learn({ via: 'wan-b', origin: 'dhcpv4', addresses: ['203.0.113.5'] })
    world.pass(SITE_PAUSE)
    const plan = compileSite(world.site)
    const asked = (text: string): string[] => place(target(text), plan).assignments.map((each) => each.server)
    expect(asked('2001:db8:a::1/128')).toEqual(['isp-a'])
    expect(asked('203.0.113.5/32')).toEqual(['isp-b'])
  })
})

describe('who owns a prefix', () => {
  it('lets explicit configuration win over whatever is learnt', () => {
    const world = new ProvisioningWorld(twoProviders, learningRules)
    world.learn({ via: 'wan-b', prefixes: ['198.51.100.0/28'] }, 'inside the prefix of isp-a')
    world.learn({ via: 'wan-b', prefixes: ['198.51.0.0/16'] }, 'around the prefix of isp-a')
    world.learn({ via: 'wan-b', addresses: ['203.0.113.7'] }, 'of the site itself')
    world.learn({ via: 'wan-a', addresses: ['198.51.100.9'] }, 'known already')
    expect(world.sites).toEqual([])
    expect(world.refusals.map((text) => text.split(':')[0])).toEqual([
      '198.51.100.0/28 of isp-b',
      '198.51.0.0/16 of isp-b',
      '203.0.113.7/32 of isp-b'
    ])
  })

  it('gives the same address, offered by two domains, to the first; the other has it when that lets go', () => {
    const world = new ProvisioningWorld()
    world.learn({ via: 'wan-a', origin: 'dhcpv4', addresses: ['203.0.113.5'], valid: 60 })
    world.learn({ via: 'wan-b', origin: 'dhcpv4', addresses: ['203.0.113.5'] })
    world.pass(Seconds(30))
    world.learn({ via: 'wan-a', origin: 'dhcpv4', addresses: ['203.0.113.5'], valid: 60 })
    expect(world.sites).toEqual(['isp-a: 203.0.113.5/32; isp-b: -'])
    expect(world.refusals).toEqual([
      '203.0.113.5/32 of isp-b: 203.0.113.5/32 is of isp-a, who had it first (dhcpv4)'
    ])
    world.pass(Seconds(60))
    expect(world.sites.at(-1)).toBe('isp-a: -; isp-b: 203.0.113.5/32')
  })

  it('refuses a longer match inside a rival’s prefix: it would draw the rival’s requests', () => {
    const world = new ProvisioningWorld()
    world.learn({ via: 'wan-a', prefixes: ['2001:db8:a::/48'] })
    world.learn({ via: 'wan-b', prefixes: ['2001:db8:a:1::/64'] })
    world.pass(SITE_PAUSE)
    expect(world.sites).toEqual(['isp-a: 2001:db8:a::/48; isp-b: -'])
    expect(world.refusals[0]).toMatch(/^2001:db8:a:1::\/64 of isp-b: 2001:db8:a::\/48 is of isp-a/)
  })

  it.each([
    ['0.0.0.0/0', 'larger than'],
    ['2000::/3', 'larger than'],
    ['127.0.0.0/24', 'no provider assigns'],
    ['224.0.0.0/24', 'no provider assigns'],
    ['fe80::/64', 'no provider assigns'],
    ['::ffff:198.51.100.0/120', 'no provider assigns']
  ])('refuses %s, whoever says it', (text, reason) => {
    const world = new ProvisioningWorld()
    world.learn({ via: 'wan-a', prefixes: [text] })
    expect(world.sites).toEqual([])
    expect(world.refusals).toEqual([expect.stringContaining(reason)])
  })

  it('takes no private address for a prefix of the site, and finds nothing wrong with it', () => {
    const world = new ProvisioningWorld()
    world.learn({ via: 'wan-a', origin: 'dhcpv4', addresses: ['192.168.1.20'] })
    world.learn({ via: 'wan-b', origin: 'dhcpv4', addresses: ['192.168.1.20'] })
    expect(world.sites).toEqual([])
    expect(world.refusals).toEqual([])
  })

  it('learns 64 prefixes of a domain and no more', () => {
    const world = new ProvisioningWorld()
    for (const third of [0, 1])
      world.learn(
        {
          via: 'wan-a',
          prefixes: Array.from({ length: 40 }, (_, n) => `2001:db8:${third}:${n.toString(16)}::/64`)
        },
        `pd ${third}`
      )
    world.pass(SITE_PAUSE)
    expect(world.site.domains[0]?.prefixes).toHaveLength(64)
    expect(world.refusals).toHaveLength(16)
  })

  it('refuses a name server that is this host or nobody', () => {
    const world = new ProvisioningWorld()
    world.learn({ via: 'wan-a', resolvers: ['127.0.0.1', '::1', '224.0.0.1', '0.0.0.0', '192.0.2.53'] })
    expect(world.resolvers).toEqual(['isp-a: 192.0.2.53'])
  })

  it('takes at most 512 configurations from all sources together', () => {
    const world = new ProvisioningWorld()
    for (let n = 0; n < 520; n++) world.learn({ via: 'lan', resolvers: ['192.0.2.53'] }, `file ${n}`)
    expect(world.book.report(world.now).unclaimed).toHaveLength(512)
    expect(world.refusals.filter((text) => text.includes('512 configurations'))).toHaveLength(8)
  })
})

describe('lifetimes', () => {
  it('renumbers: the old prefix is deprecated, then over, and its addresses go with it', () => {
    const world = new ProvisioningWorld()
    const addresses = [local('lan', '2001:db8:1::7', 64), local('lan', '2001:db8:2::7', 64)]
    world.feed({ kind: 'addresses', addresses })
    world.learn({ via: 'wan-a', prefixes: ['2001:db8:1::/56'], valid: 3600, preferred: 1800 }, 'old')
    world.pass(Minutes(20))
    world.learn({ via: 'wan-a', prefixes: ['2001:db8:2::/56'], valid: 7200 }, 'new')
    expect(world.sites.at(-1)).toBe('isp-a: 2001:db8:1::/56 2001:db8:2::/56; isp-b: -')
    expect(world.locals()).toEqual(['2001:db8:1::7 preferred', '2001:db8:2::7 preferred'])
    world.pass(Minutes(11))
    expect(world.locals()).toEqual(['2001:db8:1::7 deprecated', '2001:db8:2::7 preferred'])
    world.pass(Minutes(30))
    expect(world.sites.at(-1)).toBe('isp-a: 2001:db8:2::/56; isp-b: -')
    // The host may have it for a while, and no domain may send from it: it was isp-a's.
    expect(world.locals()).toEqual(['2001:db8:2::7 preferred'])
  })

  it('ends a prefix at its moment, whatever is going on; what lies in it is foreign from then on', () => {
    const world = new ProvisioningWorld()
    world.learn({ via: 'wan-a', prefixes: ['2001:db8:1::/56'], valid: 90 })
    const verdict = (): boolean =>
      place(target('2001:db8:1::80/128'), compileSite(world.site)).parts.length > 0
    world.pass(Seconds(89.9))
    expect(verdict()).toBe(true)
    world.pass(Seconds(0.1))
    expect(verdict()).toBe(false)
  })

  it('has no calendar, so that no step of it ends or prolongs anything', () => {
    const world = new ProvisioningWorld()
    world.learn({ via: 'wan-a', prefixes: ['2001:db8:1::/56'], valid: 90 })
    world.pass(SITE_PAUSE)
    // The one moment that matters lies on the monotonic clock.
    expect(world.book.nextTimeout()).toBe(91_000)
  })

  it('begins anew with a renewal', () => {
    const world = new ProvisioningWorld()
    world.learn({ via: 'wan-a', prefixes: ['2001:db8:1::/56'], valid: 90 })
    for (let n = 0; n < 10; n++) {
      world.pass(Seconds(60))
      world.learn({ via: 'wan-a', prefixes: ['2001:db8:1::/56'], valid: 90 })
    }
    expect(world.sites).toEqual(['isp-a: 2001:db8:1::/56; isp-b: -'])
    world.pass(Seconds(90))
    expect(world.sites.at(-1)).toBe('isp-a: -; isp-b: -')
  })

  it('reports what is left of each', () => {
    const world = new ProvisioningWorld()
    world.learn({ via: 'wan-a', prefixes: ['2001:db8:1::/56'], valid: 90, preferred: 30 })
    world.pass(Seconds(40))
    expect(world.book.report(world.now).domains[0]).toEqual({
      domain: 'isp-a',
      kind: 'access',
      interfaces: ['wan-a'],
      learnsFrom: ['dhcpv4', 'dhcpv6', 'ra', 'pco', 'drop'],
      facts: [
        {
          kind: 'prefix',
          text: '2001:db8:1::/56',
          origin: 'dhcpv6',
          interface: 'wan-a',
          source: 'test',
          validSeconds: 50,
          preferredSeconds: 0,
          state: 'used'
        }
      ]
    })
  })
})

describe('sources that cannot make up their minds', () => {
  it('does not notice what is taken back and said again', () => {
    const world = new ProvisioningWorld()
    world.learn({ via: 'wan-a', prefixes: ['2001:db8:1::/56'] })
    for (let n = 0; n < 1000; n++) {
      world.withdraw('wan-a')
      world.pass(Seconds(2.9))
      world.learn({ via: 'wan-a', prefixes: ['2001:db8:1::/56'] })
    }
    expect(world.sites).toHaveLength(1)
  })

  it('believes after three seconds that it is gone', () => {
    const world = new ProvisioningWorld()
    world.learn({ via: 'wan-a', prefixes: ['2001:db8:1::/56'] })
    world.pass(SITE_PAUSE)
    world.withdraw('wan-a')
    world.pass(Seconds(2.9))
    expect(world.sites).toHaveLength(1)
    world.pass(Seconds(0.2))
    expect(world.sites.at(-1)).toBe('isp-a: -; isp-b: -')
  })

  it('makes one site a second of a storm, the last one of what is true in the end', () => {
    const world = new ProvisioningWorld()
    for (let n = 0; n < 100; n++) {
      world.learn({ via: 'wan-a', prefixes: [`2001:db8:${n}::/56`] })
      world.pass(Seconds(0.1))
    }
    expect(world.sites.length).toBeLessThanOrEqual(11)
    world.pass(SITE_PAUSE)
    expect(world.sites.at(-1)).toBe('isp-a: 2001:db8:99::/56; isp-b: -')
  })

  it('makes one site of all that is known at the start', () => {
    const book = new ProvisioningBook()
    const now = Instant(0)
    book.handle({ kind: 'configured', site: learningSite, rules: learningRules }, now)
    for (const via of ['wan-a', 'wan-b']) {
      const configuration = learnt({ via, prefixes: [`2001:db8:${via.at(-1)}::/56`] })
      book.handle({ kind: 'learnt', source: 'test', key: via, configuration }, now)
    }
    expect(book.poll()).toBeUndefined()
    book.handle({ kind: 'begin' }, now)
    const kinds = [...drained(book)].map(({ kind }) => kind)
    expect(kinds.filter((kind) => kind === 'site')).toHaveLength(1)
  })
})

describe('what depends on a prefix that comes and goes', () => {
  const consent = {
    name: 'backup',
    of: DomainName('isp-a'),
    to: DomainName('isp-b'),
    prefixes: [net('2001:db8:1::/56')],
    givenBy: 'noc',
    from: 0 as never,
    until: 1 as never
  }
  const demanding: Site = {
    domains: [
      {
        ...domain('isp-a', { interfaces: ['wan-a'], servers: [server('isp-a', '192.0.2.1')] }),
        preconfigured: [{ target: target('2001:db8:1::80/128'), lifetime: 3600 }],
        translations: [{ internal: net('fd00:1::/64'), external: net('2001:db8:1:1::/64') }]
      },
      domain('isp-b', { interfaces: ['wan-b'], servers: [server('isp-b', '192.0.2.129')] })
    ],
    providerIndependent: [],
    consents: [consent]
  }

  it('waits for it, comes with it and goes with it', () => {
    const world = new ProvisioningWorld(demanding)
    world.learn({ via: 'wan-a', prefixes: ['2001:db8:1::/56'], valid: 60 })
    world.pass(SITE_PAUSE)
    const counts = (): number[] => {
      const [first] = world.site.domains
      return [
        first?.preconfigured?.length ?? -1,
        first?.translations?.length ?? -1,
        world.site.consents?.length ?? -1
      ]
    }
    expect(counts()).toEqual([1, 1, 1])
    world.pass(Seconds(60))
    expect(counts()).toEqual([0, 0, 0])
  })
})

describe('a new configuration', () => {
  it('takes prefixes away from whoever learnt them', () => {
    const world = new ProvisioningWorld()
    world.learn({ via: 'wan-a', prefixes: ['2001:db8:1::/56'] })
    world.pass(SITE_PAUSE)
    const [first, second] = learningSite.domains
    if (first === undefined || second === undefined) throw new Error('two domains')
    const site = { ...learningSite, domains: [first, { ...second, prefixes: [net('2001:db8:1::/56')] }] }
    world.feed({ kind: 'configured', site, rules: learningRules })
    world.pass(SITE_PAUSE)
    expect(world.sites.at(-1)).toBe('isp-a: -; isp-b: 2001:db8:1::/56')
  })

  it('forgets what a domain that learns no more had learnt', () => {
    const world = new ProvisioningWorld()
    world.learn({ via: 'wan-a', prefixes: ['2001:db8:1::/56'] })
    world.pass(SITE_PAUSE)
    world.feed({ kind: 'configured', site: learningSite, rules: [] })
    expect(world.sites.at(-1)).toBe('isp-a: -; isp-b: -')
  })
})

function* drained(book: ProvisioningBook): Generator<ProvisioningOutput> {
  for (let output = book.poll(); output !== undefined; output = book.poll()) yield output
}

/** Longer than the pause between two sites. */
const SITE_PAUSE = Seconds(2)
