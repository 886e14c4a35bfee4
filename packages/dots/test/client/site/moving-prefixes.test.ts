import { Milliseconds, Minutes, Seconds } from '@breakwater/core'
import type { Duration } from '@breakwater/core'
import { describe, expect, it } from 'vitest'
import type { ProvisioningDomain, Site } from '../../../src/domain/site.ts'
import { ProtectionId } from '../../../src/domain/identifier.ts'
import type { ProtectionRequest } from '../../../src/client/protection.ts'
import { domain, net, server, target } from '../../multihoming/sites.ts'
import { PlayedSite } from './played-site.ts'

/*
 *   isp-a 192.0.2.1   isp-b 192.0.2.2        prefixes change hands
 *             wan-a |   | wan-b
 *                  [ site ]  PI 203.0.113.0/28
 */
function provider(name: string, end: number, prefixes: readonly string[]): ProvisioningDomain {
  return domain(name, {
    prefixes,
    sources: [`192.0.2.${100 + end}`],
    interfaces: [`wan-${end}`],
    servers: [{ ...server(name, `192.0.2.${end}`), transports: ['udp'] }]
  })
}

function siteOf(a: readonly string[] | undefined, b: readonly string[] | undefined): Site {
  return {
    domains: [
      ...(a === undefined ? [] : [provider('isp-a', 1, a)]),
      ...(b === undefined ? [] : [provider('isp-b', 2, b)])
    ],
    providerIndependent: [{ prefix: net('203.0.113.0/28') }]
  }
}

function threeProviders(a: readonly string[], b: readonly string[], c: readonly string[]): Site {
  const site = siteOf(a, b)
  return { ...site, domains: [...site.domains, provider('isp-c', 3, c)] }
}

const OLD = '198.51.100.0/28'
const NEW = '198.51.100.16/28'

function start(site: Site): PlayedSite {
  const world = new PlayedSite(site)
  world.pass(Minutes(2))
  return world
}

/** Passes time in small steps and looks at each. */
function watch(world: PlayedSite, duration: Duration, look: () => void): void {
  for (let passed = 0; passed < duration; passed += 5) {
    world.pass(Milliseconds(5))
    look()
  }
}

/** `PUT isp-b 3`: methods, servers and the last digit of the first prefix, copies left out. */
function told(world: PlayedSite): string[] {
  const texts = world.told
    .filter(({ method }) => method !== 'GET')
    .map(({ method, server: name, mid, prefixes }) => {
      const [first] = prefixes
      const host = first?.address.family === 4 ? ` .${first.address.a & 0xff}` : ''
      return { key: `${method} ${name} ${mid}`, text: `${method} ${name}${host}` }
    })
  return [...new Map(texts.map(({ key, text }) => [key, text])).values()]
}

