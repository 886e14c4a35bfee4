import { Code, OptionNumber, formatMethod, tooManyRequests, uintOption } from '@breakwater/coap'
import type { CoapOption, CoapResponse } from '@breakwater/coap'
import { encodeUtf8 } from '@breakwater/core'
import { encodeSignal } from '@breakwater/model'
import type { SignalMessage } from '@breakwater/model'
import { MAXIMUM_BODY_BYTES } from '../../signal/block-transfer.ts'
import { CONTENT_FORMAT_DOTS_CBOR } from '../../signal/defaults.ts'
import type { SignalProblem } from '../../signal/problem.ts'
import type { RequestOutcome } from '../event.ts'

/** A response, and what the audit trail says about it. */
export interface Answer {
  /** Undefined: silence. */
  readonly response: CoapResponse | undefined
  readonly outcome: RequestOutcome
  readonly problem?: SignalProblem
}

const CONTENT_FORMAT = uintOption(OptionNumber.contentFormat, CONTENT_FORMAT_DOTS_CBOR)
const NOTHING = new Uint8Array(0)

/** The peer learns nothing of it; the audit trail does. */
export const IGNORED: Answer = { response: undefined, outcome: 'ignored' }

/** RFC 9132 §4.7, Figure 28. One object: it is the answer that is given most often. */
export const HEARTBEAT_ANSWER: CoapResponse = { code: Code.changed, options: [], payload: NOTHING }

/** RFC 9132 §4.4.4: 2.02 without body. */
export const DELETED: CoapResponse = { code: Code.deleted, options: [], payload: NOTHING }

/** RFC 9132 §4.5.2: a new configuration was accepted. */
export const CREATED: CoapResponse = { code: Code.created, options: [], payload: NOTHING }

/** RFC 9132 §4.5.2: a configuration was changed. */
export const CHANGED: CoapResponse = { code: Code.changed, options: [], payload: NOTHING }

/** A response with a DOTS body; `options` must sort behind or before Content-Format by themselves. */
export function dotsResponse(
  code: number,
  message: SignalMessage,
  options: readonly CoapOption[] = []
): CoapResponse {
  const all = options.length === 0 ? [CONTENT_FORMAT] : sorted([CONTENT_FORMAT, ...options])
  return { code, options: all, payload: encodeSignal(message) }
}

/** RFC 9132 §3: 4.xx and 5.xx carry a diagnostic payload. */
export function problemResponse(problem: SignalProblem, options: readonly CoapOption[] = []): CoapResponse {
  return { code: problem.answer, options, payload: encodeUtf8(problem.diagnostic) }
}

/** Refuses with a diagnostic. */
export function refusal(problem: SignalProblem, outcome: RequestOutcome = 'refused'): Answer {
  return { response: problemResponse(problem), outcome, problem }
}

/** 4.00: the path lacks what the method cannot do without (RFC 9132 §4.4.1.3, §4.5.2). */
export function missing(parameter: 'cuid' | 'mid' | 'sid'): Answer {
  return refusal({
    code: `DOTS_SERVER_${parameter.toUpperCase()}_MISSING`,
    answer: Code.badRequest,
    diagnostic: `${parameter} is missing (Uri-Path)`
  })
}

/** 4.05: the resource does not take this method (RFC 7252 §5.8). */
export function methodNotAllowed(method: number, operation: string, allowed: string): Answer {
  return refusal({
    code: 'DOTS_SERVER_METHOD_NOT_ALLOWED',
    answer: Code.methodNotAllowed,
    diagnostic: `${formatMethod(method)} is not offered on ${operation}; there is ${allowed}`
  })
}

/** 5.03: not now (RFC 7252 §5.9.3.4: Max-Age says when to try again). */
export function unavailable(code: string, diagnostic: string, retryInSeconds: number): Answer {
  const problem = { code, diagnostic, answer: Code.serviceUnavailable }
  const maxAge = uintOption(OptionNumber.maxAge, retryInSeconds)
  return { response: problemResponse(problem, [maxAge]), outcome: 'refused', problem }
}

/** 4.29: this client asks too often (RFC 9132 §11; RFC 8516: Max-Age says when to try again). */
export function limited(retryInSeconds: number): Answer {
  return limitReached(
    'DOTS_SERVER_RATE_LIMITED',
    `too many requests; the next one is taken in ${retryInSeconds} s`,
    retryInSeconds
  )
}

/** 4.29: this client has as much of something as it may have (RFC 8516). */
export function limitReached(code: string, diagnostic: string, retryInSeconds: number): Answer {
  const problem = { code, diagnostic, answer: Code.tooManyRequests }
  return { response: tooManyRequests(retryInSeconds, diagnostic), outcome: 'limited', problem }
}

/** More than block-wise transfer carries here (RFC 9132 §4.4.2): better no answer than half of one. */
export function tooLarge(count: number, bytes: number): Answer {
  return refusal({
    code: 'DOTS_SERVER_LIST_TOO_LONG',
    answer: Code.notImplemented,
    diagnostic: `${count} mitigations take ${bytes} bytes, more than ${MAXIMUM_BODY_BYTES}; ask for them by mid`
  })
}

function sorted(options: CoapOption[]): CoapOption[] {
  return options.sort((a, b) => a.number - b.number)
}
