import { Minutes, Seconds, integerBelow } from '@breakwater/core'
import type { Entropy } from '@breakwater/core'
import { prefix, seededEntropy } from '@breakwater/testing'
import { describe, expect, it } from 'vitest'
import { TwoProviders, targetOf } from './two-providers.ts'

/** They overlap: what one protection lets go of, another may need. */
const TARGETS = [
  ['203.0.113.7/32'],
  ['203.0.113.0/29', '203.0.113.64/32'],
  ['203.0.113.4/30'],
  ['203.0.113.64/28', '198.51.100.7/32'],
  ['203.0.113.128/25', '203.0.113.1/32']
] as const

const POLICIES = ['all', 'serial', 'divide'] as const
const ISPS = ['isp-a', 'isp-b'] as const

function oneOf<Item>(chance: Entropy, items: readonly Item[]): Item {
  return items[integerBelow(chance, items.length)]!
}

/** What happens to one provider: its link is dead for a while, or it forgets the site's own prefix for a while. */
async function trouble(world: TwoProviders, chance: Entropy): Promise<void> {
  const isp = oneOf(chance, ISPS)
  if (integerBelow(chance, 2) === 0) {
    const link = world.siteHost.link(isp === 'isp-a' ? 'wan-a' : 'wan-b')
    link.cut()
    await watched(world, integerBelow(chance, 600))
    link.mend()
    return
  }
  const prefixes = [prefix(isp === 'isp-a' ? '198.51.100.0/24' : '100.64.7.0/24')]
  const domains = [{ name: 'site', dnsNames: [`site.${isp}.example`], pskIdentities: [], prefixes }]
  await world.stopServer(isp)
  await world.startServer(isp, { domains })
  await watched(world, integerBelow(chance, 600))
  await world.stopServer(isp)
  await world.startServer(isp)
}

/** Lets time pass; at no moment is a protection silent: it is whole, or says what it lacks, and somebody is asked. */
async function watched(world: TwoProviders, seconds: number): Promise<void> {
  for (let passed = 0; passed <= seconds; passed += 10) {
    await world.advance(Seconds(10))
    for (const { id, state, missing, servers } of world.client.status().protections) {
      if (state === 'ending') continue
      expect([id, state, state === 'protected' || missing.length > 0]).toEqual([id, state, true])
      expect([id, servers.length > 0]).toEqual([id, true])
    }
  }
}

describe('servers that have their turn, in bad weather', () => {
  it.each([1, 2, 3, 6])(
    'are never asked in silence, protect all when it clears up, and keep nothing of what was released (seed %i)',
    { timeout: 60_000 },
    async (seed) => {
      const world = new TwoProviders(seed)
      await world.start()
      const chance = seededEntropy(seed)
      const live = new Set<string>()
      for (let round = 0; round < 12; round++) {
        const slot = integerBelow(chance, TARGETS.length)
        if (integerBelow(chance, 4) === 0) {
          world.release(`p${slot}`)
          live.delete(`p${slot}`)
        } else {
          world.protect(`p${slot}`, targetOf(...TARGETS[slot]!), { policy: oneOf(chance, POLICIES) })
          live.add(`p${slot}`)
        }
        await watched(world, integerBelow(chance, 20))
        if (integerBelow(chance, 2) === 0) await trouble(world, chance)
      }
      await world.advance(Minutes(30))
      const standing = world.client.status().protections
      expect(standing.map(({ id }) => id as string).toSorted()).toEqual([...live].toSorted())
      // Who asks all asks nobody twice: what was refused once stays so. Others have found somebody.
      for (const { id, policy, state } of standing)
        if (policy !== 'all') expect([id, policy, state]).toEqual([id, policy, 'protected'])
      const inForce = world.client.status().requests.filter(({ state }) => state === 'in-force')
      expect(world.mitigated()).toHaveLength(inForce.length)
      for (const id of live) world.release(id)
      await world.advance(Minutes(10))
      expect(world.client.status().requests).toEqual([])
      expect(world.client.status().protections).toEqual([])
      expect(world.mitigated()).toEqual([])
      expect(world.wrongServerRequests()).toEqual([])
      await world.close()
    }
  )
})
