import type { CoapResponse } from '@breakwater/coap'
import type { ConflictInformation } from '@breakwater/model'
import type { MitigationId } from '../../domain/identifier.ts'
import type { Decision } from './mutation-queue.ts'
import { dotsResponse } from './response.ts'
import type { Answer } from './response.ts'

/** RFC 9132 §4.4.1.1: the granted lifetime is always told: what is left of it, for a slow store takes its time. */
export function grantedResponse(
  code: number,
  id: MitigationId,
  lifetime: number,
  conflict?: ConflictInformation
): CoapResponse {
  const entry = { mid: id, lifetime }
  const scope = conflict === undefined ? entry : { ...entry, conflictInformation: conflict }
  return dotsResponse(code, { mitigationScope: { scope: [scope] } })
}

/** A decision that changes nothing. */
export function answered(answer: Answer): Decision {
  return { kind: 'answer', answer }
}
