import { earlier, prefixKey } from '@breakwater/core'
import type { Entropy, Instant, Machine, WallTime } from '@breakwater/core'
import { nextConsentChange } from '../domain/consent.ts'
import { ProtectionId } from '../domain/identifier.ts'
import type { Cuid, DomainName, ServerName } from '../domain/identifier.ts'
import type { PreconfiguredScope, Site } from '../domain/site.ts'
import type { Target } from '../domain/target.ts'
import type { ServerStates } from '../multihoming/alternatives.ts'
import { cutAtNet, safetyNetOf } from '../multihoming/safety-net.ts'
import { explain } from '../multihoming/plan.ts'
import type { PlanExplanation } from '../multihoming/plan.ts'
import { place } from '../multihoming/placement.ts'
import type { Placement, PlacementOptions } from '../multihoming/placement.ts'
import { routerPaths } from '../multihoming/router-paths.ts'
import { compileSite } from '../multihoming/site-plan.ts'
import type { SitePlan } from '../multihoming/site-plan.ts'
import type { SessionParameters } from '../signal/defaults.ts'
import type { Association } from './association.ts'
import { AssociationPool } from './association-pool.ts'
import type { AssociationOutput } from './association-io.ts'
import type { WantedConfiguration } from './session/session-negotiation.ts'
import { Calendar } from './memory/calendar.ts'
import type { ClientInput, ClientOutput, ClientRecords } from './client-io.ts'
import { changeFor, readLegacy } from './memory/client-records.ts'
import { Protection } from './protection.ts'
import type { ProtectionRequest, ProtectionStatus } from './protection.ts'
import { RouterWatch } from './connection/router-watch.ts'
import { sessionRules } from './session/session-rules.ts'
import type { SessionRuleOptions } from './session/session-rules.ts'
import type { LastingWant } from './requests/request-book.ts'
import { reportRequests, reportSession } from './status.ts'
import type { ClientStatus } from './status.ts'

/** What a client is made of. What is left out is as RFC 9132 and RFC 8305 recommend. */
export interface DotsClientOptions extends SessionRuleOptions {
  /** One that `checkSite` has nothing against. */
  readonly site: Site
  /** The cuid of each domain's credential: see `cuidOf`. */
  readonly cuids: ReadonlyMap<DomainName, Cuid>
  readonly entropy: Entropy
  /** Domains in which somebody answers `resolve`. Default: none. */
  readonly resolvingDomains?: ReadonlySet<DomainName>
  /** Default: those of RFC 9132. */
  readonly parameters?: SessionParameters
  /** What is to be negotiated of every session (RFC 9132 §4.5). Default: nothing. */
  readonly configuration?: WantedConfiguration
}

/**
 * The DOTS client of a multihomed site, without I/O: keeps a session with every server of every domain, sends each
 * protection to exactly the servers that are entitled to it, and follows every request until it is over. What it cannot
 * send to an entitled server now it sends when it can, and never to another (RFC 9284 §5.1).
 */
export class DotsClient implements Machine<ClientInput, ClientOutput> {
  readonly #plan: SitePlan
  readonly #calendar = new Calendar()
  readonly #pool: AssociationPool
  readonly #protections = new Map<ProtectionId, Protection>()
  /** What was last reported of each protection, to report changes only. */
  readonly #reported = new Map<ProtectionId, string>()
  readonly #routers: RouterWatch
  /** What each server is to protect when its session is lost. */
  readonly #nets = new Map<ServerName, readonly PreconfiguredScope[]>()
  readonly #outputs: ClientOutput[] = []
  /** When a consent begins or ends next. */
  #consentChange: WallTime | undefined
  /** Something changed that placements may depend on. */
  #isToReconsider = false
  /** Something happened that the state of these may depend on. */
  readonly #stale = new Set<ProtectionId>()

