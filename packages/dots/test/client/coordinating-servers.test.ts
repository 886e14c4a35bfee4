import { Minutes, Seconds, decodeUtf8 } from '@breakwater/core'
import { SimulatedSharedStore, prefix, simulatedCertificate } from '@breakwater/testing'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import type { ClientPorts } from '../../src/client/host.ts'
import { Notebook } from '../../src/client/memory/notebook.ts'
import { parseCuid } from '../../src/domain/identifier.ts'
import type { Site } from '../../src/domain/site.ts'
import { ISP_A, ISP_B, TestStore, TwoProviders, site, targetOf } from './two-providers.ts'

//      dots of isp-a ---- store, device ---- dots of isp-b        RFC 9284 §5.4: one provider, a server for
//            |                                    |               each attachment; they share what they know
//            +------------- [ site ] -------------+

type Attachments = 'one' | 'all'

const SERVERS = ['isp-a', 'isp-b'] as const
const NAME = 'site.isp.example'

let world: TwoProviders
let place: SimulatedSharedStore
let stores: { close(): Promise<void> }[]

beforeEach(() => {
  world = new TwoProviders()
  place = new SimulatedSharedStore(() => world.clock.now())
  stores = []
})

afterEach(async () => {
  await world.close()
  for (const store of stores) await store.close()
})

function siteOf(attachments: Attachments): Site {
  const provider = { name: 'isp', domains: [ISP_A, ISP_B], attachments, serversCoordinate: true } as const
  return { ...site, providers: [provider] }
}

/** One client to both, as it would be by its configuration. */
function portsFor(attachments: Attachments): Partial<ClientPorts> {
  const cuid = parseCuid('dz6pHjaADkaFTbjr0JGBpw')!
  const credentials = SERVERS.map((isp) =>
    simulatedCertificate({ authority: `${isp} authority`, subject: NAME, dnsNames: [NAME] })
  )
  return {
    site: siteOf(attachments),
    cuids: new Map([ISP_A, ISP_B].map((domain) => [domain, cuid])),
    credentials: new Map([ISP_A, ISP_B].map((domain, index) => [domain, credentials[index]!]))
  }
}

async function startServers(): Promise<void> {
  for (const isp of SERVERS) {
    const store = place.open()
    stores.push(store)
    await world.startServer(isp, {
      store,
      sharing: store,
      mitigator: world.providers['isp-a'].mitigator,
      domains: [
        {
          name: 'site',
          dnsNames: [NAME],
          pskIdentities: [],
          prefixes: [prefix('198.51.100.0/24'), prefix('100.64.7.0/24'), prefix('203.0.113.0/24')]
        }
      ]
    })
  }
}

async function start(attachments: Attachments, ports: Partial<ClientPorts> = {}): Promise<void> {
  await startServers()
  world.startClient({ ...portsFor(attachments), ...ports })
  await world.advance(Seconds(3))
  expect(world.client.status().sessions.map(({ state }) => state)).toEqual(['established', 'established'])
}

/** `isp-a PUT 5` for each request about a mitigation that went out since then, once however often it went. */
function asked(since = 0): string[] {
  const found = world.sent.slice(since).filter(({ mitigationId }) => mitigationId !== undefined)
  const puts = found.filter(({ method }) => method === 'PUT' || method === 'DELETE')
  return [...new Set(puts.map((each) => `${world.ispAt(each)} ${each.method} ${each.mitigationId}`))]
}

/** The ids of what stands at each server, as the server says. */
function standing(): number[][] {
  return SERVERS.map((isp) =>
    world.providers[isp]
      .server!.mitigations()
      .flatMap(({ mitigationId, state }) => (state === 'terminating' ? [] : [mitigationId]))
  )
}

function cut(isp: 'isp-a' | 'isp-b'): void {
  world.siteHost.link(isp === 'isp-a' ? 'wan-a' : 'wan-b').cut()
}

const plans = (): number => world.providers['isp-a'].mitigator.plans.size

