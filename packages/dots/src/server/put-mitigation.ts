import { Code } from '@breakwater/coap'
import type { CoapResponse } from '@breakwater/coap'
import { Milliseconds, Seconds, between } from '@breakwater/core'
import type { Duration, Instant } from '@breakwater/core'
import type { ConflictInformation } from '@breakwater/model'
import type { MitigationId } from '../domain/identifier.ts'
import { sameTarget } from '../domain/target.ts'
import type { Target } from '../domain/target.ts'
import { INDEFINITE_LIFETIME, expiryOf, grantLifetime } from '../signal/lifetime.ts'
import type { Lifetime } from '../signal/lifetime.ts'
import type { EfficacyUpdate } from '../signal/efficacy-update.ts'
import type { MitigationRequest } from '../signal/request-check.ts'
import type { ClientState } from './client-state.ts'
import { deletion } from './commits.ts'
import { clientConflict, conflictInformation, overlapsHigher } from './conflict.ts'
import type { Lifecycle } from './lifecycle.ts'
import { isLive, mitigationKey, planIdOf } from './mitigation.ts'
import type { Mitigation } from './mitigation.ts'
import type { Decision } from './mutation-queue.ts'
import { remainingSeconds } from './representation.ts'
import { IGNORED, dotsResponse, refusal, unavailable } from './response.ts'
import type { Answer } from './response.ts'
import type { ServerState } from './server-state.ts'

/** Seconds after which a server that is full may be asked again. */
const FULL_RETRY_SECONDS = 60

/** A request that comes again so soon is repeated for want of an answer (RFC 9132 §4.4); a refresh takes its time. */
const REPETITION: Duration = Seconds(10)

/** Decides a mitigation request that is right in itself and within the client's rights (RFC 9132 §4.4.1.3). */
export class PutMitigation {
  readonly #state: ServerState
  readonly #lifecycle: Lifecycle
  /** When each mitigation was last asked for. */
  readonly #askedAt = new WeakMap<Mitigation, Instant>()

  constructor(state: ServerState, lifecycle: Lifecycle) {
    this.#state = state
    this.#lifecycle = lifecycle
  }

