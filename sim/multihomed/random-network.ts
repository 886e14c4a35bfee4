import {
  addressBits,
  formatIpPrefix,
  ipAddressFromBytes,
  ipAddressToBytes,
  prefixContains,
  prefixOf,
  prefixesOverlap
} from '@breakwater/core'
import type { IpFamily, IpPrefix } from '@breakwater/core'
import { prefix } from '../addressing.ts'
import type { Chance } from '../chance.ts'
import type {
  ConsentPlan,
  DomainPlan,
  MultihomedScenario,
  OwnPrefix,
  PlacedClient
} from './multihomed-scenario.ts'

/*
 *   domain d assigns pieces of  100.(64+d).0.0/16   and  2001:db8:(d+1)00::/40
 *   the network itself owns of  203.0.0.0/12        and  2001:db8:c000::/36
 *   groups assign pieces of     198.18.0.0/15       and  2001:db8:e000::/36
 *   inside, and nowhere else:   10.0.0.0/8
 */
const blockOf = (domain: number, family: IpFamily): string =>
  family === 4 ? `100.${64 + domain}.0.0/16` : `2001:db8:${domain + 1}00::/40`
const ownBlock = (family: IpFamily): string => (family === 4 ? '203.0.0.0/12' : '2001:db8:c000::/36')
const groupBlock = (family: IpFamily): string => (family === 4 ? '198.18.0.0/15' : '2001:db8:e000::/36')
const INTERNAL = '10.0.0.0/8'

export type Network = Pick<
  MultihomedScenario,
  | 'domains'
  | 'providerIndependent'
  | 'groups'
  | 'singleProviders'
  | 'consents'
  | 'internal'
  | 'clients'
  | 'transports'
>

/** A random network of 2 to 6 domains and 1 to 200 prefixes. */
export function randomNetwork(chance: Chance, stormSeconds: number): Network {
  const links = chance.integer(2, chance.oneOf([2, 3, 4, 6]))
  const services = links < 6 && chance.happens(0.3) ? 1 : 0
  const isShared = chance.happens(0.75)
  const budget = chance.oneOf([1, 2, 4, 8, 8, 20, 20, 60, 200])
  const taken: IpPrefix[] = []
  const bare = Array.from({ length: links }, (_, domain) => randomLink(chance, domain, budget / links, taken))
  const nested = isShared ? withOverlaps(chance, bare, taken) : bare
  const all = Array.from({ length: links }, (_, domain) => domain)
  const providerIndependent = ownPrefixes(chance, all, budget, taken)
  const groups = links > 2 && chance.happens(0.25) ? [randomGroup(chance, all, taken)] : []
  const singleProviders =
    links > 2 && chance.happens(0.3)
      ? [
          {
            domains: chance.someOf(all, chance.integer(2, links - 1)),
            attachments: chance.oneOf(['one', 'all'] as const)
          }
        ]
      : []
  const isInside = chance.happens(0.35)
  const inside = isInside
    ? nested.map((domain, number) => withTranslations(chance, domain, number, nested))
    : nested
  const own = providerIndependent.map((each) => each.prefix)
  const service = Array.from({ length: services }, () => randomService(chance, own, nested))
  const domains = [...inside, ...service]
  return {
    domains,
    providerIndependent,
    groups,
    singleProviders,
    consents: chance.happens(0.4) ? randomConsents(chance, domains, stormSeconds) : [],
    internal: isInside ? [INTERNAL] : [],
    clients: randomClients(
      chance,
      domains,
      isShared,
      classPrefixes({ domains, providerIndependent, groups })
    ),
    transports: chance.happens(0.3) ? ['udp', 'tcp'] : ['udp']
  }
}

/** Every prefix that has a class. */
export function classPrefixes({
  domains,
  providerIndependent,
  groups
}: Pick<Network, 'domains' | 'providerIndependent' | 'groups'>): string[] {
  return [
    ...domains.flatMap(({ prefixes }) => prefixes),
    ...providerIndependent.map((each) => each.prefix),
    ...groups.flatMap(({ prefixes }) => prefixes)
  ]
}

