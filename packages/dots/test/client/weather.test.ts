import { Minutes, Seconds, integerBelow } from '@breakwater/core'
import { seededEntropy } from '@breakwater/testing'
import { describe, expect, it } from 'vitest'
import { TwoProviders, targetOf } from './two-providers.ts'

const TARGETS = [
  ['198.51.100.7/32'],
  ['198.51.100.0/28'],
  ['100.64.7.7/32'],
  ['203.0.113.7/32'],
  ['203.0.113.0/29'],
  ['198.51.100.9/32', '100.64.7.9/32']
] as const

/** What the site should have at each provider when these targets are protected. */
async function storm(world: TwoProviders, seed: number): Promise<ReadonlySet<number>> {
  const chance = seededEntropy(seed)
  const live = new Set<number>()
  for (let round = 0; round < 25; round++) {
    const slot = integerBelow(chance, TARGETS.length)
    if (integerBelow(chance, 3) === 0) {
      world.release(`p${slot}`)
      live.delete(slot)
    } else {
      world.protect(`p${slot}`, targetOf(...TARGETS[slot]!))
      live.add(slot)
    }
    if (integerBelow(chance, 6) === 0) {
      const isp = integerBelow(chance, 2) === 0 ? 'isp-a' : 'isp-b'
      await world.stopServer(isp)
      await world.startServer(isp)
    }
    await world.advance(Seconds(integerBelow(chance, 20)))
  }
  return live
}

describe('in bad weather', () => {
  it.each([1, 2, 3, 4, 5, 6])(
    'nothing reaches a wrong server, and when it clears up all is as wanted (seed %i)',
    { timeout: 60_000 },
    async (seed) => {
      const world = new TwoProviders(seed)
      await world.start()
      for (const name of ['wan-a', 'wan-b'])
        world.siteHost.link(name).change({ loss: 0.3, duplicate: 0.1, reorder: 0.2 })
      const live = await storm(world, seed)
      for (const name of ['wan-a', 'wan-b'])
        world.siteHost.link(name).change({ loss: 0, duplicate: 0, reorder: 0 })
      await world.advance(Minutes(30))
      const states = world.client.status().protections.map((each) => `${each.id} ${each.state}`)
      expect(states.toSorted()).toEqual([...live].map((slot) => `p${slot} protected`).toSorted())
      // Filters of withdrawn mitigations are gone, and every one that is wanted is there.
      const inForce = world.client
        .status()
        .requests.map((request) => `${request.server} ${request.mitigationId}`)
      expect(world.mitigated()).toHaveLength(inForce.length)
      expect(world.wrongServerRequests()).toEqual([])
      await world.close()
    }
  )
})