describe('all attachments of a provider whose servers coordinate', () => {
  it('are asked for one target by one id, and the provider has one mitigation of it', async () => {
    await start('all')
    world.protect('web', targetOf('203.0.113.7/32'))
    world.protect('mail', targetOf('203.0.113.8/32'))
    await world.advance(Seconds(3))
    expect([world.state('web'), world.state('mail')]).toEqual(['protected', 'protected'])
    const [web, mail] = standing()[0]!
    expect(standing()).toEqual([
      [web, mail],
      [web, mail]
    ])
    expect(asked().toSorted()).toEqual(SERVERS.flatMap((isp) => [`${isp} PUT ${web}`, `${isp} PUT ${mail}`]))
    expect(plans()).toBe(2)
  })

  it('keep it in force for hours, refreshed by either', async () => {
    await start('all')
    world.protect('web', targetOf('203.0.113.7/32'))
    await world.advance(Minutes(200))
    expect(world.state('web')).toBe('protected')
    expect(new Set(asked()).size).toBe(2)
    expect(plans()).toBe(1)
  })

  it('end it together, and neither is asked for it anew', async () => {
    await start('all')
    world.protect('web', targetOf('203.0.113.7/32'))
    await world.advance(Seconds(3))
    const [id] = standing()[0]!
    const since = world.sent.length
    const events = world.events.length
    world.release('web')
    await world.advance(Seconds(5))
    // Whoever answers first has ended it at both: the other need not hear of it any more.
    expect(new Set(asked(since).map((each) => each.slice(6)))).toEqual(new Set([`DELETE ${id}`]))
    expect(standing()).toEqual([[], []])
    expect(world.client.status().requests).toEqual([])
    const told = asked(since).length
    await world.advance(Minutes(10))
    expect(asked(since)).toHaveLength(told)
    expect(plans()).toBe(0)
    expect(world.events.slice(events).map(({ kind }) => kind)).not.toContain('protection-lost')
  })

  it.each([
    ['is silent', Seconds(5)],
    ['is lost', Minutes(12)]
  ])('end it by the link that is left when the other one %s', async (_, since) => {
    for (const isp of SERVERS) {
      await start('all')
      world.protect('web', targetOf('203.0.113.7/32'))
      await world.advance(Seconds(3))
      cut(isp)
      await world.advance(since)
      world.release('web')
      await world.advance(Seconds(5))
      expect(standing()).toEqual([[], []])
      expect(world.client.status().requests).toEqual([])
      await world.advance(Minutes(5))
      expect(plans()).toBe(0)
      world.siteHost.link(isp === 'isp-a' ? 'wan-a' : 'wan-b').mend()
      await world.client.close()
      for (const each of SERVERS) await world.stopServer(each)
      await world.advance(Seconds(5))
    }
  })

  it('end it at both when the session that it was asked by ends while it is being withdrawn', async () => {
    await start('one')
    world.protect('web', targetOf('203.0.113.7/32'))
    await world.advance(Seconds(3))
    cut('isp-a')
    cut('isp-b')
    world.release('web')
    await world.advance(Minutes(12))
    expect(plans()).toBe(1)
    world.siteHost.link('wan-b').mend()
    await world.advance(Minutes(8))
    expect(plans()).toBe(0)
    expect(world.client.status().requests).toEqual([])
  })

  it('replace what they protect by one new id', async () => {
    await start('all')
    world.protect('web', targetOf('203.0.113.7/32'))
    await world.advance(Seconds(3))
    world.protect('more', targetOf('203.0.113.0/28'))
    await world.advance(Seconds(3))
    const [one, other] = standing()
    expect(one).toHaveLength(1)
    expect(other).toEqual(one)
    expect([world.state('web'), world.state('more')]).toEqual(['protected', 'protected'])
  })

  it('go on by the same ids in another life of the client, and new ones are higher', async () => {
    const disk = new TestStore()
    const life = (): Notebook => {
      const notebook = new Notebook(disk, world.clock, {
        onDamaged: (_, key) => expect.fail(`damaged ${key}`),
        onFailure: (reason) => expect.fail(reason)
      })
      stores.push(notebook)
      return notebook
    }
    await start('all', { notebook: life() })
    const web = world.protect('web', targetOf('203.0.113.7/32'))
    await world.advance(Seconds(3))
    const [id] = standing()[0]!
    // Whichever of the two may be left after a change of the site.
    const numberings = SERVERS.map((isp) => decodeUtf8(disk.records.get(`numberings\n${isp}`)!))
    expect(numberings[1]).toBe(numberings[0])
    world.siteHost.crash()
    await world.client.close()
    await world.advance(Seconds(1))
    const protections = [
      { id: web.id, target: targetOf('203.0.113.7/32'), lifetime: 3600, allowPartial: false, require: 'all' }
    ] as const
    world.startClient({ ...portsFor('all'), notebook: life(), protections })
    await world.advance(Minutes(2))
    world.protect('mail', targetOf('203.0.113.8/32'))
    await world.advance(Seconds(3))
    const [first, second] = standing()[0]!
    expect(first).toBe(id)
    expect(second).toBeGreaterThan(id! + 500)
    expect(standing()[1]).toEqual([first, second])
  })
})

describe('one attachment of a provider whose servers coordinate', () => {
  it('moves what is in force under its id, as a refresh, and nothing of it is withdrawn', async () => {
    await start('one')
    world.protect('web', targetOf('203.0.113.7/32'))
    await world.advance(Seconds(3))
    const [id] = standing()[0]!
    expect(asked()).toEqual([`isp-a PUT ${id}`])
    cut('isp-a')
    await world.advance(Minutes(8))
    expect(asked()).toEqual([`isp-a PUT ${id}`, `isp-b PUT ${id}`])
    expect(world.state('web')).toBe('protected')
    expect(plans()).toBe(1)
    world.siteHost.link('wan-a').mend()
    await world.advance(Minutes(200))
    expect(asked().filter((each) => each.includes('DELETE'))).toEqual([])
    expect(world.state('web')).toBe('protected')
    expect(standing()).toEqual([[id], [id]])
    world.release('web')
    await world.advance(Minutes(5))
    expect(plans()).toBe(0)
    expect(world.client.status().requests).toEqual([])
  })
})
