import type { IpPrefix, PrefixTable } from '@breakwater/core'
import type { Consent } from '../../domain/consent.ts'
import type { DomainName } from '../../domain/identifier.ts'
import type { PreconfiguredScope, ProvisioningDomain, Site } from '../../domain/site.ts'
import { addressClasses, ownersOf, strangersTo } from '../address-class.ts'
import type { AddressClass } from '../address-class.ts'

/**
 * The site without what its operator said of prefixes that are not there: where a domain learns its prefixes, standing
 * requests, translations, consents and lists of services may be about some that come and go. What is left out comes back
 * with its prefix.
 */
export function withoutAbsent(site: Site, learning: ReadonlySet<DomainName>): Site {
  if (learning.size === 0) return site
  const classes = addressClasses(site)
  const domains = site.domains.map((domain) => domainWithout(domain, learning, classes))
  const consents = site.consents?.flatMap((consent) =>
    learning.has(consent.of) ? consentWithout(consent, classes) : [consent]
  )
  return { ...site, domains, ...(consents === undefined ? {} : { consents }) }
}

function domainWithout(
  domain: ProvisioningDomain,
  learning: ReadonlySet<DomainName>,
  classes: PrefixTable<AddressClass>
): ProvisioningDomain {
  const { kind, name, protects, preconfigured, translations } = domain
  if (kind === 'service') {
    const present = protects?.filter((prefix) => classes.longestCover(prefix) !== undefined)
    return present === undefined ? domain : { ...domain, protects: present }
  }
  if (!learning.has(name)) return domain
  const isPresent = (prefix: IpPrefix): boolean => {
    const found = classes.longestCover(prefix)?.value
    return found !== undefined && strangersTo(name, found).length === 0
  }
  return {
    ...domain,
    ...(preconfigured === undefined
      ? {}
      : { preconfigured: preconfigured.flatMap((scope) => scopeWithout(scope, isPresent)) }),
    ...(translations === undefined
      ? {}
      : { translations: translations.filter(({ external }) => isPresent(external)) })
  }
}

function scopeWithout(
  scope: PreconfiguredScope,
  isPresent: (prefix: IpPrefix) => boolean
): PreconfiguredScope[] {
  const prefixes = scope.target.prefixes.filter(isPresent)
  return prefixes.length === 0 ? [] : [{ ...scope, target: { ...scope.target, prefixes } }]
}

function consentWithout(consent: Consent, classes: PrefixTable<AddressClass>): Consent[] {
  const prefixes = consent.prefixes.filter((prefix) => {
    const found = classes.longestCover(prefix)?.value
    return found !== undefined && found.kind !== 'pi' && ownersOf(found).includes(consent.of)
  })
  return prefixes.length === 0 ? [] : [{ ...consent, prefixes }]
}
