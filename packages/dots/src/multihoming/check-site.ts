import { formatIpAddress, formatIpPrefix, prefixContains, prefixKey } from '@breakwater/core'
import type { DomainName, ServerName } from '../domain/identifier.ts'
import type { DotsServer, ProvisioningDomain, Site } from '../domain/site.ts'
import { addressClasses, classifiedPrefixes, describeClass, strangersTo } from './address-class.ts'
import type { AddressClass } from './address-class.ts'
import { providerOf } from './alternatives.ts'
import { aliasProblems } from './check-aliases.ts'
import type { AliasProblemCode } from './check-aliases.ts'
import { sharingProblems } from './check-sharing.ts'
import type { SharingProblemCode } from './check-sharing.ts'
import { describeIllegal, legalPaths } from './legal-path.ts'

/** What is wrong with a site. `code` is stable; `place` says where: `domain isp-a`, `server isp-a/east`. */
export interface SiteProblem {
  readonly code:
    | 'DOMAIN_DUPLICATE'
    | 'SERVER_DUPLICATE'
    | 'SERVER_OF_OTHER_DOMAIN'
    | 'SERVER_UNREACHABLE'
    | 'SERVER_ADDRESS_SHARED'
    | 'ROUTER_WITHOUT_INTERFACE'
    | 'ROUTER_WITH_ADDRESS'
    | 'PREFIX_OF_TWO'
    | 'SOURCE_OF_OTHER_DOMAIN'
    | 'PI_DOMAIN_UNKNOWN'
    | 'PI_WITHOUT_DOMAIN'
    | 'PRECONFIGURED_OF_OTHER'
    | SharingProblemCode
    | AliasProblemCode
  readonly place: string
  readonly message: string
}

/** Everything that is wrong with a site, at once; empty when a client may run on it. */
export function checkSite(site: Site): SiteProblem[] {
  return [
    ...duplicateNames(site),
    ...strayServers(site),
    ...prefixesOfTwo(site),
    ...providerIndependentDomains(site),
    ...foreignSources(site),
    ...unreachableServers(site),
    ...sharedServerAddresses(site),
    ...defaultRouters(site),
    ...foreignScopes(site),
    ...sharingProblems(site),
    ...aliasProblems(site)
  ]
}

/** RFC 9284 §5.1: what a provider is asked to protect when the session is lost is its own, as with any request. */
function foreignScopes(site: Site): SiteProblem[] {
  const classes = addressClasses(site)
  return site.domains.flatMap(({ name, kind, preconfigured = [], protects = [] }) =>
    preconfigured
      .flatMap(({ target }) => target.prefixes)
      .filter((prefix) => {
        const found = classes.longestMatch(prefix.address)?.value
        if (kind === 'service')
          return found?.kind !== 'pi' || !protects.some((own) => prefixContains(own, prefix))
        return found === undefined || strangersTo(name, found).length > 0
      })
      .map((prefix): SiteProblem => {
        const message = `preconfigured ${formatIpPrefix(prefix)} is not for ${name} to protect`
        return { code: 'PRECONFIGURED_OF_OTHER', place: `domain ${name}`, message }
      })
  )
}

function duplicateNames(site: Site): SiteProblem[] {
  const domains = repeated(site.domains.map((domain) => domain.name))
  const servers = repeated(allServers(site).map((server) => server.name))
  return [
    ...domains.map((name): SiteProblem => {
      return { code: 'DOMAIN_DUPLICATE', place: `domain ${name}`, message: `two domains are called ${name}` }
    }),
    ...servers.map((name): SiteProblem => {
      return { code: 'SERVER_DUPLICATE', place: `server ${name}`, message: `two servers are called ${name}` }
    })
  ]
}

function strayServers(site: Site): SiteProblem[] {
  return site.domains.flatMap((domain) =>
    domain.servers
      .filter((server) => server.domain !== domain.name)
      .map((server): SiteProblem => {
        const message = `server ${server.name} says it is of ${server.domain} but stands under ${domain.name}`
        return { code: 'SERVER_OF_OTHER_DOMAIN', place: `server ${server.name}`, message }
      })
  )
}

/** The longest match decides a class; two classes of one prefix leave nothing to decide by. */
function prefixesOfTwo(site: Site): SiteProblem[] {
  const seen = new Map<string, AddressClass>()
  const problems: SiteProblem[] = []
  for (const entry of classifiedPrefixes(site)) {
    const key = prefixKey(entry.prefix)
    const first = seen.get(key)
    if (first === undefined) seen.set(key, entry.class)
    else if (!(first.kind === 'pa' && entry.class.kind === 'pa' && first.domain === entry.class.domain)) {
      const text = formatIpPrefix(entry.prefix)
      const message = `${text} is both ${describeClass(first)} and ${describeClass(entry.class)}`
      problems.push({ code: 'PREFIX_OF_TWO', place: `prefix ${text}`, message })
    }
  }
  return problems
}

