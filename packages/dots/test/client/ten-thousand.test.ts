import { prefix, seededEntropy } from '@breakwater/testing'
import { describe, expect, it } from 'vitest'
import { DomainName, ServerName } from '../../src/domain/identifier.ts'
import type { ProvisioningDomain, Site } from '../../src/domain/site.ts'
import { place } from '../../src/multihoming/placement.ts'
import { compileSite } from '../../src/multihoming/site-plan.ts'
import { addressesOf } from './address-server.ts'
import { MOST_BYTES, RequestWorld as World, randomTarget } from './request-world.ts'

function live(count: number, rounds: number, seed: number): World {
  const world = new World(seed)
  for (let slot = 0; slot < count; slot++) world.change(slot, randomTarget(world.chance))
  world.settle(4)
  for (let round = 0; round < rounds; round++) {
    for (let changes = 0; changes < count / 10; changes++) {
      const isRelease = world.chance.uint32() % 3 === 0
      world.change(world.chance.uint32() % count, isRelease ? undefined : randomTarget(world.chance))
    }
    world.settle(1 + (round % 3))
  }
  for (let round = 0; round < 20 && !world.isIdle; round++) world.settle(4)
  return world
}

describe('thousands of overlapping protections at one server, a tenth of them changed in each round', () => {
  // Another seed is another world; what fails prints its seed.
  it.each([
    { count: 300, rounds: 12, seed: 1 },
    { count: 300, rounds: 12, seed: 2 },
    { count: 1000, rounds: 10, seed: 3 },
    { count: 10_000, rounds: 4, seed: 4 }
  ])(
    'no request of ours removes a target that another live protection needs: $count of seed $seed',
    { timeout: 120_000 },
    ({ count, rounds, seed }) => {
      const world = live(count, rounds, seed)
      expect(world.losses.slice(0, 3)).toEqual([])
      // Else nothing was at risk.
      expect(world.deletions).toBeGreaterThan(20)
      expect(world.largestBytes).toBeLessThanOrEqual(MOST_BYTES)
      for (const { protection, target } of world.live.values())
        expect(
          addressesOf(target).filter((at) => !world.server.protects(at, target)),
          protection
        ).toEqual([])
      const inForce = world.requests.map((request) => request.mitigationId as number)
      expect(new Set(world.server.requests.keys())).toEqual(new Set(inForce))
    }
  )
})

/*
 *   10.0.0.0/16    assigned by a, but for 10.0.64.0/18, which c assigned
 *   10.1.0.0/17    assigned by b
 *   10.1.128.0/17  the site's own: a, b and c
 */
const SITE: Site = {
  domains: [domain('a', '10.0.0.0/16'), domain('b', '10.1.0.0/17'), domain('c', '10.0.64.0/18')],
  providerIndependent: [{ prefix: prefix('10.1.128.0/17') }]
}

function domain(name: string, assigned: string): ProvisioningDomain {
  const server = {
    name: ServerName(name),
    domain: DomainName(name),
    referenceName: name,
    addresses: [],
    port: 4646
  }
  const none = { interfaces: [], sources: [] }
  return { name: DomainName(name), kind: 'access', prefixes: [prefix(assigned)], servers: [server], ...none }
}

/** The same drawing, address by address: 10.0.0.0 is number 0. */
function entitledTo(at: number): string {
  if (at >= 0x1_8000) return 'a b c'
  if (at >= 0x1_0000) return 'b'
  return at >= 0x4000 && at < 0x8000 ? 'c' : 'a'
}

describe('thousands of overlapping protections of a site with several servers', () => {
  it.each([
    { count: 1000, rounds: 8, seed: 5 },
    { count: 10_000, rounds: 3, seed: 6 }
  ])(
    'each server hears of its own addresses only, and none takes away what a live protection needs: $count of seed $seed',
    { timeout: 120_000 },
    ({ count, rounds, seed }) => {
      const plan = compileSite(SITE)
      const chance = seededEntropy(seed)
      const servers = new Map(['a', 'b', 'c'].map((name, index) => [name, new World(100 * seed + index)]))
      const change = (slot: number, isRelease: boolean): void => {
        const target = randomTarget(chance)
        const { assignments } = place(target, plan, { allowPartial: true })
        for (const [name, world] of servers) {
          const own = assignments.filter(({ server }) => server === name).map((each) => each.target)
          const [first] = own
          const prefixes = own.flatMap((each) => each.prefixes)
          world.change(slot, isRelease || first === undefined ? undefined : { ...first, prefixes })
        }
      }
      for (let slot = 0; slot < count; slot++) change(slot, false)
      for (const world of servers.values()) world.settle(4)
      for (let round = 0; round < rounds; round++) {
        for (let changes = 0; changes < count / 10; changes++)
          change(chance.uint32() % count, chance.uint32() % 3 === 0)
        for (const world of servers.values()) world.settle(1 + (round % 3))
      }
      for (const [name, world] of servers) {
        for (let round = 0; round < 20 && !world.isIdle; round++) world.settle(4)
        expect(world.losses.slice(0, 3), name).toEqual([])
        expect(world.deletions, name).toBeGreaterThan(20)
        const heard = [...world.server.requests.values()].flatMap(addressesOf)
        expect(
          heard.filter((at) => !entitledTo(at).includes(name)),
          name
        ).toEqual([])
        for (const { protection, target } of world.live.values())
          expect(
            addressesOf(target).filter((at) => !world.server.protects(at, target)),
            `${protection} at ${name}`
          ).toEqual([])
      }
    }
  )
})
