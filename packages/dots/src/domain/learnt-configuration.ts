import type { Duration, IpAddress, IpPrefix } from '@breakwater/core'
import type { DomainName } from './identifier.ts'

/**
 * How a site learns what a provider gives it (RFC 7556 §2; RFC 9284 §4). `pco`: the protocol configuration options of a
 * mobile network. `drop`: anything else that somebody writes down.
 */
export const LEARNT_ORIGINS = ['dhcpv4', 'dhcpv6', 'ra', 'pco', 'drop'] as const
export type LearntOrigin = (typeof LEARNT_ORIGINS)[number]

/**
 * How long a fact holds from the moment when it is told: steps of the calendar are no matter after that. `unlimited`:
 * until it is withdrawn.
 */
export type FactLifetime = Duration | 'unlimited'

/** A prefix that the provider assigned. */
export interface LearntPrefix {
  readonly prefix: IpPrefix
  readonly valid: FactLifetime
  /** After it, addresses of the prefix are deprecated (RFC 4862 §5.5.4). */
  readonly preferred: FactLifetime
}

/** An address that the provider assigned to this host. */
export interface LearntAddress {
  readonly address: IpAddress
  readonly valid: FactLifetime
  readonly preferred: FactLifetime
}

/** A recursive name server or a default router of the provider. */
export interface LearntHost {
  readonly address: IpAddress
  readonly valid: FactLifetime
}

export interface LearntSearchDomain {
  readonly name: string
  readonly valid: FactLifetime
}

/**
 * What one source says of one attachment. DOTS servers are not among it: who learns these has to authenticate what it
 * learnt (RFC 8973), which is a matter of its own.
 */
export interface LearntConfiguration {
  /** The provisioning domain, where the source knows. Undefined: the one that learns from this interface. */
  readonly domain?: DomainName
  /** Undefined: the source does not know; then it names the domain. */
  readonly interface?: string
  readonly origin: LearntOrigin
  readonly prefixes: readonly LearntPrefix[]
  readonly addresses: readonly LearntAddress[]
  readonly resolvers: readonly LearntHost[]
  readonly gateways: readonly LearntHost[]
  readonly searchDomains: readonly LearntSearchDomain[]
}

/** No source has to say more of one attachment; what it says beyond is refused as a whole. */
export const LEARNT_LIMITS = {
  prefixes: 64,
  addresses: 64,
  resolvers: 16,
  gateways: 16,
  searchDomains: 32
} as const
