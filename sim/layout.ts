import { equalIpAddresses } from '@breakwater/core'
import type { Instant, IpAddress } from '@breakwater/core'
import type { ClientDomain, Cuid, DomainName, Site } from '@breakwater/dots'
import type { Oracle } from './oracle/oracle.ts'
import type { NetworkFault } from './scenario.ts'

/**
 * Who is where in a world, worked out from the plain data of its scenario. Worlds of every family run on one; what an
 * invariant expects comes from here and from the oracle, never from the code under test.
 */
export interface Layout {
  /** By their numbers. */
  readonly servers: readonly ServerPlan[]
  /** By their numbers. */
  readonly clients: readonly ClientPlan[]
}

export interface ServerPlan {
  readonly number: number
  /** The domain that it belongs to, by its number. */
  readonly home: number
  /** In its certificate. */
  readonly name: string
  /** As clients call it. An alternate is called as the server that sends clients there. */
  readonly called: string
  readonly addresses: readonly IpAddress[]
  /** Where it sends clients to, when it does (RFC 9132 §4.6): the number of a server. */
  readonly alternate: number | undefined
  /** The server that clients know, by its number: itself, or the one that sends them here. */
  readonly standsFor: number
  /** Whose requests it takes, and about what. */
  readonly customers: readonly ClientDomain[]
}

/** A DOTS client on a host of its own. */
export interface ClientPlan {
  readonly number: number
  /** The site as its operator configured it for this client. */
  readonly site: Site
  readonly domains: readonly DomainOfClient[]
  readonly attachments: readonly Attachment[]
  /** By a router of the site that the client is behind; undefined: its host has the links itself. */
  readonly router: 'by-source' | undefined
  readonly oracle: Oracle
  /** Undefined: its network stays as it is. */
  readonly network?: ChangingNetwork
  /** What its targets may be called; undefined: nothing. */
  readonly names?: NamingPlan
}

/** What the name service of a site says, and when it says nothing. */
export interface NamingPlan {
  readonly names: readonly {
    readonly name: string
    /** The first one from the beginning. Addresses are written as prefixes of hosts. */
    readonly answers: readonly {
      readonly at: number
      readonly addresses: readonly string[]
      readonly ttlSeconds: number
    }[]
  }[]
  /** Seconds from the start. */
  readonly silences: readonly { readonly at: number; readonly lasts: number }[]
}

/** A network that becomes another one while the client runs. */
export interface ChangingNetwork {
  /** As it is under these changes. */
  under(changes: readonly NetworkFault[]): Pick<ClientPlan, 'site' | 'attachments'>
  /** The client was told of them at that moment: the oracle goes by what the client knows. */
  told(changes: readonly NetworkFault[], at: Instant): void
}

/** What a client has of a provisioning domain. */
export interface DomainOfClient {
  readonly number: number
  readonly name: DomainName
  readonly cuid: Cuid
  /** Name in its certificate for this domain. */
  readonly subject: string
}

/** The link to a provider, and what the client may send there. */
export interface Attachment {
  /** Number of the domain. */
  readonly domain: number
  readonly interface: string
  /** Of a network that changes: all that it ever has. */
  readonly addresses: readonly IpAddress[]
}

/** The client that has an address. */
export function clientAt({ clients }: Layout, address: IpAddress): number {
  const isThere = ({ attachments }: ClientPlan): boolean =>
    attachments.some(({ addresses }) => addresses.some((own) => equalIpAddresses(own, address)))
  return clients.find(isThere)?.number ?? -1
}

/** The server that has an address; undefined: nobody has it. */
export function serverAt({ servers }: Layout, address: IpAddress): number | undefined {
  return servers.find(({ addresses }) => addresses.some((own) => equalIpAddresses(own, address)))?.number
}

export function attachmentOf({ attachments }: ClientPlan, domain: number): Attachment | undefined {
  return attachments.find((each) => each.domain === domain)
}
