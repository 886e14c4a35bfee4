import { Seconds, after } from '@breakwater/core'
import type { Instant } from '@breakwater/core'
import type { ConflictInformation } from '@breakwater/model'
import type { AcceptingFilter } from '../../domain/accept-list.ts'
import type { PlanId } from '../../domain/mitigator.ts'
import type { Target } from '../../domain/target.ts'
import type { ClientState } from '../client-state.ts'
import { acceptListConflict, activeConflict, deactivatedConflict, retryAtOf } from './conflict.ts'
import type { Lifecycle } from '../mitigations/lifecycle.ts'
import { isInForce } from '../mitigations/mitigation.ts'
import type { Deactivation, Mitigation } from '../mitigations/mitigation.ts'
import type { Observations } from '../observation/observation.ts'
import type { ServerState } from '../server-state.ts'

/** RFC 9132 §4.4.1.3: so much longer than its `retry-timer` a deactivated request is kept, to be refreshed in. */
const KEPT_BEYOND_RETRY = Seconds(45)

/** Whether a request may come into force beside those of other clients. */
export type Verdict =
  | { readonly kind: 'in-force'; readonly loses: readonly Mitigation[] }
  | {
      readonly kind: 'inactive'
      readonly conflict: Deactivation
      readonly rivals: readonly Mitigation[]
      readonly loses: readonly Mitigation[]
    }

/**
 * Conflicts between clients (RFC 9132 §4.4.1.3, §4.4.2.1): who of those that ask for the same addresses is in force, by
 * the operator's policy, and that each of them is told when a conflict begins and when it is over.
 */
export class Admission {
  readonly #state: ServerState
  readonly #lifecycle: Lifecycle
  readonly #observations: Observations
  #acceptLists: ReadonlyMap<PlanId, readonly AcceptingFilter[]> = new Map()

  constructor(state: ServerState, lifecycle: Lifecycle, observations: Observations) {
    this.#state = state
    this.#lifecycle = lifecycle
    this.#observations = observations
    lifecycle.onStep((mitigation, before, now) => {
      const did = isInForce({ state: before })
      if (did !== isInForce(mitigation)) this.#changed(mitigation, did, now)
    })
  }

  /** What the operator's policy makes of a request of this client's. */
  judge(client: ClientState, target: Target, expiresAt: Mitigation['expiresAt'], now: Instant): Verdict {
    const rivals = this.rivals(client, target)
    if (rivals.length === 0) return { kind: 'in-force', loses: [] }
    switch (this.#state.policy.clientConflict) {
      case 'accept':
        return { kind: 'in-force', loses: [] }
      case 'reject':
        return { kind: 'inactive', rivals, loses: [], conflict: conflictWith(rivals, false, now) }
      case 'prefer-latest':
        return { kind: 'in-force', loses: rivals }
      case 'reject-all': {
        const conflict = conflictWith(rivals, true, now)
        // RFC 9132 §4.4.1.3: their timer is the lifetime of what deactivates them, which is this request.
        const retryAt = expiresAt === 'never' ? undefined : expiresAt
        this.deactivate(rivals, { all: true, retryAt }, now)
        return { kind: 'inactive', rivals, loses: [], conflict }
      }
    }
  }

  /** Takes mitigations of other clients out of force; each is kept a little longer than its client is to wait. */
  deactivate(losers: readonly Mitigation[], conflict: Deactivation, now: Instant): void {
    for (const mitigation of losers) {
      if (!isInForce(mitigation)) continue
      this.keepInactive(mitigation, conflict)
      this.#lifecycle.step(mitigation, { kind: 'deactivated', conflict }, now)
      this.#lifecycle.records.rewrite(mitigation)
    }
  }

  /** RFC 9132 §4.4.1.3: its lifetime becomes that of the conflict. */
  keepInactive(mitigation: Mitigation, { retryAt }: Deactivation): void {
    if (retryAt === undefined) return
    mitigation.expiresAt = after(retryAt, KEPT_BEYOND_RETRY)
    this.#lifecycle.armExpiry(mitigation)
  }

