import {
  BreakwaterError,
  ConfigError,
  DecodeError,
  ProtocolError,
  RejectedError,
  UnavailableError
} from '@breakwater/core'
import type { Log } from '@breakwater/core'
import type { ErrorView } from '@breakwater/control'

export interface ErrorAnswer {
  readonly status: number
  readonly body: ErrorView
}

/** Turns whatever a handler threw into an answer. What is our own fault is logged and told without details. */
export function errorAnswer(error: unknown, log: Log): ErrorAnswer {
  if (error instanceof BreakwaterError)
    return answer(statusOf(error), familyOf(error), error.code, error.message)
  if (isFrameworkError(error)) {
    const code = error.statusCode === 413 ? 'CONTROL_REQUEST_TOO_LARGE' : 'CONTROL_REQUEST_INVALID'
    return answer(error.statusCode, 'DecodeError', code, error.message)
  }
  log.error('control.failed', {
    reason: error instanceof Error ? (error.stack ?? error.message) : String(error)
  })
  return answer(500, 'InternalError', 'CONTROL_INTERNAL', 'the agent failed on this command; see its log')
}

/** The answer to a path that this agent does not have. */
export function unknownCommand(method: string, url: string): ErrorAnswer {
  const message = `this agent has no command ${method} ${url.slice(0, 200)}`
  return answer(404, 'RejectedError', 'CONTROL_COMMAND_UNKNOWN', message)
}

function answer(status: number, family: string, code: string, message: string): ErrorAnswer {
  return { status, body: { error: { family, code, message } } }
}

function familyOf(error: BreakwaterError): string {
  return error.name
}

function statusOf(error: BreakwaterError): number {
  if (error instanceof RejectedError) return error.answer >= 400 && error.answer < 600 ? error.answer : 409
  if (error instanceof UnavailableError) return 503
  if (error instanceof DecodeError || error instanceof ProtocolError || error instanceof ConfigError)
    return 400
  return 500
}

/** Fastify's own complaints about a request: wrong JSON, wrong shape, too long. */
function isFrameworkError(error: unknown): error is Error & { readonly statusCode: number } {
  return (
    error instanceof Error &&
    'statusCode' in error &&
    typeof error.statusCode === 'number' &&
    error.statusCode >= 400 &&
    error.statusCode < 500
  )
}
