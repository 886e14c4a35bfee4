import { DEFAULT_SESSION_PARAMETERS, checkSite, prefixLearners, withoutAbsent } from '@breakwater/dots'
import type { Site, SiteProblem } from '@breakwater/dots'
import { policyTableProblems } from './address-selection-config.ts'
import { checkCredentials } from './check-credentials.ts'
import type { ClientConfig } from './client-config.ts'
import { present } from './draft.ts'
import type { Draft } from './draft.ts'
import type { ConfigFiles } from './file-format.ts'
import { learnRulesOf, learningProblems, learningWarnings } from './learning-of-config.ts'
import type { ConfigPath, ShapeProblem } from './shape.ts'
import { siteOfConfig } from './site-of-config.ts'

type DomainDraft = Draft<ClientConfig['domains'][number]>

/** These follow from other mistakes when parts of the configuration are missing: told only of a whole one. */
const onlyOfWholeSites: ReadonlySet<SiteProblem['code']> = new Set([
  'SERVER_UNREACHABLE',
  'PI_DOMAIN_UNKNOWN',
  'GROUP_DOMAIN_UNKNOWN',
  'PROVIDER_DOMAIN_UNKNOWN',
  'CONSENT_DOMAIN_UNKNOWN',
  'CONSENT_OF_OTHER',
  'TRANSLATION_OF_OTHER',
  'SERVICE_PREFIX_FOREIGN',
  'SOURCE_OF_OTHER_DOMAIN',
  'SERVER_ADDRESS_SHARED'
])

/** What the keys of a client configuration must hold together. `whole`: no mistake of form was found. */
export function checkClient(config: Draft<ClientConfig>, files: ConfigFiles, whole: boolean): ShapeProblem[] {
  const domains = present(config.domains)
  const unlocated = domains.flatMap(([index, domain]) => unlocatedServers(domain, ['domains', index]))
  return [
    ...siteProblems(config, whole && unlocated.length === 0),
    ...unlocated,
    ...learningProblems(config),
    ...contradictions(config),
    ...policyTableProblems(config.addressSelection),
    ...domains.flatMap(([index, domain]) => domainProblems(index, domain, files)),
    ...(whole ? coordinationProblems(config, files) : [])
  ]
}

/** RFC 9284 §5.4: to servers that coordinate, whoever shows two credentials is two clients. */
function coordinationProblems(config: Draft<ClientConfig>, files: ConfigFiles): ShapeProblem[] {
  const proofs = new Map(present(config.domains).map(([, domain]) => [domain.name, proofOf(domain, files)]))
  return present(config.site?.providers).flatMap(([index, { name, domains, serversCoordinate }]) => {
    if (serversCoordinate !== true) return []
    const shown = present(domains).flatMap(([, domain]) => proofs.get(domain) ?? [])
    if (new Set(shown).size < 2) return []
    const message = `the servers of ${name} coordinate, and its domains show them different credentials: they would take us for several clients`
    return [{ path: ['site', 'providers', index, 'serversCoordinate'], message }]
  })
}

/** What stands in a configuration that says nothing. */
const usual: ReadonlyMap<string, unknown> = new Map(Object.entries(DEFAULT_SESSION_PARAMETERS))

/** Values cannot be asked for and given up at once. */
function contradictions(config: Draft<ClientConfig>): ShapeProblem[] {
  if (config.serverDefaults !== true) return []
  return (['session', 'idleSession'] as const)
    .filter((key) => Object.entries(config[key] ?? {}).some(([name, value]) => value !== usual.get(name)))
    .map((key) => ({
      path: [key],
      message: `"${key}" is given, and "serverDefaults: true" gives it up; keep one`,
      atKey: true
    }))
}

function siteProblems(config: Draft<ClientConfig>, whole: boolean): ShapeProblem[] {
  const { site, places } = siteOfConfig(config)
  // What is said of prefixes that are yet to be learnt holds when they are.
  const known = withoutAbsent(site, prefixLearners(learnRulesOf(config)))
  return checkSite(asBeforeLooking(known))
    .filter(({ code }) => whole || !onlyOfWholeSites.has(code))
    .map(({ place, message }) => ({ path: places.get(place) ?? ['domains'], message }))
}

/** Which addresses the system has is known at the start of the client only. */
function asBeforeLooking(site: Site): Site {
  return { ...site, domains: site.domains.map((domain) => ({ ...domain, localAddresses: [] })) }
}

