import { Code } from '@breakwater/coap'
import { Seconds, after, between, formatIpPrefix, inSeconds, prefixesOverlap } from '@breakwater/core'
import type { Instant } from '@breakwater/core'
import { ConflictCauseCode, ConflictStatusCode } from '@breakwater/model'
import type { ConflictInformation } from '@breakwater/model'
import type { AcceptingFilter } from '../../domain/accept-list.ts'
import type { Target } from '../../domain/target.ts'
import { remainingLifetimeSeconds } from '../../signal/lifetime.ts'
import type { Deactivation, Mitigation } from '../mitigations/mitigation.ts'
import { dotsResponse } from './response.ts'
import type { Answer } from './response.ts'

/** Common prefixes that are shown: all of them may be more than a datagram holds, and the answer must arrive. */
const MOST_SHOWN = 16

/**
 * Another client's mitigation is in the way (RFC 9132 §4.4.1.3).
 * @param deactivation How it came out for the request that is refused.
 */
export function clientConflict(
  target: Target,
  rivals: readonly Mitigation[],
  deactivation: Deactivation,
  now: Instant
): Answer {
  return conflictAnswer(
    'DOTS_SERVER_CLIENT_CONFLICT',
    'another client protects these targets',
    deactivatedConflict(target, rivals, deactivation, now)
  )
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

/** For the one that is not in force. */
export function deactivatedConflict(
  target: Target,
  rivals: readonly Mitigation[],
  { all, retryAt }: Deactivation,
  now: Instant
): ConflictInformation {
  return {
    ...commonTargets(target, rivals),
    conflictStatus: all
      ? ConflictStatusCode.allRequestsInactive
      : ConflictStatusCode.requestInactiveOtherActive,
    // RFC 9132 §4.4.1.3: only to whom a request was deactivated.
    ...(retryAt === undefined ? {} : { retryTimer: Math.max(0, Math.ceil(inSeconds(between(now, retryAt)))) })
  }
}

/** For the one that is in force, with others beside it. */
export function activeConflict(target: Target, rivals: readonly Mitigation[]): ConflictInformation {
  return { ...commonTargets(target, rivals), conflictStatus: ConflictStatusCode.requestActive }
}

/** RFC 9132 §4.4.1.3: what attacks stands in an accept-list of the client's own. It is discarded none the less. */
export function acceptListConflict(filters: readonly AcceptingFilter[]): ConflictInformation {
  return {
    conflictStatus: ConflictStatusCode.requestActive,
    conflictCause: ConflictCauseCode.conflictWithAcceptlist,
    conflictScope: {
      aclList: filters
        .slice(0, MOST_SHOWN)
        .map(({ name, type }) => ({ aclName: name, ...(type === undefined ? {} : { aclType: type }) }))
    }
  }
}

/**
 * How long the loser of a conflict is to wait: as long as the longest of those that won it lasts (RFC 9132 §4.4.1.3).
 * Undefined: nobody can say.
 */
export function retryAtOf(winners: readonly Mitigation[], now: Instant): Instant | undefined {
  let latest: Instant | undefined = now
  for (const { expiresAt } of winners) {
    if (expiresAt === 'never') return undefined
    if (expiresAt > latest) latest = expiresAt
  }
  return after(now, Seconds(remainingLifetimeSeconds(latest, now)))
}

function conflictAnswer(code: string, diagnostic: string, information: ConflictInformation): Answer {
  const message = { mitigationScope: { scope: [{ conflictInformation: information }] } }
  return {
    response: dotsResponse(Code.conflict, message),
    outcome: 'conflict',
    problem: { code, diagnostic, answer: Code.conflict }
  }
}

/** What two clients have in common: never more than the one that is told named itself. */
function commonTargets(target: Target, rivals: readonly Mitigation[]): ConflictInformation {
  const theirs = rivals.flatMap((rival) => rival.target.prefixes)
  const common = target.prefixes.flatMap((prefix) =>
    theirs
      .filter((each) => prefixesOverlap(prefix, each))
      .map((each) => (each.length > prefix.length ? each : prefix))
  )
  const shown = [...new Set(common.map((prefix) => formatIpPrefix(prefix)))].slice(0, MOST_SHOWN)
  return {
    conflictCause: ConflictCauseCode.overlappingTargets,
    ...(shown.length === 0 ? {} : { conflictScope: { targetPrefix: shown } })
  }
}
