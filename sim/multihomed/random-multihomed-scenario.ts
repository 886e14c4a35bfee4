import { addressBits, formatIpPrefix, prefixOf } from '@breakwater/core'
import { prefix } from '../addressing.ts'
import { Chance } from '../chance.ts'
import {
  LINK_FAULTS,
  NETWORK_CHANGES,
  PROVIDER_FAULTS,
  SITE_FAULTS,
  isLinkFault,
  isSiteFault
} from '../scenario.ts'
import type { Action, Fault, TroubleKind, NetworkFault } from '../scenario.ts'
import type { MultihomedScenario, PlacedClient } from './multihomed-scenario.ts'
import { classPrefixes, pieceOf, randomNetwork } from './random-network.ts'
import type { Network } from './random-network.ts'
import { randomNaming, withNames } from './random-names.ts'
import { withSafetyNets } from './random-safety-nets.ts'

/**
 * At the end of a storm nothing goes wrong any more: with the heartbeats of RFC 9132, a server that was killed is missed after
 * 450 s, which is more than the bound of liveness.
 */
const QUIET_SECONDS = 150

/** The scenario of a seed. */
export function randomMultihomedScenario(seed: number): MultihomedScenario {
  const chance = new Chance(seed, 'multihomed')
  const stormSeconds = chance.integer(400, 1500)
  const nets = new Chance(seed, 'standing')
  const network = withSafetyNets(nets, randomNetwork(new Chance(seed, 'network'), stormSeconds))
  const faults = randomFaults(new Chance(seed, 'faults'), network, stormSeconds - QUIET_SECONDS)
  const wishes = new Chance(seed, 'actions')
  const naming = network.clients.map((client, number) =>
    randomNaming(new Chance(seed, `names ${number}`), ownOf(network, client), stormSeconds - QUIET_SECONDS)
  )
  const changes = randomChanges(new Chance(seed, 'changes'), network, stormSeconds - QUIET_SECONDS)
  return {
    seed,
    ...network,
    onSignalLoss: network.domains.map(() => nets.oneOf(['replace', 'replace', 'add', 'ignore'] as const)),
    heartbeats: chance.happens(0.5) ? 'default' : 'quick',
    negotiates: chance.oneOf(['nothing', 'nothing', 'by-activity'] as const),
    standsBy: new Chance(seed, 'stand-by').happens(0.5),
    clientsRemember: chance.happens(0.7),
    latencyMilliseconds: chance.oneOf([1, 5, 20, 80]),
    stormSeconds,
    naming,
    actions: network.clients.flatMap((_, number) =>
      withNames(
        new Chance(seed, `named ${number}`),
        randomActions(wishes, network, number, stormSeconds, faults),
        naming[number]
      )
    ),
    faults: [...faults, ...changes]
  }
}

/** Not in this family: certificates and redirects, which the other one has. Consents go by the calendar of the client. */
const ANYWHERE: readonly TroubleKind[] = [...LINK_FAULTS, ...PROVIDER_FAULTS, ...SITE_FAULTS].filter(
  (kind) => kind !== 'redirect' && kind !== 'certificate-expiry' && kind !== 'client-clock-step'
)

/** A few kinds in each world, and in one of ten none at all. */
function randomFaults(chance: Chance, network: Network, stormSeconds: number): Fault[] {
  if (chance.happens(0.1)) return []
  const kinds = chance.someOf(ANYWHERE, chance.integer(2, 6))
  return Array.from({ length: chance.integer(2, 16) }, () =>
    randomFault(chance, chance.oneOf(kinds), network, stormSeconds)
  )
}

function randomFault(
  chance: Chance,
  kind: TroubleKind,
  { clients, domains }: Network,
  stormSeconds: number
): Fault {
  const at = chance.between(0, stormSeconds * 0.95)
  const lasts = Math.min(chance.between(1, chance.oneOf([5, 30, 120, 600])), stormSeconds - at)
  const base = { at, lasts, strength: chance.between(0, 1) }
  const site = chance.integer(0, clients.length - 1)
  if (isSiteFault(kind)) return { ...base, kind, site }
  const links = (clients[site]?.domains ?? []).filter((each) => domains[each]?.kind === 'access')
  if (isLinkFault(kind)) return { ...base, kind, site, provider: chance.oneOf(links) }
  const servers = domains.reduce((sum, domain) => sum + domain.servers, 0)
  return { ...base, kind, provider: chance.integer(0, servers - 1) }
}

