import { isLoopback } from '@breakwater/core'
import type { IpAddress, SocketAddress, Transport } from '@breakwater/core'
import { ServerName } from '../domain/identifier.ts'
import type { DomainName } from '../domain/identifier.ts'
import type { ProvisioningDomain, Site } from '../domain/site.ts'
import { legalPaths } from './legal-path.ts'

/** A recursive name server of a domain. */
export interface DomainNameServer {
  readonly address: IpAddress
  readonly port: number
  /** Where it was learnt: it is asked by no other interface. Undefined: by those of its domain. */
  readonly interface?: string
}

/** By what a question to a name server leaves. */
export interface NameServerPath {
  readonly address: SocketAddress
  /** Both undefined: a name server on this host, which leaves nobody's link to be chosen. */
  readonly source?: IpAddress
  readonly interface?: string
}

/**
 * By what a name server of a domain is asked: as its DOTS servers are, by its interfaces only, from sources that no other domain
 * assigned (RFC 9284 §5.1), the best way first. Empty: it may not be asked.
 */
export function nameServerPaths(
  site: Site,
  domain: DomainName,
  { address, port, interface: via }: DomainNameServer,
  transport: Transport
): readonly NameServerPath[] {
  const own = site.domains.find(({ name }) => name === domain)
  // The operator runs it here for this domain; whom it asks, and over which link, is its own configuration.
  if (isLoopback(address) && own?.sources.some((source) => isLoopback(source)) !== true)
    return [{ address: { address, port } }]
  const name = ServerName(`name server of ${domain}`)
  const server = { name, domain, referenceName: name, addresses: [address], port, transports: [transport] }
  return legalPaths(via === undefined ? site : narrowed(site, domain, via), server).paths.map((path) => {
    const from = { address: path.remote, source: path.source }
    return path.interface === undefined ? from : { ...from, interface: path.interface }
  })
}

/** The domain by one of its interfaces alone; without the domain, where that interface is not its own. */
function narrowed(site: Site, domain: DomainName, via: string): Site {
  const has = ({ interfaces }: ProvisioningDomain): boolean =>
    interfaces.length === 0 || interfaces.includes(via)
  const domains = site.domains
    .filter((each) => each.name !== domain || has(each))
    .map((each) => (each.name === domain ? { ...each, interfaces: [via] } : each))
  return { ...site, domains }
}
