import { Milliseconds, Seconds, after, between } from '@breakwater/core'
import type { Duration, Instant, WallTime } from '@breakwater/core'
import type { MitigationPlan, PlanId } from '../../domain/mitigator.ts'
import type { ClientState } from '../client-state.ts'
import { Enforcement } from './enforcement.ts'
import { isInForce, planIdOf, transition } from './mitigation.ts'
import type { Mitigation, MitigationEvent, MitigationState } from './mitigation.ts'
import type { MitigationRecords } from './mitigation-records.ts'
import { isChanging } from '../requests/mutation-queue.ts'
import type { Observations } from '../observation/observation.ts'
import type { ServerState } from '../server-state.ts'
import { CHANGES_INTERVAL } from '../sharing/sharing.ts'

/** How long a timer waits when a commit that may move it is on its way. */
export const POSTPONEMENT: Duration = Seconds(1)

/** A request that comes again so soon is repeated for want of an answer (RFC 9132 §4.4); a refresh takes its time. */
const REPETITION: Duration = Seconds(10)

const A_MILLISECOND = Milliseconds(1)

/** Told of every step, after all that it brings with it by itself. */
export type LifecycleListener = (mitigation: Mitigation, before: MitigationState, now: Instant) => void

/** Moves mitigations through their states and does what each step brings with it. */
export class Lifecycle {
  readonly enforcement: Enforcement
  readonly records: MitigationRecords
  readonly #state: ServerState
  readonly #observations: Observations
  readonly #listeners: LifecycleListener[] = []
  readonly #byPlan = new Map<PlanId, Mitigation>()
  /** When each mitigation was last asked for. */
  readonly #askedAt = new WeakMap<Mitigation, Instant>()

  constructor(state: ServerState, records: MitigationRecords, observations: Observations) {
    this.#state = state
    this.records = records
    this.#observations = observations
    this.enforcement = new Enforcement(state, {
      applied: (plan, now) => this.#planEvent(plan, { kind: 'applied' }, now),
      applyFailed: (plan, permanent, now) => this.#planEvent(plan, { kind: 'apply-failed', permanent }, now)
    })
  }

  onStep(listener: LifecycleListener): void {
    this.#listeners.push(listener)
  }

  /** Reserves targets, and a place within the limits, for a mitigation that is on its way to the store. */
  claim(mitigation: Mitigation): void {
    for (const prefix of mitigation.target.prefixes) this.#state.claims.add(prefix, mitigation)
    this.#state.mitigations.add(mitigation.client.principal.owner)
  }

  /** The moment that names a new plan: now, or a little later where an earlier plan of this key still has that name. */
  startOf(key: string, now: Instant): WallTime {
    let moment = this.#state.wallAt(now)
    while (this.enforcement.has(planIdOf(key, moment))) moment = after(moment, A_MILLISECOND)
    return moment
  }

  /** Takes one event through the table of `mitigation.ts`. */
  step(mitigation: Mitigation, event: MitigationEvent, now: Instant): void {
    const before = mitigation.state
    const next = transition(before, event, now)
    if (next === before) return
    mitigation.state = next
    this.#report(mitigation, before, next)
    this.#enter(mitigation, before, next, now)
    this.#countActivity(mitigation, before, next)
    // What was never promised is not told of.
    if (before.kind !== 'requested' || next.kind !== 'ended') this.#observations.changed(mitigation, now)
    for (const listener of this.#listeners) listener(mitigation, before, now)
  }

  /** Its client has asked for it: once more, and so soon that it cannot have heard that it has it, perhaps. */
  asked(mitigation: Mitigation, now: Instant): void {
    const before = this.#askedAt.get(mitigation)
    this.#askedAt.set(mitigation, now)
    if (before !== undefined && between(before, now) < REPETITION) this.#observations.insist(mitigation, now)
  }

  /** Ends mitigations that `successor` takes the place of; their plans stay in force until its own is. */
  supersede(
    overridden: readonly Mitigation[],
    successor: Mitigation,
    now: Instant,
    kind: 'superseded' | 'preempted' = 'superseded'
  ): void {
    this.inherit(overridden, successor)
    for (const mitigation of overridden) this.step(mitigation, { kind }, now)
  }

  /** Leaves plans to `successor`, which withdraws them when its own is in force. */
  inherit(from: readonly Mitigation[], successor: Mitigation): void {
    const plans = from.flatMap(({ planId, inherited }) => [planId, ...inherited])
    for (const mitigation of from) mitigation.inherited = []
    successor.inherited = [...successor.inherited, ...plans.filter((plan) => plan !== successor.planId)]
  }

  /** Takes what was left to it out of force. */
  withdrawInherited(mitigation: Mitigation): void {
    for (const plan of mitigation.inherited) this.enforcement.withdraw(plan)
    mitigation.inherited = []
  }

  /** A mitigation of an earlier process is taken up again; its plan may be in force or not. */
  resume(mitigation: Mitigation): void {
    const { state } = mitigation
    this.claim(mitigation)
    this.#keep(mitigation)
    if (isUnderWay(state)) {
      this.#state.activity.begin(mitigation.client.principal.owner)
      this.enforcement.adopt(planOf(mitigation))
    }
    if (state.kind === 'terminating') this.#state.timers.set(`grace:${mitigation.key}`, state.until)
    else this.armExpiry(mitigation)
  }

  /** Its names mean other addresses than before: these are what is mitigated from now on. */
  retarget(mitigation: Mitigation, target: Mitigation['target']): void {
    for (const prefix of mitigation.target.prefixes) this.#state.claims.remove(prefix, mitigation)
    mitigation.target = target
    for (const prefix of target.prefixes) this.#state.claims.add(prefix, mitigation)
    if (isUnderWay(mitigation.state)) this.enforcement.apply(planOf(mitigation))
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
    if (this.#isExtendedElsewhere(mitigation, now)) {
      this.#state.timers.set(`${timer}:${mitigation.key}`, after(now, CHANGES_INTERVAL))
      return
    }
    this.end(mitigation, { kind: timer === 'expiry' ? 'expired' : 'grace-over' }, now)
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
      else this.end(mitigation, { kind: 'revoked' }, now)
    }
  }

