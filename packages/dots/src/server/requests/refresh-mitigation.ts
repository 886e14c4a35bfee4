import { Code } from '@breakwater/coap'
import type { Instant } from '@breakwater/core'
import { MitigationStatusCode } from '@breakwater/model'
import type { MitigationId } from '../../domain/identifier.ts'
import type { EfficacyUpdate } from '../../signal/efficacy-update.ts'
import { expiryOf, grantLifetime } from '../../signal/lifetime.ts'
import type { Lifetime } from '../../signal/lifetime.ts'
import { sameRequestedTarget } from '../../domain/requested-target.ts'
import type { RequestedTarget } from '../../domain/requested-target.ts'
import type { Admission } from './admission.ts'
import type { ClientState } from '../client-state.ts'
import { clientConflict } from './conflict.ts'
import { answered, grantedResponse } from './granted.ts'
import type { Lifecycle } from '../mitigations/lifecycle.ts'
import { isLive, statusOf } from '../mitigations/mitigation.ts'
import type { Mitigation, Trigger } from '../mitigations/mitigation.ts'
import type { Decision } from './mutation-queue.ts'
import { remainingSeconds } from '../mitigations/representation.ts'
import { IGNORED, refusal, unavailable } from './response.ts'
import type { Answer } from './response.ts'
import type { ServerState } from '../server-state.ts'

/** Seconds after which a client may say again how it sees what the mitigator does not manage. */
const INCAPABLE_RETRY_SECONDS = 60

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
    if (existing === undefined || !isLive(existing)) return answered(IGNORED)
    const refused = alteration(existing, update) ?? incapability(existing)
    return refused === undefined ? this.decide(existing, update, now) : answered(refused)
  }

  decide(mitigation: Mitigation, refresh: Refresh, now: Instant): Decision {
    const altered = alteration(mitigation, refresh)
    if (altered !== undefined) return answered(altered)
    const { lifetime: wanted } = refresh
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
          remainingSeconds(mitigation, at),
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

/** RFC 9132 §4.4.1.3, §4.4.3: a refresh repeats all but the lifetime; what is new wants another mid. */
function alteration(mitigation: Mitigation, { target, trigger }: Refresh): Answer | undefined {
  if (trigger !== mitigation.trigger) return changed(mitigation, 'another trigger-mitigation')
  return sameRequestedTarget(mitigation.requested, target) ? undefined : changed(mitigation, 'other targets')
}

/**
 * RFC 9132 §4.4.3: 5.03 when the server has erred or cannot perform the mitigation. Nothing is refreshed then; the client
 * keeps the mitigation by its usual refreshes, and the server goes on trying.
 */
function incapability({ id, state }: Mitigation): Answer | undefined {
  if (statusOf(state) !== MitigationStatusCode.attackExceededCapability) return undefined
  const text = `mid ${id} is not in force: the mitigator fails`
  return unavailable('DOTS_SERVER_INCAPABLE', text, INCAPABLE_RETRY_SECONDS)
}

function changed({ id }: Mitigation, what: string): Answer {
  return refusal({
    code: 'DOTS_SERVER_REFRESH_CHANGED',
    answer: Code.badRequest,
    diagnostic: `mid ${id} has ${what}; ask for this with a higher mid`
  })
}