/** What becomes of the network: nothing, a few things, or one provider that comes and goes. */
function randomChanges(chance: Chance, { domains }: Network, stormSeconds: number): NetworkFault[] {
  if (chance.happens(0.4)) return []
  const domain = chance.integer(0, domains.length - 1)
  if (chance.happens(0.2)) {
    const step = chance.between(4, 20)
    const from = chance.between(10, stormSeconds / 2)
    return Array.from({ length: 12 }, (_, index): NetworkFault => {
      const at = from + index * step
      return { kind: 'provider-vanishes', at, lasts: step / 2, strength: chance.between(0, 1), domain }
    }).filter(({ at, lasts }) => at + lasts < stormSeconds)
  }
  return Array.from({ length: chance.integer(1, 5) }, (): NetworkFault => {
    // It was not there from the beginning, or is gone for a while.
    const at = chance.oneOf([0, chance.between(0, stormSeconds * 0.9)])
    const lasts = Math.min(chance.between(1, chance.oneOf([30, 300, 1200])), stormSeconds - at)
    const kind = chance.oneOf(NETWORK_CHANGES)
    return { kind, at, lasts, strength: chance.between(0, 1), domain: chance.integer(0, domains.length - 1) }
  })
}

/** Mostly a few protections that change, and sometimes very many at once. */
function randomActions(
  chance: Chance,
  network: Network,
  site: number,
  stormSeconds: number,
  faults: readonly Fault[]
): Action[] {
  const isCrowd = chance.happens(0.15)
  const names = Array.from(
    { length: isCrowd ? 60 : chance.integer(1, 8) },
    (_, index) => `wish-${site}-${index}`
  )
  const client = network.clients[site]
  const own = client === undefined ? [] : knownTo(network, client)
  const favourites = chance.someOf(own, 2)
  const actions: Action[] = []
  let at = chance.between(1, 60)
  for (let count = isCrowd ? 120 : chance.integer(3, 20); count > 0; count--) {
    const protection = chance.oneOf(names)
    if (chance.happens(0.25)) actions.push({ kind: 'release', at, site, protection })
    else actions.push(randomProtection(chance, network, { at, site, protection }, own, favourites))
    at = nextMoment(chance, at, isCrowd, stormSeconds, faults)
  }
  return actions.toSorted((a, b) => a.at - b.at)
}

function knownTo(network: Network, { domains }: PlacedClient): string[] {
  const own = network.domains.map((domain, number) =>
    domains.includes(number) ? domain : { ...domain, prefixes: [] }
  )
  return classPrefixes({ ...network, domains: own })
}

/** Of these, what somebody can be asked for by this client: hosts with names are the site's own. */
function ownOf(network: Network, client: PlacedClient): string[] {
  const isKnown = (domains: readonly number[]): boolean =>
    domains.some((each) => client.domains.includes(each))
  return knownTo(
    {
      ...network,
      providerIndependent: network.providerIndependent.filter(
        ({ domains }) => domains === 'all' || isKnown(domains)
      ),
      groups: network.groups.filter(({ domains }) => isKnown(domains))
    },
    client
  )
}

function nextMoment(
  chance: Chance,
  last: number,
  isCrowd: boolean,
  stormSeconds: number,
  faults: readonly Fault[]
): number {
  const draw = chance.between(0, 1)
  if (draw < (isCrowd ? 0.9 : 0.4)) return Math.min(last + chance.between(0, 6), stormSeconds)
  if (draw < 0.6 || faults.length === 0) return chance.between(1, stormSeconds)
  const fault = chance.oneOf(faults)
  return Math.min(fault.at + chance.between(-5, fault.lasts + 5), stormSeconds)
}

function randomProtection(
  chance: Chance,
  network: Network,
  base: { readonly at: number; readonly site: number; readonly protection: string },
  own: readonly string[],
  favourites: readonly string[]
): Action {
  return {
    ...base,
    kind: 'protect',
    prefixes: Array.from({ length: chance.oneOf([1, 1, 1, 2, 3, 8]) }, () =>
      randomTarget(chance, network, chance.happens(0.5) && favourites.length > 0 ? favourites : own)
    ),
    ports: chance.oneOf([
      [],
      [],
      [[80, 80]],
      [
        [53, 53],
        [443, 500]
      ]
    ] as const),
    protocols: chance.oneOf([[], [], [6], [6, 17]]),
    lifetimeSeconds: chance.happens(0.05) ? 'indefinite' : chance.oneOf([60, 120, 300, 600, 1800, 3600]),
    allowPartial: chance.happens(0.5)
  }
}

/** A piece of what is the site's; or what crosses a border, what is internal, or what is nobody's. */
function randomTarget(chance: Chance, { internal }: Network, from: readonly string[]): string {
  const draw = chance.between(0, 1)
  if (draw < 0.04)
    return chance.oneOf(['8.8.8.0/24', '2620:fe::/48', '100.127.0.0/24', '2001:db8:fff0::1/128'])
  if (internal.length > 0 && draw < 0.25)
    return formatIpPrefix(pieceOf(chance, prefix('10.0.0.0/8'), chance.oneOf([9, 16, 24, 32])))
  if (from.length === 0) return '8.8.4.0/24'
  const whole = prefix(chance.oneOf(from))
  const { address, length } = whole
  if (draw < 0.35) return formatIpPrefix(prefixOf(address, length - chance.integer(1, 6)))
  const bits = addressBits(address.family)
  const longest = chance.oneOf([length, length, length + 1, length + 2, length + 4, bits])
  return formatIpPrefix(pieceOf(chance, whole, Math.min(longest, bits)))
}
