import { Minutes, Seconds, UnavailableError } from '@breakwater/core'
import type { RequestedTarget, Resolver, Site } from '../../../src/index.ts'
import { SimulatedNameService, address, prefix, seededEntropy } from '@breakwater/testing'
import { afterEach, describe, expect, it } from 'vitest'
import type { NamedTarget } from '../../../src/domain/alias.ts'
import { Notebook } from '../../../src/client/memory/notebook.ts'
import type { ProtectionRequest } from '../../../src/client/protection.ts'
import { ProtectionId } from '../../../src/domain/identifier.ts'
import { parseTargetUri } from '../../../src/signal/target-uri.ts'
import { renumbered } from '../site/site-variants.ts'
import { ISP_A, ISP_B, TestStore, TwoProviders, site, targetOf } from '../two-providers.ts'

const WWW = 'www.example.net'
/** At provider A, at provider B, the site's own, and nobody's. */
const AT_A = '198.51.100.7'
const AT_B = '100.64.7.7'
const OWN = '203.0.113.7'
const FOREIGN = '192.0.2.200'

/** The site with two providers, a resolver of its own, and protections by name. */
class NamedTargets extends TwoProviders {
  readonly names = new SimulatedNameService(this.clock)

  says(name: string, ttlSeconds: number, ...addresses: string[]): void {
    this.names.names.set(name, { kind: 'addresses', addresses: addresses.map(address), ttlSeconds })
  }

  override async start(ports: Parameters<TwoProviders['start']>[0] = {}): Promise<void> {
    await super.start({ siteResolver: this.names.resolver(Seconds(8)), ...ports })
  }

  name(id: string, named: Partial<NamedTarget>, options: Partial<ProtectionRequest> = {}): void {
    this.protect(id, targetOf(), { named: { names: [], uris: [], aliases: [], ...named }, ...options })
  }

  missing(id: string): string[] {
    const status = this.client.status().protections.find((each) => each.id === id)
    return (status?.missing ?? []).map(({ kind, text }) => `${kind}: ${text}`)
  }
}

let world: NamedTargets
afterEach(async () => {
  expect(world.wrongServerRequests()).toEqual([])
  await world.close()
})

async function begin(...says: (readonly [string, number, ...string[]])[]): Promise<NamedTargets> {
  world = new NamedTargets()
  for (const [name, ttl, ...addresses] of says) world.says(name, ttl, ...addresses)
  await world.start()
  return world
}

