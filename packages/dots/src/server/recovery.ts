import { BreakwaterError, Seconds, after } from '@breakwater/core'
import type { Instant, WallTime } from '@breakwater/core'
import type { StoredRecord } from '../domain/record-store.ts'
import type { Commits } from './commits.ts'
import type { Lifecycle } from './lifecycle.ts'
import { mitigationKey, planIdOf } from './mitigation.ts'
import type { Mitigation } from './mitigation.ts'
import { decodeRecord } from './record.ts'
import type { MitigationRecord } from './record.ts'
import type { ServerState } from './server-state.ts'

/**
 * Takes up what an earlier process acknowledged: mitigations whose time is not over go on with what is left of it, by the
 * calendar; the others' records go, and their plans with them, as nobody wants these any more.
 */
export function recover(
  state: ServerState,
  lifecycle: Lifecycle,
  commits: Commits,
  records: readonly StoredRecord[],
  now: Instant
): void {
  let mitigations = 0
  let expired = 0
  for (const { key, value } of records) {
    const record = readRecord(state, key, value)
    if (record === undefined) continue
    const mitigation = resumed(state, record, now)
    if (mitigation === undefined) {
      expired++
      commits.sweep(key)
    } else {
      mitigations++
      lifecycle.resume(mitigation)
    }
  }
  state.report({ kind: 'resumed', mitigations, expired })
}

/** A record that cannot be read is left where it is, for people to look at. */
function readRecord(state: ServerState, key: string, value: Uint8Array): MitigationRecord | undefined {
  try {
    return decodeRecord(key, value)
  } catch (error) {
    if (!(error instanceof BreakwaterError)) throw error
    reportDamaged(state, key, `${error.code}: ${error.message}`)
    return undefined
  }
}

/** Says, and counts, that a record is not served. */
export function reportDamaged(state: ServerState, key: string, reason: string): void {
  state.counters.count('dots_server_records_damaged_total')
  state.report({ kind: 'record-damaged', key, reason })
}

/** Undefined when its time is over. */
function resumed(state: ServerState, record: MitigationRecord, now: Instant): Mitigation | undefined {
  const { cuid, id, principal, target, startedAt, expiresAt, terminatingUntil, graceSeconds } = record
  const { maximumActiveButTerminating, lifetime } = state.policy
  const longest = Seconds(lifetime.maximumSeconds)
  const expires = expiresAt === 'never' ? 'never' : soonEnough(state, expiresAt, after(now, longest))
  const until =
    terminatingUntil === undefined
      ? undefined
      : soonEnough(state, terminatingUntil, after(now, maximumActiveButTerminating))
  if ((until ?? expires) !== 'never' && Number(until ?? expires) <= now) return undefined
  const key = mitigationKey(cuid, id)
  return {
    key,
    client: state.clients.ensure(cuid, principal),
    id,
    target,
    planId: planIdOf(key, startedAt),
    startedAt,
    grace: Seconds(graceSeconds),
    expiresAt: expires,
    state: until === undefined ? { kind: 'applying' } : { kind: 'terminating', until },
    inherited: []
  }
}

/** A calendar that was set back must not make a lifetime or a grace period longer than any can be. */
function soonEnough(state: ServerState, moment: WallTime, latest: Instant): Instant {
  const wanted = state.instantAt(moment)
  return wanted < latest ? wanted : latest
}