function randomLink(chance: Chance, number: number, budget: number, taken: IpPrefix[]): DomainPlan {
  const families = chance.oneOf([[4, 6], [4, 6], [4, 6], [4], [6]] as const)
  const count = Math.max(1, Math.round(budget * chance.between(0.5, 1.5)))
  const prefixes = Array.from({ length: count }, () => {
    const family = chance.oneOf(families)
    const lengths =
      family === 4 ? ([18, 20, 22, 24, 24, 26, 28] as const) : ([44, 48, 48, 52, 56, 60, 64] as const)
    return freePrefix(chance, blockOf(number, family), chance.oneOf(lengths), taken)
  })
  // The first one can be asked in any case.
  const servers = number > 0 && chance.happens(0.1) ? 0 : chance.oneOf([1, 1, 1, 2])
  return {
    kind: 'access',
    families,
    prefixes: prefixes.flatMap((each) => each ?? []),
    lost: [],
    protects: [],
    servers,
    isPool: servers > 1 && chance.happens(0.6),
    translations: [],
    standing: []
  }
}

/** A piece of a block that overlaps nothing that is taken; undefined: there is none to be found. */
function freePrefix(chance: Chance, block: string, length: number, taken: IpPrefix[]): string | undefined {
  for (let tries = 0; tries < 20; tries++) {
    const found = pieceOf(chance, prefix(block), length)
    if (taken.some((other) => prefixesOverlap(other, found))) continue
    taken.push(found)
    return formatIpPrefix(found)
  }
  return undefined
}

/** A random piece of that length, or the whole where it is no longer. */
export function pieceOf(chance: Chance, { address, length: least }: IpPrefix, length: number): IpPrefix {
  const bytes = ipAddressToBytes(address)
  for (let bit = least; bit < length; bit++) {
    const mask = 0x80 >> (bit & 7)
    if (chance.happens(0.5)) bytes[bit >> 3] = (bytes[bit >> 3] ?? 0) | mask
  }
  return prefixOf(ipAddressFromBytes(bytes), Math.max(least, length))
}

/** Some domains assign pieces of what another one assigned: the longest match decides (RFC 9284 §5.1). */
function withOverlaps(
  chance: Chance,
  domains: readonly DomainPlan[],
  taken: IpPrefix[]
): readonly DomainPlan[] {
  return domains.map((domain, number) => {
    if (!chance.happens(0.4)) return domain
    const other = chance.oneOf(domains.filter((_, index) => index !== number))
    const fitting = other.prefixes.map(prefix).filter((each) => domain.families.includes(each.address.family))
    if (fitting.length === 0) return domain
    const outer = chance.oneOf(fitting)
    const inner = pieceOf(chance, outer, outer.length + chance.integer(1, 4))
    // Two classes of one prefix would leave nothing to decide by.
    if (taken.some((each) => formatIpPrefix(each) === formatIpPrefix(inner))) return domain
    taken.push(inner)
    return { ...domain, prefixes: [...domain.prefixes, formatIpPrefix(inner)] }
  })
}

function ownPrefixes(chance: Chance, all: readonly number[], budget: number, taken: IpPrefix[]): OwnPrefix[] {
  const count = chance.happens(0.2) ? 0 : Math.max(1, Math.round((budget / 4) * chance.between(0.2, 1)))
  return Array.from({ length: count }, () => {
    const family = chance.oneOf([4, 6] as const)
    const length = family === 4 ? chance.oneOf([20, 22, 24]) : chance.oneOf([44, 48, 56])
    const found = freePrefix(chance, ownBlock(family), length, taken)
    const domains: OwnPrefix['domains'] = chance.happens(0.7)
      ? 'all'
      : chance.someOf(all, chance.integer(1, all.length))
    return found === undefined ? undefined : { prefix: found, domains }
  }).flatMap((each): OwnPrefix[] => (each === undefined ? [] : [each]))
}

function randomGroup(chance: Chance, all: readonly number[], taken: IpPrefix[]): Network['groups'][number] {
  const prefixes = Array.from({ length: chance.integer(1, 3) }, () => {
    const family = chance.oneOf([4, 6] as const)
    return freePrefix(chance, groupBlock(family), family === 4 ? 24 : 48, taken)
  })
  return { domains: chance.someOf(all, 2), prefixes: prefixes.flatMap((each) => each ?? []) }
}

