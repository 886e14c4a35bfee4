import { Counters, Minutes, after } from '@breakwater/core'
import type { Entropy, Instant, Machine, PeerId, Timer } from '@breakwater/core'
import type { MitigationScopeEntry } from '@breakwater/model'
import type { Cuid, MitigationId } from '../domain/identifier.ts'
import { PlanId } from '../domain/mitigator.ts'
import { Admission } from './admission.ts'
import { AttackWatch } from './attack-watch.ts'
import { Authorization } from './authorization.ts'
import type { ClientDomain } from './authorization.ts'
import { Commits } from './commits.ts'
import { ConfigResource } from './config-resource.ts'
import { GetMitigation } from './get-mitigation.ts'
import { Lifecycle } from './lifecycle.ts'
import type { NameQuery, ServerInput, ServerOutput } from './message.ts'
import { isInForce } from './mitigation.ts'
import type { Mitigation } from './mitigation.ts'
import { MitigationRecords } from './mitigation-records.ts'
import { MitigationRequests } from './mitigation-requests.ts'
import { MutationQueue, isChanging } from './mutation-queue.ts'
import { NOTIFY_ALL_TIMER, Observations } from './observation.ts'
import { DEFAULT_SERVER_POLICY } from './policy.ts'
import type { ServerPolicy } from './policy.ts'
import { NameResolution } from './name-resolution.ts'
import { NameWatch } from './name-watch.ts'
import { PendingNames } from './pending-names.ts'
import { Preconfigured } from './preconfigured.ts'
import { PutMitigation } from './put-mitigation.ts'
import { recover, reportDamaged } from './recovery.ts'
import type { Redirection } from './redirection.ts'
import { RefreshMitigation } from './refresh-mitigation.ts'
import { mitigationEntry } from './representation.ts'
import { RequestRouter } from './request-router.ts'
import { ServerSession } from './server-session.ts'
import { ServerState } from './server-state.ts'
import { SessionLoads } from '../signal/session-loads.ts'
import { StreamSessions } from './stream-sessions.ts'
import { SIGNAL_LOSS_TIMER } from './signal-watch.ts'
import { snapshotOf } from './snapshot.ts'
import type { MitigationSnapshot } from './snapshot.ts'

export interface DotsServerOptions {
  readonly entropy: Entropy
  readonly domains: readonly ClientDomain[]
  /** What differs from `DEFAULT_SERVER_POLICY`. */
  readonly policy?: Partial<ServerPolicy>
  /** Default: counters of its own. */
  readonly counters?: Counters
}

type InputOf<Kind extends ServerInput['kind']> = Extract<ServerInput, { readonly kind: Kind }>

const CLOCK_INTERVAL = Minutes(1)

/**
 * A DOTS server (RFC 9132) without I/O: sessions and their datagrams go in, datagrams, commits and mitigation plans come
 * out. This file wires its parts together; each concern has a file of its own. `hostDotsServer` connects it to a computer.
 */
export class DotsServerMachine implements Machine<ServerInput, ServerOutput> {
  readonly #state: ServerState
  readonly #commits: Commits
  readonly #observations: Observations
  readonly #lifecycle: Lifecycle
  readonly #admission: Admission
  readonly #preconfigured: Preconfigured
  readonly #attacks: AttackWatch
  readonly #resolution: NameResolution
  readonly #names: NameWatch
  readonly #router: RequestRouter
  readonly #config: ConfigResource
  readonly #sessions = new Map<PeerId, ServerSession>()
  readonly #loads = new SessionLoads()
  readonly #streams: StreamSessions

