import { addressBits, formatIpPrefix, overlapsAny } from '@breakwater/core'
import type { IpPrefix, PrefixTable } from '@breakwater/core'
import type { DomainName } from '../domain/identifier.ts'
import type { Site } from '../domain/site.ts'
import { addressClasses, classifiedPrefixes, ownersOf, strangersTo } from './address-class.ts'
import type { AddressClass } from './address-class.ts'
import type { SiteProblem } from './check-site.ts'

/** What can be wrong with what the domains of a site have in common. */
export type SharingProblemCode =
  | 'SERVICE_WITH_LINK'
  | 'SERVICE_PREFIX_FOREIGN'
  | 'PROTECTS_OF_PROVIDER'
  | 'GROUP_DOMAIN_UNKNOWN'
  | 'PROVIDER_DOMAIN_UNKNOWN'
  | 'DOMAIN_OF_TWO_PROVIDERS'
  | 'CONSENT_DOMAIN_UNKNOWN'
  | 'CONSENT_TO_OWNER'
  | 'CONSENT_OF_OTHER'
  | 'CONSENT_WITHOUT_TIME'
  | 'NAME_DUPLICATE'
  | 'INTERNAL_WITH_CLASS'
  | 'TRANSLATION_OF_OTHER'
  | 'TRANSLATION_OF_LENGTHS'

/** Everything that is wrong with services, groups, providers, consents and filters. */
export function sharingProblems(site: Site): SiteProblem[] {
  const classes = addressClasses(site)
  return [
    ...services(site, classes),
    ...groups(site),
    ...providers(site),
    ...consents(site, classes),
    ...translations(site, classes),
    ...names(site)
  ]
}

function services(site: Site, classes: PrefixTable<AddressClass>): SiteProblem[] {
  return site.domains.flatMap(
    ({ name, kind, interfaces, sources, prefixes, protects = [] }): SiteProblem[] => {
      const place = `domain ${name}`
      if (kind === 'access') {
        const message = `${name} is no service: what it protects follows from the classes of its prefixes`
        return protects.length === 0 ? [] : [{ code: 'PROTECTS_OF_PROVIDER', place, message }]
      }
      const message = `service ${name} is reached over the links of others: it has no interfaces, sources or prefixes`
      const linked = [...interfaces, ...sources, ...prefixes].length > 0
      const foreign = protects.filter((prefix) => classes.longestCover(prefix) === undefined)
      return [
        ...(linked ? [{ code: 'SERVICE_WITH_LINK', place, message } as const] : []),
        ...foreign.map((prefix): SiteProblem => {
          const text = `${formatIpPrefix(prefix)}, which ${name} protects, is no prefix of the site`
          return { code: 'SERVICE_PREFIX_FOREIGN', place, message: text }
        })
      ]
    }
  )
}

function groups(site: Site): SiteProblem[] {
  return (site.groups ?? []).flatMap(({ name, domains }) =>
    unknownLinks(site, domains).map((domain): SiteProblem => {
      const message = `group ${name} is of ${domain}, which is no provider of the site`
      return { code: 'GROUP_DOMAIN_UNKNOWN', place: `group ${name}`, message }
    })
  )
}

function providers(site: Site): SiteProblem[] {
  const owner = new Map<DomainName, string>()
  return (site.providers ?? []).flatMap(({ name, domains }) => {
    const place = `provider ${name}`
    const unknown = unknownLinks(site, domains).map((domain): SiteProblem => {
      const message = `provider ${name} has the attachment ${domain}, which is no provider's link of the site`
      return { code: 'PROVIDER_DOMAIN_UNKNOWN', place, message }
    })
    const twice = domains.filter((domain) => owner.has(domain))
    for (const domain of domains) owner.set(domain, name)
    return [
      ...unknown,
      ...twice.map((domain): SiteProblem => {
        return { code: 'DOMAIN_OF_TWO_PROVIDERS', place, message: `${domain} is an attachment twice` }
      })
    ]
  })
}

