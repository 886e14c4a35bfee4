import { assignedPrefixes, ownPrefixes, prefixInside } from './addressing.ts'
import { Chance } from './chance.ts'
import { LINK_FAULTS, PROVIDER_FAULTS, SITE_FAULTS } from './scenario.ts'
import type { Action, Fault, Scenario, SitePlan } from './scenario.ts'

const LIFETIMES = [60, 120, 300, 600, 1800, 3600] as const

const PORTS: readonly (readonly (readonly [number, number])[])[] = [
  [],
  [],
  [[80, 80]],
  [
    [53, 53],
    [443, 500]
  ]
]

/** The scenario of a seed. */
export function randomScenario(seed: number): Scenario {
  const chance = new Chance(seed, 'scenario')
  const providers = chance.integer(2, 4)
  const sites = Array.from({ length: chance.oneOf([1, 1, 1, 2, 2, 3]) }, (_, number) =>
    randomSite(chance, number, providers)
  )
  const stormSeconds = chance.integer(1200, 5400)
  const place = new Chance(seed, 'actions')
  const weather = new Chance(seed, 'faults')
  return {
    seed,
    sites,
    providers,
    heartbeats: chance.happens(0.5) ? 'default' : 'quick',
    latencyMilliseconds: chance.oneOf([1, 5, 20, 80]),
    stormSeconds,
    actions: sites.flatMap((site) => randomActions(place, site, stormSeconds, sites)),
    faults: Array.from({ length: weather.integer(3, 24) }, () =>
      randomFault(weather, sites, providers, stormSeconds)
    )
  }
}

function randomSite(chance: Chance, number: number, providers: number): SitePlan {
  const all = Array.from({ length: providers }, (_, provider) => provider)
  const attachments = chance.someOf(all, chance.integer(2, providers))
  const announcedThrough = chance.happens(0.7)
    ? attachments
    : chance.someOf(attachments, chance.integer(1, attachments.length))
  return { number, attachments, announcedThrough }
}

function randomActions(
  chance: Chance,
  site: SitePlan,
  stormSeconds: number,
  sites: readonly SitePlan[]
): Action[] {
  const actions: Action[] = []
  const names = Array.from({ length: chance.integer(1, 5) }, (_, index) => `p${index}`)
  for (let count = chance.integer(2, 12); count > 0; count--) {
    const at = chance.between(1, stormSeconds)
    const protection = chance.oneOf(names)
    if (chance.happens(0.3)) actions.push({ kind: 'release', at, site: site.number, protection })
    else actions.push(randomProtection(chance, site, sites, at, protection))
  }
  return actions.toSorted((a, b) => a.at - b.at)
}

function randomProtection(
  chance: Chance,
  site: SitePlan,
  sites: readonly SitePlan[],
  at: number,
  protection: string
): Action {
  return {
    kind: 'protect',
    at,
    site: site.number,
    protection,
    prefixes: Array.from({ length: chance.oneOf([1, 1, 2, 3]) }, () => randomPrefix(chance, site, sites)),
    ports: chance.oneOf(PORTS),
    protocols: chance.oneOf([[], [], [6], [6, 17]]),
    lifetimeSeconds: chance.happens(0.05) ? 'indefinite' : chance.oneOf(LIFETIMES),
    allowPartial: chance.happens(0.5)
  }
}

/** Of one domain, provider-independent, or of nobody that this site could ask. */
function randomPrefix(chance: Chance, site: SitePlan, sites: readonly SitePlan[]): string {
  if (chance.happens(0.05)) return foreignPrefix(chance, site, sites)
  const own = chance.happens(0.35)
  const pool = own ? ownPrefixes(site.number) : assignedPrefixes(site.number, chance.oneOf(site.attachments))
  return prefixInside(chance, chance.oneOf(pool))
}

function foreignPrefix(chance: Chance, site: SitePlan, sites: readonly SitePlan[]): string {
  const other = chance.oneOf(sites)
  if (other.number === site.number) return chance.oneOf(['8.8.8.8/32', '2001:4860::/32'])
  return chance.oneOf(ownPrefixes(other.number))
}

function randomFault(
  chance: Chance,
  sites: readonly SitePlan[],
  providers: number,
  stormSeconds: number
): Fault {
  const at = chance.between(0, stormSeconds * 0.95)
  const longest = chance.oneOf([5, 30, 120, 600, 1200])
  const lasts = Math.min(chance.between(1, longest), stormSeconds - at)
  const base = { at, lasts, strength: chance.between(0, 1) }
  const site = chance.oneOf(sites)
  const part = chance.between(0, 1)
  if (part < 0.45)
    return {
      ...base,
      kind: chance.oneOf(LINK_FAULTS),
      site: site.number,
      provider: chance.oneOf(site.attachments)
    }
  if (part < 0.85)
    return { ...base, kind: chance.oneOf(PROVIDER_FAULTS), provider: chance.integer(0, providers - 1) }
  return { ...base, kind: chance.oneOf(SITE_FAULTS), site: site.number }
}
