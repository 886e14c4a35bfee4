import { Code, OptionNumber, formatCode, formatMethod, readUint } from '@breakwater/coap'
import type { CoapRequest, IncomingExchange } from '@breakwater/coap'
import { BreakwaterError } from '@breakwater/core'
import type { Instant } from '@breakwater/core'
import { decodeSignal } from '@breakwater/model'
import type { SignalMessage } from '@breakwater/model'
import type { Cuid, MitigationId } from '../../domain/identifier.ts'
import { CONTENT_FORMAT_DOTS_CBOR } from '../../signal/defaults.ts'
import { accepted, refused } from '../../signal/problem.ts'
import type { Checked, SignalProblem } from '../../signal/problem.ts'
import { pathText } from '../../signal/resource.ts'
import type { RequestOutcome } from '../event.ts'
import type { Answer } from './response.ts'
import type { ServerSession } from '../sessions/server-session.ts'
import type { ServerState } from '../server-state.ts'

/** One request under way, from its arrival to its answer. */
export interface ServerRequest {
  readonly session: ServerSession
  readonly exchange: IncomingExchange
  readonly coap: CoapRequest
  readonly confirmable: boolean
  /** What it turned out to be about, for the audit trail. */
  cuid?: Cuid
  mitigationId?: MitigationId
  targets: readonly string[]
  /** What an efficacy update says (RFC 9132 §4.4.3). */
  attackStatus?: number
}

/** Answers and writes the audit trail: the one place that both happen in. */
export function reply(state: ServerState, request: ServerRequest, answer: Answer, now: Instant): void {
  const { session, exchange, coap, cuid, mitigationId, targets, attackStatus } = request
  const { response } = answer
  const answered = response !== undefined && session.respond(exchange, response, now)
  if (response === undefined) session.ignore(exchange, now)
  state.counters.count('dots_server_requests_total', answer.outcome)
  const idleCount = changesSomething(answer.outcome) ? undefined : session.countIdleRequest()
  state.report({
    kind: 'request',
    peer: session.peer,
    identity: session.identityText,
    domain: session.principal?.domain,
    method: formatMethod(coap.method),
    path: pathText(coap.options),
    ...(cuid === undefined ? {} : { cuid }),
    ...(mitigationId === undefined ? {} : { mitigationId }),
    targets,
    ...(attackStatus === undefined ? {} : { attackStatus }),
    outcome: answer.outcome,
    ...(idleCount === undefined ? {} : { idleCount }),
    answer: answered ? formatCode(response.code) : '',
    ...(answer.problem === undefined
      ? {}
      : { problem: answer.problem.code, diagnostic: answer.problem.diagnostic })
  })
}

function changesSomething(outcome: RequestOutcome): boolean {
  // Not `configured`, which a client may repeat without end and without harm to anybody.
  return outcome === 'created' || outcome === 'refreshed' || outcome === 'withdrawn'
}

/** What is wrong with the representation that a request asks for (RFC 7252 §5.10.4). */
export function checkAccept(request: CoapRequest): SignalProblem | undefined {
  const format = readUint(request.options, OptionNumber.accept)
  if (format === undefined || format === CONTENT_FORMAT_DOTS_CBOR) return undefined
  return {
    code: 'DOTS_SERVER_NOT_ACCEPTABLE',
    answer: Code.notAcceptable,
    diagnostic: `format ${format} is not offered; there is ${CONTENT_FORMAT_DOTS_CBOR} (Accept)`
  }
}

/**
 * What is wrong with the format of a body (RFC 9132 §9: 4.15 "when the Content-Format is used but the request is not
 * formatted as application/dots+cbor"). Without the option the port says what it is (RFC 9132 §3).
 */
export function checkContentFormat(request: CoapRequest): SignalProblem | undefined {
  const format = readUint(request.options, OptionNumber.contentFormat)
  if (format === undefined || format === CONTENT_FORMAT_DOTS_CBOR) return undefined
  return {
    code: 'DOTS_SERVER_CONTENT_FORMAT_UNSUPPORTED',
    answer: Code.unsupportedContentFormat,
    diagnostic: `format ${format} is not supported; send ${CONTENT_FORMAT_DOTS_CBOR} (Content-Format)`
  }
}

/** The body of a request; 4.00 with the place of the problem when it is none (RFC 9132 §6). */
export function readBody(request: CoapRequest): Checked<SignalMessage> {
  try {
    return accepted(decodeSignal(request.payload))
  } catch (error) {
    if (error instanceof BreakwaterError) return refused(error.code, Code.badRequest, error.message)
    throw error
  }
}
