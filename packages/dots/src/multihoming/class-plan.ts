import { PrefixTable, prefixKey } from '@breakwater/core'
import type { IpPrefix, PrefixEntry } from '@breakwater/core'
import type { Consent } from '../domain/consent.ts'
import type { DomainName } from '../domain/identifier.ts'
import type { ProvisioningDomain, Site } from '../domain/site.ts'
import { classifiedPrefixes, ownersOf } from './address-class.ts'
import type { AddressClass } from './address-class.ts'
import { alternativesOf, providerOf } from './alternatives.ts'
import type { ClassPlan, ConsentedDomain, PlacementReason } from './site-plan.ts'

/** What lies over the classes of a site, and with its own borders: lists of services, consents, filters. */
interface Overlays {
  readonly services: readonly { readonly domain: ProvisioningDomain; readonly protects: PrefixTable<true> }[]
  readonly consents: readonly { readonly consent: Consent; readonly prefixes: PrefixTable<true> }[]
  /** Undefined: there is no filter. */
  readonly filter: PrefixTable<true> | undefined
}

/**
 * What becomes of each prefix of a site: an entry for every border of a class, of a service's list, of a consent and of a
 * filter, so that the longest match decides all of it. Equal plans are one object.
 */
export function planPrefixes(site: Site): PrefixEntry<ClassPlan>[] {
  const classified = classifiedPrefixes(site)
  const classes = new PrefixTable(classified.map((each) => ({ prefix: each.prefix, value: each.class })))
  const overlays = overlaysOf(site)
  const plans = new Map<AddressClass, Map<string, ClassPlan>>()
  return bordersOf(site, classified).flatMap((prefix) => {
    const found = classes.longestCover(prefix)?.value
    if (found === undefined) return []
    const own = plans.get(found) ?? new Map<string, ClassPlan>()
    plans.set(found, own)
    const over = overlaysAt(overlays, prefix)
    const value = own.get(over.key) ?? planClass(site, found, over)
    own.set(over.key, value)
    return [{ prefix, value }]
  })
}

function bordersOf(site: Site, classified: readonly { readonly prefix: IpPrefix }[]): IpPrefix[] {
  const all = [
    ...classified.map(({ prefix }) => prefix),
    ...site.domains.flatMap(({ protects = [] }) => protects),
    ...(site.consents ?? []).flatMap(({ prefixes }) => prefixes),
    ...(site.filters ?? []).flatMap(({ prefixes }) => prefixes)
  ]
  return [...new Map(all.map((prefix) => [prefixKey(prefix), prefix])).values()]
}

function overlaysOf(site: Site): Overlays {
  const filters = (site.filters ?? []).flatMap(({ prefixes }) => prefixes)
  return {
    services: site.domains
      .filter(({ kind }) => kind === 'service')
      .map((domain) => ({ domain, protects: tableOf(domain.protects ?? []) })),
    consents: (site.consents ?? []).map((consent) => ({ consent, prefixes: tableOf(consent.prefixes) })),
    filter: (site.filters ?? []).length === 0 ? undefined : tableOf(filters)
  }
}

function tableOf(prefixes: readonly IpPrefix[]): PrefixTable<true> {
  return new PrefixTable(prefixes.map((prefix) => ({ prefix, value: true as const })))
}

/** The overlays that contain a prefix. */
interface Overlaid {
  readonly key: string
  readonly services: readonly ProvisioningDomain[]
  readonly consents: readonly Consent[]
  readonly isFiltered: boolean
}

function overlaysAt({ services, consents, filter }: Overlays, prefix: IpPrefix): Overlaid {
  const contains = (table: PrefixTable<true>): boolean => table.longestCover(prefix) !== undefined
  const marks = [...services.map(({ protects }) => protects), ...consents.map(({ prefixes }) => prefixes)]
  const isFiltered = filter !== undefined && !contains(filter)
  return {
    key: `${marks.map((table) => (contains(table) ? '1' : '0')).join('')} ${isFiltered}`,
    services: services.filter(({ protects }) => contains(protects)).map(({ domain }) => domain),
    consents: consents.filter(({ prefixes }) => contains(prefixes)).map(({ consent }) => consent),
    isFiltered
  }
}

function planClass(site: Site, addressClass: AddressClass, over: Overlaid): ClassPlan {
  // RFC 9284 §4: what is the site's own, a service on whose list it stands is asked about as the providers are.
  const services = addressClass.kind === 'pi' ? over.services.map(({ name }) => name) : []
  const domains = domainsOf(site, [...entitledTo(site, addressClass), ...services])
  const alternatives = alternativesOf(site, domains)
  const consented = addressClass.kind === 'pi' ? [] : consentedDomains(site, addressClass, over)
  const isFixed = consented.length === 0 && alternatives.every((servers) => servers.length === 1)
  return {
    class: addressClass,
    alternatives,
    fixed: isFixed ? alternatives.flat().map(({ name }) => name) : undefined,
    uncovered: domains.filter((domain) => domain.servers.length === 0).map((domain) => domain.name),
    because: reasonFor(addressClass),
    consented,
    isFiltered: over.isFiltered
  }
}

/** RFC 9284 §5.4: one provider assigned it, whichever of its attachments the prefix is configured for. */
function entitledTo(site: Site, addressClass: AddressClass): readonly DomainName[] {
  const owners = ownersOf(addressClass)
  if (addressClass.kind === 'pi') return owners
  return owners.flatMap((owner) => {
    const others = providerOf(site, owner)?.domains ?? []
    return [owner, ...others.filter((name) => name !== owner)]
  })
}

/** In the order of these names, each once. */
function domainsOf(site: Site, names: readonly DomainName[]): ProvisioningDomain[] {
  return [...new Set(names)].flatMap((name) => site.domains.filter((domain) => domain.name === name))
}

/** Domains to which every owner gave a consent; a service must have the prefix on its list besides. */
function consentedDomains(site: Site, addressClass: AddressClass, over: Overlaid): ConsentedDomain[] {
  const owners = ownersOf(addressClass)
  const entitled = new Set(entitledTo(site, addressClass))
  return site.domains.flatMap((domain) => {
    if (entitled.has(domain.name) || (domain.kind === 'service' && !over.services.includes(domain))) return []
    const consents = over.consents.filter(({ of, to }) => to === domain.name && owners.includes(of))
    if (!owners.every((owner) => consents.some(({ of }) => of === owner))) return []
    return [{ domain: domain.name, alternatives: alternativesOf(site, [domain]), consents }]
  })
}

function reasonFor(addressClass: AddressClass): PlacementReason {
  if (addressClass.kind === 'pa') return 'pa-own-domain'
  if (addressClass.kind === 'group') return 'group-domains'
  return addressClass.named ? 'pi-named-domains' : 'pi-every-domain'
}
