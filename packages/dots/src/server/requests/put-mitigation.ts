import { Code } from '@breakwater/coap'
import { Milliseconds } from '@breakwater/core'
import type { Instant } from '@breakwater/core'
import type { MitigationId } from '../../domain/identifier.ts'
import type { Target } from '../../domain/target.ts'
import { expiryOf, grantLifetime } from '../../signal/lifetime.ts'
import type { Lifetime } from '../../signal/lifetime.ts'
import type { MitigationRequest } from '../../signal/request-check.ts'
import { shareName } from '../../domain/requested-target.ts'
import { conflictWith, overlapping } from './admission.ts'
import type { Admission } from './admission.ts'
import { fullness } from './capacity.ts'
import type { ClientState } from '../client-state.ts'
import { deletion } from '../mitigations/commits.ts'
import { clientConflict, overlapsHigher } from './conflict.ts'
import { answered, grantedResponse } from './granted.ts'
import type { Lifecycle } from '../mitigations/lifecycle.ts'
import { isInForce, isLive, mitigationKey, planIdOf } from '../mitigations/mitigation.ts'
import type { Mitigation } from '../mitigations/mitigation.ts'
import type { Decision } from './mutation-queue.ts'
import type { NameWatch } from '../names/name-watch.ts'
import type { Preconfigured } from '../mitigations/preconfigured.ts'
import type { RefreshMitigation } from './refresh-mitigation.ts'
import { remainingSeconds } from '../mitigations/representation.ts'
import type { ServerState } from '../server-state.ts'

/** A request with what its names mean. */
export interface ResolvedRequest extends MitigationRequest {
  readonly addressed: Target
  /** How long that holds. */
  readonly ttlSeconds: number
}

/** Decides a mitigation request that is right in itself and within the client's rights (RFC 9132 §4.4.1.3). */
export class PutMitigation {
  readonly #state: ServerState
  readonly #lifecycle: Lifecycle
  readonly #admission: Admission
  readonly #preconfigured: Preconfigured
  readonly #names: NameWatch
  readonly #refresh: RefreshMitigation

  constructor(
    state: ServerState,
    lifecycle: Lifecycle,
    admission: Admission,
    preconfigured: Preconfigured,
    names: NameWatch,
    refresh: RefreshMitigation
  ) {
    this.#state = state
    this.#lifecycle = lifecycle
    this.#admission = admission
    this.#preconfigured = preconfigured
    this.#names = names
    this.#refresh = refresh
  }

  decide(client: ClientState, id: MitigationId, request: ResolvedRequest, now: Instant): Decision {
    const existing = client.mitigations.get(id)
    if (existing !== undefined && isLive(existing)) return this.#refresh.decide(existing, request, now)
    const own = this.#ownOverlapping(client, request).filter((other) => other !== existing)
    // RFC 9132 §4.4.1.3: order and overriding are among requests of one kind.
    const higher = own.find((other) => isLive(other) && other.id > id && other.trigger === request.trigger)
    if (higher !== undefined) return answered(overlapsHigher(higher))
    const overridden = own.filter((other) => isOverridden(other, request))
    if (existing !== undefined) overridden.push(existing)
    const startsAtOnce = request.trigger === 'immediate' || overridden.some(isTriggered)
    const lifetime = grantLifetime(request.lifetime, this.#state.policy.lifetime)
    if (startsAtOnce) {
      const verdict = this.#admission.judge(client, request.addressed, expiryOf(lifetime, now), now)
      if (verdict.kind === 'inactive')
        return answered(clientConflict(request.addressed, verdict.rivals, verdict.conflict, now))
    }
    const full = overridden.length > 0 ? undefined : fullness(this.#state, client.principal)
    if (full !== undefined) return answered(full)
    const mitigation = this.#newMitigation(client, id, request, lifetime, overridden, now)
    return this.#create(mitigation, overridden, startsAtOnce)
  }

  #create(mitigation: Mitigation, overridden: readonly Mitigation[], startsAtOnce: boolean): Decision {
    const { records } = this.#lifecycle
    const as = startsAtOnce ? 'applying' : 'armed'
    this.#lifecycle.claim(mitigation)
    const standingDown = this.#preconfigured.standingDownFor(mitigation)
    const others = overridden.filter(({ key }) => key !== mitigation.key)
    return {
      kind: 'commit',
      changes: [
        ...others.map(({ key }) => deletion(key)),
        ...standingDown.map((each) => records.change(each, { kind: 'armed' }, each.expiresAt)),
        records.change(mitigation, { kind: as }, mitigation.expiresAt)
      ],
      stored: (at) => {
        this.#takePlace(mitigation, overridden, startsAtOnce, at)
        this.#preconfigured.standDown(standingDown, mitigation, at)
        this.#lifecycle.step(mitigation, { kind: 'stored', as }, at)
        if (startsAtOnce) this.#win(mitigation, at)
        this.#lifecycle.asked(mitigation, at)
        const conflict = this.#admission.describe(mitigation, at)
        const response = grantedResponse(
          Code.created,
          mitigation.id,
          remainingSeconds(mitigation, at),
          conflict
        )
        return { response, outcome: 'created' }
      },
      notStored: (at) => this.#lifecycle.step(mitigation, { kind: 'not-stored' }, at)
    }
  }

  /** What is overridden ends; its filters wait for that of its successor, if there is to be one now. */
  #takePlace(
    mitigation: Mitigation,
    overridden: readonly Mitigation[],
    startsAtOnce: boolean,
    now: Instant
  ): void {
    this.#lifecycle.supersede(overridden, mitigation, now)
    if (!startsAtOnce) this.#lifecycle.withdrawInherited(mitigation)
  }

