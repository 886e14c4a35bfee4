import { Code, OptionNumber, codeClass, findOption, formatCode, isSuccess, uintValue } from '@breakwater/coap'
import type { CoapResponse } from '@breakwater/coap'
import { BreakwaterError, decodeUtf8 } from '@breakwater/core'
import { ConflictCauseCode, decodeSignal } from '@breakwater/model'
import type { MitigationScopeEntry } from '@breakwater/model'
import { mitigationId } from '../../domain/identifier.ts'
import type { MitigationId } from '../../domain/identifier.ts'
import type { Target } from '../../domain/target.ts'
import type { Lifetime } from '../../signal/lifetime.ts'
import { parseTarget } from '../../signal/mapper.ts'
import { readRedirect } from '../redirection/redirection.ts'

/** What a server's response to a mitigation request means (RFC 9132 §4.4.1.3, §9). */
export type PutAnswer =
  /** `lifetime` undefined: the server did not say, against RFC 9132 §4.4.1.1. */
  | {
      readonly kind: 'granted'
      readonly lifetime: Lifetime | undefined
      /** It conflicts with another client's all the same (RFC 9132 §4.4.1.3). */
      readonly conflict?: ConflictCause
    }
  | {
      readonly kind: 'conflict'
      readonly cause: ConflictCause
      readonly retryAfterSeconds: number | undefined
      /** The request of ours that is in the way. */
      readonly mitigationId: MitigationId | undefined
      readonly text: string
    }
  /** The same request will not fare better later. */
  | { readonly kind: 'refused'; readonly code: number; readonly text: string }
  | {
      readonly kind: 'unavailable'
      readonly code: number
      readonly retryAfterSeconds: number
      readonly text: string
    }

export type ConflictCause = 'overlapping-targets' | 'accept-list' | 'cuid-collision' | 'unknown'

/** RFC 7252 §5.10.5: what Max-Age is when it is not there. */
const DEFAULT_MAX_AGE_SECONDS = 60

/** Its Max-Age is how long the alternate stands in (RFC 9132 §4.6), and not how long to wait: that may be a day. */
const UNFOLLOWED_REDIRECT_SECONDS = 60

/** A server's mitigation as it reports it. */
export interface MitigationReport {
  readonly mitigationId: MitigationId
  /** RFC 9132 §4.4.2, Table 3, or a number registered later; undefined: not said. */
  readonly status: number | undefined
  /** What is left of the lifetime. */
  readonly lifetime: Lifetime | undefined
  readonly bytesDropped: bigint | undefined
  readonly packetsDropped: bigint | undefined
  readonly bitsPerSecondDropped: bigint | undefined
  readonly packetsPerSecondDropped: bigint | undefined
  readonly retryAfterSeconds: number | undefined
  /** With another client's request, whether or not this one is active (RFC 9132 §4.4.2.1). */
  readonly conflict: ConflictCause | undefined
  /** What it says it protects, where it says so. */
  readonly target: Target | undefined
}

export function readPutAnswer(response: CoapResponse): PutAnswer {
  const { code } = response
  const scope = scopesOf(response)[0]
  if (isSuccess(code)) {
    const conflict = conflictOf(scope)
    const lifetime = lifetimeOf(scope?.lifetime)
    return { kind: 'granted', lifetime, ...(conflict === undefined ? {} : { conflict }) }
  }
  if (code === Code.conflict) return readConflict(scope, response)
  const redirect = readRedirect(response)
  if (redirect !== undefined) return unfollowed(redirect.alternate.referenceName, code)
  const text = `${formatCode(code)} ${diagnosticOf(response)}`.trim()
  // RFC 7252 §5.9.3.4, RFC 8516: Max-Age says when to come again.
  if (codeClass(code) === 5 || code === Code.tooManyRequests)
    return { kind: 'unavailable', code, retryAfterSeconds: maxAgeOf(response), text }
  return { kind: 'refused', code, text }
}

/** Whoever follows a redirect asks there anew; this is the answer for who does not. */
function unfollowed(alternate: string, code: number): PutAnswer {
  const text = `${formatCode(code)} sends us to ${alternate}, where we do not go`
  return { kind: 'unavailable', code, retryAfterSeconds: UNFOLLOWED_REDIRECT_SECONDS, text }
}