describe('a prefix that moves from one provider to another during an attack', () => {
  it('is protected at every moment, at the old one until it is at the new one, and never asked for at a wrong one', () => {
    const world = start(siteOf([OLD], [NEW]))
    const host = target('198.51.100.7/32')
    world.protect('web', host)
    world.pass(Seconds(1))
    world.told.length = 0
    world.change(siteOf([], [OLD, NEW]))
    watch(world, Seconds(2), () => {
      expect(world.covers('isp-a', host) || world.covers('isp-b', host)).toBe(true)
    })
    expect(told(world)).toEqual(['PUT isp-b .7', 'DELETE isp-a'])
    expect(world.mitigated()).toEqual(['isp-b: 198.51.100.7/32'])
    expect(world.state('web')).toBe('protected')
    expect(world.wrong).toEqual([])
  })

  it('is let go by the old one after half a minute where the new one does not answer', () => {
    const world = start(siteOf([OLD], [NEW]))
    const host = target('198.51.100.7/32')
    world.protect('web', host)
    world.pass(Seconds(1))
    world.mute.add('isp-b')
    world.change(siteOf([], [OLD, NEW]))
    world.pass(Seconds(29))
    expect(world.covers('isp-a', host)).toBe(true)
    world.pass(Seconds(2))
    expect(world.covers('isp-a', host)).toBe(false)
    expect(world.wrong).toEqual([])
  })

  it('stays at the old one for that long, also where something else moves to a provider that answers meanwhile', () => {
    const other = '198.51.100.32/28'
    const world = start(threeProviders([OLD, other], [NEW], []))
    const [host, second] = [target('198.51.100.7/32'), target('198.51.100.39/32')]
    world.protect('web', host)
    world.protect('db', second)
    world.pass(Seconds(1))
    world.mute.add('isp-b')
    world.change(threeProviders([other], [OLD, NEW], []))
    world.pass(Seconds(5))
    world.change(threeProviders([], [OLD, NEW], [other]))
    world.pass(Seconds(20))
    expect(world.covers('isp-c', second)).toBe(true)
    expect(world.covers('isp-a', host)).toBe(true)
    world.pass(Seconds(12))
    expect(world.covers('isp-a', host)).toBe(false)
    expect(world.wrong).toEqual([])
  })

  it('comes back before that, and nothing has happened', () => {
    const world = start(siteOf([OLD], [NEW]))
    world.protect('web', target('198.51.100.7/32'))
    world.pass(Seconds(1))
    world.mute.add('isp-b')
    world.told.length = 0
    world.change(siteOf([], [OLD, NEW]))
    world.pass(Seconds(5))
    world.change(siteOf([OLD], [NEW]))
    world.mute.clear()
    world.pass(Seconds(10))
    expect(told(world).filter((text) => text.includes('isp-a'))).toEqual([])
    expect(world.mitigated()).toEqual(['isp-a: 198.51.100.7/32'])
    expect(world.wrong).toEqual([])
  })

  it('is not refreshed where it was, though the request that takes its place there has no answer', () => {
    const world = start(siteOf([OLD, NEW], []))
    world.protect('both', target('198.51.100.7/32', '198.51.100.23/32'), { lifetime: 600 })
    world.pass(Seconds(1))
    world.mute.add('isp-a')
    world.change(siteOf([NEW], [OLD]))
    world.pass(Minutes(20))
    world.mute.clear()
    world.pass(Minutes(10))
    expect(world.wrong).toEqual([])
    expect(world.state('both')).toBe('protected')
    expect(world.mitigated().toSorted()).toEqual(['isp-a: 198.51.100.23/32', 'isp-b: 198.51.100.7/32'])
  })
})

/** One request at isp-a for both, of which the one is to move to isp-b. */
function startWithBoth(more: Partial<ProtectionRequest> = {}): PlayedSite {
  const world = start(siteOf([OLD, NEW], []))
  world.protect('both', target('198.51.100.7/32', '198.51.100.23/32'), more)
  world.pass(Seconds(1))
  expect(world.standing.get('isp-a')?.size).toBe(1)
  world.told.length = 0
  return world
}

