import { after, Milliseconds, Seconds, inSeconds } from '@breakwater/core'
import type { Duration, Instant } from '@breakwater/core'
import type { DropCounters, MitigationPlan, PlanId } from '../../domain/mitigator.ts'
import { DropRecord } from './drop-record.ts'
import type { DropReading } from './drop-record.ts'
import type { Failure } from '../message.ts'
import type { ServerState } from '../server-state.ts'

/** What is wanted of one plan and what is known of it. */
interface PlanState {
  goal: MitigationPlan | 'gone'
  /** What the mitigator has; `unknown`: a plan of an earlier process, perhaps. */
  actual: MitigationPlan | 'gone' | 'unknown'
  /** Nothing is done before the mitigator said what it has. */
  adopted: boolean
  /** The call that is on its way. */
  calling: MitigationPlan | 'withdraw' | undefined
  attempts: number
}

/** Whoever waits for plans to come into force. */
export interface EnforcementListener {
  applied(plan: PlanId, now: Instant): void
  applyFailed(plan: PlanId, permanent: boolean, now: Instant): void
}

const idle = { calling: undefined, attempts: 0, adopted: false } as const

const IN_FORCE_RETRY: Duration = Seconds(30)

/**
 * Brings the mitigator to what is wanted, plan by plan: at most one call of a plan is on its way, and what changed
 * meanwhile follows its answer. Failures are retried with growing pauses; nothing waits for them.
 */
export class Enforcement {
  readonly #state: ServerState
  readonly #listener: EnforcementListener
  readonly #plans = new Map<PlanId, PlanState>()
  readonly #drops = new DropRecord()
  /** While the mitigator is asked what it has: plans that were called for meanwhile, of which its answer tells nothing. */
  #unsure: Set<PlanId> | undefined

  constructor(state: ServerState, listener: EnforcementListener) {
    this.#state = state
    this.#listener = listener
  }

  /** From now on the mitigator is this server's to ask: what is there is found out first. */
  takeLead(): void {
    this.readInForce()
  }

  /** Another server asks the mitigator now; what is wanted is remembered, in case that one goes. */
  yieldLead(): void {
    this.#unsure = undefined
    for (const [id, { goal }] of this.#plans) {
      this.#state.timers.cancel(`retry:${id}`)
      this.#drops.forget(id)
      if (goal === 'gone') this.#plans.delete(id)
      else this.adopt(goal)
    }
  }

  /** Wants a plan in force. */
  apply(plan: MitigationPlan): void {
    if (!this.#state.leads) {
      this.adopt(plan)
      return
    }
    const known = this.#plans.get(plan.id) ?? { ...idle, goal: plan, actual: 'gone' }
    known.goal = plan
    this.#plans.set(plan.id, known)
    this.#restart(plan.id, known)
  }

  /** Whether the plan is wanted, or not known to be gone. */
  has(id: PlanId): boolean {
    return this.#plans.has(id)
  }

  /** Wants a plan that an earlier process may have applied; nothing is done before `inForce` or `inForceFailed`. */
  adopt(plan: MitigationPlan): void {
    this.#plans.set(plan.id, { ...idle, goal: plan, actual: 'unknown', adopted: true })
  }

  /** Wants a plan out of force. */
  withdraw(id: PlanId): void {
    const known = this.#plans.get(id)
    if (known === undefined) return
    if (!this.#state.leads) {
      this.#plans.delete(id)
      return
    }
    known.goal = 'gone'
    this.#restart(id, known)
  }

  /** Counters as last read; undefined: unknown, which is not zero. */
  drops(id: PlanId): DropReading | undefined {
    return this.#drops.of(id)
  }

