import type { DomainName, ServerName } from '../domain/identifier.ts'
import type { DotsServer, ProvisioningDomain, Site } from '../domain/site.ts'

/** Servers of which one is asked, the preferred one first. Never empty. */
export type Alternatives = readonly DotsServer[]

/** What decides between alternatives, besides their order. */
export interface ServerStates {
  /** Whether there is a session with it. Undefined: as if there were with all. */
  readonly isAvailable?: (server: ServerName) => boolean
  /** Those that are asked already: nobody changes from one that is available. */
  readonly asked?: ReadonlySet<ServerName>
}

/** All servers of these domains, those that stand in for one another together. */
export function alternativesOf(site: Site, domains: readonly ProvisioningDomain[]): Alternatives[] {
  const heaps = new Map<string, DotsServer[]>()
  for (const domain of domains)
    for (const server of domain.servers) {
      const heap = heapOf(site, domain, server)
      const known = heaps.get(heap)
      if (known === undefined) heaps.set(heap, [server])
      else known.push(server)
    }
  return [...heaps.values()]
}

/**
 * RFC 9284 §5.4: of one provider, one attachment or all; under one name there is one server, whatever leads to it, and two
 * requests for one target there would be in conflict.
 */
function heapOf(site: Site, domain: ProvisioningDomain, server: DotsServer): string {
  const provider = providerOf(site, domain.name)
  if (provider?.attachments === 'one') return `provider ${provider.name}`
  if (domain.isPool === true) return `pool ${domain.name}`
  return provider === undefined
    ? `server ${server.name}`
    : `provider ${provider.name} ${server.referenceName}`
}

/** The one that is asked: an available one, of these the one that is asked already, else the first. */
export function pickServer(servers: Alternatives, states: ServerStates): DotsServer | undefined {
  if (servers.length < 2) return servers[0]
  const { isAvailable = () => true, asked } = states
  const available = servers.filter(({ name }) => isAvailable(name))
  const isAsked = ({ name }: DotsServer): boolean => asked?.has(name) === true
  return available.find(isAsked) ?? available[0] ?? servers.find(isAsked) ?? servers[0]
}

/** The provider that a domain is an attachment of, where the operator says so. */
export function providerOf(
  site: Site,
  domain: DomainName
): NonNullable<Site['providers']>[number] | undefined {
  return site.providers?.find(({ domains }) => domains.includes(domain))
}
