import type { Instant } from '@breakwater/core'
import type { Cuid, MitigationId } from '../../domain/identifier.ts'
import type { DropCounters } from '../../domain/mitigator.ts'
import type { Target } from '../../domain/target.ts'
import { statusOf } from './mitigation.ts'
import type { Mitigation, MitigationState } from './mitigation.ts'
import { remainingSeconds } from './representation.ts'

/** A mitigation as its operator gets to see it. */
export interface MitigationSnapshot {
  /** The client domain. */
  readonly domain: string
  readonly cuid: Cuid
  readonly mitigationId: MitigationId
  readonly state: MitigationState['kind']
  /** What the client is told (RFC 9132 §4.4.2, Table 3). */
  readonly status: number
  readonly target: Target
  /** −1: until withdrawn. */
  readonly remainingLifetimeSeconds: number
  /** Undefined: unknown. */
  readonly dropped?: DropCounters
}

/** What there is to say of a mitigation at a moment. */
export function snapshotOf(
  mitigation: Mitigation,
  counters: DropCounters | undefined,
  now: Instant
): MitigationSnapshot {
  const { client, id, state, target } = mitigation
  return {
    domain: client.principal.domain,
    cuid: client.cuid,
    mitigationId: id,
    state: state.kind,
    status: statusOf(state),
    target,
    remainingLifetimeSeconds: remainingSeconds(mitigation, now),
    ...(counters === undefined ? {} : { dropped: counters })
  }
}
