import { Queue, earlier } from '@breakwater/core'
import type { Entropy, Instant, Machine } from '@breakwater/core'
import type { Cuid, DomainName, ProtectionId, ServerName } from '../domain/identifier.ts'
import type { Site } from '../domain/site.ts'
import type { Target } from '../domain/target.ts'
import { namesWanted, placeWanted } from './names/place-wanted.ts'
import type { StandingOf, Wanted } from './names/place-wanted.ts'
import { ProtectionNames } from './names/protection-names.ts'
import { explainWanted } from './names/explain-wanted.ts'
import type { ClientPlan } from './names/explain-wanted.ts'
import type { ServerStates } from '../multihoming/turn.ts'
import { explain } from '../multihoming/plan.ts'
import type { PlanExplanation } from '../multihoming/plan.ts'
import type { Placement, PlacementOptions } from '../multihoming/placement.ts'
import { compileSite } from '../multihoming/site-plan.ts'
import type { SitePlan } from '../multihoming/site-plan.ts'
import type { SessionParameters } from '../signal/defaults.ts'
import type { Association } from './association.ts'
import { AssociationPool } from './association-pool.ts'
import { isAttackedAt } from './attacked.ts'
import { Beginnings } from './beginnings.ts'
import { ConsentWatch } from './consent-watch.ts'
import { ClientDecisions } from './decisions/client-decisions.ts'
import type { DatedDecision, PlacementCause } from './decisions/client-decisions.ts'
import { Demands } from './demands.ts'
import type { AssociationOutput } from './association-io.ts'
import type { WantedConfiguration } from './session/session-negotiation.ts'
import { Calendar } from './memory/calendar.ts'
import type { ClientInput, ClientOutput, ClientRecords } from './client-io.ts'
import { forwarded } from './forwarded-output.ts'
import { protectionsIn, readLegacy } from './memory/client-records.ts'
import { placementEvents } from './placement-events.ts'
import type { Protection } from './protection.ts'
import type { ProtectionRequest, ProtectionStatus } from './protection.ts'
import { Protections } from './protections.ts'
import { tellsTheSame } from './told-status.ts'
import { MOST_TURNS_AT_ONCE, turnOptions } from './turn-record.ts'
import type { Replacement } from './protections.ts'
import type { AttackStatus } from '../signal/efficacy-update.ts'
import { listPaths } from './paths/path-listing.ts'
import type { PathListing } from './paths/path-listing.ts'
import { PathPool } from './paths/path-pool.ts'
import { StandIns } from './pools/stand-ins.ts'
import { ServerLocations } from './location/server-locations.ts'
import { RouterWatch } from './connection/router-watch.ts'
import { sessionRules } from './session/session-rules.ts'
import type { SessionRuleOptions } from './session/session-rules.ts'
import { reportRequests, reportSession } from './status.ts'
import type { ClientStatus, SessionReport } from './status.ts'

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
  #plan: SitePlan
  readonly #calendar = new Calendar()
  readonly #pathPool = new PathPool()
  readonly #decisions = new ClientDecisions(this.#calendar)
  readonly #pool: AssociationPool
  readonly #protections = new Protections()
  readonly #names = new ProtectionNames((output) => this.#outputs.push(output))
  /** What was last reported of each protection, to report changes only. */
  readonly #reported = new Map<ProtectionId, ProtectionStatus>()
  readonly #routers: RouterWatch
  readonly #demands: Demands
  /** Who is asked of those that stand in for one another. */
  readonly #standIns: StandIns
  readonly #locator: ServerLocations
  readonly #beginnings: Beginnings
  readonly #outputs = new Queue<ClientOutput>()
  #resolvingDomains: ReadonlySet<DomainName> | undefined
  readonly #consents = new ConsentWatch(this.#calendar)
  /** Something changed that placements may depend on. */
  #isToReconsider = false
  /** Others stand in now. */
  #isToHandOver = false
  /** Something happened that the state of these may depend on. */
  readonly #stale = new Set<ProtectionId>()

  /** Throws a ConfigError when a rule breaks RFC 9132 §4.3 or §4.7. */
  constructor(options: DotsClientOptions) {
    this.#plan = compileSite(options.site)
    const { cuids, resolvingDomains } = options
    this.#resolvingDomains = resolvingDomains
    this.#locator = new ServerLocations(options.site, (output) => this.#outputs.push(output))
    this.#pool = new AssociationPool(
      { plan: this.#plan, cuids, resolvingDomains },
      {
        ...options,
        rules: sessionRules(options),
        calendar: this.#calendar,
        locate: (server) => this.#locator.location(server),
        pathPool: this.#pathPool,
        perform: (association, output, now) => this.#perform(association, output, now)
      }
    )
    this.#routers = new RouterWatch(this.#pool.routerServers)
    this.#beginnings = new Beginnings(this.#pool, this.#locator)
    this.#standIns = new StandIns(this.#pool, this.#pathPool, this.#beginnings)
    this.#demands = new Demands(this.#pool, this.#protections, this.#standIns, this.#plan)
  }

  handle(input: ClientInput, now: Instant): void {
    this.#heedConsents(now)
    switch (input.kind) {
      case 'start':
        this.#calendar.tell(input.wallClock, now)
        this.#watchConsents(now)
        this.#beginnings.start()
        this.#demands.spreadNets(now)
        this.#choose(now)
        this.#beginnings.begin(this.#pool.staying, now)
        this.#routers.handle({ kind: 'start' }, now)
        this.#locator.handle({ kind: 'start' }, now)
        break
      case 'stop':
        this.#beginnings.stop()
        this.#names.stop(now)
        this.#routers.handle({ kind: 'stop' }, now)
        this.#locator.handle({ kind: 'stop' }, now)
        this.#pool.tellAll({ kind: 'stop' }, now)
        break
      case 'routers':
        this.#routers.handle(input, now)
        break
      case 'locations':
      case 'located':
        this.#locator.take(input, now)
        break
      case 'clock':
        this.#calendar.tell(input.wallClock, now)
        this.#watchConsents(now)
        break
      case 'remembered':
        this.#pool.remember(input.outcomes, now)
        break
      case 'site':
        this.#changeSite(input, now)
        break
      case 'resolved':
        this.#pool.tell(input.server, input, now)
        break
      case 'target-resolved':
        this.#names.answered(input.question, input.outcome, now)
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
        this.#noteAttack(input.id, input.attackStatus)
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
      case 'path-evidence':
        if (!this.#pathPool.take(input.evidence, now) && input.evidence.trust === 'hint')
          this.#pool.lookAt(input.evidence.path, now)
        break
      case 'next-hops':
        this.#pathPool.nextHops = input.hops
        break
      case 'link':
        this.#pathPool.link(input)
        if (!input.isUp) this.#pool.tellAll({ kind: 'link' }, now)
        break
    }
    this.#followUp(now)
  }

  poll(): ClientOutput | undefined {
    return this.#outputs.shift()
  }

  nextTimeout(): Instant | undefined {
    let next = earlier(this.#routers.nextTimeout(), this.#locator.nextTimeout())
    next = earlier(next, earlier(this.#consents.nextTimeout(), this.#standIns.nextTimeout()))
    return earlier(earlier(next, this.#names.nextTimeout()), this.#pool.nextTimeout())
  }

  handleTimeout(now: Instant): void {
    this.#heedConsents(now)
    this.#pool.handleTimeout(now)
    this.#routers.handleTimeout(now)
    this.#names.handleTimeout(now)
    this.#locator.handleTimeout(now)
    this.#followUp(now)
  }

  /** What would become of a target, and why; nothing is sent. */
  explain(target: Target, options: PlacementOptions = {}): PlanExplanation {
    return explain(target, this.#plan, { ...this.#standIns.states, ...options })
  }

  /**
   * The same for what is named, as far as it is known what that means.
   * @param found What was found out for this plan, beside what live protections know.
   */
  explainWanted(wanted: Wanted, options: PlacementOptions = {}, found?: StandingOf): ClientPlan {
    const choices = { ...this.#standIns.states, ...options }
    return explainWanted(wanted, this.#plan, choices, this.#names.standing, found)
  }

  /** The names that a protection would stand or fall with. */
  namesOf(wanted: Wanted): string[] {
    return namesWanted(wanted, this.#plan.site.aliases)
  }

  status(now: Instant): ClientStatus {
    const associations = this.#pool.all()
    return {
      sessions: associations.map((association) => this.#reportSession(association, now)),
      protections: [...this.#protections.all].map((each) => this.#statusOf(each)),
      requests: associations.flatMap((association) => reportRequests(association, now))
    }
  }

  /** Every path of the site, and what is known of it. Not a part of `status`, which is asked for at every change. */
  paths(now: Instant): PathListing {
    const standsBy = (server: ServerName): boolean => this.#standIns.inSteadOf(server) !== undefined
    return listPaths(this.#pool.all(), standsBy, this.#pathPool, now)
  }

  /** The last decisions about a protection, a server or a path, the oldest first; empty: nothing is known of such a one. */
  decisions(name: string): readonly DatedDecision[] {
    return this.#decisions.about(name)
  }

  /** What the CoAP sessions hold together and have lost, by the names of metrics. */
  loads(): Readonly<Record<string, number>> {
    return this.#pool.loads()
  }

  /** How one protection stands; undefined when there is none of this name. */
  protection(id: ProtectionId): ProtectionStatus | undefined {
    const protection = this.#protections.get(id)
    return protection && this.#statusOf(protection)
  }

  #reportSession(association: Association, now: Instant): SessionReport {
    return reportSession(association, now, this.#standIns.inSteadOf(association.server.name))
  }

  #statusOf(protection: Protection): ProtectionStatus {
    return protection.status(this.#pool.byServer, this.#names.standing)
  }

  #protect(request: ProtectionRequest, now: Instant): void {
    const former = this.#protections.get(request.id)
    this.#names.hold(request.id, this.namesOf(request), now)
    const protection = this.#place(request, 'it was asked for', now)
    this.#demands.tell([...(former?.servers ?? []), ...protection.servers], now)
  }

  #place(request: ProtectionRequest, cause: PlacementCause, now: Instant, wasPlaced = false): Protection {
    const allowPartial = request.allowPartial || wasPlaced
    const placement = this.#placementOf({ ...request, allowPartial }, this.#standIns.states, now)
    const protection = this.#protections.add(request, placement, wasPlaced)
    protection.names = this.namesOf(request)
    this.#tellPlacement(protection, cause, now)
    return protection
  }

  #placementOf(
    request: Omit<ProtectionRequest, 'lifetime' | 'require'>,
    states: ServerStates,
    now: Instant
  ): Placement {
    const turns = turnOptions(request, this.#protections.get(request.id)?.turns, this.#pool.byServer)
    const { allowPartial } = request
    const options = { ...states, ...turns, allowPartial, at: this.#calendar.at(now) }
    return placeWanted(request, this.#names.standing, this.#plan, options)
  }

  #choose(now: Instant): void {
    const { events, isOther, sessions } = this.#standIns.choose(this.#plan, now)
    this.#decisions.pooled(sessions, now)
    for (const event of events) this.#outputs.push({ kind: 'event', event })
    if (isOther) this.#isToHandOver = true
  }

  #tellPlacement(protection: Protection, cause: PlacementCause, now: Instant): void {
    const { request, placement } = protection
    this.#stale.add(request.id)
    this.#decisions.placed(request, placement, cause, now)
    for (const event of placementEvents(protection)) this.#outputs.push({ kind: 'event', event })
  }

  #watchConsents(now: Instant): void {
    if (this.#consents.watch(this.#plan.site.consents ?? [], now)) this.#isToReconsider = true
  }

  /** What has ended in the meantime is over before anything that is due is sent (RFC 9284 §6). */
  #heedConsents(now: Instant): void {
    if (!this.#consents.isDue(now)) return
    this.#watchConsents(now)
    this.#settle(now)
  }

  /** Places everything, or only these, again, and tells the servers that are concerned. */
  #reconsider(cause: PlacementCause, now: Instant, only?: ReadonlySet<ProtectionId>): void {
    this.#demands.replace(this.#placeAgain(cause, now, only), now)
  }

  #placeAgain(cause: PlacementCause, now: Instant, only?: ReadonlySet<ProtectionId>): Replacement {
    const states = this.#standIns.states
    const replacement = this.#protections.placeAgain(
      ({ request, allowPartial }) => this.#placementOf({ ...request, allowPartial }, states, now),
      only,
      this.#isToHandOver && !this.#isToReconsider
    )
    for (const protection of replacement.moved) this.#tellPlacement(protection, cause, now)
    return replacement
  }

  /**
   * RFC 9284 §5.1: after a change of the network, sessions with the servers of every domain, and each target with the
   * servers that are entitled to it. First what is new is asked for, of attacked targets before others, and then what is no
   * more is withdrawn.
   */
  #changeSite(
    { site, cuids, resolvingDomains }: ClientInput & { readonly kind: 'site' },
    now: Instant
  ): void {
    this.#resolvingDomains = resolvingDomains ?? this.#resolvingDomains
    this.#plan = compileSite(site)
    this.#locator.handle({ kind: 'site', site }, now)
    const pool = { plan: this.#plan, cuids, resolvingDomains: this.#resolvingDomains }
    const change = this.#pool.replace(pool, now)
    this.#decisions.sited(change, now)
    this.#watchConsents(now)
    this.#isToReconsider = false
    this.#choose(now)
    this.#isToHandOver = false
    this.#names.holdAll(this.#protections.all, (wanted) => this.namesOf(wanted), now)
    this.#protections.putFirst(isAttackedAt(this.#pool.all()))
    this.#demands.move(this.#plan, change, this.#placeAgain('the site has changed', now), now)
    // Who was gone before the client started, and is back, was never started.
    this.#beginnings.begin([...change.added, ...change.returned], now)
    this.#routers.handle({ kind: 'servers', servers: this.#pool.routerServers }, now)
  }

  #noteAttack(id: ProtectionId, attackStatus: AttackStatus): void {
    const protection = this.#protections.get(id)
    if (protection !== undefined) protection.attackStatus = attackStatus
  }

  /** Every server hears once what is wanted of it: what an earlier life asked for and nobody wants is withdrawn. */
  #resume(records: ClientRecords, protections: readonly ProtectionRequest[], now: Instant): void {
    const onDamaged = (key: string, reason: string): void =>
      this.#outputs.push({ kind: 'event', event: { kind: 'record-damaged', key, reason } })
    const legacies = readLegacy(records, onDamaged)
    this.#pool.resume(legacies, now)
    this.#choose(now)
    for (const request of protections) this.#names.hold(request.id, this.namesOf(request), now)
    this.#names.restore(records.names ?? [], onDamaged, now)
    const asked = protectionsIn(legacies)
    // As after a change of the site in this life: what of them is still the site's stays protected, the rest raises an alarm.
    for (const request of protections) this.#place(request, 'a restart', now, asked.has(request.id))
    this.#demands.resume(now)
  }

  #release(id: ProtectionId, now: Instant): void {
    const protection = this.#protections.get(id)
    if (protection === undefined || protection.phase !== 'live') return
    this.#stale.add(id)
    protection.phase = 'released'
    this.#decisions.released(protection.request, protection.servers, now)
    this.#demands.tell(protection.servers, now)
  }

  #perform(association: Association, output: AssociationOutput, now: Instant): void {
    if (output.kind === 'session-changed') this.#sessionChanged(association, now)
    else if (output.kind === 'path-decided')
      this.#decisions.path(association.server.name, output.decision, now)
    else if (output.kind === 'requests-changed') for (const id of output.protections) this.#stale.add(id)
    else this.#outputs.push(forwarded(output, association.server))
  }

  #sessionChanged(association: Association, now: Instant): void {
    const { name } = association.server
    for (const { request, servers } of this.#protections.all)
      if (servers.includes(name)) this.#stale.add(request.id)
    const session = this.#reportSession(association, now)
    // Not of one that is leaving: another association may have its name by now.
    if (this.#pool.get(name) === association) {
      const isUp = session.state === 'established'
      this.#routers.handle({ kind: 'session', server: name, isUp }, now)
      this.#locator.session(name, association.state, now)
    }
    this.#outputs.push({ kind: 'event', event: { kind: 'session', session } })
  }

  #drainRouters(now: Instant): void {
    for (let output = this.#routers.poll(); output !== undefined; output = this.#routers.poll()) {
      if (output.kind === 'read') this.#outputs.push({ kind: 'read-routers' })
      else this.#pool.route(output.routers, now)
    }
  }

  /** Where not all are asked: whose turn it is may be another's after every answer, and after every loss of a session. */
  #takeTurns(now: Instant): void {
    const concerned = [...this.#stale].flatMap((id) => this.#protections.get(id) ?? [])
    let open = concerned.filter(({ isInTurn }) => isInTurn)
    for (let round = 0; open.length > 0 && round < MOST_TURNS_AT_ONCE; round++) {
      for (const { turns, placement } of open) turns.note(placement.parts, this.#pool.byServer)
      const only = new Set(open.map(({ request }) => request.id))
      this.#demands.pass(this.#placeAgain('it may be the turn of another server', now, only), now)
      // Who said no a moment ago says so again without being asked (RFC 9132 §4.4.2.1).
      open = open.filter(({ turns, placement }) => turns.note(placement.parts, this.#pool.byServer))
    }
  }

  #placeChanged(now: Instant): void {
    const renamed = this.#names.takeChanged(now)
    for (const id of renamed) this.#stale.add(id)
    if (renamed.size > 1) this.#protections.putFirst(isAttackedAt(this.#pool.all()))
    if (this.#isToReconsider) this.#reconsider('what it depends on has changed', now)
    if (this.#isToHandOver)
      this.#demands.handOver(this.#placeAgain('another server of its pool is chosen', now), now)
    else if (!this.#isToReconsider && renamed.size > 0)
      this.#reconsider('its names mean something else', now, renamed)
    this.#isToReconsider = false
    this.#isToHandOver = false
  }

  #followUp(now: Instant): void {
    this.#settle(now)
    // Outputs are drained between two inputs: these are all of this one.
    for (const output of this.#outputs) if (output.kind === 'event') this.#decisions.take(output.event, now)
  }

  #settle(now: Instant): void {
    this.#drainRouters(now)
    // Servers that are known by name begin when it is known where they are, or that nobody knows.
    this.#locator.drain((server) => this.#pool.moved(server, now))
    this.#choose(now)
    this.#placeChanged(now)
    this.#takeTurns(now)
    this.#demands.letGo(now)
    for (const id of this.#stale) {
      const protection = this.#protections.get(id)
      const servers = protection?.endWhatIsOver(this.#pool.byServer) ?? []
      // What this changes for other protections makes them stale, too: they are visited later in this very loop.
      if (servers.length > 0) this.#demands.tell(servers, now)
    }
    for (const id of this.#stale) this.#report(id, now)
    this.#stale.clear()
  }

  /** Tells of a protection whose state is not what was told last. */
  #report(id: ProtectionId, now: Instant): void {
    const protection = this.#protections.get(id)
    if (protection === undefined) return
    if (protection.phase === 'released' && !this.#pool.isServing(id)) protection.phase = 'gone'
    if (protection.phase !== 'live') this.#names.hold(id, [], now)
    const status = this.#statusOf(protection)
    if (!tellsTheSame(this.#reported.get(id), status)) {
      this.#reported.set(id, status)
      this.#outputs.push({ kind: 'event', event: { kind: 'protection', status } })
    }
    if (protection.phase !== 'gone') return
    this.#protections.remove(id)
    this.#reported.delete(id)
  }
}