  constructor({ entropy, domains, policy, counters }: DotsServerOptions) {
    const state = new ServerState(
      { ...DEFAULT_SERVER_POLICY, ...policy },
      entropy,
      counters ?? new Counters()
    )
    this.#streams = new StreamSessions(state.policy.limits.streamsPerClient)
    state.authorization = new Authorization(domains)
    const describe = (mitigation: Mitigation, now: Instant): MitigationScopeEntry =>
      this.#describe(mitigation, now)
    this.#state = state
    this.#commits = new Commits(state, (key) => this.#isWanted(key))
    this.#observations = new Observations(state, describe)
    const records = new MitigationRecords(state, this.#commits)
    this.#lifecycle = new Lifecycle(state, records, this.#observations)
    this.#admission = new Admission(state, this.#lifecycle, this.#observations)
    this.#preconfigured = new Preconfigured(state, this.#lifecycle, this.#admission)
    this.#attacks = new AttackWatch(state, this.#lifecycle, this.#preconfigured.watch)
    this.#resolution = new NameResolution(state)
    this.#names = new NameWatch(state, this.#lifecycle, this.#resolution)
    this.#config = new ConfigResource(state, this.#observations)
    this.#router = new RequestRouter(state, this.#mitigationRequests(records, describe), this.#config)
    this.#lifecycle.onStep((mitigation, _before, now) => this.#tellRedirection(mitigation, now))
  }

  #mitigationRequests(
    records: MitigationRecords,
    describe: (mitigation: Mitigation, now: Instant) => MitigationScopeEntry
  ): MitigationRequests {
    const state = this.#state
    const lifecycle = this.#lifecycle
    const refresh = new RefreshMitigation(state, lifecycle, this.#admission)
    return new MitigationRequests(state, {
      queue: new MutationQueue(state, this.#commits, (client, now) => {
        if (client.recheck) lifecycle.recheck(client, now)
        if (client.restamp) records.restamp([client])
        state.clients.release(client)
      }),
      lifecycle,
      put: new PutMitigation(state, lifecycle, this.#admission, this.#preconfigured, this.#names, refresh),
      refresh,
      get: new GetMitigation(this.#observations, describe),
      names: new PendingNames(state, this.#resolution)
    })
  }

  handle(input: ServerInput, now: Instant): void {
    this.#observations.forgetTold()
    this.#take(input, now)
    this.#state.activity.settle(now)
  }

  #take(input: ServerInput, now: Instant): void {
    switch (input.kind) {
      case 'datagram':
        this.#receive(input.peer, input.bytes, now)
        return
      case 'session-established':
        this.#establish(input, now)
        return
      case 'session-closed':
        this.#close(input)
        return
      case 'clock':
        if (this.#state.readClock(input.wallClock, now)) this.#lifecycle.records.restamp(this.#state.clients)
        this.#state.timers.set('clock', after(now, CLOCK_INTERVAL))
        return
      case 'loaded':
        this.#load(input, now)
        return
      case 'domains':
        this.#changeDomains(input.domains, now)
        return
      case 'stored':
      case 'store-failed':
        this.#settleCommit(input, now)
        return
      case 'applied':
      case 'apply-failed':
      case 'withdrawn':
      case 'withdraw-failed':
        this.#settlePlan(input, now)
        return
      case 'in-force':
      case 'in-force-failed':
      case 'counters':
      case 'counters-failed':
        this.#settleReading(input, now)
        return
      case 'accept-lists':
        this.#admission.acceptLists(input.conflicts, now)
        return
      case 'resolved':
        this.#resolution.settle(input.query, input.answer, now)
        return
      case 'resolve-failed':
        this.#resolution.settle(input.query, input.failure, now)
        return
      case 'redirection':
        this.#redirect(input.redirection, now)
    }
  }

  poll(): ServerOutput | undefined {
    return this.#state.poll()
  }

  nextTimeout(): Instant | undefined {
    return this.#state.timers.next()
  }

  handleTimeout(now: Instant): void {
    const { timers } = this.#state
    this.#observations.forgetTold()
    for (let name = timers.takeDue(now); name !== undefined; name = timers.takeDue(now)) {
      const colon = name.indexOf(':')
      const [kind, of] = colon < 0 ? [name, ''] : [name.slice(0, colon), name.slice(colon + 1)]
      if (kind !== 'notify') this.#observations.forgetTold()
      this.#timer(kind, of, now)
    }
    this.#state.activity.settle(now)
  }

  /** Timers by name, for the control interface. */
  timers(): readonly Timer<string>[] {
    return this.#state.timers.list()
  }

  get counters(): Counters {
    return this.#state.counters
  }

  /** Sessions, clients and mitigations at present. */
  sizes(): { readonly sessions: number; readonly clients: number; readonly mitigations: number } {
    const { clients, mitigations } = this.#state
    return { sessions: this.#sessions.size, clients: clients.size, mitigations: mitigations.total }
  }

  /** What the CoAP sessions hold together and have lost, by the names of metrics. */
  loads(): Readonly<Record<string, number>> {
    return this.#loads.counters([...this.#sessions.values()].map((session) => session.load()))
  }

  /** All mitigations at present, for the control interface. */
  mitigations(now: Instant): MitigationSnapshot[] {
    const { enforcement } = this.#lifecycle
    return [...this.#state.clients].flatMap(({ mitigations }) =>
      [...mitigations.values()].map((mitigation) =>
        snapshotOf(mitigation, enforcement.drops(mitigation.planId)?.total, now)
      )
    )
  }

  #receive(peer: PeerId, bytes: Uint8Array, now: Instant): void {
    const session = this.#sessions.get(peer)
    if (session === undefined) this.#state.counters.count('dots_server_datagrams_without_session_total')
    else session.receive(bytes, now)
  }

  #establish(input: InputOf<'session-established'>, now: Instant): void {
    const session = new ServerSession(
      input,
      this.#state,
      {
        request: (from, { exchange, request, confirmable }, at) =>
          this.#router.route({ session: from, exchange, coap: request, confirmable, targets: [] }, at),
        observerGone: (from, exchange) => this.#observations.remove(from, exchange)
      },
      now
    )
    this.#sessions.set(input.peer, session)
    this.#streams.add(session)?.end('too-many-streams', '')
    this.#state.activity.attach(session, now)
    this.#preconfigured.watch.sessionEstablished(session, now)
    this.#state.report({
      kind: 'session-established',
      peer: input.peer,
      identity: session.identityText,
      domain: session.principal?.domain,
      path: input.path,
      transport: input.transport
    })
  }