function readConflict(scope: MitigationScopeEntry | undefined, response: CoapResponse): PutAnswer {
  const information = scope?.conflictInformation
  const cause = conflictCauses.get(information?.conflictCause ?? 0) ?? 'unknown'
  const text = `${formatCode(response.code)} ${cause} ${diagnosticOf(response)}`.trim()
  return {
    kind: 'conflict',
    cause,
    retryAfterSeconds: information?.retryTimer,
    mitigationId: idOf(information?.conflictScope?.mid ?? scope?.mid),
    text
  }
}

function conflictOf(scope: MitigationScopeEntry | undefined): ConflictCause | undefined {
  const information = scope?.conflictInformation
  return information && (conflictCauses.get(information.conflictCause ?? 0) ?? 'unknown')
}

const conflictCauses: ReadonlyMap<number, ConflictCause> = new Map<number, ConflictCause>([
  [ConflictCauseCode.overlappingTargets, 'overlapping-targets'],
  [ConflictCauseCode.conflictWithAcceptlist, 'accept-list'],
  [ConflictCauseCode.cuidCollision, 'cuid-collision']
])

/** The mitigations in a response to GET; undefined when it is not 2.05 or not readable. */
export function readReports(response: CoapResponse): MitigationReport[] | undefined {
  if (response.code !== Code.content) return undefined
  const reports: MitigationReport[] = []
  for (const scope of scopesOf(response)) {
    const id = idOf(scope.mid)
    if (id === undefined) continue
    reports.push({
      mitigationId: id,
      status: scope.status,
      lifetime: lifetimeOf(scope.lifetime),
      bytesDropped: scope.bytesDropped,
      packetsDropped: scope.pktsDropped,
      bitsPerSecondDropped: scope.bpsDropped,
      packetsPerSecondDropped: scope.ppsDropped,
      retryAfterSeconds: scope.conflictInformation?.retryTimer,
      conflict: conflictOf(scope),
      target: targetOf(scope)
    })
  }
  return reports
}

function targetOf(scope: MitigationScopeEntry): Target | undefined {
  if (scope.targetPrefix === undefined) return undefined
  const target = parseTarget(scope)
  return target.ok ? target.value : undefined
}

/** A body that is not what it should be counts as absent: the code of the response decides. */
function scopesOf(response: CoapResponse): readonly MitigationScopeEntry[] {
  if (response.payload.length === 0) return []
  try {
    return decodeSignal(response.payload).mitigationScope?.scope ?? []
  } catch (error) {
    if (error instanceof BreakwaterError) return []
    throw error
  }
}

function lifetimeOf(seconds: number | undefined): Lifetime | undefined {
  if (seconds === undefined || seconds < -1) return undefined
  return seconds === -1 ? 'indefinite' : seconds
}

function idOf(mid: number | undefined): MitigationId | undefined {
  return mid === undefined ? undefined : mitigationId(mid)
}

/** In seconds. */
export function maxAgeOf(response: CoapResponse): number {
  const option = findOption(response.options, OptionNumber.maxAge)
  return option === undefined ? DEFAULT_MAX_AGE_SECONDS : uintValue(option.value)
}

/** When the server wants to be asked again that cannot serve us now, or sends us to where we do not go. */
export function putOffSeconds(response: CoapResponse): number {
  return readRedirect(response) === undefined ? maxAgeOf(response) : UNFOLLOWED_REDIRECT_SECONDS
}

const LONGEST_DIAGNOSTIC = 200

/** RFC 7252 §5.5.2: text for people; what could fool a terminal is taken out. */
export function diagnosticOf(response: CoapResponse): string {
  const isText = findOption(response.options, OptionNumber.contentFormat) === undefined
  if (!isText || isSuccess(response.code)) return ''
  try {
    return decodeUtf8(response.payload)
      .replaceAll(/[\p{C}\p{Zl}\p{Zp}]+/gu, ' ')
      .slice(0, LONGEST_DIAGNOSTIC)
      .trim()
  } catch (error) {
    if (error instanceof BreakwaterError) return ''
    throw error
  }
}
