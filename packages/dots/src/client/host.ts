import { ConfigError, Driver, InternalError } from '@breakwater/core'
import type { Clock, ConfigProblem, Entropy, IpAddress, Log } from '@breakwater/core'
import type { DefaultRouter, DefaultRouters } from '../domain/default-routers.ts'
import type { Cuid, DomainName, ProtectionId } from '../domain/identifier.ts'
import type { NextHops } from '../domain/next-hops.ts'
import type { Resolver } from '../domain/resolver.ts'
import type { Site } from '../domain/site.ts'
import type { Target } from '../domain/target.ts'
import { checkSite } from '../multihoming/check-site.ts'
import type { PlacementOptions } from '../multihoming/placement.ts'
import type { PlanExplanation } from '../multihoming/plan.ts'
import type { SessionParameters } from '../signal/defaults.ts'
import type { AttackStatus } from '../signal/efficacy-update.ts'
import { begin, outcomesChange } from './memory/client-memory.ts'
import type { ClientEvent, ClientInput, ClientOutput } from './client-io.ts'
import type { DatedDecision } from './decisions/client-decisions.ts'
import { CalendarWatch } from './calendar-watch.ts'
import { DotsClient } from './client.ts'
import type { ClientPlan } from './names/explain-wanted.ts'
import { EndpointPool } from './endpoint-pool.ts'
import type { ClientCredentials, EndpointOpeners } from './endpoint-pool.ts'
import { logClientEvent } from './event-log.ts'
import { unknownName } from './names/name-standing.ts'
import type { NameStanding } from './names/name-standing.ts'
import { standingAfter } from './names/name-watch.ts'
import type { NameOutcome } from './names/name-outcome.ts'
import type { Wanted } from './names/place-wanted.ts'
import type { Notebook } from './memory/notebook.ts'
import type { PathReport } from './path-report.ts'
import type { KnownNextHops } from './paths/next-hop.ts'
import { NextHopWatch } from './paths/next-hop-watch.ts'
import type { PathEvidence } from './paths/path-evidence.ts'
import type { PathListing } from './paths/path-listing.ts'
import type { ProtectionRequest, ProtectionStatus } from './protection.ts'
import type { WantedConfiguration } from './session/session-negotiation.ts'
import type { SessionRuleOptions } from './session/session-rules.ts'
import type { ClientStatus } from './status.ts'

/** What a client needs of the world. */
export interface ClientPorts extends SessionRuleOptions, EndpointOpeners {
  readonly clock: Clock
  readonly entropy: Entropy
  readonly site: Site
  /** RFC 9284 §5.1: each domain's own, used with its servers only. */
  readonly credentials: ReadonlyMap<DomainName, ClientCredentials>
  /** Asked by which router a path leads. Without it, interfaces stand for next hops. */
  readonly nextHops?: NextHops
  /** Asked where a server is a default router. Without it, no such server is ever found. */
  readonly defaultRouters?: DefaultRouters
  /**
   * Asked where the server is that a server of this domain sends us to by its name alone (RFC 9132 §4.6). Without one,
   * such a redirect is not followed.
   */
  readonly resolvers?: ReadonlyMap<DomainName, Resolver>
  /**
   * Asked what the names of targets mean: the site's own, and none of a provider's, who need not know what the other ones
   * protect (RFC 9284 §6). Without one, what is named waits.
   */
  readonly siteResolver?: Resolver
  /** See `cuidOf`. */
  readonly cuids: ReadonlyMap<DomainName, Cuid>
  readonly log: Log
  readonly onEvent?: (event: ClientEvent) => void
  /** Where a restart finds what was asked and learnt. Undefined: it is forgotten. */
  readonly notebook?: Notebook
  /** What the operator still wants of an earlier life. */
  readonly protections?: readonly ProtectionRequest[]
  readonly parameters?: SessionParameters
  /** What is to be negotiated of every session (RFC 9132 §4.5). Default: nothing. */
  readonly configuration?: WantedConfiguration
}

/** A new description of the network, as a whole, with what belongs to its domains. */
export interface SiteChange {
  readonly site: Site
  readonly credentials?: ReadonlyMap<DomainName, ClientCredentials>
  readonly cuids?: ReadonlyMap<DomainName, Cuid>
  readonly resolvers?: ReadonlyMap<DomainName, Resolver>
}

