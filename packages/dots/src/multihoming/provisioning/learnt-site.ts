import { comparePrefixes, equalPrefixes, prefixContains, prefixContainsAddress } from '@breakwater/core'
import type { Instant, IpPrefix } from '@breakwater/core'
import type { DomainName } from '../../domain/identifier.ts'
import type { LocalAddress } from '../../domain/local-address.ts'
import type { ProvisioningDomain, Site } from '../../domain/site.ts'
import { isOver } from './kept-configuration.ts'
import type { PrefixClaim } from './prefix-claim.ts'

/** What a site is made of, besides what its operator configured. */
export interface LearntParts {
  readonly taken: readonly PrefixClaim[]
  /** Undefined: the system did not say yet. */
  readonly addresses: readonly LocalAddress[] | undefined
  /** Learnt once and over: a provider's that is nobody's now. */
  readonly lapsed: readonly IpPrefix[]
}

/** The configured site with what was learnt. Equal parts make equal sites, whatever order they came in. */
export function learntSite(configured: Site, { taken, addresses, lapsed }: LearntParts, now: Instant): Site {
  const locals =
    addresses === undefined || configured.domains.every(({ sources }) => sources.length > 0)
      ? undefined
      : localAddressesOf(configured, addresses, taken, lapsed, now)
  const domains = configured.domains.map((domain): ProvisioningDomain => {
    const prefixes = [...domain.prefixes, ...prefixesOf(domain.name, taken)]
    return locals === undefined ? { ...domain, prefixes } : { ...domain, prefixes, localAddresses: locals }
  })
  return { ...configured, domains }
}

/** Those of a domain in a fixed order, less what lies inside another. */
function prefixesOf(domain: DomainName, taken: readonly PrefixClaim[]): IpPrefix[] {
  const own = taken.filter((claim) => claim.domain === domain).map(({ prefix }) => prefix)
  const sorted = own.toSorted(comparePrefixes)
  return sorted.filter((prefix, index) => {
    const isRepeated = index > 0 && equalPrefixes(sorted[index - 1] ?? prefix, prefix)
    return !isRepeated && !own.some((other) => other.length < prefix.length && prefixContains(other, prefix))
  })
}

/**
 * Addresses as the system tells them, and as the provider said: deprecated ones of a prefix that is preferred no more
 * (RFC 4862 §5.5.4); none of a prefix that is over, lest it pass for an address of nobody, which any domain may use.
 */
function localAddressesOf(
  { domains }: Site,
  addresses: readonly LocalAddress[],
  taken: readonly PrefixClaim[],
  lapsed: readonly IpPrefix[],
  now: Instant
): LocalAddress[] {
  const configured = domains.flatMap(({ prefixes }) => prefixes)
  return addresses.flatMap((local): LocalAddress[] => {
    const covering = taken.filter(({ prefix }) => prefixContainsAddress(prefix, local.address))
    if (covering.length > 0) {
      const isDeprecated = covering.every(({ preferred }) => isOver(preferred, now))
      return [isDeprecated ? { ...local, state: 'deprecated' } : local]
    }
    return isIn(lapsed, local) && !isIn(configured, local) ? [] : [local]
  })
}

function isIn(prefixes: readonly IpPrefix[], { address }: LocalAddress): boolean {
  return prefixes.some((prefix) => prefixContainsAddress(prefix, address))
}
