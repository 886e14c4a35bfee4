import type { IpAddress, IpPrefix, Transport } from '@breakwater/core'
import type { Alias } from './alias.ts'
import type { Consent } from './consent.ts'
import type { LocalAddress } from './local-address.ts'
import type { DomainName, ServerName } from './identifier.ts'
import type { SelectionSettings } from './selection-settings.ts'
import type { Target } from './target.ts'

/** A DOTS server: it belongs to exactly one provisioning domain. */
export interface DotsServer {
  readonly name: ServerName
  readonly domain: DomainName
  /** Reference identifier: the DNS-ID that its certificate must carry. */
  readonly referenceName: string
  /** Those of one family in order of preference; between families RFC 9132 §4.3 decides. */
  readonly addresses: readonly IpAddress[]
  /** Nobody put the addresses in order (a name was resolved): RFC 6724 §6 does, within a family. */
  readonly isUnordered?: true
  /** RFC 9132 §3: 4646 unless agreed otherwise. */
  readonly port: number
  /** Undefined: the same port as for UDP. */
  readonly tcpPort?: number
  /** What it listens on. Undefined: both (RFC 9132 §3). */
  readonly transports?: readonly Transport[]
  /**
   * How it mitigates: on the way that the traffic takes anyhow, or by having the traffic diverted to it. Undefined: nobody
   * said so.
   */
  readonly action?: 'in-place' | 'divert'
  /**
   * RFC 9132 §4.3: no address is known, so the default routers of its domain are asked, by the domain's interfaces only.
   * `addresses` is empty then.
   */
  readonly isDefaultRouter?: true
  /**
   * Where it is has to be asked of the name servers of its domain, by `referenceName` (RFC 9284 §5.1). `addresses` is empty
   * then.
   */
  readonly isNamed?: true
}

/** Two descriptions of one server: what is known of it goes on, such as its session, its requests and where it is. */
export function isSameServer(x: DotsServer, y: DotsServer): boolean {
  return (
    x.name === y.name &&
    x.domain === y.domain &&
    x.referenceName === y.referenceName &&
    x.isDefaultRouter === y.isDefaultRouter
  )
}

/**
 * A mitigation that is to begin when the session is lost, as a full link loses it (RFC 9132 §4.4.1.1,
 * `trigger-mitigation: false`).
 */
export interface PreconfiguredScope {
  readonly target: Target
  /** Seconds; renewed as long as the client runs. */
  readonly lifetime: number | 'indefinite'
}

/**
 * `access`: one attachment's worth of configuration (RFC 7556). `service`: a mitigation service of a third party, without
 * a link, sources or prefixes: it is reached over the links of the others (RFC 9284 §4).
 */
export interface ProvisioningDomain {
  readonly name: DomainName
  readonly kind: 'access' | 'service'
  /** Interfaces that sessions to its servers may use; empty: any active one (RFC 9284 §5.1). */
  readonly interfaces: readonly string[]
  /** Provider-aggregatable prefixes that this domain assigned. */
  readonly prefixes: readonly IpPrefix[]
  /**
   * Local addresses that sessions of this domain leave from, in order of preference: the operator's choice, which nothing
   * overrides (RFC 6724 §1). Empty: `localAddresses` are used.
   */
  readonly sources: readonly IpAddress[]
  /** What the system says of this host's addresses; RFC 6724 orders the legal ones. Undefined: it was not asked yet. */
  readonly localAddresses?: readonly LocalAddress[]
  readonly servers: readonly DotsServer[]
  /** Bytes that its links carry in one packet, IP headers included. Undefined: nobody knows (RFC 9132 §7.3: 1280 then). */
  readonly mtu?: number
  /** Its servers stand in for one another: one of them is asked. Undefined: each is asked. */
  readonly isPool?: true
  /** Of a service: what it may protect for this site. It hears of nothing else. */
  readonly protects?: readonly IpPrefix[]
  /** By what it translates internal addresses to its own. Undefined: it translates none. */
  readonly translations?: readonly Translation[]
  /** The safety net: standing requests at its servers. Undefined: none. */
  readonly preconfigured?: readonly PreconfiguredScope[]
}

/** Internal addresses as the world sees them: one to one where the lengths are equal, all of them behind one host otherwise. */
export interface Translation {
  readonly internal: IpPrefix
  readonly external: IpPrefix
}

/** A prefix of the site's own, announced through all domains or the named ones. */
export interface ProviderIndependentPrefix {
  readonly prefix: IpPrefix
  /** Undefined: all domains. */
  readonly domains?: readonly DomainName[]
}

/** Prefixes that several providers assigned together: any of them can protect these, and all are asked. */
export interface PrefixGroup {
  readonly name: string
  readonly domains: readonly DomainName[]
  readonly prefixes: readonly IpPrefix[]
}

/** Domains that are attachments of one provider (RFC 9284 §5.4). */
export interface SingleProvider {
  readonly name: string
  readonly domains: readonly DomainName[]
  /** Over which of them it is asked. The same server at several attachments is one server, and asked once. */
  readonly attachments: 'one' | 'all'
  /**
   * Its servers know of each other what they were asked: one request, by one mitigation id, is one mitigation at all of
   * them. Undefined: each knows of itself only.
   */
  readonly serversCoordinate?: true
}

/** This client reacts to what is inside one of its filters, and leaves the rest to others (RFC 9284 §5.2, Figure 8). */
export interface PrefixFilter {
  readonly name: string
  readonly prefixes: readonly IpPrefix[]
}

/** A multihomed network as its operator describes it (RFC 9284 §4). May be used when `checkSite` has nothing against it. */
export interface Site {
  readonly domains: readonly ProvisioningDomain[]
  readonly providerIndependent: readonly ProviderIndependentPrefix[]
  /** Prefixes that are used inside only; what translates them stands with the domains. */
  readonly internal?: readonly IpPrefix[]
  /** What the operator calls targets by. Names are unique. */
  readonly aliases?: readonly Alias[]
  readonly groups?: readonly PrefixGroup[]
  readonly providers?: readonly SingleProvider[]
  readonly consents?: readonly Consent[]
  /** Undefined or empty: the client reacts to everything. */
  readonly filters?: readonly PrefixFilter[]
  /** The operator answers for one address of servers of two domains (RFC 9284 §5.2). Undefined: it is refused. */
  readonly allowsSharedServerAddresses?: true
  /** How addresses are selected where nobody chose one (RFC 6724 §2). Undefined: by the defaults of the RFC. */
  readonly addressSelection?: SelectionSettings
}
