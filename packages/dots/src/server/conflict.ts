import { Code } from '@breakwater/coap'
import { formatIpPrefix, prefixesOverlap } from '@breakwater/core'
import type { Instant } from '@breakwater/core'
import { ConflictCauseCode, ConflictStatusCode } from '@breakwater/model'
import type { ConflictInformation } from '@breakwater/model'
import type { Target } from '../domain/target.ts'
import { INDEFINITE_LIFETIME, remainingLifetimeSeconds } from '../signal/lifetime.ts'
import type { Mitigation } from './mitigation.ts'
import { dotsResponse } from './response.ts'
import type { Answer } from './response.ts'

/** Common prefixes that are shown: all of them may be more than a datagram holds, and the answer must arrive. */
const MOST_SHOWN = 16

/** Another client's mitigation is in the way, and the operator wants one at a time. */
export function clientConflict(other: Mitigation, target: Target, now: Instant): Answer {
  const retrySeconds = remainingLifetimeSeconds(other.expiresAt, now)
  return conflictAnswer('DOTS_SERVER_CLIENT_CONFLICT', 'another client protects these targets', {
    ...conflictInformation(target, other),
    conflictStatus: ConflictStatusCode.requestInactiveOtherActive,
    ...(retrySeconds === INDEFINITE_LIFETIME ? {} : { retryTimer: retrySeconds })
  })
}

/** RFC 9132 §4.4.1.1, §4.4.1.3 (Figure 11): the cuid belongs to somebody else. */
export function cuidCollision(): Answer {
  return conflictAnswer('DOTS_SERVER_CUID_COLLISION', 'the cuid is in use by another client', {
    conflictCause: ConflictCauseCode.cuidCollision
  })
}

/** A request of the same client's with common targets has a higher mid. */
export function overlapsHigher(higher: Mitigation): Answer {
  return conflictAnswer('DOTS_SERVER_OVERLAP', `mid ${higher.id} has common targets and is higher`, {
    conflictCause: ConflictCauseCode.overlappingTargets,
    conflictScope: { mid: higher.id }
  })
}

function conflictAnswer(code: string, diagnostic: string, information: ConflictInformation): Answer {
  const message = { mitigationScope: { scope: [{ conflictInformation: information }] } }
  return {
    response: dotsResponse(Code.conflict, message),
    outcome: 'conflict',
    problem: { code, diagnostic, answer: Code.conflict }
  }
}

/** What two clients have in common: never more than the asking one named itself. */
export function conflictInformation(target: Target, other: Mitigation): ConflictInformation {
  const common = target.prefixes.flatMap((prefix) =>
    other.target.prefixes
      .filter((each) => prefixesOverlap(prefix, each))
      .map((each) => (each.length > prefix.length ? each : prefix))
  )
  return {
    conflictStatus: ConflictStatusCode.requestActive,
    conflictCause: ConflictCauseCode.overlappingTargets,
    conflictScope: { targetPrefix: [...new Set(common.map(formatIpPrefix))].slice(0, MOST_SHOWN) }
  }
}