describe('a protection by name', () => {
  it('is for the addresses of the name, each at the server that is entitled to it, and never by name', async () => {
    await begin([WWW, 300, AT_A, AT_B, OWN])
    world.name('web', { names: [WWW] })
    await world.advance(Seconds(2))
    expect(world.mitigated()).toEqual([
      `isp-a: ${AT_A}/32`,
      `isp-a: ${OWN}/32`,
      `isp-b: ${AT_B}/32`,
      `isp-b: ${OWN}/32`
    ])
    expect(world.state('web')).toBe('protected')
    expect(world.client.status().protections[0]?.names).toMatchObject([{ name: WWW, state: 'resolved' }])
  })

  it('moves with the name in an attack: the new place first, the old one as long as others go by it', async () => {
    await begin([WWW, 60, AT_A])
    world.name('web', { names: [WWW] })
    await world.advance(Seconds(2))
    world.client.updateEfficacy(ProtectionId('web'), 'under-attack')
    world.says(WWW, 60, AT_B)
    await world.advance(Seconds(60))
    expect(world.mitigated()).toEqual([`isp-a: ${AT_A}/32`, `isp-b: ${AT_B}/32`])
    expect(world.state('web')).toBe('protected')
    // Others may have the old answer for a minute more; then the server lets go of it in its own time.
    await world.advance(Minutes(5))
    expect(world.mitigated()).toEqual([`isp-b: ${AT_B}/32`])
    const order = world.mitigationRequests().filter((text) => !text.startsWith('GET'))
    expect(order.indexOf('PUT isp-b')).toBeLessThan(order.indexOf('DELETE isp-a'))
  })

  it('leaves the host with nothing while the name means an address that is nobody’s of the site', async () => {
    await begin([WWW, 60, AT_A, FOREIGN])
    world.name('web', { names: [WWW] })
    await world.advance(Seconds(2))
    expect(world.state('web')).toBe('refused')
    expect(world.missing('web')).toEqual([
      `foreign: ${WWW}: ${FOREIGN}/32 belongs to no domain of the site, so no server may be asked (RFC 9284 §5.1)`
    ])
    expect(world.mitigationRequests().filter((text) => text.startsWith('PUT'))).toEqual([])
    // The name is put right, and when the wrong answer has been forgotten, what it names is asked for.
    world.says(WWW, 60, AT_A)
    await world.advance(Seconds(140))
    expect(world.state('web')).toBe('protected')
  })

  it('of which a part is protected keeps that when a liar adds what is nobody’s', async () => {
    await begin([WWW, 60, AT_A])
    world.name('web', { names: [WWW] })
    await world.advance(Seconds(2))
    world.says(WWW, 60, AT_A, FOREIGN)
    await world.advance(Seconds(60))
    expect(world.mitigated()).toEqual([`isp-a: ${AT_A}/32`])
    expect(world.state('web')).toBe('partly-protected')
  })

  it('waits with the reason, alarms, and is placed the moment its name resolves', async () => {
    world = new NamedTargets()
    world.names.isDead = true
    await world.start()
    world.name('web', { names: [WWW] })
    await world.advance(Seconds(9))
    expect(world.state('web')).toBe('waiting')
    expect(world.missing('web')).toEqual([
      `waiting: nobody is asked for ${WWW} yet: ${WWW}: no answer in time (RFC 9132 §4.4.1.1)`
    ])
    expect(world.client.status().protections[0]?.alarm).toBe(true)
    world.names.isDead = false
    world.says(WWW, 60, AT_A)
    await world.advance(Seconds(6))
    expect(world.state('web')).toBe('protected')
  })

  it('keeps what was known when the resolver fails, and says so', async () => {
    await begin([WWW, 60, AT_A])
    world.name('web', { names: [WWW] })
    await world.advance(Seconds(2))
    world.names.isDead = true
    await world.advance(Minutes(30))
    expect(world.mitigated()).toEqual([`isp-a: ${AT_A}/32`])
    expect(world.state('web')).toBe('protected')
    expect(world.missing('web')).toEqual([
      `outdated: ${WWW} is protected where it was last known to be: ${WWW}: no answer in time`
    ])
    expect(world.client.status().protections[0]?.alarm).toBe(true)
    expect(world.events).toContainEqual(
      expect.objectContaining({ kind: 'target-name', standing: expect.objectContaining({ state: 'kept' }) })
    )
  })

  it('asks for what it knows while another of its names is still being resolved', async () => {
    await begin(['a.example', 60, AT_A])
    world.name('web', { names: ['a.example', 'unknown.example'] })
    await world.advance(Seconds(2))
    expect(world.mitigated()).toEqual([`isp-a: ${AT_A}/32`])
    expect(world.state('web')).toBe('partly-protected')
  })

  it('asks nobody for its name any more when it is released', async () => {
    await begin([WWW, 60, AT_A])
    let asked = 0
    const inner = world.names.resolver(Seconds(8))
    await world.client.close()
    const resolver: Resolver = { ...inner, resolve: (name) => (asked++, inner.resolve(name)) }
    world.startClient({ siteResolver: resolver })
    await world.advance(Seconds(1))
    world.name('web', { names: [WWW] })
    await world.advance(Seconds(2))
    world.release('web')
    await world.advance(Minutes(10))
    expect(asked).toBe(1)
  })

  it('without a resolver of the site waits', async () => {
    world = new NamedTargets()
    await world.startServer('isp-a')
    world.startClient()
    world.name('web', { names: [WWW] })
    await world.advance(Seconds(2))
    expect(world.missing('web')).toEqual([
      `waiting: nobody is asked for ${WWW} yet: the site has no resolver (RFC 9132 §4.4.1.1)`
    ])
  })
})

describe('a protection by URI', () => {
  it('is for the port and the transports of its scheme, and narrows nothing else', async () => {
    await begin([WWW, 300, AT_A], ['mail.example.net', 300, '198.51.100.25'])
    world.name('web', {
      names: ['mail.example.net'],
      uris: [uri(`https://user@${WWW}/`), uri('coap://203.0.113.9:99')]
    })
    await world.advance(Seconds(2))
    const plans = [...world.providers['isp-a'].mitigator.plans.values()].map(({ target }) => target)
    expect(plans).toContainEqual({
      prefixes: [prefix(`${AT_A}/32`)],
      ports: [{ lower: 443, upper: 443 }],
      protocols: [6, 17]
    })
    expect(plans).toContainEqual({ prefixes: [prefix('198.51.100.25/32')], ports: [], protocols: [] })
    expect(plans).toContainEqual({
      prefixes: [prefix('203.0.113.9/32')],
      ports: [{ lower: 99, upper: 99 }],
      protocols: [17]
    })
  })
})