describe('a prefix that moves out of a request that names what stays, too', () => {
  const moving = target('198.51.100.7/32')
  const staying = target('198.51.100.23/32')

  it('is in force at the new one before the old one is asked for the rest', () => {
    const world = startWithBoth()
    const look = (): void => {
      expect(world.covers('isp-a', moving) || world.covers('isp-b', moving)).toBe(true)
      expect(world.covers('isp-a', staying)).toBe(true)
    }
    world.mute.add('isp-b')
    world.change(siteOf([NEW], [OLD]))
    watch(world, Seconds(5), look)
    world.mute.clear()
    watch(world, Seconds(5), look)
    expect(told(world)).toEqual(['PUT isp-b .7', 'PUT isp-a .23'])
    expect(world.mitigated().toSorted()).toEqual(['isp-a: 198.51.100.23/32', 'isp-b: 198.51.100.7/32'])
    expect(world.state('both')).toBe('protected')
    expect(world.wrong).toEqual([])
  })

  it('is let go after half a minute where the new one does not answer, and the rest has no gap', () => {
    const world = startWithBoth()
    world.mute.add('isp-b')
    world.change(siteOf([NEW], [OLD]))
    watch(world, Seconds(29), () => {
      expect(world.covers('isp-a', target('198.51.100.7/32', '198.51.100.23/32'))).toBe(true)
    })
    expect(world.state('both')).toBe('partly-protected')
    watch(world, Seconds(3), () => {
      expect(world.covers('isp-a', staying)).toBe(true)
    })
    expect(told(world).filter((text) => text.includes('isp-a'))).toEqual(['PUT isp-a .23'])
    expect(world.mitigated()).toEqual(['isp-a: 198.51.100.23/32'])
    expect(world.wrong).toEqual([])
  })

  it('stays meanwhile whatever else is asked of the old one, unless that touches the same request', () => {
    const world = startWithBoth()
    world.mute.add('isp-b')
    world.change(siteOf([NEW], [OLD]))
    world.protect('other', target('198.51.100.25/32'))
    world.pass(Seconds(2))
    expect(world.covers('isp-a', target('198.51.100.7/32', '198.51.100.23/32', '198.51.100.25/32'))).toBe(
      true
    )
    world.release('other')
    world.pass(Seconds(2))
    expect(told(world).filter((text) => text.includes('isp-a'))).toEqual(['PUT isp-a .25', 'DELETE isp-a'])
    world.protect('wide', target('198.51.100.16/28'))
    world.pass(Seconds(2))
    expect(world.mitigated()).toEqual(['isp-a: 198.51.100.16/28'])
    expect(world.wrong).toEqual([])
  })

  it('ends when it is released meanwhile, though the request goes on for somebody else', () => {
    const world = startWithBoth()
    world.protect('also', target('198.51.100.7/32', '198.51.100.23/32'))
    world.mute.add('isp-b')
    world.change(siteOf([NEW], [OLD]))
    world.pass(Seconds(2))
    world.release('also')
    world.pass(Seconds(2))
    world.mute.clear()
    world.change(siteOf([OLD, NEW], []))
    world.pass(Minutes(10))
    expect(world.state('also')).toBe(undefined)
    expect(world.state('both')).toBe('protected')
    expect(world.wrong).toEqual([])
  })

  it('makes room when the old one would have to be asked again, and is not named to it', () => {
    // Refreshed after 60 to 70 % of 60 s: in the time in which what has moved is held.
    const world = startWithBoth({ lifetime: 60 })
    world.pass(Seconds(20))
    world.mute.add('isp-b')
    world.change(siteOf([NEW], [OLD]))
    watch(world, Minutes(2), () => {
      expect(world.covers('isp-a', staying)).toBe(true)
    })
    expect(world.wrong).toEqual([])
  })

  it('comes back, and nothing has happened', () => {
    const world = startWithBoth({ lifetime: 600 })
    world.mute.add('isp-b')
    world.change(siteOf([NEW], [OLD]))
    world.pass(Seconds(5))
    world.change(siteOf([OLD, NEW], []))
    world.pass(Minutes(30))
    expect(world.mitigated()).toEqual(['isp-a: 198.51.100.7/32', 'isp-a: 198.51.100.23/32'])
    expect(told(world).filter((text) => text.includes('isp-a'))).toEqual(['PUT isp-a .7'])
    expect(world.wrong).toEqual([])
  })

  it('makes room at once when the old one has lost the request', () => {
    const world = startWithBoth()
    world.mute.add('isp-b')
    world.change(siteOf([NEW], [OLD]))
    world.standing.get('isp-a')?.clear()
    world.lose('isp-a')
    world.pass(Seconds(25))
    expect(world.mitigated()).toEqual([])
    world.pass(Minutes(2))
    expect(world.mitigated()).toEqual(['isp-a: 198.51.100.23/32'])
    expect(world.wrong).toEqual([])
  })

  it('is not named in an update about the attack either', () => {
    const world = startWithBoth()
    world.mute.add('isp-b')
    world.feed({ kind: 'efficacy', id: ProtectionId('both'), attackStatus: 'under-attack' })
    world.change(siteOf([NEW], [OLD]))
    world.feed({ kind: 'efficacy', id: ProtectionId('both'), attackStatus: 'mitigated' })
    world.pass(Minutes(1))
    expect(world.wrong).toEqual([])
  })
})

