import type { DomainName, ServerName } from '../domain/identifier.ts'
import type { DotsServer, ProvisioningDomain, Site } from '../domain/site.ts'

/** Servers of which one is asked, the preferred one first. Never empty. */
export type Alternatives = readonly DotsServer[]

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

/**
 * The one that is asked: the chosen one, else the first.
 * @param chosen Those that are chosen, each among those that it stands in for. Undefined: nobody has chosen.
 */
export function pickServer(
  servers: Alternatives,
  chosen: ReadonlySet<ServerName> | undefined
): DotsServer | undefined {
  return servers.find(({ name }) => chosen?.has(name) === true) ?? servers[0]
}

/** The provider that a domain is an attachment of, where the operator says so. */
export function providerOf(
  site: Site,
  domain: DomainName
): NonNullable<Site['providers']>[number] | undefined {
  return site.providers?.find(({ domains }) => domains.includes(domain))
}
