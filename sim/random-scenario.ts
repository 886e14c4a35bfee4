import { assignedPrefixes, ownPrefixes, prefixInside } from './addressing.ts'
import { Chance } from './chance.ts'
import { LINK_FAULTS, PROVIDER_FAULTS, SITE_FAULTS, isLinkFault, isSiteFault } from './scenario.ts'
import type { Action, Fault, NetworkFault, TroubleKind, Scenario, SitePlan } from './scenario.ts'

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

/** After a change of the network, everybody has so long to agree again before the end of the storm. */
const QUIET_SECONDS = 150

/** The scenario of a seed. */
export function randomScenario(seed: number): Scenario {
  const chance = new Chance(seed, 'scenario')
  const providers = chance.integer(2, 4)
  const nets = new Chance(seed, 'standing')
  const ways = new Chance(seed, 'ways')
  const sites = Array.from({ length: chance.oneOf([1, 1, 1, 2, 2, 3]) }, (_, number) =>
    withWays(ways, withSafetyNet(nets, randomSite(chance, number, providers)))
  )
  const stormSeconds = chance.integer(900, 3600)
  const faults = randomFaults(new Chance(seed, 'faults'), sites, providers, stormSeconds)
  const detours = new Chance(seed, 'detours')
  const alternates = Array.from({ length: providers }, (_, provider) => provider).filter(() =>
    detours.happens(0.25)
  )
  const further = [...blockades(ways, sites, stormSeconds), ...redirects(detours, alternates, stormSeconds)]
  const changes = randomChanges(new Chance(seed, 'network'), providers, stormSeconds - QUIET_SECONDS)
  const place = new Chance(seed, 'actions')
  return {
    seed,
    sites,
    providers,
    alternates,
    onSignalLoss: Array.from({ length: providers }, () =>
      nets.oneOf(['replace', 'replace', 'add', 'ignore'] as const)
    ),
    heartbeats: chance.happens(0.5) ? 'default' : 'quick',
    negotiates: new Chance(seed, 'negotiations').oneOf([
      'nothing',
      'nothing',
      'nothing',
      'by-activity',
      'by-activity',
      'defaults'
    ] as const),
    standsBy: new Chance(seed, 'stand-by').happens(0.5),
    clientsRemember: chance.happens(0.7),
    latencyMilliseconds: chance.oneOf([1, 5, 20, 80]),
    stormSeconds,
    actions: sites.flatMap((site) => randomActions(place, site, sites, stormSeconds, faults)),
    faults: [...faults, ...further, ...changes]
  }
}

type BareSite = Omit<SitePlan, 'standing' | 'transports'>

function randomSite(chance: Chance, number: number, providers: number): BareSite {
  const all = Array.from({ length: providers }, (_, provider) => provider)
  const attachments = chance.someOf(all, chance.integer(2, providers))
  const announcedThrough = chance.happens(0.7)
    ? attachments
    : chance.someOf(attachments, chance.integer(1, attachments.length))
  return { number, attachments, announcedThrough }
}

/** Wide requests that stand by, at some of its providers. */
function withSafetyNet(chance: Chance, site: BareSite): Omit<SitePlan, 'transports'> {
  const standing = site.attachments
    .filter(() => chance.happens(0.4))
    .map((provider) => {
      const own = site.announcedThrough.includes(provider) ? ownPrefixes(site.number) : []
      const prefix = chance.oneOf([...assignedPrefixes(site.number, provider), ...own])
      return { provider, prefix, lifetimeSeconds: chance.oneOf([300, 900, 1800]) }
    })
  return { ...site, standing }
}

/** What firewalls let out: half of the sites have TCP to fall back on. */
function withWays(chance: Chance, site: Omit<SitePlan, 'transports'>): SitePlan {
  return { ...site, transports: chance.happens(0.5) ? ['udp', 'tcp'] : ['udp'] }
}

/** Where a site has TCP, somebody blocks UDP on the way now and again. */
function blockades(chance: Chance, sites: readonly SitePlan[], stormSeconds: number): Fault[] {
  return sites
    .filter(({ transports }) => transports.includes('tcp') && chance.happens(0.7))
    .flatMap((site) =>
      Array.from({ length: chance.integer(1, 4) }, () => {
        const at = chance.between(0, stormSeconds * 0.95)
        const lasts = Math.min(chance.between(1, chance.oneOf([120, 600, 3600])), stormSeconds - at)
        const provider = chance.oneOf(site.attachments)
        return { kind: 'udp-blocked', at, lasts, strength: chance.between(0, 1), site: site.number, provider }
      })
    )
}