describe('a renumbering with live protections', () => {
  it('tells the server the difference only, attacked targets first, new before old', () => {
    const world = start(siteOf([OLD], undefined))
    for (const end of [1, 2, 3, 4]) {
      const prefixes = [`198.51.100.${end}/32`, `198.51.100.${16 + end}/32`]
      world.protect(`p${end}`, target(...prefixes), { allowPartial: true })
      world.pass(Seconds(1))
    }
    world.protect('own', target('203.0.113.7/32'))
    world.feed({ kind: 'efficacy', id: ProtectionId('p3'), attackStatus: 'under-attack' })
    for (const end of [1, 2, 4, 5])
      world.feed({ kind: 'efficacy', id: ProtectionId(`p${end}`), attackStatus: 'mitigated' })
    world.pass(Seconds(2))
    world.told.length = 0
    world.change(siteOf([NEW], undefined))
    world.pass(Seconds(2))
    const words = told(world)
    expect(words.slice(0, 4)).toEqual(['PUT isp-a .19', 'PUT isp-a .17', 'PUT isp-a .18', 'PUT isp-a .20'])
    expect(words.slice(4)).toEqual(Array.from({ length: 4 }, () => 'DELETE isp-a'))
    expect(world.mitigated()).toContain('isp-a: 203.0.113.7/32')
    expect(world.wrong).toEqual([])
  })
})

describe('a prefix that expires during an attack', () => {
  it('leaves its protection refused and alarming, and nobody else is asked; when it is back, so is the protection', () => {
    const world = start(siteOf([OLD], [NEW]))
    world.protect('web', target('198.51.100.7/32'))
    world.pass(Seconds(1))
    world.told.length = 0
    world.change(siteOf([], [NEW]))
    world.pass(Minutes(1))
    expect(told(world)).toEqual(['DELETE isp-a'])
    expect(world.client.protection(ProtectionId('web'))).toMatchObject({ state: 'refused', alarm: true })
    world.change(siteOf([OLD], [NEW]))
    world.pass(Seconds(1))
    expect(world.state('web')).toBe('protected')
    expect(world.wrong).toEqual([])
  })
})

describe('a provider that flaps a thousand times', () => {
  it('leaves the state of none: the same targets at the same servers, one session each, no more timers', () => {
    const full = siteOf([OLD], [NEW])
    const world = start(full)
    world.protect('a', target('198.51.100.7/32'))
    world.protect('b', target('198.51.100.23/32'))
    world.protect('own', target('203.0.113.7/32'))
    world.pass(Seconds(2))
    const before = { mitigated: world.mitigated().toSorted(), open: world.open.toSorted() }
    world.connects.length = 0
    for (let flap = 0; flap < 1000; flap++) {
      world.change(siteOf([OLD], undefined))
      world.pass(Milliseconds(97 * (flap % 13)))
      world.change(full)
      world.pass(Milliseconds(83 * (flap % 17)))
    }
    world.pass(Minutes(6))
    expect(world.mitigated().toSorted()).toEqual(before.mitigated)
    expect(world.open.toSorted()).toEqual(before.open)
    expect(world.connects).toEqual([])
    expect(['a', 'b', 'own'].map((id) => world.state(id))).toEqual(['protected', 'protected', 'protected'])
    expect(world.client.status(world.now).requests).toHaveLength(4)
    expect(world.wrong).toEqual([])
  })

  it('slowly, so that it is let go every time, gets no handshake within a minute of the last one', () => {
    const full = siteOf([OLD], [NEW])
    const world = start(full)
    world.connects.length = 0
    for (let flap = 0; flap < 20; flap++) {
      world.change(siteOf([OLD], undefined))
      world.pass(Seconds(61))
      world.change(full)
      world.pass(Seconds(1))
    }
    expect(world.connects).toHaveLength(20)
    expect(world.open).toHaveLength(2)
  })
})