  /** Tells the observers of all mitigations that are in force how these stand. */
  tellStatus(now: Instant): void {
    for (const client of this.#state.clients)
      if (client.observations.size > 0)
        for (const mitigation of client.mitigations.values())
          if (isInForce(mitigation)) this.#observations.changed(mitigation, now)
  }

  /** An end that no request of the client's asked for: its record goes, too. */
  end(mitigation: Mitigation, event: MitigationEvent, now: Instant): void {
    this.step(mitigation, event, now)
    if (mitigation.state.kind === 'ended') this.records.sweep(mitigation)
  }

  /** Another server may have refreshed it, or taken it up anew, and we have not heard of it yet. */
  #isExtendedElsewhere({ state, expiresAt }: Mitigation, now: Instant): boolean {
    const end = state.kind === 'terminating' ? state.until : expiresAt
    const { sharing } = this.#state
    return sharing !== undefined && end !== 'never' && !sharing.isFreshFor(end, now)
  }

  #planEvent(plan: PlanId, event: MitigationEvent, now: Instant): void {
    const mitigation = this.#byPlan.get(plan)
    if (mitigation === undefined) return
    this.step(mitigation, event, now)
    // Also for one that was withdrawn meanwhile: its filter is in force now, for the rest of its grace period.
    if (event.kind === 'applied') this.withdrawInherited(mitigation)
  }

  #enter(mitigation: Mitigation, before: MitigationState, next: MitigationState, now: Instant): void {
    if (before.kind === 'requested' && next.kind !== 'ended') {
      this.#keep(mitigation)
      this.armExpiry(mitigation)
    }
    switch (next.kind) {
      case 'applying':
        if (before.kind !== 'requested') this.#restart(mitigation, now)
        this.enforcement.apply(planOf(mitigation))
        return
      case 'armed':
        // Its plan was left to the immediate request that took over.
        if (before.kind === 'stood-down' && before.because === 'overlap') return
        this.#withdrawAll(mitigation)
        return
      case 'inactive':
        // RFC 9132 §4.4.1.3: no active-but-terminating period where the server withdraws.
        this.#withdrawAll(mitigation)
        return
      case 'terminating':
        this.#state.timers.cancel(`expiry:${mitigation.key}`)
        this.#state.timers.set(`grace:${mitigation.key}`, next.until)
        return
      case 'ended':
        this.#forget(mitigation, before)
        // Its plan stays until its successor's is in force. Not stored: it never had one.
        if (next.reason !== 'superseded' && next.reason !== 'preempted' && next.reason !== 'not-stored')
          this.#withdrawAll(mitigation)
        return
      case 'requested':
      case 'active':
      case 'stopped':
      case 'failing':
      case 'stood-down':
    }
  }

  /** In force once more, by a plan of its own: the one before may have been left to somebody who will withdraw it. */
  #restart(mitigation: Mitigation, now: Instant): void {
    this.#byPlan.delete(mitigation.planId)
    mitigation.startedAt = this.startOf(mitigation.key, now)
    mitigation.planId = planIdOf(mitigation.key, mitigation.startedAt)
    this.#byPlan.set(mitigation.planId, mitigation)
  }

  #withdrawAll(mitigation: Mitigation): void {
    this.enforcement.withdraw(mitigation.planId)
    this.withdrawInherited(mitigation)
  }

  #keep(mitigation: Mitigation): void {
    mitigation.client.mitigations.set(mitigation.id, mitigation)
    this.#byPlan.set(mitigation.planId, mitigation)
  }

  #forget(mitigation: Mitigation, before: MitigationState): void {
    const { client, key, planId, target } = mitigation
    for (const prefix of target.prefixes) this.#state.claims.remove(prefix, mitigation)
    this.#state.mitigations.remove(client.principal.owner)
    if (before.kind === 'requested') return
    this.#state.timers.cancel(`expiry:${key}`)
    this.#state.timers.cancel(`grace:${key}`)
    if (this.#byPlan.get(planId) === mitigation) this.#byPlan.delete(planId)
    if (client.mitigations.get(mitigation.id) === mitigation) client.mitigations.delete(mitigation.id)
    this.#state.clients.release(client)
  }

  #countActivity({ client }: Mitigation, before: MitigationState, next: MitigationState): void {
    const { owner } = client.principal
    if (isUnderWay(next) && !isUnderWay(before)) this.#state.activity.begin(owner)
    if (!isUnderWay(next) && isUnderWay(before)) this.#state.activity.end(owner)
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

/** From the moment that it is to be in force until its filter is gone (RFC 9132 §4.5). */
function isUnderWay(state: MitigationState): boolean {
  return isInForce({ state }) || state.kind === 'terminating'
}

function planOf({ planId, target }: Mitigation): MitigationPlan {
  return { id: planId, target, action: 'discard' }
}