/** A running DOTS client. */
export interface ClientHost {
  /** Resolves when what an earlier life left has been taken up and the sessions are being established. Never rejects. */
  readonly ready: Promise<void>
  /** Places the target and asks the servers; what has no session yet waits for it. The same id again: replaces. */
  protect(request: ProtectionRequest): ProtectionStatus
  /** Withdraws what nobody else needs. Undefined when there is no such protection. */
  release(id: ProtectionId): ProtectionStatus | undefined
  /**
   * Tells the servers that protect it what is seen of the attack (RFC 9132 §4.4.3). Undefined when there is no such
   * protection.
   */
  updateEfficacy(id: ProtectionId, attackStatus: AttackStatus): ProtectionStatus | undefined
  /**
   * The network is another one now: what differs is told to the servers (RFC 9284 §5.1). What is left out stays as it was.
   * @throws ConfigError with every problem of the site, or of a domain without credentials or cuid; then nothing changes.
   */
  updateSite(change: SiteChange): void
  /** Where a target would go; sends nothing. */
  plan(target: Target, options?: PlacementOptions): PlanExplanation
  /**
   * The same for what is named: the resolver of the site is asked what that means.
   * @param isOnline False: it is not, and only what is known already counts.
   */
  planWanted(wanted: Wanted, options?: PlacementOptions, isOnline?: boolean): Promise<ClientPlan>
  /** The names that a protection would stand or fall with: its own, and those of its URIs and aliases. */
  namesOf(wanted: Wanted): readonly string[]
  /** Names of the aliases of the site. */
  aliases(): readonly string[]
  status(): ClientStatus
  /** The last decisions about a protection, a server or a path, the oldest first; empty: nothing is known of such a one. */
  why(name: string): readonly DatedDecision[]
  /** Every path to the servers, and what is known of it. */
  paths(): PathListing
  /** Tells what somebody else learnt of a path of the site, as a resolver does. */
  reportPath(evidence: PathEvidence): void
  /** Tells what the kernel says of the carrier of an interface. */
  reportLink(name: string, isUp: boolean): void
  /** What the CoAP sessions hold together and have lost, by the names of metrics. */
  loads(): ReturnType<DotsClient['loads']>
  /** Ends the sessions. What was asked of the servers stays until its lifetime ends. */
  close(): Promise<void>
}

/**
 * Runs a `DotsClient` on a clock and on secure endpoints, and starts its sessions.
 * @throws ConfigError with every problem of the site, or of a domain without credentials or cuid.
 */
export function hostDotsClient(ports: ClientPorts): ClientHost {
  refuseBadConfiguration(ports)
  const { clock, onEvent } = ports
  let current: SitePorts = sitePorts(ports)
  const client = new DotsClient({ ...ports, resolvingDomains: new Set(ports.resolvers?.keys()) })
  const pool = new EndpointPool(ports, ports.credentials, (input) => driver.feed(input))
  const perform = (output: ClientOutput): void => {
    switch (output.kind) {
      case 'connect':
        void pool.connect(output.connection, output.path, output.serverName, output.duringAttack)
        return
      case 'retime':
        pool.retime(output.connection, output.duringAttack)
        return
      case 'send':
        pool.send(output.connection, output.bytes)
        return
      case 'close':
        pool.close(output.connection)
        return
      case 'read-routers':
        void readRouters(ports).then((routers) => driver.feed({ kind: 'routers', routers }))
        return
      case 'resolve': {
        const { server, name, domain } = output
        void resolve(current.resolvers?.get(domain), domain, name, ports.log).then((addresses) =>
          driver.feed({ kind: 'resolved', server, name, addresses })
        )
        return
      }
      case 'resolve-target':
        void lookUp(ports.siteResolver, output.name).then((outcome) =>
          driver.feed({ kind: 'target-resolved', question: output.question, outcome })
        )
        return
      // RFC 9284 §5.1: of the domain's own name servers, or of nobody.
      case 'locate': {
        const { question, name, domain } = output
        void lookUp(current.resolvers?.get(domain), name, `domain ${domain} has no name servers`).then(
          (outcome) => driver.feed({ kind: 'located', question, outcome })
        )
        return
      }
      case 'remember':
        void ports.notebook?.note(outcomesChange(output.server, output.outcomes))
        return
      case 'store':
        void ports.notebook?.note(output.change)
        return
      case 'event':
        logClientEvent(ports.log, output.event)
        onEvent?.(output.event)
    }
  }
  const driver = new Driver<ClientInput, ClientOutput>(client, clock, perform)
  const calendar = new CalendarWatch(clock, (wallClock) => driver.feed({ kind: 'clock', wallClock }))
  // Consents begin and end by the calendar (RFC 9284 §6).
  const watchCalendar = ({ consents = [] }: Site): void => calendar.watch(consents.length > 0)
  watchCalendar(current.site)
  const hops = watchNextHops(ports, client, (known) => driver.feed({ kind: 'next-hops', hops: known }))
  let isClosed = false
  const ready = begin(ports, (input) => {
    if (!isClosed) driver.feed(input)
  })
  return {
    ready,
    protect: (request) => {
      driver.feed({ kind: 'clock', wallClock: clock.wallClock() })
      driver.feed({ kind: 'protect', request })
      return statusOf(client, request.id)
    },
    release: (id) => {
      const before = client.protection(id)
      driver.feed({ kind: 'release', id })
      return client.protection(id) ?? (before && { ...before, state: 'ended', alarm: false })
    },
    updateEfficacy: (id, attackStatus) => {
      driver.feed({ kind: 'efficacy', id, attackStatus })
      return client.protection(id)
    },
    updateSite: (change) => {
      const next = { ...current, ...change }
      refuseBadConfiguration(next)
      current = next
      const { site, cuids, resolvers } = next
      pool.renew(next.credentials)
      driver.feed({ kind: 'clock', wallClock: clock.wallClock() })
      driver.feed({ kind: 'site', site, cuids, resolvingDomains: new Set(resolvers?.keys()) })
      watchCalendar(site)
      hops?.look()
    },
    plan: (target, options) => client.explain(target, { ...options, at: clock.wallClock() }),
    planWanted: async (wanted, options, isOnline = true) => {
      const now = (): PlacementOptions => ({ ...options, at: clock.wallClock() })
      if (!isOnline) return client.explainWanted(wanted, now())
      const known = await lookUpAll(ports.siteResolver, client.namesOf(wanted), clock)
      return client.explainWanted(wanted, now(), (name) => known.get(name) ?? unknownName(name))
    },
    namesOf: (wanted) => client.namesOf(wanted),
    aliases: () => (current.site.aliases ?? []).map(({ name }) => name),
    status: () => client.status(clock.now()),
    why: (name) => client.decisions(name),
    paths: () => client.paths(clock.now()),
    reportPath: (evidence) => driver.feed({ kind: 'path-evidence', evidence }),
    reportLink: (name, isUp) => {
      driver.feed({ kind: 'link', interface: name, isUp })
      hops?.look()
    },
    loads: () => client.loads(),
    close: async () => {
      isClosed = true
      calendar.watch(false)
      hops?.stop()
      driver.feed({ kind: 'stop' })
      driver.stop()
      await pool.destroy()
    }
  }
}

