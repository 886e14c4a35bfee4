import { PrefixTable } from '@breakwater/core'
import type { IpPrefix } from '@breakwater/core'
import type { DomainName } from '../domain/identifier.ts'
import type { Site } from '../domain/site.ts'

/** Whose an address of the site is. What has no class is foreign: not ours to protect. */
export type AddressClass =
  /** Provider-aggregatable: assigned by this domain, which alone may be asked about it (RFC 9284 §5.1). */
  | { readonly kind: 'pa'; readonly domain: DomainName }
  /** Provider-independent: the site's own, announced through these domains (RFC 9284 §5.2). */
  | { readonly kind: 'pi'; readonly domains: readonly DomainName[]; readonly named: boolean }
  /** Assigned by these domains together. */
  | { readonly kind: 'group'; readonly name: string; readonly domains: readonly DomainName[] }

/** A prefix of the site with its class, as it stands in the configuration. */
export interface ClassifiedPrefix {
  readonly prefix: IpPrefix
  readonly class: AddressClass
}

/** Every prefix of the site with its class, in the order of the configuration. Equal classes are one object. */
export function classifiedPrefixes(site: Site): ClassifiedPrefix[] {
  const assigned = site.domains.flatMap((domain) => {
    const pa: AddressClass = { kind: 'pa', domain: domain.name }
    return domain.prefixes.map((prefix) => ({ prefix, class: pa }))
  })
  const all = site.domains.filter(({ kind }) => kind === 'access').map((domain) => domain.name)
  const everywhere: AddressClass = { kind: 'pi', domains: all, named: false }
  const own = site.providerIndependent.map(({ prefix, domains }): ClassifiedPrefix => {
    if (domains === undefined) return { prefix, class: everywhere }
    return { prefix, class: { kind: 'pi', domains, named: true } }
  })
  const shared = (site.groups ?? []).flatMap(({ name, domains, prefixes }) => {
    const group: AddressClass = { kind: 'group', name, domains }
    return prefixes.map((prefix) => ({ prefix, class: group }))
  })
  return [...assigned, ...own, ...shared]
}

/** The table in which the longest match decides the class of an address; no match: foreign. */
export function addressClasses(site: Site): PrefixTable<AddressClass> {
  return new PrefixTable(
    classifiedPrefixes(site).map((entry) => ({ prefix: entry.prefix, value: entry.class }))
  )
}

/**
 * The owners because of whom `domain` must not use a source of this class; empty when it may. An address of no class
 * (behind a translator, of the link itself) belongs to the domain that lists it.
 */
export function strangersTo(
  domain: DomainName,
  addressClass: AddressClass | undefined
): readonly DomainName[] {
  if (addressClass === undefined) return []
  const owners = ownersOf(addressClass)
  return owners.includes(domain) ? [] : owners
}

/** The domains that protect it by themselves. */
export function ownersOf(addressClass: AddressClass): readonly DomainName[] {
  return addressClass.kind === 'pa' ? [addressClass.domain] : addressClass.domains
}

/** `assigned by isp-a`, `provider-independent, announced through isp-a and isp-b`. */
export function describeClass(addressClass: AddressClass): string {
  switch (addressClass.kind) {
    case 'pa':
      return `assigned by ${addressClass.domain}`
    case 'pi':
      return addressClass.named
        ? `provider-independent, announced through ${addressClass.domains.join(' and ')}`
        : 'provider-independent, announced through every domain'
    case 'group':
      return `assigned by ${addressClass.domains.join(' and ')} together (group ${addressClass.name})`
  }
}
