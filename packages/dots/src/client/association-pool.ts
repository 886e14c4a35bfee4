import { earlier } from '@breakwater/core'
import type { Entropy, Instant } from '@breakwater/core'
import type { Cuid, DomainName, ProtectionId, ServerName } from '../domain/identifier.ts'
import type { DefaultRouter } from '../domain/default-routers.ts'
import { isSameServer } from '../domain/site.ts'
import type { DotsServer } from '../domain/site.ts'
import type { Target } from '../domain/target.ts'
import { providerOf } from '../multihoming/alternatives.ts'
import { isEntitled } from '../multihoming/entitlement.ts'
import type { AlternatePaths, AlternateServer } from '../multihoming/alternate-paths.ts'
import type { LegalPaths } from '../multihoming/legal-path.ts'
import type { SitePlan } from '../multihoming/site-plan.ts'
import { DEFAULT_SESSION_PARAMETERS } from '../signal/defaults.ts'
import type { SessionParameters } from '../signal/defaults.ts'
import { SessionLoads } from '../signal/session-loads.ts'
import { Association } from './association.ts'
import type { AssociationInput, AssociationOutput } from './association-io.ts'
import type { ServerLocation } from './location/server-locator.ts'
import { Departures } from './departures.ts'
import type { Departure } from './departures.ts'
import { AbsentServers } from './memory/absent-servers.ts'
import type { Calendar } from './memory/calendar.ts'
import type { ServerLegacy } from './memory/client-records.ts'
import type { RememberedOutcomes } from './connection/outcome-memory.ts'
import { RecentContacts } from './redirection/redirection.ts'
import type { WantedConfiguration } from './session/session-negotiation.ts'
import type { PathPool } from './paths/path-pool.ts'
import { Coordination } from './requests/coordination.ts'
import { usedPath } from './paths/used-path.ts'
import type { UsedPath } from './paths/used-path.ts'
import type { SessionRules } from './connection/session-keeper.ts'
import { liveSessions } from './connection/session-state.ts'
import type { ConnectionId } from './connection/session-state.ts'
import { WaysToServers, isStray } from './ways-to-servers.ts'

export interface AssociationPoolOptions {
  readonly calendar: Calendar
  readonly entropy: Entropy
  readonly rules: SessionRules
  readonly parameters?: SessionParameters | undefined
  readonly configuration?: WantedConfiguration | undefined
  /** What is known of paths, shared by all. */
  readonly pathPool: PathPool
  /** Where a server is that is known by its name. */
  readonly locate: (server: ServerName) => ServerLocation
  /** Does what an association wants done. */
  readonly perform: (association: Association, output: AssociationOutput, now: Instant) => void
}

/** What a pool goes by that changes with the site. */
export interface PoolSite {
  readonly plan: SitePlan
  readonly cuids: ReadonlyMap<DomainName, Cuid>
  readonly resolvingDomains?: ReadonlySet<DomainName> | undefined
}

/** Who has come with another site. */
export interface PoolChange {
  /** Not started yet. */
  readonly added: readonly Association[]
  /** Was leaving, and stays. */
  readonly returned: readonly Association[]
  /** Is leaving from now on. */
  readonly left: readonly Association[]
}

/**
 * The associations with all servers of a site (RFC 9284 §5.1): makes them, knows which connection belongs to which, and
 * takes every input to its own one. When the site changes, who stays keeps its session, and who goes is let go in order
 * (`Departures`). It does not know what is asked of the servers.
 */
export class AssociationPool {
  readonly #options: AssociationPoolOptions
  readonly #associations = new Map<ServerName, Association>()
  readonly #byConnection = new Map<ConnectionId, Association>()
  readonly #contacts = new RecentContacts(() => this.#heard())
  readonly #loads = new SessionLoads()
  readonly #departures = new Departures()
  readonly #absent = new AbsentServers()
  readonly #coordinations = new Map<string, Coordination>()
  /** Those whose servers coordinate. */
  readonly #coordinated = new Map<Association, Coordination>()
  readonly #coordinating = new Set<Coordination>()
  readonly #ways: WaysToServers
  #site: PoolSite
  /** With these there is to be no session now: they stand by without one. */
  spares: ReadonlySet<ServerName> = new Set()
  /** What an earlier life left has been taken up: ids are set aside before they are used. */
  #isResumed = false
  #nextConnection = 1