/** From now on; undefined: there is nobody to ask. */
function watchNextHops(
  { nextHops, clock }: ClientPorts,
  client: DotsClient,
  tell: (hops: KnownNextHops) => void
): NextHopWatch | undefined {
  if (nextHops === undefined) return undefined
  const paths = (): PathReport[] => client.paths(clock.now()).paths.map(({ path }) => path)
  const watch = new NextHopWatch(nextHops, clock, paths, tell)
  watch.look()
  return watch
}

/** Undefined, and a line in the log, when the system does not tell. */
async function readRouters(ports: ClientPorts): Promise<readonly DefaultRouter[] | undefined> {
  try {
    return await ports.defaultRouters?.read()
  } catch (error) {
    ports.log.warn('routers.unknown', { reason: String(error) })
    return undefined
  }
}

/** None when nobody knows, or nobody answers within the limit of the resolver. */
async function resolve(
  resolver: Resolver | undefined,
  domain: DomainName,
  name: string,
  log: Log
): Promise<readonly IpAddress[]> {
  try {
    const answer = await resolver?.resolve(name)
    return answer?.kind === 'addresses' ? answer.addresses : []
  } catch (error) {
    log.warn('name.unresolved', { domain, name, reason: String(error) })
    return []
  }
}

/** What a resolver says of a name. */
async function lookUp(
  resolver: Resolver | undefined,
  name: string,
  whose = 'the site has no resolver'
): Promise<NameOutcome> {
  if (resolver === undefined) return { kind: 'failed', reason: whose }
  try {
    return await resolver.resolve(name)
  } catch (error) {
    return { kind: 'failed', reason: error instanceof Error ? error.message : String(error) }
  }
}

/** Each as a watch that has asked for it once would know it. */
async function lookUpAll(
  resolver: Resolver | undefined,
  names: readonly string[],
  clock: Clock
): Promise<ReadonlyMap<string, NameStanding>> {
  const found = names.map(async (name) => {
    const outcome = await lookUp(resolver, name)
    return [name, standingAfter(name, outcome, clock.now())] as const
  })
  return new Map(await Promise.all(found))
}

function statusOf(client: DotsClient, id: ProtectionId): ProtectionStatus {
  const status = client.protection(id)
  if (status === undefined)
    throw new InternalError('DOTS_CLIENT_PROTECTION_LOST', `protection ${id} was asked for and is not there`)
  return status
}

/** What of the ports changes with the site. */
type SitePorts = Pick<ClientPorts, 'site' | 'credentials' | 'cuids' | 'resolvers'>

function sitePorts({ site, credentials, cuids, resolvers }: ClientPorts): SitePorts {
  return { site, credentials, cuids, ...(resolvers === undefined ? {} : { resolvers }) }
}

function refuseBadConfiguration(ports: SitePorts): void {
  const problems: ConfigProblem[] = checkSite(ports.site).map(({ place, message }) => ({
    path: place,
    message
  }))
  for (const domain of ports.site.domains) {
    if (domain.servers.length === 0) continue
    const path = `domain ${domain.name}`
    if (!ports.credentials.has(domain.name))
      problems.push({ path, message: `${domain.name} has no credentials` })
    if (!ports.cuids.has(domain.name)) problems.push({ path, message: `${domain.name} has no cuid` })
  }
  if (problems.length > 0)
    throw new ConfigError('DOTS_CLIENT_SITE_INVALID', 'a DOTS client cannot run on this site', problems)
}
