import { between } from '@breakwater/core'
import type { Instant, WallTime } from '@breakwater/core'
import type { ConflictInformation, MitigationScopeEntry } from '@breakwater/model'
import { remainingLifetimeSeconds } from '../../signal/lifetime.ts'
import { requestedNodes } from '../../signal/mapper.ts'
import type { DropReading } from './drop-record.ts'
import { statusOf } from './mitigation.ts'
import type { Mitigation } from './mitigation.ts'

/** What only others know of a mitigation. */
export interface Circumstances {
  /** Undefined: unknown. Nothing is said then, for 0 would be a claim. */
  readonly drops: { readonly reading: DropReading; readonly readAt: WallTime } | undefined
  readonly conflict: ConflictInformation | undefined
}

/** A mitigation as its client gets to see it (RFC 9132 §4.4.2). */
export function mitigationEntry(
  mitigation: Mitigation,
  { drops, conflict }: Circumstances,
  now: Instant
): MitigationScopeEntry {
  const { id, requested, startedAt, state, trigger } = mitigation
  return {
    mid: id,
    // RFC 9132 §4.4.2: not of one that waits for the loss of the signal.
    ...(state.kind === 'armed' ? {} : { mitigationStart: BigInt(Math.floor(startedAt / 1000)) }),
    ...requestedNodes(requested),
    lifetime: remainingSeconds(mitigation, now),
    // RFC 9132 §4.4.1.1: without it, the trigger is immediate.
    ...(trigger === 'immediate' ? {} : { triggerMitigation: false }),
    status: statusOf(state),
    ...(conflict === undefined ? {} : { conflictInformation: conflict }),
    ...(drops === undefined ? {} : dropNodes(drops.reading, startedAt, drops.readAt))
  }
}

/** For a withdrawn mitigation: as long as its filter stays. */
export function remainingSeconds({ state, expiresAt }: Mitigation, now: Instant): number {
  if (state.kind === 'ended') return 0
  return remainingLifetimeSeconds(state.kind === 'terminating' ? state.until : expiresAt, now)
}

/**
 * RFC 9132 §4.4.2: what falls into buckets of five minutes, averaged over the time since the mitigation was triggered, is
 * all of it over that time, wherever the last bucket ends; and that time ends where the counters were read.
 */
function dropNodes(
  { total: { bytes, packets } }: DropReading,
  startedAt: WallTime,
  readAt: WallTime
): Partial<MitigationScopeEntry> {
  const totals = { bytesDropped: wrap(bytes), pktsDropped: wrap(packets) }
  const milliseconds = BigInt(Math.floor(between(startedAt, readAt)))
  if (milliseconds <= 0n) return totals
  return {
    ...totals,
    bpsDropped: wrap((bytes * 1000n) / milliseconds),
    ppsDropped: wrap((packets * 1000n) / milliseconds)
  }
}

/** RFC 9132 §4.4.2: counts wrap at 64 bits. */
function wrap(count: bigint): bigint {
  return BigInt.asUintN(64, count)
}
