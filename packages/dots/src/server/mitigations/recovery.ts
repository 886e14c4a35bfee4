import { BreakwaterError, Seconds, after } from '@breakwater/core'
import type { Instant, WallTime } from '@breakwater/core'
import type { StoredRecord } from '../../domain/record-store.ts'
import { effectiveTarget } from '../../domain/requested-target.ts'
import type { Commits } from './commits.ts'
import { mitigationKey, planIdOf } from './mitigation.ts'
import type { Mitigation, MitigationState } from './mitigation.ts'
import { decodeRecord } from './record.ts'
import type { MitigationRecord } from './record.ts'
import type { ServerState } from '../server-state.ts'

/**
 * Takes up what an earlier process acknowledged: mitigations whose time is not over go on with what is left of it, by the
 * calendar; the others' records go, and their plans with them, as nobody wants these any more.
 */
export function recover(
  state: ServerState,
  resume: (mitigation: Mitigation) => void,
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
      if (state.sharing !== undefined) followProgress(mitigation, record)
      resume(mitigation)
    }
  }
  state.report({ kind: 'resumed', mitigations, expired })
}

/** Another server may lead, and has told how it stands at the device. */
function followProgress(mitigation: Mitigation, { progress }: MitigationRecord): void {
  if (mitigation.state.kind !== 'applying' || progress === undefined) return
  mitigation.state =
    progress === 'active' ? { kind: 'active' } : { kind: 'failing', attempts: 1, permanent: true }
}

/** A record that cannot be read is left where it is, for people to look at. */
export function readRecord(state: ServerState, key: string, value: Uint8Array): MitigationRecord | undefined {
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

/** The mitigation of a record; undefined when its time is over. */
export function resumed(state: ServerState, record: MitigationRecord, now: Instant): Mitigation | undefined {
  const { cuid, id, principal, requested, resolved, trigger, startedAt, expiresAt, graceSeconds } = record
  const longest = Seconds(state.policy.lifetime.maximumSeconds)
  const expires = expiresAt === 'never' ? 'never' : soonEnough(state, expiresAt, after(now, longest))
  const standing = stateOf(state, record, now)
  const end = standing.kind === 'terminating' ? standing.until : expires
  if (end !== 'never' && end <= now) return undefined
  const key = mitigationKey(cuid, id)
  return {
    key,
    client: state.clients.ensure(cuid, principal),
    id,
    trigger,
    requested,
    target: effectiveTarget(requested, resolved),
    planId: planIdOf(key, startedAt),
    startedAt,
    grace: Seconds(graceSeconds),
    expiresAt: expires,
    state: standing,
    inherited: []
  }
}

function stateOf(state: ServerState, record: MitigationRecord, now: Instant): MitigationState {
  const { terminatingUntil, standing } = record
  const { maximumActiveButTerminating } = state.policy
  if (terminatingUntil !== undefined)
    return {
      kind: 'terminating',
      until: soonEnough(state, terminatingUntil, after(now, maximumActiveButTerminating))
    }
  // The conflict is found again, if it is still there, when its client asks or its rival ends.
  if (standing === 'inactive') return { kind: 'inactive', conflict: { all: false, retryAt: undefined } }
  return { kind: standing === 'armed' ? 'armed' : 'applying' }
}

/** A calendar that was set back must not make a lifetime or a grace period longer than any can be. */
function soonEnough(state: ServerState, moment: WallTime, latest: Instant): Instant {
  const wanted = state.instantAt(moment)
  return wanted < latest ? wanted : latest
}