  /** Asks the mitigator what it has in force, unless it is being asked. */
  readInForce(): void {
    if (this.#unsure !== undefined || !this.#state.leads) return
    const calling = [...this.#plans].filter(([, known]) => known.calling !== undefined)
    this.#unsure = new Set(calling.map(([id]) => id))
    this.#state.emit({ kind: 'read-in-force' })
  }

  /** Counters that do not match the plans are a hint that the device lost rules, or has some that nobody wants. */
  countersRead(counters: ReadonlyMap<PlanId, DropCounters>, now: Instant): void {
    if (!this.#state.leads) return
    this.#drops.read(counters, now)
    if (this.#isOdd(counters)) this.readInForce()
  }

  countersUnknown(failure: Failure): void {
    this.#drops.lose()
    this.#reportFailure('counters', undefined, failure, undefined)
  }

  applied(id: PlanId, now: Instant): void {
    const known = this.#plans.get(id)
    if (known === undefined || known.calling === undefined || known.calling === 'withdraw') return
    known.actual = known.calling
    known.calling = undefined
    known.attempts = 0
    this.#drops.begin(id, now)
    if (known.goal === known.actual) this.#listener.applied(id, now)
    this.#drive(id, known)
  }

  withdrawn(id: PlanId): void {
    const known = this.#plans.get(id)
    if (known?.calling !== 'withdraw') return
    known.actual = 'gone'
    known.calling = undefined
    known.attempts = 0
    this.#drive(id, known)
  }

  applyFailed(id: PlanId, failure: Failure, now: Instant): void {
    const known = this.#plans.get(id)
    if (known === undefined || known.calling === undefined || known.calling === 'withdraw') return
    const stillWanted = known.goal === known.calling
    known.calling = undefined
    if (!stillWanted) {
      this.#drive(id, known)
      return
    }
    const retryIn = failure.retryable ? this.#retry(id, known, now) : undefined
    this.#reportFailure('apply', id, failure, retryIn)
    this.#listener.applyFailed(id, !failure.retryable, now)
  }

  withdrawFailed(id: PlanId, failure: Failure, now: Instant): void {
    const known = this.#plans.get(id)
    if (known?.calling !== 'withdraw') return
    known.calling = undefined
    if (known.goal !== 'gone') {
      this.#drive(id, known)
      return
    }
    // Tried for ever, whatever the mitigator says: a rule that nobody wants must not stay behind.
    this.#reportFailure('withdraw', id, failure, this.#retry(id, known, now))
  }

  /** Timer `retry:<plan>`. */
  retry(id: PlanId): void {
    const known = this.#plans.get(id)
    if (known !== undefined) this.#drive(id, known)
  }

  /** The mitigator said what it has: what is missing is applied, what is there is left, what nobody wants goes. */
  inForce(plans: readonly PlanId[], now: Instant): void {
    if (!this.#state.leads) return
    const present = new Set(plans)
    const unsure = this.#unsure ?? new Set()
    this.#unsure = undefined
    for (const [id, known] of this.#plans) {
      if (!known.adopted) {
        if (!present.has(id) && !unsure.has(id)) this.#lost(id, known)
        continue
      }
      known.adopted = false
      const found = present.has(id)
      known.actual = !found ? 'gone' : known.goal === 'gone' ? 'unknown' : known.goal
      if (found && known.goal !== 'gone') this.#listener.applied(id, now)
      this.#drive(id, known)
    }
    for (const id of plans) if (!this.#plans.has(id) && !unsure.has(id)) this.#withdrawOrphan(id)
  }

  /** The mitigator did not say: plans are applied again, which does no harm; orphans are looked for later. */
  inForceFailed(failure: Failure, now: Instant): void {
    this.#unsure = undefined
    if (!this.#state.leads) return
    for (const [id, known] of this.#plans) {
      if (!known.adopted) continue
      known.adopted = false
      this.#drive(id, known)
    }
    this.#state.timers.set('in-force', after(now, IN_FORCE_RETRY))
    this.#reportFailure('in-force', undefined, failure, IN_FORCE_RETRY)
  }

  #isOdd(counters: ReadonlyMap<PlanId, DropCounters>): boolean {
    for (const [id, known] of this.#plans)
      if (isSettled(known) && known.goal !== 'gone' && !counters.has(id)) return true
    for (const id of counters.keys()) if (!this.#plans.has(id)) return true
    return false
  }

  /** The device forgot a rule, or somebody took it away: it is put back. */
  #lost(id: PlanId, known: PlanState): void {
    if (!isSettled(known) || known.goal === 'gone') return
    known.actual = 'gone'
    this.#state.report({ kind: 'plan-lost', plan: id })
    this.#drive(id, known)
  }

  #withdrawOrphan(id: PlanId): void {
    const orphan: PlanState = { ...idle, goal: 'gone', actual: 'unknown' }
    this.#plans.set(id, orphan)
    this.#state.report({ kind: 'orphan-withdrawn', plan: id })
    this.#drive(id, orphan)
  }

  #restart(id: PlanId, known: PlanState): void {
    known.attempts = 0
    this.#state.timers.cancel(`retry:${id}`)
    this.#drive(id, known)
  }

  /** Makes the next call that leads to the goal, if one is needed and none is on its way. */
  #drive(id: PlanId, known: PlanState): void {
    if (known.calling !== undefined || known.adopted) return
    if (known.goal === known.actual) {
      if (known.goal === 'gone') {
        this.#plans.delete(id)
        this.#drops.forget(id)
      }
      return
    }
    this.#unsure?.add(id)
    if (known.goal === 'gone') {
      known.calling = 'withdraw'
      this.#state.emit({ kind: 'withdraw', plan: id })
    } else {
      known.calling = known.goal
      this.#state.emit({ kind: 'apply', plan: known.goal })
    }
  }

  #retry(id: PlanId, known: PlanState, now: Instant): Duration {
    const { first, longest } = this.#state.policy.retry
    const pause = Milliseconds(Math.min(longest, first * 2 ** Math.min(known.attempts, 16)))
    known.attempts++
    this.#state.timers.set(`retry:${id}`, after(now, pause))
    return pause
  }

  #reportFailure(
    operation: 'apply' | 'withdraw' | 'in-force' | 'counters',
    plan: PlanId | undefined,
    { code, message }: Failure,
    retryIn: Duration | undefined
  ): void {
    this.#state.counters.count('dots_server_mitigator_failures_total', operation)
    this.#state.report({
      kind: 'mitigator-failed',
      operation,
      ...(plan === undefined ? {} : { plan }),
      code,
      message,
      ...(retryIn === undefined ? {} : { retryInSeconds: inSeconds(retryIn) })
    })
  }
}

/** Nothing is on its way, and the mitigator has what is wanted, as far as is known. */
function isSettled({ goal, actual, calling }: PlanState): boolean {
  return calling === undefined && goal === actual
}
