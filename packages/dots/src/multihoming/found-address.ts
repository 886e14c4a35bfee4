import { equalIpAddresses, formatIpAddress, isLoopback, isOfOneHost } from '@breakwater/core'
import type { IpAddress } from '@breakwater/core'
import type { ServerName } from '../domain/identifier.ts'
import type { DotsServer, Site } from '../domain/site.ts'
import { providerOf } from './alternatives.ts'

/** Addresses at which servers have shown their certificates. */
export type ProvenAddresses = ReadonlyMap<ServerName, readonly IpAddress[]>

/** What is made of the addresses that a name has. */
export interface JudgedAddresses {
  readonly taken: readonly IpAddress[]
  /** What was refused, and why; undefined: nothing. */
  readonly refused: string | undefined
}

/** More addresses than this of one name are not tried: who answers may not be well-meant. */
export const MOST_FOUND_ADDRESSES = 16

/**
 * Which addresses of a name may be a server's. One that is known as that of a server of another domain is refused, however
 * sessions are bound: an operator may answer for a shared address (RFC 9284 §5.2), a name service may not. Known is what is
 * configured, and what was proved by a certificate: of two unproven claims the certificate decides.
 */
export function judgeAddresses(
  site: Site,
  server: DotsServer,
  addresses: readonly IpAddress[],
  proven: ProvenAddresses
): JudgedAddresses {
  const faults = addresses.map((address) => faultOf(site, server, address, proven))
  const taken = addresses.filter((_, index) => faults[index] === undefined)
  const reasons = [...new Set(faults.filter((fault) => fault !== undefined))]
  return {
    taken: taken.slice(0, MOST_FOUND_ADDRESSES),
    refused: reasons.length === 0 ? undefined : reasons.join('; ')
  }
}

function faultOf(
  site: Site,
  server: DotsServer,
  address: IpAddress,
  proven: ProvenAddresses
): string | undefined {
  const text = formatIpAddress(address)
  if (!isHostPlace(address, isOnLoopback(site, server))) return `${text} is the address of no other host`
  const owner = site.allowsSharedServerAddresses === true ? undefined : ownerOf(site, server, address, proven)
  return owner === undefined ? undefined : `${text} is the address of server ${owner.name} of ${owner.domain}`
}

/**
 * RFC 9132 §11: who was taken over must not send us to everybody, or to ourselves, where a service may listen that trusts its
 * own host.
 */
export function isHostPlace(address: IpAddress, mayBeLoopback: boolean): boolean {
  return isOfOneHost(address) && (mayBeLoopback || !isLoopback(address))
}

/** Its sessions leave from this host to itself, as its operator configured. */
function isOnLoopback(site: Site, { domain }: DotsServer): boolean {
  return site.domains.find(({ name }) => name === domain)?.sources.some(isLoopback) === true
}

function ownerOf(
  site: Site,
  { domain }: DotsServer,
  address: IpAddress,
  proven: ProvenAddresses
): DotsServer | undefined {
  const own = providerOf(site, domain)?.domains ?? [domain]
  return site.domains
    .filter(({ name }) => name !== domain && !own.includes(name))
    .flatMap(({ servers }) => servers)
    .find(({ name, addresses }) =>
      [...addresses, ...(proven.get(name) ?? [])].some((known) => equalIpAddresses(known, address))
    )
}
