import { Code } from '@breakwater/coap'
import type { Instant } from '@breakwater/core'
import type { MitigationId } from '../domain/identifier.ts'
import type { EfficacyUpdate } from '../signal/efficacy-update.ts'
import { expiryOf, grantLifetime } from '../signal/lifetime.ts'
import type { Lifetime } from '../signal/lifetime.ts'
import { sameRequestedTarget } from '../signal/requested-target.ts'
import type { RequestedTarget } from '../signal/requested-target.ts'
import type { Admission } from './admission.ts'
import type { ClientState } from './client-state.ts'
import { clientConflict } from './conflict.ts'
import { answered, grantedResponse, secondsOf } from './granted.ts'
import type { Lifecycle } from './lifecycle.ts'
import { isLive } from './mitigation.ts'
import type { Mitigation, Trigger } from './mitigation.ts'
import type { Decision } from './mutation-queue.ts'
import { remainingSeconds } from './representation.ts'
import { IGNORED, refusal } from './response.ts'
import type { Answer } from './response.ts'
import type { ServerState } from './server-state.ts'

/** What a request repeats of the one that it refreshes. */
export interface Refresh {
  readonly target: RequestedTarget
  readonly trigger: Trigger
  /** Undefined: the lifetime stays as it is. */
  readonly lifetime: Lifetime | undefined
}

/** Decides a request for what there is already: a refresh, or an efficacy update, which is one (RFC 9132 §4.4.3). */
export class RefreshMitigation {
  readonly #state: ServerState
  readonly #lifecycle: Lifecycle
  readonly #admission: Admission

  constructor(state: ServerState, lifecycle: Lifecycle, admission: Admission) {
    this.#state = state
    this.#lifecycle = lifecycle
    this.#admission = admission
  }

  /** An efficacy update creates nothing (RFC 9132 §4.4.3). */
  decideEfficacy(client: ClientState, id: MitigationId, update: EfficacyUpdate, now: Instant): Decision {
    const existing = client.mitigations.get(id)
    return existing === undefined || !isLive(existing)
      ? answered(IGNORED)
      : this.decide(existing, update, now)
  }

  decide(mitigation: Mitigation, { target, trigger, lifetime: wanted }: Refresh, now: Instant): Decision {
    // RFC 9132 §4.4.1.3: a refresh repeats all but the lifetime; what is new wants another mid.
    if (trigger !== mitigation.trigger) return answered(changed(mitigation, 'another trigger-mitigation'))
    if (!sameRequestedTarget(mitigation.requested, target))
      return answered(changed(mitigation, 'other targets'))
    const conflict = this.#standingConflict(mitigation, now)
    if (conflict !== undefined) return answered(conflict)
    if (wanted === undefined) {
      const response = grantedResponse(Code.changed, mitigation.id, remainingSeconds(mitigation, now))
      return answered({ response, outcome: 'refreshed' })
    }
    const lifetime = grantLifetime(wanted, this.#state.policy.lifetime)
    const expiresAt = expiryOf(lifetime, now)
    return {
      kind: 'commit',
      changes: [this.#lifecycle.records.change(mitigation, mitigation.state, expiresAt)],
      stored: (at) => {
        mitigation.expiresAt = expiresAt
        if (isLive(mitigation)) this.#lifecycle.armExpiry(mitigation)
        if (mitigation.state.kind === 'inactive') this.#admission.activate(mitigation, at)
        this.#lifecycle.asked(mitigation, at)
        const response = grantedResponse(
          Code.changed,
          mitigation.id,
          secondsOf(lifetime),
          this.#admission.describe(mitigation, at)
        )
        return { response, outcome: 'refreshed' }
      },
      notStored: () => undefined
    }
  }

  /** RFC 9132 §4.4.1.3: a deactivated request is refreshed to see whether its conflict is over. */
  #standingConflict({ client, target, state }: Mitigation, now: Instant): Answer | undefined {
    if (state.kind !== 'inactive') return undefined
    const { all, retryAt } = state.conflict
    const rivals = this.#admission.rivals(client, target)
    const isOver = all ? retryAt === undefined || retryAt <= now : rivals.length === 0
    return isOver ? undefined : clientConflict(target, rivals, state.conflict, now)
  }
}

function changed({ id }: Mitigation, what: string): Answer {
  return refusal({
    code: 'DOTS_SERVER_REFRESH_CHANGED',
    answer: Code.badRequest,
    diagnostic: `mid ${id} has ${what}; ask for this with a higher mid`
  })
}
