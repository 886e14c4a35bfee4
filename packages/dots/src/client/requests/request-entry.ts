import type { MitigationId, ProtectionId } from '../../domain/identifier.ts'
import type { Target } from '../../domain/target.ts'
import { MitigationStatusCode } from '@breakwater/model'
import { overlapGroups, targetsOverlap } from '../../multihoming/overlap.ts'
import type { AttackStatus } from '../../signal/efficacy-update.ts'
import type { Lifetime } from '../../signal/lifetime.ts'
import type { Trigger } from '../../signal/mapper.ts'
import type { Instant } from '@breakwater/core'
import type { ConflictCause, MitigationReport } from './answer.ts'
import type { RequestState } from './request-state.ts'

/** An update on its way, repeated until then; or one that the server put off until then. */
export interface EfficacyErrand {
  readonly kind: 'asking' | 'put-off'
  readonly attackStatus: AttackStatus
  readonly until: Instant
}

/** One mitigation request of the book: what the server is asked, and what it is known to think of it. */
export interface RequestEntry {
  mitigationId: MitigationId
  readonly trigger: Trigger
  readonly target: Target
  lifetime: Lifetime
  protections: readonly ProtectionId[]
  state: RequestState
  /** What is to take its place; undefined: it is wanted. */
  replacedBy: readonly RequestEntry[] | undefined
  /**
   * The site has changed, and not all of it is the server's to hear of any more: no copy of it is sent again, whatever it
   * still protects.
   */
  isForeign: boolean
  /** Nobody wants it here any more; until then it stays, for what takes its place elsewhere is not in force yet. */
  heldUntil: Instant | undefined
  /**
   * Preconfigured, and wanted elsewhere now: whether the loss of the session has brought it into force here, as the server
   * says. Undefined: it does not matter.
   */
  triggered: 'unknown' | 'yes' | 'no' | undefined
  report: MitigationReport | undefined
  /** What the server said last of another client's request that is in its way. */
  conflict: ConflictCause | undefined
  /** What is to be said of the attack (RFC 9132 §4.4.3). */
  efficacy: EfficacyErrand | undefined
  /** How often it got a new id because the server had a higher one. */
  renumberings: number
  /** Waits for the list of the server's ids. */
  needsNumber: boolean
  /** When the server last said that it does not have it. */
  vanishedAt: Instant | undefined
  /** How often in a row the server put it off. */
  putOffs: number
  /** Until when copies of its PUT went out; undefined: none did. */
  askedAt: Instant | undefined
}

/** A request about which nothing is known yet but what is asked. */
export function newEntry(
  { mitigationId, trigger, target, lifetime, protections }: NewRequest,
  state: RequestState
): RequestEntry {
  return {
    mitigationId,
    trigger,
    target,
    lifetime,
    protections,
    state,
    replacedBy: undefined,
    isForeign: false,
    heldUntil: undefined,
    triggered: undefined,
    report: undefined,
    conflict: undefined,
    efficacy: undefined,
    renumberings: 0,
    needsNumber: false,
    vanishedAt: undefined,
    putOffs: 0,
    askedAt: undefined
  }
}

type NewRequest = Pick<RequestEntry, 'mitigationId' | 'trigger' | 'target' | 'lifetime' | 'protections'>

/** Nobody wants it any more, and what was asked has no answer: not asked again, for the DELETE or a newer one ends it. */
export function isLetGo({ state, replacedBy }: RequestEntry): boolean {
  return replacedBy !== undefined && (state.kind === 'asking' || state.kind === 'waiting')
}

/** It is never asked for again: it ends when it is withdrawn, replaced or over. */
export function isAskedNoMore({ isForeign, heldUntil }: RequestEntry): boolean {
  return isForeign || heldUntil !== undefined
}

/**
 * It stays for as long as the loss of the session has it in force, or may have: where it is wanted now it only stands by
 * (RFC 9132 §4.4.4: that the session is there again ends nothing).
 */
export function mayBeTriggered({ isForeign, triggered }: RequestEntry): boolean {
  return !isForeign && (triggered === 'unknown' || triggered === 'yes')
}

/** Whether what was preconfigured is in force, as the server says. */
export function triggeredBy(status: number): 'yes' | 'no' {
  return status === MitigationStatusCode.attackMitigationSignalLoss ||
    status === MitigationStatusCode.attackMitigationWithdrawn
    ? 'no'
    : 'yes'
}

/** A higher id for what nobody wants would take away what took its place (RFC 9132 §4.4.1.3). */
export function isRenumberable({ state, replacedBy }: RequestEntry): boolean {
  return replacedBy === undefined && state.kind === 'refused'
}

/** It is asked for because of an attack, or what was set up for the loss of the session has begun. */
export function isBecauseOfAttack({ trigger, report }: RequestEntry): boolean {
  if (trigger === 'immediate') return true
  const status = report?.status
  return (
    status === MitigationStatusCode.attackMitigationInProgress ||
    status === MitigationStatusCode.attackSuccessfullyMitigated ||
    status === MitigationStatusCode.attackExceededCapability
  )
}

/**
 * Whether a request was refused because its id belongs to another target: an earlier life of ours gave it away, by a
 * calendar that has been set back since (RFC 9132 §4.4.1.1: ids only grow). So it looks when the server lists the id, or
 * when the id was a guess after a conflict: then a request of ours may have ended its owner by now.
 */
export function isIdTaken(entry: RequestEntry, listed: MitigationReport | undefined): boolean {
  const { state, renumberings } = entry
  if (!isRenumberable(entry) || state.kind !== 'refused' || state.refusal.kind !== 'refused') return false
  return listed !== undefined || renumberings > 0
}

/** Whether the server may have it, so that a newer overlapping request would delete it there. */
export function mayBeKnown(state: RequestState): boolean {
  switch (state.kind) {
    case 'waiting':
      return state.maybeKnown
    case 'asking':
    case 'in-force':
    case 'refreshing':
    case 'withdrawing':
      return true
    case 'refused':
      // The server did not decide on this copy; it may have accepted one before.
      return state.refusal.kind === 'unavailable'
    case 'ended':
      return false
  }
}

/**
 * RFC 9132 §4.4.1.3: the server deletes these, or has done so, for a newer request of ours with common addresses that it
 * may have got. So they cannot be kept, even if they are wanted again.
 */
export function doomedAmong(entries: readonly RequestEntry[]): ReadonlySet<RequestEntry> {
  const doomed = new Set<RequestEntry>()
  for (const group of overlapGroups(entries))
    for (const newer of group.length > 1 ? group : []) {
      if (!mayBeKnown(newer.state)) continue
      for (const entry of group)
        if (entry.mitigationId < newer.mitigationId && targetsOverlap(entry.target, newer.target))
          doomed.add(entry)
    }
  return doomed
}