  /** Throws a ConfigError when a rule breaks RFC 9132 §4.3 or §4.7. */
  constructor(options: DotsClientOptions) {
    this.#plan = compileSite(options.site)
    this.#pool = new AssociationPool(this.#plan, {
      ...options,
      rules: sessionRules(options),
      calendar: this.#calendar,
      perform: (association, output, now) => this.#perform(association, output, now)
    })
    for (const { server } of this.#pool.all()) {
      const net = safetyNetOf(server, this.#plan)
      if (net.length > 0) this.#nets.set(server.name, net)
    }
    this.#routers = new RouterWatch(routerServers(this.#pool.all()))
  }

  handle(input: ClientInput, now: Instant): void {
    switch (input.kind) {
      case 'start':
        this.#calendar.tell(input.wallClock, now)
        this.#watchConsents(now)
        // The safety net is there from the first session on.
        this.#want(new Set(this.#nets.keys()), now)
        this.#startAll(now)
        break
      case 'stop':
        this.#routers.handle({ kind: 'stop' }, now)
        this.#pool.tellAll({ kind: 'stop' }, now)
        break
      case 'routers':
        this.#routers.handle(input, now)
        break
      case 'clock':
        this.#calendar.tell(input.wallClock, now)
        this.#watchConsents(now)
        break
      case 'remembered':
        for (const [name, outcomes] of input.outcomes)
          this.#pool.tell(name, { kind: 'restore', outcomes }, now)
        break
      case 'resolved':
        this.#pool.tell(input.server, input, now)
        break
      case 'resume':
        this.#calendar.tell(input.wallClock, now)
        this.#resume(input.records, input.protections, now)
        break
      case 'protect':
        this.#protect(input.request, now)
        break
      case 'release':
        this.#release(input.id, now)
        break
      case 'efficacy':
        this.#pool.tellAll({ kind: 'efficacy', protection: input.id, attackStatus: input.attackStatus }, now)
        break
      case 'session-established':
        this.#pool.tellOwner({ kind: 'established', connection: input.connection }, now)
        break
      case 'session-failed':
        this.#pool.tellOwner({ ...input, kind: 'failed' }, now)
        break
      case 'session-closed':
        this.#pool.tellOwner({ ...input, kind: 'closed' }, now)
        break
      case 'datagram':
        this.#pool.tellOwner(input, now)
        break
    }
    this.#followUp(now)
  }

  poll(): ClientOutput | undefined {
    return this.#outputs.shift()
  }

  nextTimeout(): Instant | undefined {
    let next = this.#routers.nextTimeout()
    if (this.#consentChange !== undefined) next = earlier(next, this.#calendar.momentOf(this.#consentChange))
    return earlier(next, this.#pool.nextTimeout())
  }

  handleTimeout(now: Instant): void {
    this.#pool.handleTimeout(now)
    this.#routers.handleTimeout(now)
    if (this.#consentChange !== undefined && this.#consentChange <= this.#calendar.at(now))
      this.#watchConsents(now)
    this.#followUp(now)
  }

  /** What would become of a target, and why; nothing is sent. */
  explain(target: Target, options: PlacementOptions = {}): PlanExplanation {
    return explain(target, this.#plan, { ...this.#serverStates(), ...options })
  }

  status(now: Instant): ClientStatus {
    const associations = this.#pool.all()
    return {
      sessions: associations.map((association) => reportSession(association, now)),
      protections: [...this.#protections.values()].map((each) => each.status(this.#pool.byServer)),
      requests: associations.flatMap((association) => reportRequests(association, now))
    }
  }

  /** What the CoAP sessions hold together and have lost, by the names of metrics. */
  loads(): Readonly<Record<string, number>> {
    return this.#pool.loads()
  }

  /** How one protection stands; undefined when there is none of this name. */
  protection(id: ProtectionId): ProtectionStatus | undefined {
    return this.#protections.get(id)?.status(this.#pool.byServer)
  }

  #protect(request: ProtectionRequest, now: Instant): void {
    const former = this.#protections.get(request.id)
    const protection = this.#place(request, now)
    this.#want(new Set([...(former?.servers ?? []), ...protection.servers]), now)
  }

  #place(request: ProtectionRequest, now: Instant): Protection {
    this.#stale.add(request.id)
    const placement = this.#placementOf(request, now)
    this.#tellConsents(request.id, placement)
    const protection = new Protection(request, placement)
    this.#protections.set(request.id, protection)
    return protection
  }

  #placementOf({ target, allowPartial }: ProtectionRequest, now: Instant): Placement {
    return place(target, this.#plan, { ...this.#serverStates(), allowPartial, at: this.#calendar.at(now) })
  }

  /** What decides between servers that stand in for one another. */
  #serverStates(): ServerStates {
    if (this.#plan.alternating.size === 0) return {}
    const live = [...this.#protections.values()].filter(({ phase }) => phase === 'live')
    return {
      isAvailable: (server) => this.#pool.get(server)?.state.kind === 'established',
      asked: new Set(live.flatMap(({ servers }) => servers))
    }
  }

  /** RFC 9284 §6: what reaches another domain's servers is told of, whenever it is decided. */
  #tellConsents(protection: ProtectionId, placement: Placement): void {
    for (const { prefixes, consents } of placement.parts)
      for (const { server, consents: used } of consents)
        for (const consent of used)
          this.#outputs.push({
            kind: 'event',
            event: { kind: 'consent-used', protection, server, prefixes, consent }
          })
  }

  /** A consent that has ended is none, also for what was asked because of it. */
  #watchConsents(now: Instant): void {
    const { consents = [] } = this.#plan.site
    if (consents.length === 0) return
    this.#consentChange = nextConsentChange(consents, this.#calendar.at(now))
    this.#isToReconsider = true
  }

  /** Places again what others are to be asked for now. */
  #reconsider(now: Instant): void {
    this.#isToReconsider = false
    for (const { request, phase, placement } of this.#protections.values())
      if (phase === 'live' && whoIsAsked(this.#placementOf(request, now)) !== whoIsAsked(placement))
        this.#protect(request, now)
  }

  /** Every server hears once what is wanted of it: what an earlier life asked for and nobody wants is withdrawn. */
  #resume(records: ClientRecords, protections: readonly ProtectionRequest[], now: Instant): void {
    const legacies = readLegacy(records, (key, reason) =>
      this.#outputs.push({ kind: 'event', event: { kind: 'record-damaged', key, reason } })
    )
    for (const name of this.#pool.byServer.keys())
      this.#pool.tell(name, { kind: 'resume', legacy: legacies.get(name) }, now)
    for (const request of protections) this.#place(request, now)
    this.#want(new Set(this.#pool.byServer.keys()), now)
  }

  #release(id: ProtectionId, now: Instant): void {
    const protection = this.#protections.get(id)
    if (protection === undefined || protection.phase !== 'live') return
    this.#stale.add(id)
    protection.phase = 'released'
    this.#want(new Set(protection.servers), now)
  }

  /** Tells servers what live protections want of them now: all of it, so that the compiler sees every overlap. */
  #want(servers: ReadonlySet<ServerName>, now: Instant): void {
    for (const name of servers) this.#pool.tell(name, { kind: 'want', wants: this.#wantsOf(name) }, now)
  }

  #wantsOf(server: ServerName): LastingWant[] {
    const net = this.#nets.get(server) ?? []
    const scopes = net.map(({ target }) => target)
    const live = [...this.#protections.values()].filter((protection) => protection.phase === 'live')
    const immediate = live.flatMap(({ request, assignments }) =>
      assignments
        .filter((assignment) => assignment.server === server)
        .flatMap((assignment) => cutAtNet(assignment.target, scopes))
        .map((target): LastingWant => {
          return { protection: request.id, target, lifetime: request.lifetime, trigger: 'immediate' }
        })
    )
    return [...immediate, ...net.map(standingWant)]
  }

  #perform(association: Association, output: AssociationOutput, now: Instant): void {
    const { name, domain } = association.server
    switch (output.kind) {
      case 'remember':
        this.#outputs.push({ ...output, server: name })
        return
      case 'connect':
      case 'send':
      case 'retime':
      case 'close':
        this.#outputs.push(output)
        return
      case 'session-changed': {
        if (this.#plan.alternating.has(name)) this.#isToReconsider = true
        for (const [id, protection] of this.#protections)
          if (protection.servers.includes(name)) this.#stale.add(id)
        const session = reportSession(association, now)
        const isUp = session.state === 'established'
        this.#routers.handle({ kind: 'session', server: name, isUp }, now)
        this.#outputs.push({ kind: 'event', event: { kind: 'session', session } })
        return
      }
      case 'requests-changed':
        for (const id of output.protections) this.#stale.add(id)
        return
      case 'resolve':
        this.#outputs.push({ ...output, server: name, domain })
        return
      case 'redirected':
      case 'redirect-refused':
      case 'alternate-unreachable':
        this.#outputs.push({ kind: 'event', event: { ...output, server: name } })
        return
      case 'note-request':
      case 'note-numbering':
        this.#outputs.push({ kind: 'store', change: changeFor(name, output) })
        return
      case 'cuid-changed':
        this.#outputs.push({ kind: 'event', event: { kind: 'cuid-changed', server: name, domain } })
        return
      case 'configuration-unsafe':
      case 'malformed':
        this.#outputs.push({ kind: 'event', event: { ...output, server: name } })
    }
  }

  /** Servers of known addresses; those that are default routers follow as soon as these are known. */
  #startAll(now: Instant): void {
    for (const association of this.#pool.all())
      if (association.server.isDefaultRouter !== true)
        this.#pool.tell(association.server.name, { kind: 'start' }, now)
    this.#routers.handle({ kind: 'start' }, now)
  }

  #drainRouters(now: Instant): void {
    for (let output = this.#routers.poll(); output !== undefined; output = this.#routers.poll()) {
      if (output.kind === 'read') {
        this.#outputs.push({ kind: 'read-routers' })
        continue
      }
      for (const association of this.#pool.all()) {
        const { server } = association
        if (server.isDefaultRouter !== true) continue
        const paths = routerPaths(this.#plan.site, server, output.routers)
        this.#pool.tell(server.name, { kind: 'paths', paths }, now)
        this.#pool.tell(association.server.name, { kind: 'start' }, now)
      }
    }
  }

  #followUp(now: Instant): void {
    this.#drainRouters(now)
    if (this.#isToReconsider) this.#reconsider(now)
    for (const id of this.#stale) {
      const protection = this.#protections.get(id)
      const servers = protection?.endWhatIsOver(this.#pool.byServer) ?? []
      // What this changes for other protections makes them stale, too: they are visited later in this very loop.
      if (servers.length > 0) this.#want(new Set(servers), now)
    }
    for (const id of this.#stale) this.#report(id)
    this.#stale.clear()
  }

  /** Tells of a protection whose state is not what was told last. */
  #report(id: ProtectionId): void {
    const protection = this.#protections.get(id)
    if (protection === undefined) return
    if (protection.phase === 'released' && !this.#isServed(id)) protection.phase = 'gone'
    const status = protection.status(this.#pool.byServer)
    const seen = JSON.stringify([status.state, status.alarm, status.servers, status.missing])
    if (this.#reported.get(id) !== seen) {
      this.#reported.set(id, seen)
      this.#outputs.push({ kind: 'event', event: { kind: 'protection', status } })
    }
    if (protection.phase === 'gone') this.#forget(id)
  }

  #forget(id: ProtectionId): void {
    this.#protections.delete(id)
    this.#reported.delete(id)
  }

  #isServed(id: ProtectionId): boolean {
    for (const association of this.#pool.all())
      if (association.requests.some((request) => request.protections.includes(id))) return true
    return false
  }
}

function routerServers(associations: readonly Association[]): ServerName[] {
  return associations.filter(({ server }) => server.isDefaultRouter === true).map(({ server }) => server.name)
}

/** A standing request serves nobody that could release it. */
function standingWant({ target, lifetime }: PreconfiguredScope, index: number): LastingWant {
  return { protection: ProtectionId(`preconfigured ${index + 1}`), target, lifetime, trigger: 'signal-loss' }
}

/** Equal for placements that ask the same servers for the same prefixes. */
function whoIsAsked({ parts }: Placement): string {
  return JSON.stringify(parts.map(({ prefixes, servers }) => [prefixes.map(prefixKey), servers]))
}
