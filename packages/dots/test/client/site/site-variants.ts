import { address, prefix } from '@breakwater/testing'
import type { DomainName } from '../../../src/domain/identifier.ts'
import type { ProvisioningDomain, Site } from '../../../src/domain/site.ts'

/** The same site with one domain changed. */
export function withDomain(site: Site, name: DomainName, change: Partial<ProvisioningDomain>): Site {
  const domains = site.domains.map((domain) => (domain.name === name ? { ...domain, ...change } : domain))
  return { ...site, domains }
}

/** The same site without these domains. */
export function without(site: Site, ...names: DomainName[]): Site {
  return { ...site, domains: site.domains.filter(({ name }) => !names.includes(name)) }
}

/** The same site, numbered otherwise by one domain. */
export function renumbered(site: Site, name: DomainName, assigned: string, source: string): Site {
  return withDomain(site, name, { prefixes: [prefix(assigned)], sources: [address(source)] })
}