function providerIndependentDomains(site: Site): SiteProblem[] {
  const links = site.domains.filter(({ kind }) => kind === 'access')
  const known = new Set(links.map((domain) => domain.name))
  return site.providerIndependent.flatMap(({ prefix, domains }): SiteProblem[] => {
    const text = formatIpPrefix(prefix)
    const place = `prefix ${text}`
    if (domains?.length === 0)
      return [{ code: 'PI_WITHOUT_DOMAIN', place, message: `${text} is announced through no domain` }]
    const unknown = (domains ?? []).filter((name) => !known.has(name))
    return unknown.map((name): SiteProblem => {
      const message = `${text} is announced through ${name}, which is no provider of the site`
      return { code: 'PI_DOMAIN_UNKNOWN', place, message }
    })
  })
}

/** A source that another domain assigned would be dropped by ingress filtering, or betray that domain. */
function foreignSources(site: Site): SiteProblem[] {
  const classes = addressClasses(site)
  return site.domains.flatMap((domain) =>
    domain.sources.flatMap((source): SiteProblem[] => {
      const found = classes.longestMatch(source)?.value
      if (found === undefined || strangersTo(domain.name, found).length === 0) return []
      const message = `source ${formatIpAddress(source)} of ${domain.name} is ${describeClass(found)}`
      return [{ code: 'SOURCE_OF_OTHER_DOMAIN', place: `domain ${domain.name}`, message }]
    })
  )
}

function unreachableServers(site: Site): SiteProblem[] {
  const classes = addressClasses(site)
  return allServers(site).flatMap((server): SiteProblem[] => {
    if (server.isDefaultRouter === true || server.isNamed === true) return []
    if (addressesComeAndGo(site, server)) return []
    const found = legalPaths(site, server, classes)
    if (found.paths.length > 0) return []
    const why = found.illegal.map((reason) => describeIllegal(reason)).join('; ')
    const message = `no legal path leads to server ${server.name}: ${why}`
    return [{ code: 'SERVER_UNREACHABLE', place: `server ${server.name}`, message }]
  })
}

/** The system gives the sources: that there is none now does not mean that there will be none. */
function addressesComeAndGo(site: Site, server: DotsServer): boolean {
  const domain = domainOf(site, server)
  return domain !== undefined && domain.sources.length === 0 && domain.localAddresses !== undefined
}

/**
 * RFC 9284 §5.2: under one address for the servers of two domains, the network decides whose server a request meets.
 * Harmless where each session is bound to an interface that is its domain's alone, and where both domains are one
 * provider's (§5.4). The operator may answer for it where others see to that.
 */
function sharedServerAddresses(site: Site): SiteProblem[] {
  if (site.allowsSharedServerAddresses === true) return []
  const problems: SiteProblem[] = []
  const seen = new Map<string, DotsServer>()
  for (const server of allServers(site))
    for (const address of server.addresses) {
      const key = `${formatIpAddress(address)} port ${server.port}`
      const first = seen.get(key)
      if (first === undefined) seen.set(key, server)
      else if (first.domain !== server.domain && !isHarmless(site, first, server)) {
        const message =
          `servers ${first.name} and ${server.name} of two domains share ${key}, and nothing binds ` +
          'their sessions to different interfaces'
        problems.push({ code: 'SERVER_ADDRESS_SHARED', place: `server ${server.name}`, message })
      }
    }
  return problems
}

/** RFC 9132 §4.3 asks a default router only where no address is known; RFC 9284 §5.1: on the domain's own interface. */
function defaultRouters(site: Site): SiteProblem[] {
  return site.domains.flatMap((domain) =>
    domain.servers
      .filter((server) => server.isDefaultRouter === true)
      .flatMap((server): SiteProblem[] => {
        const place = `server ${server.name}`
        const problems: SiteProblem[] = []
        if (domain.interfaces.length === 0)
          problems.push({
            code: 'ROUTER_WITHOUT_INTERFACE',
            place,
            message: `server ${server.name} is the default router, and domain ${domain.name} names no interface`
          })
        if (server.addresses.length > 0)
          problems.push({
            code: 'ROUTER_WITH_ADDRESS',
            place,
            message: `server ${server.name} is the default router and has addresses, too; keep one`
          })
        return problems
      })
  )
}

function isHarmless(site: Site, a: DotsServer, b: DotsServer): boolean {
  const provider = providerOf(site, a.domain)
  return provider?.domains.includes(b.domain) === true || areApart(site, a, b)
}

function areApart(site: Site, a: DotsServer, b: DotsServer): boolean {
  const interfaces = (server: DotsServer): readonly string[] => domainOf(site, server)?.interfaces ?? []
  const [ofA, ofB] = [interfaces(a), interfaces(b)]
  return ofA.length > 0 && ofB.length > 0 && !ofA.some((name) => ofB.includes(name))
}

function domainOf(site: Site, server: DotsServer): ProvisioningDomain | undefined {
  return site.domains.find((domain) => domain.name === server.domain)
}

function allServers(site: Site): DotsServer[] {
  return site.domains.flatMap((domain) => domain.servers)
}

function repeated<Name extends DomainName | ServerName>(names: readonly Name[]): Name[] {
  return [...new Set(names.filter((name, index) => names.indexOf(name) !== index))]
}
