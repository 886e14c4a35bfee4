import type { DomainName } from '../../domain/identifier.ts'
import type { Site } from '../../domain/site.ts'

/** How long addresses of a prefix may be used, as RFC 8415 §21.22 gives it. */
export interface PrefixLifetime {
  readonly preferredSeconds: number
  readonly validSeconds: number
}

/** RFC 4861 §6.2.1: AdvPreferredLifetime and AdvValidLifetime. */
export const DEFAULT_PREFIX_LIFETIME: PrefixLifetime = { preferredSeconds: 604_800, validSeconds: 2_592_000 }

/** A host with an address of its own choice in every /64 of its link. */
export interface SiteHost {
  readonly name: string
  /** The last 64 bits of its addresses. */
  readonly interfaceId: bigint
}

export interface SiteLink {
  readonly name: string
  readonly hosts: readonly SiteHost[]
}

/** A router of the site. The order of routers, links and requests decides their numbers. */
export interface SiteRouter {
  readonly name: string
  /** Domains that it has a link to: it gets their prefixes. */
  readonly exits: readonly DomainName[]
  /** Routers that it asks for prefixes, in this order. */
  readonly requestsFrom: readonly string[]
  /** Links that it gives a /64 of everything that it has. */
  readonly links: readonly string[]
}

/** What is to be numbered: a site as placement knows it, and the routers and links in it. */
export interface SiteTopology {
  readonly site: Site
  readonly lifetimes: ReadonlyMap<DomainName, PrefixLifetime>
  /** Bits of a subnet id that tell the requesting routers of one router apart. */
  readonly delegatingBits: number
  readonly routers: readonly SiteRouter[]
  readonly links: readonly SiteLink[]
}

/** What draft-ohira-multi6-multilink-auto-prefix-assign-00 uses throughout. */
export const DEFAULT_DELEGATING_BITS = 4