  /** One for each server of the plan whose domain has a cuid. */
  constructor(site: PoolSite, options: AssociationPoolOptions) {
    this.#options = options
    this.#ways = new WaysToServers(options.locate)
    this.#site = site
    for (const { server, cuid } of associable(site))
      this.#associations.set(server.name, this.#associate(server, cuid))
  }

  /**
   * The site is another one: associations with new servers are made, not yet started; the others go on by what is legal
   * now, or leave.
   * @returns those of which nothing is wanted yet.
   */
  replace(site: PoolSite, now: Instant): PoolChange {
    const former = this.#site
    this.#site = site
    const wanted = associable(site)
    const left = this.staying.filter((association) => !wanted.some((each) => this.#isSame(association, each)))
    for (const association of left) this.#letGo(association, former, now)
    const added: Association[] = []
    const returned: Association[] = []
    for (const each of wanted) {
      const { server } = each
      const back = this.#departures.takeBack((one) => this.#isSame(one, each))
      if (back !== undefined) returned.push(back)
      const known = back ?? this.#associations.get(server.name)
      const association = known ?? this.#associate(server, each.cuid)
      this.#associations.set(server.name, association)
      if (known === undefined) added.push(association)
      else this.#revise(known, server, this.#ways.to(server, site.plan), now)
    }
    for (const departure of this.#departures.all) {
      const { association } = departure
      this.#revise(association, association.server, this.#pathsFrom(departure), now)
    }
    for (const association of added) this.#takeUp(association, now)
    return { added, returned, left }
  }

  /** Those that the site has. */
  get staying(): readonly Association[] {
    return [...this.#associations.values()]
  }

  /** Those of the site that are default routers. */
  get routerServers(): readonly ServerName[] {
    const routers = this.staying.filter(({ server }) => server.isDefaultRouter === true)
    return routers.map(({ server }) => server.name)
  }

  /** Of which servers something is to be withdrawn, because the site has them no more. */
  get leaving(): readonly Association[] {
    return this.#departures.associations
  }

  get byServer(): ReadonlyMap<ServerName, Association> {
    return this.#associations
  }

  /** Also those with servers that are leaving. */
  all(): readonly Association[] {
    return [...this.#associations.values(), ...this.#departures.associations]
  }

  get(server: ServerName): Association | undefined {
    return this.#associations.get(server)
  }

  /** A server does something for a protection, or may. */
  isServing(protection: ProtectionId): boolean {
    return this.all().some(({ standing }) => standing.serving(protection).length > 0)
  }

  /** What the CoAP sessions hold together and have lost, by the names of metrics. */
  loads(): Readonly<Record<string, number>> {
    return this.#loads.counters(this.all().flatMap((association) => association.loads()))
  }

  /** Tells the association with a server; without one, nobody. */
  tell(server: ServerName, input: AssociationInput, now: Instant): void {
    const association = this.#associations.get(server)
    if (association !== undefined) this.#tell(association, input, now)
  }

  tellAll(input: AssociationInput, now: Instant): void {
    for (const association of this.all()) this.#tell(association, input, now)
  }

  /**
   * Whoever has a session by this path finds out whether its server answers: what anybody may have said of it is a reason to look, and no
   * more (RFC 9132 §4.7).
   */
  lookAt({ name }: UsedPath, now: Instant): void {
    for (const association of this.all())
      if (liveSessions(association.state).some(({ path }) => usedPath(path).name === name))
        this.#tell(association, { kind: 'look' }, now)
  }

  /** What an earlier life left: also of servers that this site has not. */
  resume(legacies: ReadonlyMap<ServerName, ServerLegacy>, now: Instant): void {
    this.#isResumed = true
    for (const [name, legacy] of legacies) this.#absent.keepLegacy(name, legacy)
    for (const association of this.#associations.values()) this.#takeUp(association, now)
  }

  /** What an earlier life learnt of the paths. */
  remember(outcomes: ReadonlyMap<ServerName, RememberedOutcomes>, now: Instant): void {
    for (const [name, each] of outcomes)
      if (this.#associations.has(name)) this.tell(name, { kind: 'restore', outcomes: each }, now)
      else this.#absent.keepOutcomes(name, each)
  }

  /** These are the default routers: servers that are one get their paths, and those whose time it is begin. */
  route(routers: readonly DefaultRouter[], now: Instant): void {
    this.#ways.route(routers)
    for (const association of this.#associations.values()) {
      const { server } = association
      if (server.isDefaultRouter !== true) continue
      this.#tell(association, { kind: 'paths', paths: this.#ways.to(server, this.#site.plan) }, now)
      this.begin(server.name, now)
    }
  }

  /** A server that is known by its name is somewhere else: sessions go by that from now on, and begin where they can. */
  moved(name: ServerName, now: Instant): void {
    const association = this.#associations.get(name)
    if (association === undefined) return
    const { server } = association
    this.#revise(association, server, this.#ways.to(server, this.#site.plan), now)
    this.begin(name, now)
  }

  /** There is to be a session, unless the server is a spare one. */
  begin(name: ServerName, now: Instant): void {
    if (!this.spares.has(name)) this.tell(name, { kind: 'start' }, now)
  }

  /** Nothing is wanted of the servers that are leaving. See `AssociationInput` for `holdUntil`. */
  withdraw(now: Instant, holdUntil?: Instant): void {
    for (const association of this.leaving)
      this.#tell(association, { kind: 'want', wants: [], holdUntil }, now)
  }

  /** Tells whose connection it is. */
  tellOwner(input: Extract<AssociationInput, { connection: ConnectionId }>, now: Instant): void {
    const association = this.#byConnection.get(input.connection)
    if (association !== undefined) this.#tell(association, input, now)
    if (input.kind === 'failed' || input.kind === 'closed') this.#byConnection.delete(input.connection)
  }

  nextTimeout(): Instant | undefined {
    let next: Instant | undefined
    for (const association of this.#associations.values()) next = earlier(next, association.nextTimeout())
    for (const association of this.#departures.associations) next = earlier(next, association.nextTimeout())
    return earlier(next, this.#departures.nextTimeout())
  }

  handleTimeout(now: Instant): void {
    for (const association of this.all()) {
      association.handleTimeout(now)
      this.#drain(association, now)
    }
    for (const departure of this.#departures.due(now)) {
      const { association } = departure
      this.#tell(association, { kind: 'stop' }, now)
      if (!this.#isSucceeded(association))
        this.#absent.keepLegacy(association.server.name, association.legacy())
      this.#departures.remove(departure)
      this.#tell(association, { kind: 'coordinate', isLeaving: true }, now)
      this.#coordinated.delete(association)
      // What is left there is nobody's to wait for any more.
      const protections = association.requests.flatMap((request) => request.protections)
      this.#options.perform(association, { kind: 'requests-changed', protections }, now)
    }
  }

  /** The same server to the same client, so that its session and its requests go on. */
  #isSame(association: Association, each: Associable): boolean {
    const isOfGroup = this.#coordinated.get(association) === this.#coordinationOf(each)
    const isSameClient = association.configuredCuid === each.cuid && isOfGroup
    return isSameServer(association.server, each.server) && isSameClient
  }

  /** RFC 9284 §5.4: of the servers of one provider that know what each is asked. To them we are one client, by its cuid. */
  #coordinationOf({ server, cuid }: Associable): Coordination | undefined {
    const provider = providerOf(this.#site.plan.site, server.domain)
    if (provider?.serversCoordinate !== true) return undefined
    const key = `${provider.name} ${cuid}`
    const known = this.#coordinations.get(key) ?? new Coordination()
    this.#coordinations.set(key, known)
    return known
  }

  #letGo(association: Association, former: PoolSite, now: Instant): void {
    const { name } = association.server
    this.#associations.delete(name)
    this.#departures.add({ association, plan: former.plan, since: now })
  }

  /** Another association has its name now: what this one would store would be taken for that one's. */
  #isSucceeded(association: Association): boolean {
    const namesake = this.#associations.get(association.server.name)
    return namesake !== undefined && namesake !== association
  }

  /** RFC 9284 §5.1: what a session may go by, also one with a server that is leaving, the site of now says. */
  #revise(association: Association, server: DotsServer, { paths, illegal }: LegalPaths, now: Instant): void {
    const { plan } = this.#site
    const own = paths.filter((path) => !isStray(path, plan))
    const strays = liveSessions(association.state)
      .filter(({ path }) => isStray(path, plan))
      .map(({ connection }) => connection)
    const mayHear = this.#whatMayHear(association, server.name)
    this.#tell(association, { kind: 'site', server, paths: { paths: own, illegal }, strays, mayHear }, now)
  }

  /** RFC 9284 §5.1: of which targets a server may hear, by the site of now. */
  #whatMayHear(association: Association, name: ServerName): (target: Target) => boolean {
    const { plan } = this.#site
    const isStaying = this.#associations.get(name) === association
    return ({ prefixes }) => isStaying && prefixes.every((prefix) => isEntitled(plan, name, prefix))
  }

  /** An association takes up what is known of its server. */
  #takeUp(association: Association, now: Instant): void {
    const { name } = association.server
    const legacy = this.#absent.takeLegacy(name)
    const mayHear = this.#whatMayHear(association, name)
    if (this.#isResumed || legacy !== undefined)
      this.#tell(association, { kind: 'resume', legacy, mayHear }, now)
    const outcomes = this.#absent.takeOutcomes(name)
    if (outcomes !== undefined) this.#tell(association, { kind: 'restore', outcomes }, now)
  }

  /** Where a server that is leaving is, nobody asks for any more: if it is known by its name, it stays where it was. */
  #pathsFrom({ association, plan }: Departure): LegalPaths {
    const { server, paths } = association
    return server.isNamed === true ? paths : this.#ways.to(server, plan)
  }

  #associate(server: DotsServer, cuid: Cuid): Association {
    const { calendar, entropy, rules, configuration, pathPool } = this.#options
    const coordination = this.#coordinationOf({ server, cuid })
    const association: Association = new Association({
      server,
      paths: this.#ways.to(server, this.#site.plan),
      cuid,
      coordination,
      calendar,
      entropy,
      rules,
      parameters: this.#options.parameters ?? DEFAULT_SESSION_PARAMETERS,
      configuration,
      redirection: {
        contacts: this.#contacts,
        pathsTo: (alternate) => this.#pathsInPlaceOf(association, alternate),
        resolvesNames: () => this.#site.resolvingDomains?.has(server.domain) ?? false
      },
      pathPool,
      loads: this.#loads,
      newConnection: () => this.#nextConnection++ as ConnectionId
    })
    if (coordination !== undefined) this.#coordinated.set(association, coordination)
    return association
  }

  /** By the site of now, or for a server that is leaving, by the last one that had it. */
  #pathsInPlaceOf(association: Association, alternate: AlternateServer): AlternatePaths {
    const departure = this.#departures.all.find((each) => each.association === association)
    const { site } = departure?.plan ?? this.#site.plan
    return this.#ways.inPlaceOf(association.server, alternate, site)
  }

  #tell(association: Association, input: AssociationInput, now: Instant): void {
    association.handle(input, now)
    this.#drain(association, now)
  }

  #drain(association: Association, now: Instant): void {
    for (let output = association.poll(); output !== undefined; output = association.poll()) {
      if (output.kind === 'connect') this.#byConnection.set(output.connection, association)
      if (isStored(output) && this.#isSucceeded(association)) continue
      this.#options.perform(association, output, now)
    }
    this.#coordinate(this.#coordinated.get(association), now)
  }

  /** What was done at one server may leave others that share with it something to do. */
  #coordinate(coordination: Coordination | undefined, now: Instant): void {
    // One of them is being told: whoever tells it goes on until nobody has anything to do.
    if (coordination === undefined || this.#coordinating.has(coordination)) return
    this.#coordinating.add(coordination)
    while (coordination.isStirred)
      for (const [association, own] of this.#coordinated)
        if (own === coordination) this.#tell(association, { kind: 'coordinate' }, now)
    this.#coordinating.delete(coordination)
  }

  /** Every server that there is a session with, and when it was heard. */
  *#heard(): Iterable<readonly [string, Instant]> {
    for (const { live } of this.all())
      for (const { path, session } of live) yield [path.referenceName, session.heardAt]
  }
}

interface Associable {
  readonly server: DotsServer
  readonly cuid: Cuid
}

/** Servers that we may introduce ourselves to. */
function associable({ plan, cuids }: PoolSite): readonly Associable[] {
  return [...plan.servers.values()].flatMap((server) => {
    const cuid = cuids.get(server.domain)
    return cuid === undefined ? [] : [{ server, cuid }]
  })
}

/** Stored under the name of the server. */
function isStored({ kind }: AssociationOutput): boolean {
  return kind === 'note-request' || kind === 'note-numbering' || kind === 'remember'
}