  #close({ peer, reason }: InputOf<'session-closed'>): void {
    const session = this.#sessions.get(peer)
    if (session === undefined) return
    this.#sessions.delete(peer)
    this.#loads.ended(session.load())
    this.#streams.remove(session)
    this.#preconfigured.watch.sessionClosed(session)
    this.#state.activity.detach(session)
    session.close()
    this.#observations.sessionClosed(session)
    for (const exchange of session.observations.keys()) this.#observations.remove(session, exchange)
    for (const client of session.clients) {
      client.sessions--
      this.#state.clients.release(client)
    }
    this.#state.report({ kind: 'session-closed', peer, reason })
  }

  #load(input: InputOf<'loaded'>, now: Instant): void {
    for (const key of input.damaged) reportDamaged(this.#state, key, 'its checksum does not hold')
    this.#preconfigured.watch.started(now)
    recover(this.#state, (mitigation) => this.#resume(mitigation, now), this.#commits, input.records, now)
    for (const client of this.#state.clients) this.#lifecycle.recheck(client, now)
    this.#lifecycle.enforcement.readInForce()
    this.#state.timers.set('status', after(now, this.#state.policy.statusInterval))
  }

  #resume(mitigation: Mitigation, now: Instant): void {
    this.#lifecycle.resume(mitigation)
    this.#names.resume(mitigation, now)
    if (mitigation.trigger === 'signal-loss') this.#preconfigured.keep(mitigation, now)
  }

  #redirect(redirection: Redirection | undefined, now: Instant): void {
    this.#state.redirection = redirection
    const clients = redirection?.clients ?? []
    this.#state.report({
      kind: 'redirection-changed',
      to: redirection?.server,
      clients: clients === 'all' ? clients : clients.join(' ')
    })
    for (const session of this.#sessions.values()) this.#observations.redirected(session, now)
  }

  /** Who was left alone because of a mitigation is sent on when that is over. */
  #tellRedirection({ client, state }: Mitigation, now: Instant): void {
    const { owner } = client.principal
    if (this.#state.redirection === undefined || state.kind !== 'ended') return
    for (const session of this.#state.activity.sessionsOf(owner)) this.#observations.redirected(session, now)
  }

  #changeDomains(domains: readonly ClientDomain[], now: Instant): void {
    this.#state.authorization = new Authorization(domains)
    for (const session of this.#sessions.values()) {
      this.#state.activity.detach(session)
      session.principal = this.#state.authorization.principalOf(session.identity)
      this.#state.activity.attach(session, now)
    }
    for (const client of this.#state.clients) {
      // What is on its way to the store was allowed when it was asked for: looked at again when it is there.
      this.#lifecycle.recheck(client, now)
      if (client.mutations.length > 0) client.recheck = true
    }
  }

  #settleCommit(input: InputOf<'stored' | 'store-failed'>, now: Instant): void {
    this.#commits.settle(input.operation, input.kind === 'stored' ? undefined : input.failure, now)
  }

  #settlePlan(
    input: InputOf<'applied' | 'apply-failed' | 'withdrawn' | 'withdraw-failed'>,
    now: Instant
  ): void {
    const { enforcement } = this.#lifecycle
    switch (input.kind) {
      case 'applied':
        enforcement.applied(input.plan, now)
        return
      case 'apply-failed':
        enforcement.applyFailed(input.plan, input.failure, now)
        return
      case 'withdrawn':
        enforcement.withdrawn(input.plan)
        return
      case 'withdraw-failed':
        enforcement.withdrawFailed(input.plan, input.failure, now)
    }
  }

  #settleReading(
    input: InputOf<'in-force' | 'in-force-failed' | 'counters' | 'counters-failed'>,
    now: Instant
  ): void {
    const { enforcement } = this.#lifecycle
    switch (input.kind) {
      case 'in-force':
        enforcement.inForce(input.plans, now)
        return
      case 'in-force-failed':
        enforcement.inForceFailed(input.failure, now)
        return
      case 'counters':
        enforcement.countersRead(input.counters, now)
        this.#attacks.look(now)
        this.#lifecycle.tellStatus(now)
        return
      case 'counters-failed':
        enforcement.countersUnknown(input.failure)
        this.#lifecycle.tellStatus(now)
    }
  }

  #timer(kind: string, of: string, now: Instant): void {
    switch (kind) {
      case 'session':
        this.#sessions.get(Number(of) as PeerId)?.handleTimeout(now)
        return
      case 'freshness': {
        const session = this.#sessions.get(Number(of) as PeerId)
        if (session !== undefined) this.#config.stale(session, now)
        return
      }
      case 'notify': {
        const session = this.#sessions.get(Number(of) as PeerId)
        if (session !== undefined) this.#observations.notify(session, now)
        return
      }
      case 'expiry':
      case 'grace': {
        const mitigation = this.#find(of)
        if (mitigation !== undefined) this.#lifecycle.timeIsUp(mitigation, kind, now)
        return
      }
      case 'retry':
        this.#lifecycle.enforcement.retry(PlanId(of))
        return
      case SIGNAL_LOSS_TIMER:
        this.#preconfigured.watch.timeout(of, now)
        return
      case 'name':
        this.#resolution.timeout(Number(of) as NameQuery, now)
        return
      case 'told':
      case 'names': {
        const mitigation = this.#find(of)
        if (mitigation !== undefined) this.#mitigationTimer(kind, mitigation, now)
        return
      }
      default:
        this.#houseTimer(kind, now)
    }
  }

  #mitigationTimer(kind: 'told' | 'names', mitigation: Mitigation, now: Instant): void {
    if (kind === 'told') this.#preconfigured.told(mitigation, now)
    else this.#names.timeout(mitigation, now)
  }

  #houseTimer(kind: string, now: Instant): void {
    switch (kind) {
      case 'sweep':
        this.#commits.retrySweep()
        return
      case NOTIFY_ALL_TIMER:
        this.#observations.notifyReady(now)
        return
      case 'restamp':
        this.#lifecycle.records.restamp(this.#state.clients)
        return
      case 'in-force':
        this.#lifecycle.enforcement.readInForce()
        return
      case 'clock':
        this.#state.emit({ kind: 'read-clock' })
        this.#state.timers.set('clock', after(now, CLOCK_INTERVAL))
        return
      case 'status':
        if (this.#state.mitigations.total > 0) this.#state.emit({ kind: 'read-counters' })
        this.#state.timers.set('status', after(now, this.#state.policy.statusInterval))
    }
  }

  #describe(mitigation: Mitigation, now: Instant): MitigationScopeEntry {
    const reading =
      isInForce(mitigation) || mitigation.state.kind === 'terminating'
        ? this.#lifecycle.enforcement.drops(mitigation.planId)
        : undefined
    const drops = reading === undefined ? undefined : { reading, readAt: this.#state.wallAt(reading.readAt) }
    return mitigationEntry(mitigation, { drops, conflict: this.#admission.describe(mitigation, now) }, now)
  }

  /** The mitigation of a record's key: `<cuid>/<mid>`. */
  #find(key: string): Mitigation | undefined {
    const slash = key.indexOf('/')
    const client = this.#state.clients.get(key.slice(0, slash) as Cuid)
    return client?.mitigations.get(Number(key.slice(slash + 1)) as MitigationId)
  }

  #isWanted(key: string): boolean {
    const client = this.#state.clients.get(key.slice(0, key.indexOf('/')) as Cuid)
    return this.#find(key) !== undefined || (client !== undefined && isChanging(client, key))
  }
}