describe('a protection by alias', () => {
  const shop = alias({ prefixes: [prefix(`${OWN}/32`)], names: [WWW], ports: [{ lower: 443, upper: 443 }] })

  it('is for what the alias stands for, each server for its own part', async () => {
    world = new NamedTargets()
    world.says(WWW, 60, AT_A, AT_B)
    await world.start({ site: withAlias('shop', shop) })
    world.name('shop', { aliases: ['shop'] })
    await world.advance(Seconds(2))
    expect(world.mitigated().sort()).toEqual([
      `isp-a: ${AT_A}/32`,
      `isp-a: ${OWN}/32`,
      `isp-b: ${AT_B}/32`,
      `isp-b: ${OWN}/32`
    ])
  })

  it('follows the alias when the site is another one, while its name moves', async () => {
    world = new NamedTargets()
    world.says(WWW, 60, AT_A)
    await world.start({ site: withAlias('shop', shop) })
    world.name('shop', { aliases: ['shop'] })
    await world.advance(Seconds(2))
    world.says('new.example', 60, AT_B)
    world.client.updateSite({ site: withAlias('shop', alias({ names: ['new.example'] })) })
    await world.advance(Minutes(5))
    expect(world.mitigated()).toEqual([`isp-b: ${AT_B}/32`])
    // Without the alias, what it stood for is not asked for any more, and that is said.
    world.client.updateSite({ site })
    await world.advance(Minutes(5))
    expect(world.mitigated()).toEqual([])
    expect(world.missing('shop')).toEqual(['foreign: the site has no alias "shop"'])
  })
})

describe('a client that starts again', () => {
  it('goes on with the addresses that its names had, though nobody resolves them now', async () => {
    world = new NamedTargets()
    world.says(WWW, 60, AT_A)
    const store = new TestStore()
    const notebook = (): Notebook =>
      new Notebook(store, world.clock, { onDamaged: () => undefined, onFailure: () => undefined })
    await world.start({ notebook: notebook() })
    world.name('web', { names: [WWW] })
    await world.advance(Seconds(2))
    await world.client.close()
    world.names.isDead = true
    const protections: ProtectionRequest[] = [
      {
        id: ProtectionId('web'),
        target: targetOf(),
        named: { names: [WWW], uris: [], aliases: [] },
        lifetime: 3600,
        allowPartial: false,
        require: 'all'
      }
    ]
    world.startClient({ siteResolver: world.names.resolver(Seconds(8)), notebook: notebook(), protections })
    await world.advance(Minutes(10))
    expect(world.mitigated()).toEqual([`isp-a: ${AT_A}/32`])
    expect(world.mitigationRequests().filter((text) => text.startsWith('DELETE'))).toEqual([])
    expect(world.state('web')).toBe('protected')
  })
})

describe('whatever the resolver says', () => {
  it.each([1, 2, 3, 4, 5, 6])('no server hears of an address that is not its own (seed %i)', async (seed) => {
    const entropy = seededEntropy(seed)
    const pick = (count: number): number => (entropy.bytes(1)[0] ?? 0) % count
    const pool = [
      AT_A,
      '198.51.100.8',
      AT_B,
      '100.64.7.8',
      OWN,
      '203.0.113.8',
      FOREIGN,
      '127.0.0.1',
      '224.0.0.1'
    ]
    await begin()
    const sites: Site[] = [
      site,
      renumbered(site, ISP_A, '198.51.100.8/29', '198.51.100.1'),
      renumbered(site, ISP_B, '100.64.7.0/29', '100.64.7.1')
    ]
    for (let step = 0; step < 40; step++) {
      const name = `n${pick(5)}.example`
      const count = pick(4)
      world.says(name, pick(3) * 20, ...Array.from({ length: count }, () => pool[pick(pool.length)] ?? AT_A))
      world.names.isDead = pick(5) === 0
      if (pick(3) === 0) world.name(`p-${pick(4)}`, { names: [name] }, { allowPartial: pick(2) === 0 })
      if (pick(8) === 0) world.release(`p-${pick(4)}`)
      if (pick(8) === 0) world.client.updateSite({ site: sites[pick(sites.length)] ?? site })
      await world.advance(Seconds(5 + pick(60)))
    }
    expect(world.mitigationRequests().some((text) => text.startsWith('PUT'))).toBe(true)
  })
})

function uri(text: string): NamedTarget['uris'][number] {
  const parsed = parseTargetUri(text, 'test')
  if (!parsed.ok) throw new UnavailableError('TEST', parsed.problem.diagnostic, false)
  return parsed.value
}

function alias(target: Partial<RequestedTarget>): RequestedTarget {
  return { ...targetOf(), names: [], uris: [], ...target }
}

function withAlias(name: string, target: RequestedTarget): Site {
  return { ...site, aliases: [{ name, target }] }
}
