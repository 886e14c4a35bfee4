import { Seconds, after, inSeconds } from '@breakwater/core'
import type { Instant } from '@breakwater/core'
import type { PlanId } from '../domain/mitigator.ts'
import type { RecordChange } from '../domain/record-store.ts'
import type { ClientState } from './client-state.ts'
import type { Commits } from './commits.ts'
import { Enforcement } from './enforcement.ts'
import { MITIGATION_COLLECTION } from './message.ts'
import { isLive, transition } from './mitigation.ts'
import type { Mitigation, MitigationEvent, MitigationState } from './mitigation.ts'
import { isChanging } from './mutation-queue.ts'
import type { Observations } from './observation.ts'
import { encodeRecord } from './record.ts'
import type { ServerState } from './server-state.ts'

/** How long a timer waits when a commit that may move it is on its way. */
const POSTPONEMENT = Seconds(1)

const RESTAMP_RETRY = Seconds(30)

/** Moves mitigations through their states and does what each step brings with it. */
export class Lifecycle {
  readonly enforcement: Enforcement
  readonly #state: ServerState
  readonly #commits: Commits
  readonly #observations: Observations
  readonly #byPlan = new Map<PlanId, Mitigation>()

  constructor(state: ServerState, commits: Commits, observations: Observations) {
    this.#state = state
    this.#commits = commits
    this.#observations = observations
    this.enforcement = new Enforcement(state, {
      applied: (plan, now) => this.#planEvent(plan, { kind: 'applied' }, now),
      applyFailed: (plan, permanent, now) => this.#planEvent(plan, { kind: 'apply-failed', permanent }, now)
    })
  }

  /** Reserves targets, and a place within the limits, for a mitigation that is on its way to the store. */
  claim(mitigation: Mitigation): void {
    for (const prefix of mitigation.target.prefixes) this.#state.claims.add(prefix, mitigation)
    this.#state.mitigations.add(mitigation.client.principal.owner)
  }

  /** Takes one event through the table of `mitigation.ts`. */
  step(mitigation: Mitigation, event: MitigationEvent, now: Instant): void {
    const before = mitigation.state
    const next = transition(before, event, now)
    if (next === before) return
    mitigation.state = next
    this.#report(mitigation, before, next)
    this.#enter(mitigation, before, next)
    if (before.kind !== 'requested') this.#observations.changed(mitigation, now)
  }

  /** Its client has asked for it again, so soon that it cannot have heard that it has it. */
  askedAgain(mitigation: Mitigation, now: Instant): void {
    this.#observations.insist(mitigation, now)
  }

  /** Ends mitigations that `successor` takes the place of; their plans stay in force until its own is. */
  supersede(overridden: readonly Mitigation[], successor: Mitigation, now: Instant): void {
    const plans = overridden.flatMap(({ planId, inherited }) => [planId, ...inherited])
    successor.inherited = plans.filter((plan) => plan !== successor.planId)
    for (const mitigation of overridden) this.step(mitigation, { kind: 'superseded' }, now)
  }

  /** A mitigation of an earlier process is taken up again; its plan may be in force or not. */
  resume(mitigation: Mitigation): void {
    this.claim(mitigation)
    this.#keep(mitigation)
    this.enforcement.adopt({ id: mitigation.planId, target: mitigation.target, action: 'discard' })
    if (mitigation.state.kind === 'terminating')
      this.#state.timers.set(`grace:${mitigation.key}`, mitigation.state.until)
    else this.armExpiry(mitigation)
  }

  /** Sets the timer that ends a mitigation with its lifetime. */
  armExpiry(mitigation: Mitigation): void {
    const { key, expiresAt } = mitigation
    if (expiresAt === 'never') this.#state.timers.cancel(`expiry:${key}`)
    else this.#state.timers.set(`expiry:${key}`, expiresAt)
  }

  /** Timers `expiry:<key>` and `grace:<key>`. */
  timeIsUp(mitigation: Mitigation, timer: 'expiry' | 'grace', now: Instant): void {
    if (isChanging(mitigation.client, mitigation.key)) {
      this.#state.timers.set(`${timer}:${mitigation.key}`, after(now, POSTPONEMENT))
      return
    }
    this.#end(mitigation, { kind: timer === 'expiry' ? 'expired' : 'grace-over' }, now)
  }

  /** Ends what the client is no longer authorised for (RFC 9132 §11). */
  recheck(client: ClientState, now: Instant): void {
    client.recheck = false
    const { authorization } = this.#state
    const { owner } = client.principal
    const domain = authorization.domainOf(owner)
    if (domain !== undefined) client.principal = { domain, owner }
    for (const mitigation of client.mitigations.values()) {
      const { prefixes } = mitigation.target
      if (domain !== undefined && authorization.firstForeign(domain, prefixes) === undefined) continue
      if (isChanging(client, mitigation.key)) client.recheck = true
      else this.#end(mitigation, { kind: 'revoked' }, now)
    }
  }

