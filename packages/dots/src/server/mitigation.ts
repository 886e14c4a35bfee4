import { after } from '@breakwater/core'
import type { Duration, Instant, WallTime } from '@breakwater/core'
import { MitigationStatusCode } from '@breakwater/model'
import type { Cuid, MitigationId } from '../domain/identifier.ts'
import { PlanId } from '../domain/mitigator.ts'
import type { Target } from '../domain/target.ts'
import type { Expiry } from '../signal/lifetime.ts'
import type { ClientState } from './client-state.ts'

/** Why a mitigation is over. */
export type EndReason =
  | 'not-stored'
  | 'withdrawn'
  | 'expired'
  /** Overridden by a newer request of the same client (RFC 9132 §4.4.1.3), or asked for anew while terminating. */
  | 'superseded'
  /** The client may not ask for this any more. */
  | 'revoked'

/**
 * The life of a mitigation. The 2.01 leaves on the way from `requested` to `applying`.
 *
 * | state       | stored   | not-stored | applied | apply-failed | withdrawn   | grace-over | expired, superseded, revoked |
 * |-------------|----------|------------|---------|--------------|-------------|------------|------------------------------|
 * | requested   | applying | ended      | –       | –            | –           | –          | –                            |
 * | applying    | –        | –          | active  | failing      | terminating | –          | ended                        |
 * | failing     | –        | –          | active  | failing      | ended       | –          | ended                        |
 * | active      | –        | –          | –       | failing      | terminating | –          | ended                        |
 * | terminating | –        | –          | –       | –            | –           | ended      | ended, but not by expiry     |
 * | ended       | –        | –          | –       | –            | –           | –          | –                            |
 */
export type MitigationState =
  /** Not yet on stable storage: nobody has been promised anything. */
  | { readonly kind: 'requested' }
  | { readonly kind: 'applying' }
  | { readonly kind: 'active' }
  /** The mitigator refused or failed; `permanent`: asking again will not help. */
  | { readonly kind: 'failing'; readonly attempts: number; readonly permanent: boolean }
  /** Withdrawn by its client, filter still in force (RFC 9132 §4.4.4). */
  | { readonly kind: 'terminating'; readonly until: Instant }
  | { readonly kind: 'ended'; readonly reason: EndReason }

export type MitigationEvent =
  | { readonly kind: 'stored' }
  | { readonly kind: 'not-stored' }
  | { readonly kind: 'applied' }
  | { readonly kind: 'apply-failed'; readonly permanent: boolean }
  | { readonly kind: 'withdrawn'; readonly grace: Duration }
  | { readonly kind: 'grace-over' }
  | { readonly kind: 'expired' }
  | { readonly kind: 'superseded' }
  | { readonly kind: 'revoked' }

/** The next state; the very same object where the table has no entry. */
export function transition(state: MitigationState, event: MitigationEvent, now: Instant): MitigationState {
  switch (state.kind) {
    case 'requested':
      if (event.kind === 'stored') return { kind: 'applying' }
      return event.kind === 'not-stored' ? { kind: 'ended', reason: 'not-stored' } : state
    case 'applying':
    case 'failing':
    case 'active':
      return fromLive(state, event, now)
    case 'terminating':
      if (event.kind === 'grace-over') return { kind: 'ended', reason: 'withdrawn' }
      if (event.kind === 'superseded' || event.kind === 'revoked')
        return { kind: 'ended', reason: event.kind }
      return state
    case 'ended':
      return state
  }
}

type LiveState = Extract<MitigationState, { kind: 'applying' | 'failing' | 'active' }>

function fromLive(state: LiveState, event: MitigationEvent, now: Instant): MitigationState {
  switch (event.kind) {
    case 'applied':
      return state.kind === 'active' ? state : { kind: 'active' }
    case 'apply-failed':
      return {
        kind: 'failing',
        attempts: state.kind === 'failing' ? state.attempts + 1 : 1,
        permanent: event.permanent
      }
    case 'withdrawn':
      // Nothing is in force that could go on for a while.
      if (state.kind === 'failing') return { kind: 'ended', reason: 'withdrawn' }
      return { kind: 'terminating', until: after(now, event.grace) }
    case 'expired':
    case 'superseded':
    case 'revoked':
      return { kind: 'ended', reason: event.kind }
    case 'stored':
    case 'not-stored':
    case 'grace-over':
      return state
  }
}

/** Attempts of a mitigator after which we say that we cannot, while we go on trying. */
const ATTEMPTS_BEFORE_INCAPABLE = 3

/** The state as the client is told it (RFC 9132 §4.4.2, Table 3). */
export function statusOf(state: MitigationState): number {
  switch (state.kind) {
    case 'requested':
    case 'applying':
      return MitigationStatusCode.attackMitigationInProgress
    case 'active':
      return MitigationStatusCode.attackSuccessfullyMitigated
    case 'failing':
      return state.permanent || state.attempts >= ATTEMPTS_BEFORE_INCAPABLE
        ? MitigationStatusCode.attackExceededCapability
        : MitigationStatusCode.attackMitigationInProgress
    case 'terminating':
      return MitigationStatusCode.dotsClientWithdrawnMitigation
    case 'ended':
      return state.reason === 'revoked'
        ? MitigationStatusCode.attackMitigationWithdrawn
        : MitigationStatusCode.attackMitigationTerminated
  }
}

/** One mitigation with its client. What changes is changed by `lifecycle.ts` alone. */
export interface Mitigation {
  /** Key of its record: `<cuid>/<mid>`. */
  readonly key: string
  readonly client: ClientState
  readonly id: MitigationId
  readonly target: Target
  readonly planId: PlanId
  /** When it was asked for. */
  readonly startedAt: WallTime
  /** How long it will stay active but terminating once withdrawn. */
  readonly grace: Duration
  expiresAt: Expiry<Instant>
  state: MitigationState
  /** Plans of overridden mitigations that stay in force until ours is. */
  inherited: readonly PlanId[]
}

/** Key of a record, and name of a plan. */
export function mitigationKey(cuid: Cuid, id: MitigationId): string {
  return `${cuid}/${id}`
}

/**
 * The plan that carries out a mitigation. The moment of its request tells it from an earlier one of the same mid, whose
 * plan may still be in force for other targets.
 */
export function planIdOf(key: string, startedAt: WallTime): PlanId {
  return PlanId(`${key}/${Math.floor(startedAt).toString(36)}`)
}

/** Whether it still wants protection: not withdrawn, not over. */
export function isLive(mitigation: Mitigation): boolean {
  const { kind } = mitigation.state
  return kind === 'applying' || kind === 'active' || kind === 'failing'
}
