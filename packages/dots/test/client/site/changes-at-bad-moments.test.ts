import { Milliseconds, Minutes, Seconds, WallTime } from '@breakwater/core'
import { describe, expect, it } from 'vitest'
import { ProtectionId } from '../../../src/domain/identifier.ts'
import type { ProvisioningDomain, Site } from '../../../src/domain/site.ts'
import { domain, ip, net, server, target } from '../../multihoming/sites.ts'
import { PlayedSite } from './played-site.ts'

/*
 *   isp-a 192.0.2.1   isp-b 192.0.2.2        a prefix changes hands at a moment
 *             wan-a |   | wan-b              that is the worst for it
 *                  [ site ]
 */
function provider(
  name: string,
  end: number,
  prefixes: readonly string[],
  more: Partial<ProvisioningDomain['servers'][number]> = {}
): ProvisioningDomain {
  return domain(name, {
    prefixes,
    sources: [`192.0.2.${100 + end}`],
    interfaces: [`wan-${end}`],
    servers: [{ ...server(name, `192.0.2.${end}`), transports: ['udp'], ...more }]
  })
}

function siteOf(a: readonly string[], b: readonly string[]): Site {
  return {
    domains: [provider('isp-a', 1, a), provider('isp-b', 2, b)],
    providerIndependent: [{ prefix: net('203.0.113.0/28') }]
  }
}

/** Servers that are the default routers: none has an address in the configuration. */
function routerSiteOf(a: readonly string[], b: readonly string[]): Site {
  const router = { addresses: [], isDefaultRouter: true } as const
  return {
    domains: [provider('isp-a', 1, a, router), provider('isp-b', 2, b, router)],
    providerIndependent: []
  }
}

const LEFT = '198.51.100.0/28'
const RIGHT = '198.51.100.16/28'
const HOST = target('198.51.100.7/32')
const NEIGHBOUR = target('198.51.100.23/32')

function protectedAt(site: Site): PlayedSite {
  const world = new PlayedSite(site)
  world.pass(Minutes(2))
  world.protect('both', target('198.51.100.7/32', '198.51.100.23/32'))
  world.pass(Seconds(1))
  expect(world.mitigated()).toEqual(['isp-a: 198.51.100.7/32', 'isp-a: 198.51.100.23/32'])
  return world
}

/** The one part has moved, and the other has not. */
function expectMoved(world: PlayedSite): void {
  expect(world.mitigated().toSorted()).toEqual(['isp-a: 198.51.100.23/32', 'isp-b: 198.51.100.7/32'])
  expect(world.state('both')).toBe('protected')
  expect(world.wrong).toEqual([])
}

function sessionState(world: PlayedSite, name: string): string | undefined {
  return world.client.status(world.now).sessions.find((each) => each.server === name)?.state
}

/** The session with isp-a is silent during an attack: requests may reach it, answers do not. */
function silentAtA(): PlayedSite {
  const world = protectedAt(siteOf([LEFT, RIGHT], []))
  world.mute.add('isp-a')
  world.pass(Minutes(10))
  expect(sessionState(world, 'isp-a')).toBe('silent')
  return world
}

describe('a site that changes while a link is saturated', () => {
  it('asks the new server at once, and tells the old one when it hears again', () => {
    const world = silentAtA()
    world.change(siteOf([RIGHT], [LEFT]))
    world.pass(Seconds(1))
    expect(world.covers('isp-b', HOST)).toBe(true)
    expect(world.covers('isp-a', NEIGHBOUR)).toBe(true)
    world.mute.clear()
    world.pass(Minutes(6))
    expectMoved(world)
  })

  it('closes the silent session at once when its source is another provider’s now', () => {
    const world = silentAtA()
    world.change(siteOf([RIGHT], [LEFT, '192.0.2.101/32']))
    world.pass(Seconds(1))
    expect(world.open.filter((name) => name === 'isp-a')).toEqual([])
    world.mute.clear()
    world.pass(Minutes(6))
    expect(world.covers('isp-b', HOST)).toBe(true)
    expect(world.wrong).toEqual([])
  })
})

describe('a site that changes whose servers are its default routers', () => {
  it('goes on with their sessions, and a prefix moves without a gap', () => {
    const world = new PlayedSite(routerSiteOf([LEFT, RIGHT], []))
    const routers = [1, 2].map((end) => ({ interface: `wan-${end}`, address: ip(`192.0.2.${end}`) }))
    world.feed({ kind: 'routers', routers })
    world.pass(Minutes(2))
    world.protect('both', target('198.51.100.7/32', '198.51.100.23/32'))
    world.pass(Seconds(1))
    world.connects.length = 0
    world.change(routerSiteOf([RIGHT], [LEFT]))
    world.feed({ kind: 'routers', routers })
    for (let step = 0; step < 200; step++) {
      world.pass(Milliseconds(5))
      expect(world.covers('isp-a', HOST) || world.covers('isp-b', HOST)).toBe(true)
      expect(world.covers('isp-a', NEIGHBOUR)).toBe(true)
    }
    expect(world.connects).toEqual([])
    expectMoved(world)
  })

  it('asks nobody in its place when a router is gone', () => {
    const world = new PlayedSite(routerSiteOf([LEFT], [RIGHT]))
    world.feed({ kind: 'routers', routers: [{ interface: 'wan-2', address: ip('192.0.2.2') }] })
    world.protect('left', HOST)
    world.pass(Minutes(2))
    world.change(routerSiteOf([LEFT, RIGHT], []))
    world.pass(Minutes(2))
    expect(world.client.protection(ProtectionId('left'))).toMatchObject({ state: 'waiting', alarm: true })
    expect(world.told).toEqual([])
    expect(sessionState(world, 'isp-a')).toBe('no-path')
  })
})

describe('a site that changes around a step of the clock', () => {
  const YEAR = 365 * 86_400_000

  it.each([-YEAR, YEAR])('of %i ms: ids go on growing, and nothing is without protection', (step) => {
    const world = protectedAt(siteOf([LEFT, RIGHT], []))
    const before = Math.max(...world.told.map(({ mid }) => mid))
    world.told.length = 0
    world.feed({ kind: 'clock', wallClock: WallTime(1_767_225_600_000 + world.now + step) })
    world.change(siteOf([RIGHT], [LEFT]))
    world.feed({ kind: 'clock', wallClock: WallTime(1_767_225_600_000 + world.now) })
    for (let passed = 0; passed < 200; passed++) {
      world.pass(Milliseconds(5))
      expect(world.covers('isp-a', NEIGHBOUR)).toBe(true)
    }
    const atA = world.told.filter((each) => each.server === 'isp-a' && each.method === 'PUT')
    expect(Math.min(...atA.map(({ mid }) => mid))).toBeGreaterThan(before)
    expectMoved(world)
  })
})

describe('a client that is killed between a change of its site and the withdrawals', () => {
  it.each([0, 10, 25, 30, 45, 65, 85, 200])('after %i ms leaves nothing behind', (milliseconds) => {
    const world = protectedAt(siteOf([LEFT, RIGHT], []))
    world.change(siteOf([RIGHT], [LEFT]))
    world.pass(Milliseconds(milliseconds))
    world.restart()
    for (let passed = 0; passed < 400; passed++) {
      world.pass(Milliseconds(10))
      expect(world.covers('isp-a', HOST) || world.covers('isp-b', HOST)).toBe(true)
      expect(world.covers('isp-a', NEIGHBOUR)).toBe(true)
    }
    world.pass(Minutes(2))
    expectMoved(world)
  })
})