/** A static map of a translator: one to one, or everything behind one address (RFC 9132 §3). */
function withTranslations(
  chance: Chance,
  domain: DomainPlan,
  number: number,
  all: readonly DomainPlan[]
): DomainPlan {
  const whole = domain.prefixes.find((text) => {
    const own = prefix(text)
    const others = all.filter((_, index) => index !== number).flatMap(({ prefixes }) => prefixes)
    return own.address.family === 4 && !others.some((other) => prefixesOverlap(prefix(other), own))
  })
  if (whole === undefined || chance.happens(0.3)) return domain
  const external = prefix(whole)
  const host = formatIpPrefix(pieceOf(chance, external, 32))
  const block = pieceOf(chance, prefix(INTERNAL), external.length)
  const oneToOne = { internal: formatIpPrefix(block), external: whole }
  const behindOne = { internal: `10.${chance.oneOf([0, 128])}.0.0/9`, external: host }
  return { ...domain, translations: chance.oneOf([[oneToOne], [behindOne], [oneToOne, behindOne]]) }
}

function randomService(chance: Chance, own: readonly string[], links: readonly DomainPlan[]): DomainPlan {
  const assigned = links.flatMap(({ prefixes }) => prefixes)
  const listed = [...own, ...assigned].filter(() => chance.happens(0.5))
  return {
    kind: 'service',
    families: [4, 6],
    prefixes: [],
    lost: [],
    protects: listed.map((text) => {
      const whole = prefix(text)
      const isWhole = chance.happens(0.6)
      return isWhole ? text : formatIpPrefix(pieceOf(chance, whole, longer(whole, 2)))
    }),
    servers: chance.oneOf([1, 1, 2]),
    isPool: chance.happens(0.5),
    translations: [],
    standing: []
  }
}

export function longer({ address, length }: IpPrefix, bits: number): number {
  return Math.min(length + bits, addressBits(address.family))
}

function randomConsents(chance: Chance, domains: readonly DomainPlan[], stormSeconds: number): ConsentPlan[] {
  return Array.from({ length: chance.integer(1, 3) }, (): ConsentPlan[] => {
    const givers = domains.flatMap(({ prefixes }, domain) => (prefixes.length > 0 ? [domain] : []))
    if (givers.length === 0) return []
    const of = chance.oneOf(givers)
    const to = chance.oneOf([...domains.keys()].filter((each) => each !== of))
    const own = domains[of]?.prefixes ?? []
    const from = chance.oneOf([-3600, chance.integer(1, Math.round(stormSeconds / 2))])
    const until = chance.oneOf([86_400, chance.integer(Math.round(stormSeconds / 2) + 1, stormSeconds)])
    return [{ of, to, prefixes: chance.someOf(own, chance.integer(1, own.length)), from, until }]
  }).flat()
}

/** One client for all, on the CPE or behind it; one for each of two halves of the domains; or two that share the prefixes. */
function randomClients(
  chance: Chance,
  domains: readonly DomainPlan[],
  isShared: boolean,
  classes: readonly string[]
): PlacedClient[] {
  const all = [...domains.keys()]
  const place = chance.oneOf(['cpe', 'cpe', 'lan'] as const)
  if (!isShared) return halves(chance, domains)
  const outermost = classes.filter(
    (text) => !classes.some((other) => other !== text && prefixContains(prefix(other), prefix(text)))
  )
  if (outermost.length < 2 || chance.happens(0.8)) return [{ place, domains: all, filters: [] }]
  const first = chance.someOf(outermost, Math.ceil(outermost.length / 2))
  const second = outermost.filter((text) => !first.includes(text))
  return [first, second].map((filters) => ({ place, domains: all, filters }))
}

/** RFC 9284 §5.2, Figures 4 and 8: each client has the links of some providers, and knows of nothing else. */
function halves(chance: Chance, domains: readonly DomainPlan[]): PlacedClient[] {
  const links = [...domains.keys()].filter((each) => domains[each]?.kind === 'access')
  const services = [...domains.keys()].filter((each) => domains[each]?.kind === 'service')
  const [first = 0] = links
  const served = links.filter((each) => each !== first && (domains[each]?.servers ?? 0) > 0)
  const others = chance.someOf(served, Math.min(served.length, chance.integer(1, 2)))
  const rest = links.filter((each) => !others.includes(each))
  const clients = [[...rest, ...services], others].filter((each) => each.length > 0)
  return clients.map((each) => ({ place: chance.oneOf(['cpe', 'lan'] as const), domains: each, filters: [] }))
}
