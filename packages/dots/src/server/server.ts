import { Counters, Minutes, after } from '@breakwater/core'
import type { Entropy, Instant, Machine, PeerId, Timer } from '@breakwater/core'
import type { MitigationScopeEntry } from '@breakwater/model'
import type { Cuid, MitigationId } from '../domain/identifier.ts'
import { PlanId } from '../domain/mitigator.ts'
import { Authorization } from './authorization.ts'
import type { ClientDomain } from './authorization.ts'
import { Commits } from './commits.ts'
import { ConfigResource } from './config-resource.ts'
import { GetMitigation } from './get-mitigation.ts'
import { Lifecycle } from './lifecycle.ts'
import type { ServerInput, ServerOutput } from './message.ts'
import type { Mitigation } from './mitigation.ts'
import { MutationQueue, isChanging } from './mutation-queue.ts'
import { Observations, notifyTimer } from './observation.ts'
import { DEFAULT_SERVER_POLICY } from './policy.ts'
import type { ServerPolicy } from './policy.ts'
import { PutMitigation } from './put-mitigation.ts'
import { recover, reportDamaged } from './recovery.ts'
import { mitigationEntry } from './representation.ts'
import { RequestRouter } from './request-router.ts'
import { ServerSession } from './server-session.ts'
import { ServerState } from './server-state.ts'
import { StreamSessions } from './stream-sessions.ts'
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
  readonly #router: RequestRouter
  readonly #config: ConfigResource
  readonly #sessions = new Map<PeerId, ServerSession>()
  readonly #streams: StreamSessions

  constructor({ entropy, domains, policy, counters }: DotsServerOptions) {
    this.#state = new ServerState(
      { ...DEFAULT_SERVER_POLICY, ...policy },
      entropy,
      counters ?? new Counters()
    )
    this.#state.authorization = new Authorization(domains)
    this.#streams = new StreamSessions(this.#state.policy.limits.streamsPerClient)
    const describe = (mitigation: Mitigation, now: Instant): MitigationScopeEntry =>
      this.#describe(mitigation, now)
    this.#commits = new Commits(this.#state, (key) => this.#isWanted(key))
    this.#observations = new Observations(this.#state, describe)
    this.#lifecycle = new Lifecycle(this.#state, this.#commits, this.#observations)
    const queue = new MutationQueue(this.#state, this.#commits, (client, now) => {
      if (client.recheck) this.#lifecycle.recheck(client, now)
      if (client.restamp) this.#lifecycle.restamp([client])
      this.#state.clients.release(client)
    })
    this.#config = new ConfigResource(this.#state, this.#observations)
    this.#router = new RequestRouter(
      this.#state,
      queue,
      this.#lifecycle,
      new PutMitigation(this.#state, this.#lifecycle),
      new GetMitigation(this.#observations, describe),
      this.#config
    )
  }

  handle(input: ServerInput, now: Instant): void {
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
        if (this.#state.readClock(input.wallClock, now)) this.#lifecycle.restamp(this.#state.clients)
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
    for (let name = timers.takeDue(now); name !== undefined; name = timers.takeDue(now)) {
      const colon = name.indexOf(':')
      const [kind, of] = colon < 0 ? [name, ''] : [name.slice(0, colon), name.slice(colon + 1)]
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

  /** All mitigations at present, for the control interface. */
  mitigations(now: Instant): MitigationSnapshot[] {
    const { enforcement } = this.#lifecycle
    return [...this.#state.clients].flatMap(({ mitigations }) =>
      [...mitigations.values()].map((mitigation) =>
        snapshotOf(mitigation, enforcement.counters(mitigation.planId), now)
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
    this.#streams.remove(session)
    this.#state.activity.detach(session)
    session.close()
    this.#state.timers.cancel(notifyTimer(peer))
    for (const exchange of session.observations.keys()) this.#observations.remove(session, exchange)
    for (const client of session.clients) {
      client.sessions--
      this.#state.clients.release(client)
    }
    this.#state.report({ kind: 'session-closed', peer, reason })
  }

  #load(input: InputOf<'loaded'>, now: Instant): void {
    for (const key of input.damaged) reportDamaged(this.#state, key, 'its checksum does not hold')
    recover(this.#state, this.#lifecycle, this.#commits, input.records, now)
    for (const client of this.#state.clients) this.#lifecycle.recheck(client, now)
    this.#lifecycle.enforcement.readInForce()
    this.#state.timers.set('status', after(now, this.#state.policy.statusInterval))
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
        enforcement.countersRead(input.counters)
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
      default:
        this.#houseTimer(kind, now)
    }
  }

  #houseTimer(kind: string, now: Instant): void {
    switch (kind) {
      case 'sweep':
        this.#commits.retrySweep()
        return
      case 'restamp':
        this.#lifecycle.restamp(this.#state.clients)
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
    const counters = this.#lifecycle.enforcement.counters(mitigation.planId)
    return mitigationEntry(mitigation, counters, now, this.#state.wallAt(now))
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
