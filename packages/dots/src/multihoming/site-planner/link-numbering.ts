import type { IpAddress, IpPrefix } from '@breakwater/core'
import { ipv6 } from '@breakwater/core'
import type { DomainName } from '../../domain/identifier.ts'
import { isShortLived } from './holding.ts'
import type { Holding } from './holding.ts'
import { MOST_PREFIXES, PREFERRED_PREFIXES } from './requester-share.ts'
import { linkCapacity, linkPrefix } from './subnet-id.ts'
import { DEFAULT_PREFIX_LIFETIME } from './topology.ts'
import type { PrefixLifetime, SiteHost, SiteTopology } from './topology.ts'

/** RFC 4862 §5.5.3 (e): nobody may shorten the valid lifetime of a host's address below two hours unproved. */
const SHORTENED: PrefixLifetime = { preferredSeconds: 0, validSeconds: 7200 }

/** A /64 of a link. */
export interface LinkPrefix {
  readonly link: string
  readonly prefix: IpPrefix
  readonly domain: DomainName
  /** The router that numbers the link from it: the first hop for its addresses. */
  readonly router: string
  readonly lifetime: PrefixLifetime
  readonly holding: Holding
}

export interface HostAddress {
  readonly address: IpAddress
  readonly domain: DomainName
  readonly firstHop: string
  /** `deprecated`: kept for what uses it, chosen for nothing new (RFC 4862 §5.5.4). */
  readonly state: 'preferred' | 'deprecated'
}

/** A link that a router's block has no /64 left for. */
export interface UnnumberedLink {
  readonly link: string
  readonly holding: Holding
  readonly capacity: number
}

/** Gives every link a /64 of every block that its routers have. */
export function numberLinks(
  topology: SiteTopology,
  holdings: readonly Holding[]
): { readonly prefixes: readonly LinkPrefix[]; readonly unnumbered: readonly UnnumberedLink[] } {
  const prefixes: LinkPrefix[] = []
  const unnumbered: UnnumberedLink[] = []
  for (const { name, links } of topology.routers)
    for (const holding of holdings.filter(({ router }) => router === name)) {
      const capacity = linkCapacity(holding.block, topology.delegatingBits)
      for (const [index, link] of links.entries())
        if (index < capacity) prefixes.push(numbered(topology, holding, link, index))
        else unnumbered.push({ link, holding, capacity })
    }
  return { prefixes, unnumbered }
}

function numbered(topology: SiteTopology, holding: Holding, link: string, index: number): LinkPrefix {
  const { domain, router, block } = holding
  const prefix = linkPrefix(block, index)
  return { link, prefix, domain, router, lifetime: lifetimeOf(topology, holding), holding }
}

/** What is left of the provider's lifetime at this router. */
export function lifetimeOf({ lifetimes }: SiteTopology, holding: Holding): PrefixLifetime {
  const full = lifetimes.get(holding.domain) ?? DEFAULT_PREFIX_LIFETIME
  if (!isShortLived(holding)) return full
  return { ...SHORTENED, validSeconds: Math.min(SHORTENED.validSeconds, full.validSeconds) }
}

/**
 * The addresses of a host on a link, in the order in which to use them: one of every global prefix first, the
 * providers in the order of the site, before a second one of any.
 */
export function addressesOfHost(host: SiteHost, prefixes: readonly LinkPrefix[]): readonly HostAddress[] {
  const seen = new Map<string, number>()
  const ranked = prefixes.toSorted(byUse).map((entry) => {
    const rank = seen.get(entry.holding.root) ?? 0
    seen.set(entry.holding.root, rank + 1)
    return { entry, rank }
  })
  return ranked
    .toSorted((x, y) => x.rank - y.rank)
    .slice(0, MOST_PREFIXES)
    .map(({ entry }, index) => ({
      address: withInterfaceId(entry.prefix, host.interfaceId),
      domain: entry.domain,
      firstHop: entry.router,
      state: index < PREFERRED_PREFIXES && entry.lifetime.preferredSeconds > 0 ? 'preferred' : 'deprecated'
    }))
}

function byUse(x: LinkPrefix, y: LinkPrefix): number {
  return (
    Number(isShortLived(x.holding)) - Number(isShortLived(y.holding)) ||
    x.holding.block.length - y.holding.block.length ||
    x.holding.arrival - y.holding.arrival
  )
}

function withInterfaceId({ address: { a, b } }: IpPrefix, interfaceId: bigint): IpAddress {
  return ipv6(a, b, Number((interfaceId >> 32n) & 0xffff_ffffn), Number(interfaceId & 0xffff_ffffn))
}
