import { equalIpAddresses, isLoopback } from '@breakwater/core'
import type { IpAddress } from '@breakwater/core'
import type { DotsServer, Site } from '../domain/site.ts'
import { isHostPlace } from './found-address.ts'
import { describeIllegal, legalPaths } from './legal-path.ts'
import type { LegalPaths } from './legal-path.ts'

/** The server that another one sends us to (RFC 9132 §4.6). */
export interface AlternateServer {
  /** Reference identifier: its certificate must carry this name, whoever sent us there. */
  readonly referenceName: string
  readonly addresses: readonly IpAddress[]
}

export type AlternatePaths =
  | { readonly ok: true; readonly paths: LegalPaths }
  | { readonly ok: false; readonly reason: string }

/**
 * The legal paths to an alternate of a server: a redirect stays inside the server's own domain, by the domain's interfaces,
 * from its sources, with its credentials. What is known as another domain's server is no alternate (RFC 9284 §5.1).
 */
export function alternatePaths(site: Site, server: DotsServer, alternate: AlternateServer): AlternatePaths {
  const owner = ownerOf(site, server, alternate)
  if (owner !== undefined) return refused(`it is a server of ${owner}`)
  const { referenceName } = alternate
  if (alternate.addresses.length === 0) return refused('its addresses are not known')
  // Who is configured on the loopback interface may send us to another one there.
  const mayBeLoopback = server.addresses.some(isLoopback)
  const addresses = alternate.addresses.filter((each) => isHostPlace(each, mayBeLoopback))
  if (addresses.length === 0) return refused('its addresses are those of no other host')
  const paths = legalPaths(site, { ...server, referenceName, addresses, isUnordered: true })
  if (paths.paths.length > 0) return { ok: true, paths }
  return refused(paths.illegal.map((reason) => describeIllegal(reason)).join('; '))
}

/** The other domain that has this server, if one has. */
function ownerOf(site: Site, { domain }: DotsServer, alternate: AlternateServer): string | undefined {
  const others = site.domains.filter(({ name }) => name !== domain)
  return others.find(({ servers }) => servers.some((server) => isSame(server, alternate)))?.name
}

function isSame(server: DotsServer, { referenceName, addresses }: AlternateServer): boolean {
  if (server.referenceName === referenceName) return true
  return server.addresses.some((own) => addresses.some((each) => equalIpAddresses(own, each)))
}

function refused(reason: string): AlternatePaths {
  return { ok: false, reason }
}