  /** A deactivated or preconfigured request that is to come into force now: it does, or it joins a conflict. */
  activate(mitigation: Mitigation, now: Instant): void {
    const verdict = this.judge(mitigation.client, mitigation.target, mitigation.expiresAt, now)
    if (verdict.kind === 'inactive') {
      this.keepInactive(mitigation, verdict.conflict)
      this.#lifecycle.step(mitigation, { kind: 'deactivated', conflict: verdict.conflict }, now)
    } else {
      this.#lifecycle.step(mitigation, { kind: 'triggered' }, now)
      this.deactivate(verdict.loses, conflictWith([mitigation], false, now), now)
    }
    this.#lifecycle.records.rewrite(mitigation)
  }

  /** What there is to say of a conflict; undefined: there is none (RFC 9132 §4.4.1.3, §4.4.2.1). */
  describe(mitigation: Mitigation, now: Instant): ConflictInformation | undefined {
    const { state, target, client } = mitigation
    if (state.kind === 'inactive')
      return deactivatedConflict(target, this.rivals(client, target), state.conflict, now)
    if (!isInForce(mitigation)) return undefined
    const rivals = this.rivals(client, target)
    if (rivals.length > 0) return activeConflict(target, rivals)
    const filters = this.#acceptLists.get(mitigation.planId) ?? []
    return filters.length === 0 ? undefined : acceptListConflict(filters)
  }

  /** Which accept-lists are in conflict now: their clients learn of what is new, and of what is over. */
  acceptLists(conflicts: ReadonlyMap<PlanId, readonly AcceptingFilter[]>, now: Instant): void {
    const before = this.#acceptLists
    this.#acceptLists = conflicts
    if (before.size + conflicts.size === 0) return
    for (const { mitigations } of this.#state.clients)
      for (const mitigation of mitigations.values())
        if (namesOf(before, mitigation) !== namesOf(conflicts, mitigation))
          this.#observations.changed(mitigation, now)
  }

  /** Somebody's protection began or ended: the others learn of the conflict, or of its end. */
  #changed(mitigation: Mitigation, ended: boolean, now: Instant): void {
    const { client, target } = mitigation
    for (const other of this.#overlapping(target)) {
      if (other.client === client) continue
      if (isInForce(other)) this.#observations.changed(other, now)
      else if (ended && other.state.kind === 'inactive' && !other.state.conflict.all)
        this.#reconsider(other, now)
    }
  }

  /** RFC 9132 §4.4.1.3: inactive "until the conflicts are resolved". */
  #reconsider(mitigation: Mitigation, now: Instant): void {
    if (this.rivals(mitigation.client, mitigation.target).length > 0) return
    this.#lifecycle.step(mitigation, { kind: 'triggered' }, now)
    this.#lifecycle.records.rewrite(mitigation)
  }

  /** Other clients' mitigations that are in force, or will be when they are stored. */
  rivals(client: ClientState, target: Target): Mitigation[] {
    return this.#overlapping(target).filter(
      (other) => other.client !== client && (isInForce(other) || isAboutTo(other))
    )
  }

  #overlapping(target: Target): Mitigation[] {
    return overlapping(this.#state, target)
  }
}

/** Every mitigation with a common address (RFC 9132 §4.4.1.3), each once. */
export function overlapping(state: ServerState, target: Target): Mitigation[] {
  const found = new Set<Mitigation>()
  for (const prefix of target.prefixes)
    for (const mitigation of state.claims.overlapping(prefix)) found.add(mitigation)
  return [...found]
}

/** How a conflict comes out for the one that loses it to `winners`. */
export function conflictWith(winners: readonly Mitigation[], all: boolean, now: Instant): Deactivation {
  return { all, retryAt: retryAtOf(winners, now) }
}

function namesOf(conflicts: ReadonlyMap<PlanId, readonly AcceptingFilter[]>, { planId }: Mitigation): string {
  return (conflicts.get(planId) ?? []).map(({ name }) => name).join(' ')
}

function isAboutTo({ state, trigger }: Mitigation): boolean {
  return state.kind === 'requested' && trigger === 'immediate'
}
