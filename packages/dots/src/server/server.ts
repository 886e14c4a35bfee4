import { Counters, after } from '@breakwater/core'
import type { Entropy, Instant, Machine, Timer } from '@breakwater/core'
import { Authorization } from './requests/authorization.ts'
import type { ClientDomain } from './requests/authorization.ts'
import type { ServerInput, ServerOutput } from './message.ts'
import { OUTDATED } from './mitigations/commits.ts'
import type { Mitigation } from './mitigations/mitigation.ts'
import { DEFAULT_SERVER_POLICY } from './policy.ts'
import type { ServerPolicy } from './policy.ts'
import { recover, reportDamaged } from './mitigations/recovery.ts'
import type { Redirection } from './redirection.ts'
import { ServerParts } from './server-parts.ts'
import { ServerState } from './server-state.ts'
import { CLOCK_INTERVAL, ServerTimers } from './server-timers.ts'
import type { SessionSnapshot } from './sessions/session-snapshot.ts'
import { snapshotOf } from './mitigations/snapshot.ts'
import type { MitigationSnapshot } from './mitigations/snapshot.ts'

/** What a server is made of. */
export interface DotsServerOptions {
  readonly entropy: Entropy
  readonly domains: readonly ClientDomain[]
  /** What differs from `DEFAULT_SERVER_POLICY`. */
  readonly policy?: Partial<ServerPolicy>
  /** Default: counters of its own. */
  readonly counters?: Counters
}

type InputOf<Kind extends ServerInput['kind']> = Extract<ServerInput, { readonly kind: Kind }>

/**
 * A DOTS server (RFC 9132) without I/O: sessions and their datagrams go in, datagrams, commits and mitigation plans come
 * out. Here each input is taken to the part that it is for: `ServerParts` makes them, `ServerTimers` does the same for
 * what time brings. `hostDotsServer` connects it to a computer.
 */
export class DotsServerMachine implements Machine<ServerInput, ServerOutput> {
  readonly #state: ServerState
  readonly #parts: ServerParts
  readonly #timers: ServerTimers

  constructor({ entropy, domains, policy, counters }: DotsServerOptions) {
    const state = new ServerState(
      { ...DEFAULT_SERVER_POLICY, ...policy },
      entropy,
      counters ?? new Counters()
    )
    state.authorization = new Authorization(domains)
    this.#state = state
    this.#parts = new ServerParts(state)
    this.#timers = new ServerTimers(state, this.#parts)
  }

  handle(input: ServerInput, now: Instant): void {
    this.#parts.observations.forgetTold()
    this.#parts.share.expireLead(now)
    this.#take(input, now)
    this.#state.activity.settle(now)
  }

  #take(input: ServerInput, now: Instant): void {
    switch (input.kind) {
      case 'datagram':
        this.#parts.sessions.receive(input.peer, input.bytes, now)
        return
      case 'session-established':
        this.#parts.sessions.establish(input, now)
        return
      case 'session-closed':
        this.#parts.sessions.close(input)
        return
      case 'clock':
        if (this.#state.readClock(input.wallClock, now))
          this.#parts.lifecycle.records.restamp(this.#state.clients)
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
      case 'outdated':
        this.#parts.takeOver.take(input.others, now)
        this.#parts.commits.settle(input.operation, OUTDATED, now)
        return
      case 'changes':
      case 'changes-failed':
        this.#parts.share.changesRead(input.kind === 'changes' ? input.others : undefined, now)
        return
      case 'beat':
      case 'beat-failed':
        this.#parts.share.beaten(input.kind === 'beat' ? input.beat : undefined, now)
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
        this.#parts.admission.acceptLists(input.conflicts, now)
        return
      case 'resolved':
        this.#parts.resolution.settle(input.query, input.answer, now)
        return
      case 'resolve-failed':
        this.#parts.resolution.settle(input.query, input.failure, now)
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
    this.#parts.share.expireLead(now)
    this.#timers.handleTimeout(now)
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
    return { sessions: this.#parts.sessions.size, clients: clients.size, mitigations: mitigations.total }
  }

  /** What the CoAP sessions hold together and have lost, by the names of metrics. */
  loads(): Readonly<Record<string, number>> {
    return this.#parts.sessions.loads()
  }

  /** All sessions at present, for the control interface. */
  sessions(now: Instant): SessionSnapshot[] {
    return this.#parts.sessions.snapshots(now)
  }

  /** All mitigations at present, for the control interface. */
  mitigations(now: Instant): MitigationSnapshot[] {
    const { enforcement } = this.#parts.lifecycle
    return [...this.#state.clients].flatMap(({ mitigations }) =>
      [...mitigations.values()].map((mitigation) =>
        snapshotOf(mitigation, enforcement.drops(mitigation.planId)?.total, now)
      )
    )
  }

  #load(input: InputOf<'loaded'>, now: Instant): void {
    for (const key of input.damaged) reportDamaged(this.#state, key, 'its checksum does not hold')
    if (input.revision !== undefined) this.#parts.share.start(input.revision, now)
    this.#parts.preconfigured.watch.started(now)
    recover(
      this.#state,
      (mitigation) => this.#resume(mitigation, now),
      this.#parts.commits,
      input.records,
      now
    )
    for (const client of this.#state.clients) this.#parts.lifecycle.recheck(client, now)
    this.#parts.lifecycle.enforcement.readInForce()
    this.#state.timers.set('status', after(now, this.#state.policy.statusInterval))
  }

  #resume(mitigation: Mitigation, now: Instant): void {
    this.#parts.lifecycle.resume(mitigation)
    this.#parts.names.resume(mitigation, now)
    if (mitigation.trigger === 'signal-loss') this.#parts.preconfigured.keep(mitigation, now)
  }

  #redirect(redirection: Redirection | undefined, now: Instant): void {
    this.#state.redirection = redirection
    const clients = redirection?.clients ?? []
    this.#state.report({
      kind: 'redirection-changed',
      to: redirection?.server,
      clients: clients === 'all' ? clients : clients.join(' ')
    })
    this.#parts.sessions.redirected(now)
  }

  #changeDomains(domains: readonly ClientDomain[], now: Instant): void {
    this.#state.authorization = new Authorization(domains)
    this.#parts.sessions.reauthorize(now)
    for (const client of this.#state.clients) {
      // What is on its way to the store was allowed when it was asked for: looked at again when it is there.
      this.#parts.lifecycle.recheck(client, now)
      if (client.mutations.length > 0) client.recheck = true
    }
  }

  #settleCommit(input: InputOf<'stored' | 'store-failed'>, now: Instant): void {
    this.#parts.commits.settle(input.operation, input.kind === 'stored' ? undefined : input.failure, now)
  }

  #settlePlan(
    input: InputOf<'applied' | 'apply-failed' | 'withdrawn' | 'withdraw-failed'>,
    now: Instant
  ): void {
    const { enforcement } = this.#parts.lifecycle
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
    const { enforcement } = this.#parts.lifecycle
    switch (input.kind) {
      case 'in-force':
        enforcement.inForce(input.plans, now)
        return
      case 'in-force-failed':
        enforcement.inForceFailed(input.failure, now)
        return
      case 'counters':
        enforcement.countersRead(input.counters, now)
        this.#parts.attacks.look(now)
        this.#parts.lifecycle.tellStatus(now)
        return
      case 'counters-failed':
        enforcement.countersUnknown(input.failure)
        this.#parts.lifecycle.tellStatus(now)
    }
  }
}