function domainProblems(index: number, domain: DomainDraft, files: ConfigFiles): ShapeProblem[] {
  const path = ['domains', index]
  const problems: ShapeProblem[] = []
  const hasServer = domain.server !== undefined || domain.servers !== undefined
  if (domain.server !== undefined && domain.servers !== undefined)
    problems.push({
      path: [...path, 'servers'],
      message: 'both "server" and "servers" are given; keep one',
      atKey: true
    })
  if (hasServer && !('credentials' in domain))
    problems.push({ path, message: 'the key "credentials" is missing: the domain has a server' })
  if (domain.credentials !== undefined && 'privateKey' in domain.credentials)
    problems.push(...checkCredentials(domain.credentials, [...path, 'credentials'], files))
  return [...problems, ...transportProblems(domain, path)]
}

function transportProblems(domain: DomainDraft, path: ConfigPath): ShapeProblem[] {
  const { credentials } = domain
  const isRaw = credentials !== undefined && 'rawPrivateKey' in credentials
  return serversOf(domain, path).flatMap(([place, { transports }]): ShapeProblem[] => {
    const given = present(transports).map(([, transport]) => transport)
    const at = [...place, 'transports']
    if (isRaw && given.includes('tcp'))
      return [{ path: at, message: 'a raw public key goes over UDP only: TLS here has no way to show it' }]
    return new Set(given).size < given.length ? [{ path: at, message: 'a transport is given twice' }] : []
  })
}

/**
 * Where a server is has to be said, or who is to be asked: the name servers of the system may be another provider's (RFC 9284
 * §5.1), and RFC 9132 §4.3 would ask a router unasked.
 */
function unlocatedServers(domain: DomainDraft, path: ConfigPath): ShapeProblem[] {
  return serversOf(domain, path)
    .filter(([, server]) => !('addresses' in server) && server.defaultRouter !== true)
    .filter(() => domain.resolver === undefined && !learnsResolvers(domain))
    .map(([place]) => ({
      path: place,
      message:
        'the key "addresses" is missing, and this provider has no "resolver" that could be asked for the name; "defaultRouter: true" takes the place of both where none is known'
    }))
}

function learnsResolvers({ learn }: DomainDraft): boolean {
  return learn !== undefined && learn.resolvers !== false
}

/** Its servers, each with where it stands. */
function serversOf(
  { server, servers }: DomainDraft,
  path: ConfigPath
): (readonly [ConfigPath, NonNullable<DomainDraft['server']>])[] {
  const one = server === undefined ? [] : [[[...path, 'server'], server] as const]
  return [...one, ...present(servers).map(([index, each]) => [[...path, 'servers', index], each] as const)]
}

const SHARED_ADDRESSES =
  'servers of two providers may have one address: whose a request reaches is up to the network (RFC 9284 §5.2)'

/** What is worth a warning and no reason to refuse. */
export function warnOfClient(config: ClientConfig, files: ConfigFiles): ShapeProblem[] {
  const owners = new Map<string, string>()
  const shared: ShapeProblem[] =
    config.site?.allowSharedServerAddresses === true
      ? [{ path: ['site', 'allowSharedServerAddresses'], message: SHARED_ADDRESSES }]
      : []
  const ofDomains = config.domains.flatMap((domain, index) => {
    const path = ['domains', index]
    const problems: ShapeProblem[] = []
    if (domain.server === undefined && domain.servers === undefined)
      problems.push({ path, message: `domain ${domain.name} has no DOTS server: it stays uncovered` })
    const proof = proofOf(domain, files)
    const owner = proof === undefined ? undefined : owners.get(proof)
    if (owner !== undefined && !isOneClient(config, owner, domain.name))
      problems.push({
        path: [...path, 'credentials'],
        message: `domains ${owner} and ${domain.name} share a credential: both providers see the same customer`
      })
    if (proof !== undefined && owner === undefined) owners.set(proof, domain.name)
    return problems
  })
  return [...shared, ...ofDomains, ...learningWarnings(config)]
}

/** RFC 9284 §5.4: two attachments of a provider whose servers are to see one client. */
function isOneClient({ site }: ClientConfig, one: string, other: string): boolean {
  return (site?.providers ?? []).some(
    ({ domains, serversCoordinate }) =>
      serversCoordinate === true && domains.includes(one) && domains.includes(other)
  )
}

/** What the servers of a domain know the client by. */
function proofOf({ credentials }: DomainDraft, files: ConfigFiles): string | undefined {
  if (credentials === undefined) return undefined
  if ('pskIdentity' in credentials) return credentials.pskIdentity
  if ('rawPrivateKey' in credentials) return textOf(credentials.rawPrivateKey, files)
  return 'certificate' in credentials ? textOf(credentials.certificate, files) : undefined
}

function textOf(file: string | undefined, files: ConfigFiles): string | undefined {
  return file === undefined ? undefined : files.text(file)
}
