import { formatIpAddress } from '@breakwater/core'
import type { IpAddress, NetworkPath, PrefixTable, SocketAddress, Transport } from '@breakwater/core'
import type { DomainName, ServerName } from '../domain/identifier.ts'
import type { DotsServer, ProvisioningDomain, Site } from '../domain/site.ts'
import { addressClasses } from './address-class.ts'
import type { AddressClass } from './address-class.ts'
import { ASSUMED_PATH_MTU } from './split-to-fit.ts'
import { LegalSources } from './legal-source.ts'

// The one maker of paths, lent by the class's static block to this file alone.
let makePath: (server: DotsServer, way: Way) => LegalPath

interface Way {
  readonly transport: Transport
  readonly source: IpAddress
  readonly remote: IpAddress
  readonly via: string | undefined
  readonly mtu: number | undefined
}

/**
 * A way to a DOTS server that stays inside the server's own provisioning domain: by the domain's interface, from a
 * source address that no other domain assigned, to an address of the server. Whatever opens a session takes one of
 * these, and nothing but `legalPaths` makes them: leaving a domain cannot be written down.
 */
export class LegalPath {
  static {
    makePath = (server, way) => new LegalPath(server, way)
  }

  // A private field makes the type nominal: no literal of the same shape passes for a LegalPath.
  readonly #server: DotsServer
  readonly transport: Transport
  readonly source: IpAddress
  readonly remote: SocketAddress
  /** Bound to this interface; undefined: any active one (RFC 9284 §5.1). */
  readonly interface: string | undefined
  /** Bytes, IP and UDP headers included; undefined: nobody knows. */
  readonly mtu: number | undefined

  private constructor(server: DotsServer, way: Way) {
    this.#server = server
    this.transport = way.transport
    this.source = way.source
    this.remote = { address: way.remote, port: portOf(server, way.transport) }
    this.interface = way.via
    this.mtu = way.mtu
  }

  get domain(): DomainName {
    return this.#server.domain
  }

  get server(): ServerName {
    return this.#server.name
  }

  /** The DNS-ID that the server's certificate must carry. */
  get referenceName(): string {
    return this.#server.referenceName
  }

  /** As the layers below name paths; the kernel chooses the local port. */
  get networkPath(): NetworkPath {
    const local: SocketAddress = { address: this.source, port: 0 }
    if (this.interface === undefined) return { local, remote: this.remote }
    return { local, remote: this.remote, interface: this.interface }
  }
}

/** Why an element of a domain's configuration gives no path. */
export type IllegalPath =
  | { readonly kind: 'domain-unknown'; readonly domain: DomainName }
  | { readonly kind: 'no-source'; readonly domain: DomainName }
  | { readonly kind: 'no-address'; readonly server: ServerName }
  | { readonly kind: 'not-located'; readonly server: ServerName; readonly reason: string }
  | { readonly kind: 'no-router'; readonly server: ServerName; readonly interface: string }
  | { readonly kind: 'source-of-another'; readonly source: IpAddress; readonly owners: readonly DomainName[] }
  | { readonly kind: 'no-source-of-family'; readonly remote: IpAddress }
  | { readonly kind: 'no-unicast-source'; readonly source: IpAddress }

/** The ways to one server. */
export interface LegalPaths {
  /**
   * As RFC 9132 §4.3 prefers them: UDP over IPv6, UDP over IPv4, TCP over IPv6, TCP over IPv4. Among those the server's
   * first address comes first, then the domain's first source; where nobody gave an order, that of RFC 6724. Empty: no
   * session may be opened.
   */
  readonly paths: readonly LegalPath[]
  /** What was left out, and why. */
  readonly illegal: readonly IllegalPath[]
}

/**
 * Every legal path to a server of the site, in order of preference.
 * @param classes The site's address classes, where the caller has compiled them already.
 */
