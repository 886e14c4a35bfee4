import { between } from '@breakwater/core'
import type { Instant, WallTime } from '@breakwater/core'
import type { MitigationScopeEntry } from '@breakwater/model'
import type { DropCounters } from '../domain/mitigator.ts'
import { remainingLifetimeSeconds } from '../signal/lifetime.ts'
import { targetNodes } from '../signal/mapper.ts'
import { statusOf } from './mitigation.ts'
import type { Mitigation } from './mitigation.ts'

/**
 * A mitigation as its client gets to see it (RFC 9132 §4.4.2).
 * @param counters Undefined: unknown. Nothing is said then, for 0 would be a claim.
 */
export function mitigationEntry(
  mitigation: Mitigation,
  counters: DropCounters | undefined,
  now: Instant,
  wallClock: WallTime
): MitigationScopeEntry {
  const { id, target, startedAt, state } = mitigation
  return {
    mid: id,
    mitigationStart: BigInt(Math.floor(startedAt / 1000)),
    ...targetNodes(target),
    lifetime: remainingSeconds(mitigation, now),
    status: statusOf(state),
    ...(counters === undefined ? {} : dropNodes(counters, startedAt, wallClock))
  }
}

/** For a withdrawn mitigation: as long as its filter stays. */
export function remainingSeconds({ state, expiresAt }: Mitigation, now: Instant): number {
  if (state.kind === 'ended') return 0
  return remainingLifetimeSeconds(state.kind === 'terminating' ? state.until : expiresAt, now)
}

/** Averages are over the whole time, to which the mean of five-minute buckets comes down (RFC 9132 §4.4.2). */
function dropNodes(
  { bytes, packets }: DropCounters,
  startedAt: WallTime,
  wallClock: WallTime
): Partial<MitigationScopeEntry> {
  const totals = { bytesDropped: wrap(bytes), pktsDropped: wrap(packets) }
  const seconds = BigInt(Math.floor(between(startedAt, wallClock) / 1000))
  if (seconds <= 0n) return totals
  return { ...totals, bpsDropped: wrap(bytes / seconds), ppsDropped: wrap(packets / seconds) }
}

/** RFC 9132 §4.4.2: counts wrap at 64 bits. */
function wrap(count: bigint): bigint {
  return BigInt.asUintN(64, count)
}
