import type { IpPrefix } from '@breakwater/core'

/** Servers that stand in for one another, by their numbers: one of them is asked. */
export type Heap = readonly number[]

/** What is true of a site, told flatly: whose each prefix is and who is asked about it. */
export interface Facts {
  readonly classes: readonly ClassFact[]
  /** Domains of services, with what they protect. */
  readonly services: readonly {
    readonly domain: number
    readonly protects: readonly IpPrefix[]
    readonly heaps: readonly Heap[]
  }[]
  /** Those that hold now, one for each prefix. */
  readonly consents: readonly {
    readonly of: number
    readonly to: number
    readonly prefix: IpPrefix
    readonly heaps: readonly Heap[]
    /** It is to a service: what is not on its list it does not hear of. */
    readonly needsList: boolean
  }[]
  /** Empty: the client reacts to everything. */
  readonly filters: readonly IpPrefix[]
  readonly internal: readonly IpPrefix[]
  readonly translations: readonly {
    readonly domain: number
    readonly internal: IpPrefix
    readonly external: IpPrefix
  }[]
  /** What the domains of one provider, or one domain, are to protect when the signal is lost (RFC 9284 §5.4). */
  readonly standing: readonly { readonly domains: readonly number[]; readonly prefix: IpPrefix }[]
  /** All prefixes at whose borders something changes, those of consents included that do not hold. */
  readonly borders: readonly IpPrefix[]
}

/** Whose a prefix is. */
export interface ClassFact {
  readonly prefix: IpPrefix
  readonly isProviderIndependent: boolean
  /** Domains by their numbers. */
  readonly owners: readonly number[]
  /** The owners, and other attachments of their providers (RFC 9284 §5.4). */
  readonly entitled: readonly number[]
  readonly heaps: readonly Heap[]
  /** Domains that have no server. */
  readonly uncovered: readonly number[]
}

/** What one of each of these heaps hears of. */
export interface ReachedPrefix {
  readonly prefix: IpPrefix
  readonly heaps: readonly Heap[]
}

/** What a request must come to. */
export interface Expectation {
  /** One server of each of these is asked, about all of these. */
  readonly asked: readonly { readonly servers: Heap; readonly prefixes: readonly IpPrefix[] }[]
  /** A piece of it belongs to nobody of the site. */
  readonly isForeign: boolean
  /** That refuses all of it. */
  readonly isRefused: boolean
  /** The client leaves a piece of it to others. */
  readonly isFiltered: boolean
  /** A piece of it is internal, and nobody translates it. */
  readonly isWaiting: boolean
  readonly uncovered: readonly number[]
}