export function legalPaths(
  site: Site,
  server: DotsServer,
  classes: PrefixTable<AddressClass> = addressClasses(site)
): LegalPaths {
  const domain = site.domains.find((candidate) => candidate.name === server.domain)
  if (domain === undefined) return { paths: [], illegal: [{ kind: 'domain-unknown', domain: server.domain }] }
  const links = linksOf(site, domain).map((link): Link => {
    return { domain: link, sources: new LegalSources(site, link, classes) }
  })
  const illegal = links.flatMap(({ sources }) => sources.illegal)
  if (server.addresses.length === 0) illegal.push({ kind: 'no-address', server: server.name })
  for (const remote of server.addresses)
    if (!links.some(({ sources }) => sources.hasFamily(remote.family)))
      illegal.push({ kind: 'no-source-of-family', remote })
  return { paths: pathsOf(server, links), illegal }
}

/** Where paths leave the site, with the sources that are legal there. */
interface Link {
  readonly domain: ProvisioningDomain
  readonly sources: LegalSources
}

/** RFC 9284 §4: a service has no link of its own; each of the others leads to it, from sources that belong there. */
function linksOf(site: Site, domain: ProvisioningDomain): readonly ProvisioningDomain[] {
  return domain.kind === 'service' ? site.domains.filter(({ kind }) => kind === 'access') : [domain]
}

function pathsOf(server: DotsServer, links: readonly Link[]): LegalPath[] {
  const transports = transportsOf(server)
  return preference.flatMap(({ transport, family }) => {
    if (!transports.includes(transport)) return []
    const remotes = server.addresses.filter((remote) => remote.family === family)
    return links
      .flatMap(({ domain, sources }) =>
        (server.isUnordered === true ? sources.inOrder(remotes) : remotes).flatMap((remote) =>
          waysTo(domain, remote, sources)
        )
      )
      .map((way) => makePath(server, { ...way, transport }))
  })
}

/** RFC 9132 §4.3: the most preferred first. */
const preference = [
  { transport: 'udp', family: 6 },
  { transport: 'udp', family: 4 },
  { transport: 'tcp', family: 6 },
  { transport: 'tcp', family: 4 }
] as const

/** The best source of each interface first, then the second of each. */
function waysTo(
  domain: ProvisioningDomain,
  remote: IpAddress,
  sources: LegalSources
): Omit<Way, 'transport'>[] {
  const interfaces = domain.interfaces.length === 0 ? [undefined] : domain.interfaces
  const ranked = interfaces.map((via) => ({ via, sources: sources.to(remote, via) }))
  const most = Math.max(...ranked.map((each) => each.sources.length))
  return Array.from({ length: most }, (_, rank) =>
    ranked.flatMap(({ via, sources: own }) =>
      own.slice(rank, rank + 1).map((source) => ({ source, remote, via, mtu: domain.mtu }))
    )
  ).flat()
}

/** What every one of these paths carries (RFC 9132 §7.3). */
export function leastMtu({ paths }: LegalPaths): number {
  const known = paths.map(({ mtu = ASSUMED_PATH_MTU }) => mtu)
  return known.length === 0 ? ASSUMED_PATH_MTU : Math.min(...known)
}

/** RFC 9132 §3: a server listens on both, unless it was agreed otherwise. */
export function transportsOf(server: DotsServer): readonly Transport[] {
  return server.transports ?? ['udp', 'tcp']
}

function portOf(server: DotsServer, transport: Transport): number {
  return transport === 'tcp' ? (server.tcpPort ?? server.port) : server.port
}

/** One reason in words. */
export function describeIllegal(reason: IllegalPath): string {
  switch (reason.kind) {
    case 'domain-unknown':
      return `${reason.domain} is no domain of the site`
    case 'no-source':
      return `domain ${reason.domain} has no source address`
    case 'no-address':
      return `server ${reason.server} has no address`
    case 'not-located':
      return `nobody knows where server ${reason.server} is: ${reason.reason}`
    case 'no-router':
      return `server ${reason.server} is the default router, and there is none on ${reason.interface}`
    case 'source-of-another':
      return `source ${formatIpAddress(reason.source)} belongs to ${reason.owners.join(' and ')}`
    case 'no-source-of-family':
      return `no source of the family of ${formatIpAddress(reason.remote)}`
    case 'no-unicast-source':
      return `source ${formatIpAddress(reason.source)} is no address that a packet can come from`
  }
}
