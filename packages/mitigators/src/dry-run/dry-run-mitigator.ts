import { InternalError, type Log, UnavailableError, formatIpPrefix } from '@breakwater/core'
import type { DropCounters, MitigationPlan, Mitigator, PlanId } from '@breakwater/dots'

/** Opens a mitigator that only says what it would do: for trying out, and where no device may be touched. */
export function dryRunMitigator(log: Log): Mitigator {
  return new DryRunMitigator(log)
}

class DryRunMitigator implements Mitigator {
  readonly name = 'dry-run'
  readonly #log: Log
  readonly #plans = new Map<PlanId, MitigationPlan>()
  #closed = false

  constructor(log: Log) {
    this.#log = log
  }

  apply(plan: MitigationPlan): Promise<void> {
    if (this.#closed) return Promise.reject(closedMitigator())
    if (plan.target.prefixes.length === 0)
      return Promise.reject(new InternalError('MITIGATOR_PLAN_EMPTY', `plan ${plan.id} names no prefix`))
    this.#plans.set(plan.id, plan)
    this.#log.info('mitigator.would_apply', {
      plan: plan.id,
      prefixes: plan.target.prefixes.map(formatIpPrefix)
    })
    return Promise.resolve()
  }

  withdraw(id: PlanId): Promise<void> {
    if (this.#closed) return Promise.reject(closedMitigator())
    if (this.#plans.delete(id)) this.#log.info('mitigator.would_withdraw', { plan: id })
    return Promise.resolve()
  }

  inForce(): Promise<readonly PlanId[]> {
    return Promise.resolve([...this.#plans.keys()])
  }

  /** Nothing is dropped, so nothing is known: unknown is not zero. */
  counters(): Promise<ReadonlyMap<PlanId, DropCounters>> {
    return Promise.resolve(new Map())
  }

  close(): Promise<void> {
    this.#closed = true
    return Promise.resolve()
  }
}

function closedMitigator(): UnavailableError {
  return new UnavailableError('MITIGATOR_CLOSED', 'the mitigator is closed', false)
}
