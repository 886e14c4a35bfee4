import { Seconds } from '@breakwater/core'
import { describe, expect, it } from 'vitest'
import { ownPrefixes } from './addressing.ts'
import { campaign, whatNotices } from './campaign.ts'
import { CANARIES } from './canary.ts'
import { PROVIDERS } from './providers-family.ts'
import { layoutOf } from './providers-layout.ts'
import { randomScenario } from './random-scenario.ts'
import { runWorld } from './run-world.ts'
import { LINK_FAULTS, PROVIDER_FAULTS, SITE_FAULTS } from './scenario.ts'
import { shrink } from './shrink.ts'
import { World } from './world/world.ts'

/** Others are `npm run sim -- --from N`; these are the same for everybody. */
const SEEDS = Array.from({ length: 200 }, (_, index) => index + 1)

describe('random worlds', { timeout: 400_000 }, () => {
  it('keep every invariant through storm, healing, calm and end', async () => {
    const report = await campaign(PROVIDERS, SEEDS, { elapsed: () => 0, processor: () => 0 })
    expect(report.violations).toEqual([])
    expect(Object.keys(report.faults).toSorted()).toEqual(
      [...LINK_FAULTS, ...PROVIDER_FAULTS, ...SITE_FAULTS, 'provider-vanishes', 'renumbering'].toSorted()
    )
    expect(report.virtualSeconds).toBeGreaterThan(400_000)
  })

  it('are the same whenever their seed is run', async () => {
    const { digest, events } = await runWorld(PROVIDERS, randomScenario(3))
    expect(events).toBeGreaterThan(1000)
    await runWorld(PROVIDERS, randomScenario(4))
    expect(await runWorld(PROVIDERS, randomScenario(3))).toMatchObject({ digest, events })
    expect((await runWorld(PROVIDERS, randomScenario(5))).digest).not.toBe(digest)
  })
})

describe('what goes over TCP', () => {
  it('is read on both ends, message by message', async () => {
    const calm = { ...randomScenario(1), faults: [] }
    const sites = calm.sites.map((site) => ({ ...site, transports: ['tcp' as const] }))
    const read: string[] = []
    const scenario = { ...calm, sites }
    const world = new World(scenario, layoutOf(scenario), undefined, {
      traffic: ({ entry, when, seen }) => {
        if (entry.transport === 'tcp' && seen !== undefined) read.push(`${when} ${seen.kind}`)
      }
    })
    await world.start()
    world.customers[0]?.perform({
      kind: 'protect',
      at: 0,
      site: 0,
      protection: 'p',
      prefixes: ownPrefixes(0),
      ports: [],
      protocols: [],
      lifetimeSeconds: 600,
      allowPartial: true
    })
    await world.clock.advance(Seconds(60))
    for (const kind of ['put', 'answer', 'heartbeat'])
      for (const when of ['sent', 'delivered']) expect(read).toContain(`${when} ${kind}`)
    await world.stopCustomers()
    await world.stopProviders()
  })
})

describe('planted bugs', { timeout: 400_000 }, () => {
  it.each(CANARIES.map((canary) => [canary.name, canary] as const))('are noticed: %s', async (_, canary) => {
    expect([...(await whatNotices(PROVIDERS, canary))]).toContain(canary.noticedBy)
  })

  it('are found in a smaller world, too', async () => {
    const [canary] = CANARIES
    const random = randomScenario(1)
    // A standing request alone would show it: with none, one action is left.
    const scenario = { ...random, sites: random.sites.map((site) => ({ ...site, standing: [] })) }
    const { violation } = await runWorld(PROVIDERS, scenario, canary)
    expect(violation).toBeDefined()
    if (violation === undefined) return
    const smallest = await shrink(PROVIDERS, scenario, violation, canary)
    expect(smallest.violation.invariant).toBe(violation.invariant)
    expect(smallest.scenario.faults).toEqual([])
    expect(smallest.scenario.actions).toHaveLength(1)
  })
})