  decide(client: ClientState, id: MitigationId, request: MitigationRequest, now: Instant): Decision {
    const existing = client.mitigations.get(id)
    if (existing !== undefined && isLive(existing))
      return this.#refresh(existing, request.target, request.lifetime, now)
    const overlapping = this.#overlapping(request.target)
    const own = overlapping.filter((other) => other.client === client && other !== existing)
    const higher = own.find((other) => isLive(other) && other.id > id)
    if (higher !== undefined) return answered(overlapsHigher(higher))
    const other = overlapping.find((each) => each.client !== client && each.state.kind !== 'terminating')
    if (other !== undefined && this.#state.policy.clientConflict === 'reject')
      return answered(clientConflict(other, request.target, now))
    const overridden = existing === undefined ? own : [existing, ...own]
    const full = overridden.length > 0 ? undefined : this.#fullness(client)
    if (full !== undefined) return answered(full)
    const conflict = other === undefined ? undefined : conflictInformation(request.target, other)
    return this.#create(client, id, request, overridden, conflict, now)
  }

  /** An efficacy update is a refresh of what there is, and creates nothing (RFC 9132 §4.4.3). */
  decideEfficacy(
    client: ClientState,
    id: MitigationId,
    { target, lifetime }: EfficacyUpdate,
    now: Instant
  ): Decision {
    const existing = client.mitigations.get(id)
    if (existing === undefined || !isLive(existing)) return answered(IGNORED)
    return this.#refresh(existing, target, lifetime, now)
  }

  /** @param wanted Undefined: the lifetime stays as it is. */
  #refresh(mitigation: Mitigation, target: Target, wanted: Lifetime | undefined, now: Instant): Decision {
    if (!sameTarget(mitigation.target, target))
      return answered(
        refusal({
          code: 'DOTS_SERVER_REFRESH_CHANGED',
          answer: Code.badRequest,
          // RFC 9132 §4.4.1.3: a refresh repeats all but the lifetime; other targets want another mid.
          diagnostic: `mid ${mitigation.id} has other targets; ask for these with a higher mid`
        })
      )
    if (wanted === undefined) {
      const response = grantedResponse(Code.changed, mitigation.id, remainingSeconds(mitigation, now))
      return answered({ response, outcome: 'refreshed' })
    }
    const lifetime = grantLifetime(wanted, this.#state.policy.lifetime)
    const expiresAt = expiryOf(lifetime, now)
    return {
      kind: 'commit',
      changes: [this.#lifecycle.record(mitigation, mitigation.state, expiresAt)],
      stored: () => {
        mitigation.expiresAt = expiresAt
        if (isLive(mitigation)) this.#lifecycle.armExpiry(mitigation)
        this.#noteAsked(mitigation, now)
        const response = grantedResponse(Code.changed, mitigation.id, secondsOf(lifetime))
        return { response, outcome: 'refreshed' }
      },
      notStored: () => undefined
    }
  }

  #create(
    client: ClientState,
    id: MitigationId,
    request: MitigationRequest,
    overridden: readonly Mitigation[],
    conflict: ConflictInformation | undefined,
    now: Instant
  ): Decision {
    const lifetime = grantLifetime(request.lifetime, this.#state.policy.lifetime)
    const mitigation = this.#newMitigation(client, id, request.target, lifetime, overridden, now)
    this.#lifecycle.claim(mitigation)
    const others = overridden.filter(({ key }) => key !== mitigation.key)
    return {
      kind: 'commit',
      changes: [
        ...others.map(({ key }) => deletion(key)),
        this.#lifecycle.record(mitigation, mitigation.state, mitigation.expiresAt)
      ],
      stored: (at) => {
        this.#lifecycle.supersede(overridden, mitigation, at)
        this.#lifecycle.step(mitigation, { kind: 'stored' }, at)
        this.#noteAsked(mitigation, now)
        const response = grantedResponse(Code.created, id, secondsOf(lifetime), conflict)
        return { response, outcome: 'created' }
      },
      notStored: (at) => this.#lifecycle.step(mitigation, { kind: 'not-stored' }, at)
    }
  }

  #noteAsked(mitigation: Mitigation, now: Instant): void {
    const before = this.#askedAt.get(mitigation)
    this.#askedAt.set(mitigation, now)
    if (before !== undefined && between(before, now) < REPETITION) this.#lifecycle.askedAgain(mitigation, now)
  }

  #newMitigation(
    client: ClientState,
    id: MitigationId,
    target: Target,
    lifetime: Lifetime,
    overridden: readonly Mitigation[],
    now: Instant
  ): Mitigation {
    const { activeButTerminating, maximumActiveButTerminating } = this.#state.policy
    const terminating = overridden.filter(({ state }) => state.kind === 'terminating')
    // RFC 9132 §4.4.4: doubled for a client that asks again while its last request is still terminating.
    const grace = terminating.reduce(
      (longest, { grace: last }) => Math.max(longest, Math.min(2 * last, maximumActiveButTerminating)),
      activeButTerminating as number
    )
    const key = mitigationKey(client.cuid, id)
    const startedAt = this.#state.wallAt(now)
    return {
      key,
      client,
      id,
      target,
      planId: planIdOf(key, startedAt),
      startedAt,
      grace: Milliseconds(grace),
      expiresAt: expiryOf(lifetime, now),
      state: { kind: 'requested' },
      inherited: []
    }
  }

  /** Every other mitigation with a common address (RFC 9132 §4.4.1.3), each once. */
  #overlapping(target: Target): Mitigation[] {
    const found = new Set<Mitigation>()
    for (const prefix of target.prefixes)
      for (const mitigation of this.#state.claims.overlapping(prefix)) found.add(mitigation)
    return [...found]
  }

  #fullness(client: ClientState): Answer | undefined {
    const { mitigations, policy } = this.#state
    const { limits } = policy
    // RFC 9132 §4.4.1.3: a server near its capacity may refuse.
    if (mitigations.of(client.principal.owner) >= limits.mitigationsPerClient)
      return unavailable(
        'DOTS_SERVER_CLIENT_FULL',
        `you have ${limits.mitigationsPerClient} mitigations, which is the limit`,
        FULL_RETRY_SECONDS
      )
    if (mitigations.total < limits.mitigations) return undefined
    return unavailable(
      'DOTS_SERVER_FULL',
      'the server has as many mitigations as it takes',
      FULL_RETRY_SECONDS
    )
  }
}

/** RFC 9132 §4.4.1.1: the granted lifetime is always told. */
function grantedResponse(
  code: number,
  id: MitigationId,
  lifetime: number,
  conflict?: ConflictInformation
): CoapResponse {
  const entry = { mid: id, lifetime }
  const scope = conflict === undefined ? entry : { ...entry, conflictInformation: conflict }
  return dotsResponse(code, { mitigationScope: { scope: [scope] } })
}

/** As the wire wants it. */
function secondsOf(lifetime: Lifetime): number {
  return lifetime === 'indefinite' ? INDEFINITE_LIFETIME : lifetime
}

function answered(answer: Answer): Decision {
  return { kind: 'answer', answer }
}
