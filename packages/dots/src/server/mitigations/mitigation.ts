import { after } from '@breakwater/core'
import type { Duration, Instant, WallTime } from '@breakwater/core'
import { MitigationStatusCode } from '@breakwater/model'
import type { Cuid, MitigationId } from '../../domain/identifier.ts'
import { PlanId } from '../../domain/mitigator.ts'
import type { Target } from '../../domain/target.ts'
import type { Expiry } from '../../signal/lifetime.ts'
import type { RequestedTarget } from '../../domain/requested-target.ts'
import type { ClientState } from '../client-state.ts'

/** Why a mitigation is over. */
export type EndReason =
  | 'not-stored'
  | 'withdrawn'
  | 'expired'
  /** Overridden by a newer request of the same client (RFC 9132 §4.4.1.3), or asked for anew while terminating. */
  | 'superseded'
  /** The client may not ask for this any more. */
  | 'revoked'
  /** The signal was lost, and a preconfigured request of the same client has taken its place (RFC 9132 §4.4.1.3). */
  | 'preempted'

/**
 * The life of a mitigation. The 2.01 leaves on the way from `requested` to `applying` or `armed`.
 *
 * | state       | stored          | triggered | deactivated | stood-down | told              | withdrawn   |
 * |-------------|-----------------|-----------|-------------|------------|-------------------|-------------|
 * | requested   | applying, armed | –         | –           | –          | –                 | –           |
 * | armed       | –               | applying  | inactive    | –          | –                 | ended       |
 * | inactive    | –               | applying  | inactive    | –          | –                 | ended       |
 * | applying    | –               | –         | inactive    | stood-down | –                 | terminating |
 * | failing     | –               | –         | inactive    | stood-down | –                 | ended       |
 * | active      | –               | –         | inactive    | stood-down | –                 | terminating |
 * | stopped     | –               | –         | inactive    | stood-down | –                 | terminating |
 * | stood-down  | –               | applying  | inactive    | –          | stood-down, armed | ended       |
 * | terminating | –               | –         | –           | –          | –                 | –           |
 *
 * `gone` ends all but `requested`, as `withdrawn`; `not-stored` ends `requested`; `applied` leads from `applying` and `failing` to `active`, `apply-failed` from all four
 * that want to be in force to `failing`; `attack-stopped` from `active` to `stopped`, `attack-resumed` back. `expired`,
 * `superseded`, `revoked` and `preempted` end all but `requested`, the first not `terminating`, which ends by `grace-over`.
 */
export type MitigationState =
  /** Not yet on stable storage: nobody has been promised anything. */
  | { readonly kind: 'requested' }
  /** Preconfigured: comes into force when the signal channel is lost (RFC 9132 §4.4.1.1). */
  | { readonly kind: 'armed' }
  /** Not in force because of another client's request (RFC 9132 §4.4.1.3). */
  | { readonly kind: 'inactive'; readonly conflict: Deactivation }
  | { readonly kind: 'applying' }
  | { readonly kind: 'active' }
  /** In force, and nothing of the attack comes any more. */
  | { readonly kind: 'stopped' }
  /** The mitigator refused or failed; `permanent`: asking again will not help. */
  | { readonly kind: 'failing'; readonly attempts: number; readonly permanent: boolean }
  /** Preconfigured, and on its way from being in force back to `armed`, which is told before it is so. */
  | { readonly kind: 'stood-down'; readonly because: StandDownReason; readonly told: number }
  /** Withdrawn by its client, filter still in force (RFC 9132 §4.4.4). */
  | { readonly kind: 'terminating'; readonly until: Instant }
  | { readonly kind: 'ended'; readonly reason: EndReason }

/** `overlap`: an immediate request took over. */
export type StandDownReason = 'overlap' | 'attack-stopped'

/** How a conflict with another client came out for the one that lost (RFC 9132 §4.4.1.3). */
export interface Deactivation {
  /** Neither of them is in force. */
  readonly all: boolean
  /** When asking again makes sense; undefined: no time can be told. */
  readonly retryAt: Instant | undefined
}