  /** Tells the observers of all mitigations that are in force how these stand. */
  tellStatus(now: Instant): void {
    for (const client of this.#state.clients)
      if (client.observations.size > 0)
        for (const mitigation of client.mitigations.values())
          if (isLive(mitigation)) this.#observations.changed(mitigation, now)
  }

  /** Deletes the record of a mitigation that is over. */
  sweep(mitigation: Mitigation): void {
    this.#commits.sweep(mitigation.key)
  }

  /** The calendar stepped: the moments in the records were of the old one, and a restart would go by them. */
  restamp(clients: Iterable<ClientState>): void {
    const changes: RecordChange[] = []
    for (const client of clients) {
      // What is on its way to the store has dates of its own: written anew when it is there.
      client.restamp = client.mutations.length > 0
      if (client.restamp) continue
      for (const mitigation of client.mitigations.values())
        changes.push(this.record(mitigation, mitigation.state, mitigation.expiresAt))
    }
    if (changes.length === 0) return
    this.#commits.commit(changes, (failure, at) => {
      if (failure !== undefined) this.#state.timers.set('restamp', after(at, RESTAMP_RETRY))
    })
  }

  /** The record that a mitigation has now, or will have with other dates. */
  record(mitigation: Mitigation, state: MitigationState, expiresAt: Mitigation['expiresAt']): RecordChange {
    const { key, client, id, target, startedAt, grace } = mitigation
    const value = encodeRecord({
      cuid: client.cuid,
      id,
      principal: client.principal,
      target,
      startedAt,
      expiresAt: expiresAt === 'never' ? 'never' : this.#state.wallAt(expiresAt),
      graceSeconds: inSeconds(grace),
      ...(state.kind === 'terminating' ? { terminatingUntil: this.#state.wallAt(state.until) } : {})
    })
    return { kind: 'put', collection: MITIGATION_COLLECTION, key, value }
  }

  #planEvent(plan: PlanId, event: MitigationEvent, now: Instant): void {
    const mitigation = this.#byPlan.get(plan)
    if (mitigation === undefined) return
    this.step(mitigation, event, now)
    // Also for one that was withdrawn meanwhile: its filter is in force now, for the rest of its grace period.
    if (event.kind === 'applied') this.#withdrawInherited(mitigation)
  }

  /** An end that no request of the client's asked for: its record goes, too. */
  #end(mitigation: Mitigation, event: MitigationEvent, now: Instant): void {
    this.step(mitigation, event, now)
    this.sweep(mitigation)
  }

  #enter(mitigation: Mitigation, before: MitigationState, next: MitigationState): void {
    switch (next.kind) {
      case 'requested':
      case 'failing':
      case 'active':
        return
      case 'applying':
        this.#keep(mitigation)
        this.armExpiry(mitigation)
        this.enforcement.apply({ id: mitigation.planId, target: mitigation.target, action: 'discard' })
        return
      case 'terminating':
        this.#state.timers.cancel(`expiry:${mitigation.key}`)
        this.#state.timers.set(`grace:${mitigation.key}`, next.until)
        return
      case 'ended':
        this.#forget(mitigation, before)
        // Superseded: its plan stays until its successor's is in force. Not stored: it never had one.
        if (next.reason === 'superseded' || next.reason === 'not-stored') return
        this.enforcement.withdraw(mitigation.planId)
        this.#withdrawInherited(mitigation)
    }
  }

  #withdrawInherited(mitigation: Mitigation): void {
    for (const plan of mitigation.inherited) this.enforcement.withdraw(plan)
    mitigation.inherited = []
  }

  #keep(mitigation: Mitigation): void {
    mitigation.client.mitigations.set(mitigation.id, mitigation)
    this.#state.activity.begin(mitigation.client.principal.owner)
    this.#byPlan.set(mitigation.planId, mitigation)
  }

  #forget(mitigation: Mitigation, before: MitigationState): void {
    const { client, key, planId, target } = mitigation
    for (const prefix of target.prefixes) this.#state.claims.remove(prefix, mitigation)
    this.#state.mitigations.remove(client.principal.owner)
    if (before.kind === 'requested') return
    this.#state.activity.end(client.principal.owner)
    this.#state.timers.cancel(`expiry:${key}`)
    this.#state.timers.cancel(`grace:${key}`)
    if (this.#byPlan.get(planId) === mitigation) this.#byPlan.delete(planId)
    if (client.mitigations.get(mitigation.id) === mitigation) client.mitigations.delete(mitigation.id)
    this.#state.clients.release(client)
  }

  #report(mitigation: Mitigation, before: MitigationState, next: MitigationState): void {
    const { client, id } = mitigation
    this.#state.counters.count('dots_server_mitigation_changes_total', next.kind)
    this.#state.report({
      kind: 'mitigation-changed',
      cuid: client.cuid,
      mitigationId: id,
      domain: client.principal.domain,
      from: before.kind,
      to: next.kind,
      ...(next.kind === 'ended' ? { reason: next.reason } : {})
    })
  }
}
