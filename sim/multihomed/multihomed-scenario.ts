import type { IpFamily, Transport } from '@breakwater/core'
import type { NamingPlan } from '../layout.ts'
import type { Course } from '../scenario.ts'

/** A scenario of one multihomed network with everything that RFC 9284 speaks of, as plain data. Prefixes are texts. */
export interface MultihomedScenario extends Course {
  readonly domains: readonly DomainPlan[]
  readonly providerIndependent: readonly OwnPrefix[]
  readonly groups: readonly { readonly domains: readonly number[]; readonly prefixes: readonly string[] }[]
  /** Domains that are attachments of one provider (RFC 9284 §5.4). */
  readonly singleProviders: readonly {
    readonly domains: readonly number[]
    readonly attachments: 'one' | 'all'
  }[]
  readonly consents: readonly ConsentPlan[]
  readonly internal: readonly string[]
  readonly clients: readonly PlacedClient[]
  /** What the targets of each client may be called. */
  readonly naming: readonly NamingPlan[]
  readonly transports: readonly Transport[]
}

/** A provisioning domain. Domains are numbered from 0 in their order. */
export interface DomainPlan {
  readonly kind: 'access' | 'service'
  /** Of its link; a service has none, and both. */
  readonly families: readonly IpFamily[]
  readonly prefixes: readonly string[]
  /** Families of which its link has lost its address. */
  readonly lost: readonly IpFamily[]
  /** Of a service: what it may protect. */
  readonly protects: readonly string[]
  /** How many. With none, what comes in through it is not mitigated. */
  readonly servers: number
  readonly isPool: boolean
  readonly translations: readonly { readonly internal: string; readonly external: string }[]
  /** Requests that stand by at its servers for the loss of the signal (RFC 9132 §4.4.1.1). */
  readonly standing: readonly { readonly prefix: string; readonly lifetimeSeconds: number }[]
}

export interface OwnPrefix {
  readonly prefix: string
  readonly domains: readonly number[] | 'all'
}

export interface ConsentPlan {
  readonly of: number
  readonly to: number
  readonly prefixes: readonly string[]
  /** Seconds from the start. */
  readonly from: number
  readonly until: number
}

/** A DOTS client of the network, and where it is. */
export interface PlacedClient {
  /** `cpe`: it has the links itself. `lan`: behind a router that has them (RFC 9284 §5.2, Figures 4, 7 and 8). */
  readonly place: 'cpe' | 'lan'
  /** What it knows of. */
  readonly domains: readonly number[]
  /** Empty: it reacts to everything. */
  readonly filters: readonly string[]
}

/** Numbers of the servers of a domain. */
export function serversOf({ domains }: MultihomedScenario, domain: number): number[] {
  const first = domains.slice(0, domain).reduce((sum, { servers }) => sum + servers, 0)
  return Array.from({ length: domains[domain]?.servers ?? 0 }, (_, index) => first + index)
}

/** The domain of a server. */
export function domainOf(scenario: MultihomedScenario, server: number): number {
  return scenario.domains.findIndex((_, domain) => serversOf(scenario, domain).includes(server))
}
