import type { CoapResponse } from '@breakwater/coap'
import type { ConflictInformation } from '@breakwater/model'
import type { MitigationId } from '../domain/identifier.ts'
import { INDEFINITE_LIFETIME } from '../signal/lifetime.ts'
import type { Lifetime } from '../signal/lifetime.ts'
import type { Decision } from './mutation-queue.ts'
import { dotsResponse } from './response.ts'
import type { Answer } from './response.ts'

/** RFC 9132 §4.4.1.1: the granted lifetime is always told. */
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

/** As the wire wants it. */
export function secondsOf(lifetime: Lifetime): number {
  return lifetime === 'indefinite' ? INDEFINITE_LIFETIME : lifetime
}

/** A decision that changes nothing. */
export function answered(answer: Answer): Decision {
  return { kind: 'answer', answer }
}