/** A provider with a second server sends clients there now and again. */
function redirects(chance: Chance, alternates: readonly number[], stormSeconds: number): Fault[] {
  return alternates.flatMap((provider) =>
    Array.from({ length: chance.integer(1, 3) }, () => {
      const at = chance.between(0, stormSeconds * 0.95)
      const lasts = Math.min(chance.between(1, chance.oneOf([300, 900, 3600])), stormSeconds - at)
      return { kind: 'redirect', at, lasts, strength: chance.between(0, 1), provider }
    })
  )
}

/** In some worlds, providers renumber all their sites, or are gone for a while; at the end all is as it was planned. */
function randomChanges(chance: Chance, providers: number, stormSeconds: number): NetworkFault[] {
  if (chance.happens(0.6)) return []
  return Array.from({ length: chance.integer(1, 4) }, () => {
    const at = chance.between(0, stormSeconds * 0.9)
    const lasts = Math.min(chance.between(1, chance.oneOf([30, 300, 1200])), stormSeconds - at)
    const kind = chance.oneOf(['renumbering', 'provider-vanishes'] as const)
    return { kind, at, lasts, strength: chance.between(0, 1), domain: chance.integer(0, providers - 1) }
  })
}

/** Operators act in bursts, and when something is wrong, for then it is most likely to go wrong. */
function randomActions(
  chance: Chance,
  site: SitePlan,
  sites: readonly SitePlan[],
  stormSeconds: number,
  faults: readonly Fault[]
): Action[] {
  const actions: Action[] = []
  const names = Array.from({ length: chance.integer(1, 5) }, (_, index) => `wish-${index}`)
  const favourites = favouritePrefixes(chance, site)
  let at = chance.between(1, 60)
  for (let count = chance.integer(3, 20); count > 0; count--) {
    const protection = chance.oneOf(names)
    if (chance.happens(0.3)) actions.push({ kind: 'release', at, site: site.number, protection })
    else actions.push(randomProtection(chance, site, sites, at, protection, favourites))
    at = nextMoment(chance, at, stormSeconds, faults)
  }
  return actions.toSorted((a, b) => a.at - b.at)
}

function nextMoment(chance: Chance, last: number, stormSeconds: number, faults: readonly Fault[]): number {
  const draw = chance.between(0, 1)
  if (draw < 0.4) return Math.min(last + chance.between(0, 8), stormSeconds)
  if (draw < 0.5 || faults.length === 0) return chance.between(1, stormSeconds)
  const fault = chance.oneOf(faults)
  return Math.min(fault.at + chance.between(-5, fault.lasts + 5), stormSeconds)
}

/** What is attacked most, so that targets overlap. */
function favouritePrefixes(chance: Chance, site: SitePlan): readonly string[] {
  const all = [
    ...ownPrefixes(site.number),
    ...site.attachments.flatMap((each) => assignedPrefixes(site.number, each))
  ]
  return chance.someOf(all, 2)
}

function randomProtection(
  chance: Chance,
  site: SitePlan,
  sites: readonly SitePlan[],
  at: number,
  protection: string,
  favourites: readonly string[]
): Action {
  return {
    kind: 'protect',
    at,
    site: site.number,
    protection,
    prefixes: Array.from({ length: chance.oneOf([1, 1, 2, 3]) }, () =>
      chance.happens(0.6) ? prefixInside(chance, chance.oneOf(favourites)) : randomPrefix(chance, site, sites)
    ),
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

/** What may go wrong in every world. */
const ANYWHERE: readonly TroubleKind[] = [...LINK_FAULTS, ...PROVIDER_FAULTS, ...SITE_FAULTS].filter(
  (kind) => kind !== 'udp-blocked' && kind !== 'redirect'
)

/** A few kinds of fault in each world, and those often: all kinds at once would hide each other. */
function randomFaults(
  chance: Chance,
  sites: readonly SitePlan[],
  providers: number,
  stormSeconds: number
): Fault[] {
  const kinds = chance.someOf(ANYWHERE, chance.integer(2, 7))
  return Array.from({ length: chance.integer(3, 24) }, () =>
    randomFault(chance, chance.oneOf(kinds), sites, providers, stormSeconds)
  )
}

function randomFault(
  chance: Chance,
  kind: TroubleKind,
  sites: readonly SitePlan[],
  providers: number,
  stormSeconds: number
): Fault {
  const at = chance.between(0, stormSeconds * 0.95)
  const longest = chance.oneOf([5, 30, 120, 600, 1200])
  const lasts = Math.min(chance.between(1, longest), stormSeconds - at)
  const base = { at, lasts, strength: chance.between(0, 1) }
  const site = chance.oneOf(sites)
  if (isLinkFault(kind)) return { ...base, kind, site: site.number, provider: chance.oneOf(site.attachments) }
  if (isSiteFault(kind)) return { ...base, kind, site: site.number }
  return { ...base, kind, provider: chance.integer(0, providers - 1) }
}