function unknownLinks(site: Site, domains: readonly DomainName[]): DomainName[] {
  const links = site.domains.filter(({ kind }) => kind === 'access')
  const known = new Set(links.map(({ name }) => name))
  return domains.filter((domain) => !known.has(domain))
}

function consents(site: Site, classes: PrefixTable<AddressClass>): SiteProblem[] {
  const known = new Set(site.domains.map(({ name }) => name))
  const isOf = (owner: DomainName, prefix: IpPrefix): boolean => {
    const found = classes.longestCover(prefix)?.value
    return found !== undefined && found.kind !== 'pi' && ownersOf(found).includes(owner)
  }
  return (site.consents ?? []).flatMap(({ name, of, to, prefixes, from, until }) => {
    const problem = (code: SharingProblemCode, message: string): SiteProblem => {
      return { code, place: `consent ${name}`, message }
    }
    const unknown = [of, to].filter((domain) => !known.has(domain))
    const foreign = unknown.includes(of) ? [] : prefixes.filter((prefix) => !isOf(of, prefix))
    return [
      ...unknown.map((domain) => problem('CONSENT_DOMAIN_UNKNOWN', `${domain} is no domain of the site`)),
      ...(of === to ? [problem('CONSENT_TO_OWNER', `consent ${name} of ${of} is to ${of} itself`)] : []),
      ...(from < until ? [] : [problem('CONSENT_WITHOUT_TIME', `consent ${name} ends before it begins`)]),
      ...foreign.map((prefix) => {
        const text = formatIpPrefix(prefix)
        return problem('CONSENT_OF_OTHER', `consent ${name} is about ${text}, which ${of} did not assign`)
      })
    ]
  })
}

function translations(site: Site, classes: PrefixTable<AddressClass>): SiteProblem[] {
  const owned = classifiedPrefixes(site).map(({ prefix }) => prefix)
  const mixed = (site.internal ?? []).filter((prefix) => overlapsAny(prefix, owned))
  const ofDomains = site.domains.flatMap(({ name, translations: own = [] }) =>
    own.flatMap(({ internal, external }): SiteProblem[] => {
      const place = `domain ${name}`
      const text = `${formatIpPrefix(internal)} to ${formatIpPrefix(external)} by ${name}`
      const isHost = external.length === addressBits(external.address.family)
      const isFit = internal.address.family === external.address.family
      const found = classes.longestCover(external)?.value
      return [
        ...(overlapsAny(internal, owned) ? [problemOfMixed(internal, place)] : []),
        ...(isFit && (isHost || internal.length === external.length)
          ? []
          : [
              {
                code: 'TRANSLATION_OF_LENGTHS',
                place,
                message: `${text} is neither one to one nor to one host`
              } as const
            ]),
        ...(found !== undefined && strangersTo(name, found).length === 0
          ? []
          : [
              {
                code: 'TRANSLATION_OF_OTHER',
                place,
                message: `${text} leads to addresses that are not of ${name}`
              } as const
            ])
      ]
    })
  )
  return [
    ...mixed.map((prefix) => problemOfMixed(prefix, `internal ${formatIpPrefix(prefix)}`)),
    ...ofDomains
  ]
}

function problemOfMixed(prefix: IpPrefix, place: string): SiteProblem {
  const message = `${formatIpPrefix(prefix)} is internal, and a provider's or the site's own, too`
  return { code: 'INTERNAL_WITH_CLASS', place, message }
}

/** Names are how people and logs tell them apart. */
function names(site: Site): SiteProblem[] {
  const kinds = { group: site.groups, provider: site.providers, consent: site.consents, filter: site.filters }
  return Object.entries(kinds).flatMap(([kind, list = []]) => {
    const all = list.map(({ name }) => name)
    const twice = new Set(all.filter((name, index) => all.indexOf(name) !== index))
    return [...twice].map((name): SiteProblem => {
      return { code: 'NAME_DUPLICATE', place: `${kind} ${name}`, message: `two are called ${kind} ${name}` }
    })
  })
}