export type MitigationEvent =
  | { readonly kind: 'stored'; readonly as: 'applying' | 'armed' }
  | { readonly kind: 'not-stored' }
  /** The signal was lost, or a conflict is over. */
  | { readonly kind: 'triggered' }
  | { readonly kind: 'deactivated'; readonly conflict: Deactivation }
  | { readonly kind: 'stood-down'; readonly because: StandDownReason }
  /** The status of a `stood-down` one was told once more. */
  | { readonly kind: 'told' }
  | { readonly kind: 'applied' }
  | { readonly kind: 'apply-failed'; readonly permanent: boolean }
  | { readonly kind: 'attack-stopped' }
  | { readonly kind: 'attack-resumed' }
  | { readonly kind: 'withdrawn'; readonly grace: Duration }
  | { readonly kind: 'grace-over' }
  | { readonly kind: 'expired' }
  | { readonly kind: 'superseded' }
  | { readonly kind: 'revoked' }
  | { readonly kind: 'preempted' }
  /** It is over at another server that shares the store. */
  | { readonly kind: 'gone' }

/** RFC 9132 §4.4.2, Table 3: so often the status is told of a preconfigured request that is no longer in force. */
const TIMES_TOLD = 4

/** The next state; the very same object where the table has no entry. */
export function transition(state: MitigationState, event: MitigationEvent, now: Instant): MitigationState {
  switch (state.kind) {
    case 'requested':
      if (event.kind === 'stored') return { kind: event.as }
      return event.kind === 'not-stored' ? { kind: 'ended', reason: 'not-stored' } : state
    case 'armed':
    case 'inactive':
    case 'stood-down':
      return fromWaiting(state, event)
    case 'applying':
    case 'failing':
    case 'active':
    case 'stopped':
      return fromInForce(state, event, now)
    case 'terminating':
      return fromTerminating(state, event)
    case 'ended':
      return state
  }
}

type StateOf<Kind extends MitigationState['kind']> = Extract<MitigationState, { kind: Kind }>

/** Nothing is in force that could go on for a while: a withdrawal ends these at once. */
function fromWaiting(
  state: StateOf<'armed' | 'inactive' | 'stood-down'>,
  event: MitigationEvent
): MitigationState {
  switch (event.kind) {
    case 'triggered':
      return { kind: 'applying' }
    case 'deactivated':
      return { kind: 'inactive', conflict: event.conflict }
    case 'told':
      if (state.kind !== 'stood-down') return state
      return state.told + 1 < TIMES_TOLD ? { ...state, told: state.told + 1 } : { kind: 'armed' }
    case 'withdrawn':
    case 'gone':
      return { kind: 'ended', reason: 'withdrawn' }
    case 'expired':
    case 'superseded':
    case 'revoked':
    case 'preempted':
      return { kind: 'ended', reason: event.kind }
    case 'stored':
    case 'not-stored':
    case 'stood-down':
    case 'applied':
    case 'apply-failed':
    case 'attack-stopped':
    case 'attack-resumed':
    case 'grace-over':
      return state
  }
}

function fromInForce(
  state: StateOf<'applying' | 'failing' | 'active' | 'stopped'>,
  event: MitigationEvent,
  now: Instant
): MitigationState {
  switch (event.kind) {
    case 'applied':
      return state.kind === 'applying' || state.kind === 'failing' ? { kind: 'active' } : state
    case 'apply-failed':
      return {
        kind: 'failing',
        attempts: state.kind === 'failing' ? state.attempts + 1 : 1,
        permanent: event.permanent
      }
    case 'attack-stopped':
      return state.kind === 'active' ? { kind: 'stopped' } : state
    case 'attack-resumed':
      return state.kind === 'stopped' ? { kind: 'active' } : state
    case 'deactivated':
      return { kind: 'inactive', conflict: event.conflict }
    case 'stood-down':
      return { kind: 'stood-down', because: event.because, told: 0 }
    case 'withdrawn':
      // Nothing is in force that could go on for a while.
      if (state.kind === 'failing') return { kind: 'ended', reason: 'withdrawn' }
      return { kind: 'terminating', until: after(now, event.grace) }
    case 'gone':
      return { kind: 'ended', reason: 'withdrawn' }
    case 'expired':
    case 'superseded':
    case 'revoked':
    case 'preempted':
      return { kind: 'ended', reason: event.kind }
    case 'stored':
    case 'not-stored':
    case 'triggered':
    case 'told':
    case 'grace-over':
      return state
  }
}