  /** Where the operator wants the latest request to win, the others lose. */
  #win(mitigation: Mitigation, now: Instant): void {
    const { client, target, expiresAt } = mitigation
    if (this.#state.policy.clientConflict !== 'prefer-latest') return
    const verdict = this.#admission.judge(client, target, expiresAt, now)
    this.#admission.deactivate(verdict.loses, conflictWith([mitigation], false, now), now)
  }

  #newMitigation(
    client: ClientState,
    id: MitigationId,
    request: ResolvedRequest,
    lifetime: Lifetime,
    overridden: readonly Mitigation[],
    now: Instant
  ): Mitigation {
    const key = mitigationKey(client.cuid, id)
    const startedAt = this.#lifecycle.startOf(key, now)
    const mitigation: Mitigation = {
      key,
      client,
      id,
      trigger: request.trigger,
      requested: request.target,
      target: request.addressed,
      planId: planIdOf(key, startedAt),
      startedAt,
      grace: this.#grace(overridden),
      expiresAt: expiryOf(lifetime, now),
      state: { kind: 'requested' },
      inherited: []
    }
    this.#names.builtOn(mitigation, request.ttlSeconds)
    return mitigation
  }

  /** RFC 9132 §4.4.4: doubled for a client that asks again while its last request is still terminating. */
  #grace(overridden: readonly Mitigation[]): Mitigation['grace'] {
    const { activeButTerminating, maximumActiveButTerminating } = this.#state.policy
    const terminating = overridden.filter(({ state }) => state.kind === 'terminating')
    return Milliseconds(
      terminating.reduce(
        (longest, { grace: last }) => Math.max(longest, Math.min(2 * last, maximumActiveButTerminating)),
        activeButTerminating as number
      )
    )
  }

  /** RFC 9132 §4.4.1.3: "a common IP address, IP prefix, FQDN, URI, or alias". */
  #ownOverlapping(client: ClientState, { target, addressed }: ResolvedRequest): Mitigation[] {
    const found = new Set(overlapping(this.#state, addressed).filter((other) => other.client === client))
    if (target.names.length + target.uris.length > 0)
      for (const other of client.mitigations.values())
        if (shareName(other.requested, target)) found.add(other)
    return [...found]
  }
}

/** Of one kind, the lower mid; and a filter that only stays for a while, unless nothing would take its place now. */
function isOverridden(other: Mitigation, { trigger }: MitigationRequest): boolean {
  return isLive(other) ? other.trigger === trigger : trigger === 'immediate'
}

/** A preconfigured request that adjusts one in force goes on in force: nothing told us to stop (RFC 9132 §4.4.4). */
function isTriggered(mitigation: Mitigation): boolean {
  return mitigation.trigger === 'signal-loss' && isInForce(mitigation)
}
