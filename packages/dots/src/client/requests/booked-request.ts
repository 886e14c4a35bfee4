import type { MitigationId, ProtectionId } from '../../domain/identifier.ts'
import type { Trigger } from '../../signal/mapper.ts'
import type { Target } from '../../domain/target.ts'
import type { Lifetime } from '../../signal/lifetime.ts'
import type { RequestState } from './request-state.ts'
import type { ConflictCause, MitigationReport } from './answer.ts'

/** One mitigation request, as it stands. */
export interface BookedRequest {
  readonly mitigationId: MitigationId
  readonly trigger: Trigger
  readonly target: Target
  readonly lifetime: Lifetime
  /** Whom it serves. */
  readonly protections: readonly ProtectionId[]
  readonly state: RequestState
  /** It is to go as soon as one of these is in force; undefined: it is wanted. */
  readonly replacedBy: readonly MitigationId[] | undefined
  /** Another client's request is in its way, as the server says. */
  readonly conflict: ConflictCause | undefined
  /** The server's last word on it. */
  readonly report: MitigationReport | undefined
}
