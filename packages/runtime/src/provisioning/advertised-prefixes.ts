import { Seconds, addressBits, parseIpAddress, parseIpPrefix, prefixKey, prefixOf } from '@breakwater/core'
import type { IpPrefix } from '@breakwater/core'
import { LEARNT_LIMITS } from '@breakwater/dots'
import type { FactLifetime, LearntConfiguration, LearntHost, LearntPrefix } from '@breakwater/dots'
import { lifetimeOfSeconds, longerOf } from './fact-lifetime.ts'

type Entry = Readonly<Record<string, unknown>>

/** More interfaces do not learn from advertisements. */
const MOST_INTERFACES = 64

/**
 * What the kernel took from the advertisements of routers (RFC 4861 §6.3.4, RFC 4862 §5.5.3), by interface: prefixes of
 * addresses that it made, with both lifetimes; prefixes of the link, with the valid one; default routers. What a program
 * put there in place of the kernel, with a lifetime, counts alike.
 * @param addresses `ip -json -6 address show up`
 * @param routes Of `ip -json -6 route show`: with `proto kernel`, and with `proto ra`. It does not name what it was asked for.
 * @throws SyntaxError when one is not JSON.
 */
export function advertisedPrefixes(
  addresses: string,
  routes: { readonly kernel: string; readonly advertised: string }
): ReadonlyMap<string, LearntConfiguration> {
  const found = new Map<string, { prefixes: Map<string, LearntPrefix>; gateways: LearntHost[] }>()
  const at = (via: string): { prefixes: Map<string, LearntPrefix>; gateways: LearntHost[] } => {
    const known = found.get(via) ?? { prefixes: new Map(), gateways: [] }
    if (found.size < MOST_INTERFACES) found.set(via, known)
    return known
  }
  for (const { via, prefix } of entriesIn(addresses).flatMap(prefixesOfLink)) {
    const key = prefixKey(prefix.prefix)
    const { prefixes } = at(via)
    const known = prefixes.get(key)
    prefixes.set(key, known === undefined ? prefix : longer(known, prefix))
  }
  const advertised = entriesIn(routes.advertised)
  for (const route of [...entriesIn(routes.kernel), ...advertised]) {
    const { dev, dst } = route
    if (typeof dev !== 'string' || typeof dst !== 'string') continue
    if (dst === 'default') at(dev).gateways.push(...(advertised.includes(route) ? gatewayOf(route) : []))
    else
      for (const prefix of prefixOfRoute(route, dst)) {
        const { prefixes } = at(dev)
        const key = prefixKey(prefix.prefix)
        if (!prefixes.has(key)) prefixes.set(key, prefix)
      }
  }
  const told = [...found].filter(([, { prefixes, gateways }]) => prefixes.size + gateways.length > 0)
  return new Map(told.map(([via, { prefixes, gateways }]) => [via, configurationOf(via, prefixes, gateways)]))
}

function configurationOf(
  via: string,
  prefixes: ReadonlyMap<string, LearntPrefix>,
  gateways: readonly LearntHost[]
): LearntConfiguration {
  return {
    interface: via,
    origin: 'ra',
    prefixes: [...prefixes.values()].slice(0, LEARNT_LIMITS.prefixes),
    addresses: [],
    resolvers: [],
    gateways: gateways.slice(0, LEARNT_LIMITS.gateways),
    searchDomains: []
  }
}

function prefixesOfLink(link: Entry): { readonly via: string; readonly prefix: LearntPrefix }[] {
  const { ifname: via, addr_info: infos } = link
  if (typeof via !== 'string' || !Array.isArray(infos)) return []
  return infos.flatMap((info: unknown) => {
    // A temporary address ends sooner than its prefix (RFC 8981 §3.4).
    if (!isEntry(info) || info['dynamic'] !== true || info['temporary'] === true) return []
    const { local, prefixlen, valid_life_time: valid, preferred_life_time: preferred, scope } = info
    const address = typeof local === 'string' ? parseIpAddress(local) : undefined
    if (address?.family !== 6 || scope !== 'global' || !isPrefixLength(prefixlen)) return []
    const prefix = prefixOf(address, prefixlen)
    return [{ via, prefix: { prefix, valid: lifetimeOf(valid), preferred: lifetimeOf(preferred) } }]
  })
}

/** A prefix of the link that ends: what is configured by hand does not. */
function prefixOfRoute(route: Entry, dst: string): LearntPrefix[] {
  const { gateway, nexthops, expires } = route
  const prefix = parseIpPrefix(dst)
  if (gateway !== undefined || nexthops !== undefined || typeof expires !== 'number') return []
  if (prefix === undefined || !isOnLink(prefix)) return []
  const valid = lifetimeOf(expires)
  return [{ prefix, valid, preferred: valid }]
}

function isOnLink({ address, length }: IpPrefix): boolean {
  return address.family === 6 && isPrefixLength(length)
}

function gatewayOf({ gateway, expires }: Entry): LearntHost[] {
  const address = typeof gateway === 'string' ? parseIpAddress(gateway) : undefined
  if (address === undefined) return []
  return [{ address, valid: expires === undefined ? 'unlimited' : lifetimeOf(expires) }]
}

/** One that stands for a single address says nothing of a prefix. */
function isPrefixLength(value: unknown): value is number {
  return typeof value === 'number' && Number.isInteger(value) && value > 0 && value < addressBits(6)
}

function lifetimeOf(value: unknown): FactLifetime {
  return typeof value === 'number' && value >= 0 ? lifetimeOfSeconds(value) : Seconds(0)
}

function longer(x: LearntPrefix, y: LearntPrefix): LearntPrefix {
  return { ...x, valid: longerOf(x.valid, y.valid), preferred: longerOf(x.preferred, y.preferred) }
}

function entriesIn(text: string): Entry[] {
  const list: unknown = text.trim() === '' ? [] : JSON.parse(text)
  return Array.isArray(list) ? list.filter(isEntry) : []
}

function isEntry(value: unknown): value is Entry {
  return typeof value === 'object' && value !== null
}
