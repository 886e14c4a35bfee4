import type { InterfaceAddresses, Site } from '@breakwater/dots'

/**
 * The site with what the system says of this host's addresses, where a domain leaves its sources to it (RFC 9284 §5.1).
 * Rejects with UnavailableError when the system does not tell.
 */
export async function withLocalAddresses(site: Site, addresses: InterfaceAddresses): Promise<Site> {
  if (site.domains.every(({ sources }) => sources.length > 0)) return site
  const localAddresses = await addresses.read()
  return { ...site, domains: site.domains.map((domain) => ({ ...domain, localAddresses })) }
}
