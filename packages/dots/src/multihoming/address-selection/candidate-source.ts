import { isLinkLocal, isMulticast, isUnspecified, prefixContainsAddress } from '@breakwater/core'
import type { IpAddress, IpPrefix } from '@breakwater/core'
import type { LocalAddress, LocalInterface } from '../../domain/local-address.ts'
import { withoutMapping } from './mapped-address.ts'
import { SCOPE, scopeOf } from './scope.ts'
import type { Destination, SelectionContext, StatelessTranslation } from './selection-context.ts'

/**
 * CandidateSource(D) of RFC 6724 §4: the addresses that could be the source of a packet to `destination`: the unicast
 * addresses of the outgoing interface and of those that forward, of the family that the packet will have.
 */
export function candidateSources(
  { locals, translation }: SelectionContext,
  destination: Destination
): readonly LocalAddress[] {
  const address = withoutMapping(destination.address)
  return locals.filter(
    (local) =>
      withoutMapping(local.address).family === address.family &&
      !isMulticast(local.address) &&
      !isUnspecified(local.address) &&
      mayLeaveBy(local, destination, address) &&
      isTranslatable(local.address, address, translation)
  )
}

/** RFC 6724 §4: multicast and link-local destinations stay on a link, site-local ones in a site. */
function mayLeaveBy(local: LocalAddress, { route, zone }: Destination, address: IpAddress): boolean {
  const own = local.interface
  const outgoing = route.interface
  if (outgoing === undefined) return zone === undefined || zone === own.name
  if (isMulticast(address) || isLinkLocal(address)) return linkOf(own) === linkOf(outgoing)
  if (scopeOf(address) === SCOPE.siteLocal && own.site !== outgoing.site) return false
  return own.name === outgoing.name || (own.isForwarding === true && scopeOf(local.address) > SCOPE.linkLocal)
}

function linkOf(of: LocalInterface): string {
  return of.link === undefined ? `interface ${of.name}` : `link ${of.link}`
}

/** RFC 6724 §4: an IPv4 node that is reached through a translator can answer only to what it can name. */
function isTranslatable(
  source: IpAddress,
  destination: IpAddress,
  translation: StatelessTranslation | undefined
): boolean {
  if (translation === undefined || !isIn(translation.converted, destination)) return true
  return isIn(translation.translatable, source)
}

function isIn(prefixes: readonly IpPrefix[], address: IpAddress): boolean {
  return prefixes.some((prefix) => prefixContainsAddress(prefix, address))
}