function fromTerminating(state: MitigationState, { kind }: MitigationEvent): MitigationState {
  if (kind === 'grace-over' || kind === 'gone') return { kind: 'ended', reason: 'withdrawn' }
  return kind === 'superseded' || kind === 'revoked' || kind === 'preempted'
    ? { kind: 'ended', reason: kind }
    : state
}

/** Attempts of a mitigator after which we say that we cannot, while we go on trying. */
const ATTEMPTS_BEFORE_INCAPABLE = 3

/** The state as the client is told it (RFC 9132 §4.4.2, Table 3). */
export function statusOf(state: MitigationState): number {
  switch (state.kind) {
    case 'requested':
    case 'applying':
      return MitigationStatusCode.attackMitigationInProgress
    case 'armed':
      return MitigationStatusCode.attackMitigationSignalLoss
    case 'inactive':
      // RFC 9132 §4.4.2.1: "withdrawn", with the conflict beside it.
      return MitigationStatusCode.attackMitigationWithdrawn
    case 'active':
      return MitigationStatusCode.attackSuccessfullyMitigated
    case 'stopped':
      return MitigationStatusCode.attackStopped
    case 'failing':
      return state.permanent || state.attempts >= ATTEMPTS_BEFORE_INCAPABLE
        ? MitigationStatusCode.attackExceededCapability
        : MitigationStatusCode.attackMitigationInProgress
    case 'stood-down':
      return state.because === 'overlap'
        ? MitigationStatusCode.attackMitigationWithdrawn
        : MitigationStatusCode.attackStopped
    case 'terminating':
      return MitigationStatusCode.dotsClientWithdrawnMitigation
    case 'ended':
      return state.reason === 'revoked' || state.reason === 'preempted'
        ? MitigationStatusCode.attackMitigationWithdrawn
        : MitigationStatusCode.attackMitigationTerminated
  }
}

/**
 * When a mitigation is to be in force: at once, or when the signal channel is lost (`trigger-mitigation` false,
 * RFC 9132 §4.4.1.1).
 */
export type Trigger = 'immediate' | 'signal-loss'

/** One mitigation with its client. What changes is changed by `lifecycle.ts` and what belongs to it alone. */
export interface Mitigation {
  /** Key of its record: `<cuid>/<mid>`. */
  readonly key: string
  readonly client: ClientState
  readonly id: MitigationId
  readonly trigger: Trigger
  /** As its client put it. */
  readonly requested: RequestedTarget
  /** What that comes down to: names are addresses here. */
  target: Target
  /** The plan that carries it out this time. */
  planId: PlanId
  /** When it was asked for, or came into force last. */
  startedAt: WallTime
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
 * The plan that carries out a mitigation. The moment of its start tells it from an earlier one of the same mid, whose
 * plan may still be in force for other targets.
 */
export function planIdOf(key: string, startedAt: WallTime): PlanId {
  return PlanId(`${key}/${Math.floor(startedAt).toString(36)}`)
}

/** Whether it still is a request of its client's: stored, not withdrawn, not over. */
export function isLive({ state: { kind } }: Mitigation): boolean {
  return kind !== 'requested' && kind !== 'terminating' && kind !== 'ended'
}

/** Whether its client has protection by it, or is to have it as soon as the mitigator can. */
export function isInForce({ state: { kind } }: { readonly state: MitigationState }): boolean {
  return kind === 'applying' || kind === 'active' || kind === 'stopped' || kind === 'failing'
}

/** What other servers are told of how it stands at the device. */
export function progressOf(state: MitigationState): { readonly progress?: 'active' | 'failing' } {
  if (state.kind === 'active' || state.kind === 'stopped') return { progress: 'active' }
  return statusOf(state) === MitigationStatusCode.attackExceededCapability ? { progress: 'failing' } : {}
}
