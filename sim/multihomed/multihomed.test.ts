import { checkSite } from '@breakwater/dots'
import { describe, expect, it } from 'vitest'
import { campaign, whatNotices } from '../campaign.ts'
import { runWorld } from '../run-world.ts'
import { LINK_FAULTS, NETWORK_CHANGES, PROVIDER_FAULTS, SITE_FAULTS } from '../scenario.ts'
import { MULTIHOMED } from './multihomed-family.ts'
import { classPrefixes } from './random-network.ts'

const { randomScenario, layoutOf, canaries } = MULTIHOMED

/** Others are `npm run sim -- --sites N --from N`; these are the same for everybody. */
const SEEDS = Array.from({ length: 100 }, (_, index) => index + 1)

describe('random networks', () => {
  it('are such that a client may run on them, and have everything that RFC 9284 speaks of', () => {
    const scenarios = Array.from({ length: 1000 }, (_, index) => randomScenario(index + 1))
    for (const scenario of scenarios)
      for (const { site } of layoutOf(scenario).clients)
        expect(checkSite(site), `seed ${scenario.seed}`).toEqual([])
    const has = (feature: (scenario: (typeof scenarios)[number]) => boolean): number =>
      scenarios.filter(feature).length
    const domains = scenarios.map((scenario) => scenario.domains.length)
    expect([Math.min(...domains), Math.max(...domains)]).toEqual([2, 6])
    const prefixes = scenarios.map((scenario) => new Set(classPrefixes(scenario)).size)
    expect(Math.min(...prefixes)).toBeLessThan(4)
    expect(Math.max(...prefixes)).toBeGreaterThan(180)
    const counts = {
      services: has((each) => each.domains.some(({ kind }) => kind === 'service')),
      pools: has((each) => each.domains.some(({ isPool }) => isPool)),
      withoutServer: has((each) => each.domains.some(({ servers }) => servers === 0)),
      oneFamily: has((each) => each.domains.some(({ families }) => families.length === 1)),
      translated: has((each) => each.domains.some(({ translations }) => translations.length > 0)),
      groups: has((each) => each.groups.length > 0),
      oneAttachment: has((each) => each.singleProviders.some(({ attachments }) => attachments === 'one')),
      allAttachments: has((each) => each.singleProviders.some(({ attachments }) => attachments === 'all')),
      consents: has((each) => each.consents.length > 0),
      names: has((each) =>
        each.actions.some((action) => action.kind === 'protect' && action.names !== undefined)
      ),
      silentNameServices: has((each) => each.naming.some(({ silences }) => silences.length > 0)),
      safetyNets: has((each) => each.domains.some(({ standing }) => standing.length > 0)),
      filters: has((each) => each.clients.some(({ filters }) => filters.length > 0)),
      severalClients: has((each) => each.clients.length > 1),
      behindRouters: has((each) => each.clients.some(({ place }) => place === 'lan')),
      crowds: has((each) => each.actions.length >= 100)
    }
    for (const [feature, count] of Object.entries(counts)) expect(count, feature).toBeGreaterThan(50)
  })
})

describe('random multihomed worlds', { timeout: 400_000 }, () => {
  it('keep every invariant through storm, healing, calm and end', async () => {
    const report = await campaign(MULTIHOMED, SEEDS, { elapsed: () => 0, processor: () => 0 })
    expect(report.violations).toEqual([])
    const kinds = [...LINK_FAULTS, ...PROVIDER_FAULTS, ...SITE_FAULTS, ...NETWORK_CHANGES]
    const absent = new Set<string>(['redirect', 'certificate-expiry', 'client-clock-step'])
    expect(Object.keys(report.faults).toSorted()).toEqual(
      kinds.filter((kind) => !absent.has(kind)).toSorted()
    )
    expect(report.virtualSeconds).toBeGreaterThan(100_000)
  })

  it('are the same whenever their seed is run', async () => {
    const { digest, events } = await runWorld(MULTIHOMED, randomScenario(3))
    expect(events).toBeGreaterThan(1000)
    await runWorld(MULTIHOMED, randomScenario(4))
    expect(await runWorld(MULTIHOMED, randomScenario(3))).toMatchObject({ digest, events })
  })
})

describe('bugs planted in a multihomed client', { timeout: 400_000 }, () => {
  it.each(canaries.map((canary) => [canary.name, canary] as const))('are noticed: %s', async (_, canary) => {
    expect([...(await whatNotices(MULTIHOMED, canary))]).toContain(canary.noticedBy)
  })
})
