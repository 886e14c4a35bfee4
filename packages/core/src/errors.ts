/**
 * Six families, by whose fault it is and what to do next. `code` is a stable text (`DOTS_SIGNAL_LIFETIME_INVALID`);
 * docs/reference/errors.md lists them all. Expected outcomes are values, not throws.
 */
export abstract class BreakwaterError extends Error {
  readonly code: string

  constructor(code: string, message: string, options?: { cause?: unknown }) {
    super(message, options)
    this.code = code
    this.name = new.target.name
  }
}

/** Bytes or text are not what they claim to be. Drop, reset or 4.00; count. */
export class DecodeError extends BreakwaterError {}

/** Well-formed but against an RFC. */
export class ProtocolError extends BreakwaterError {
  /** CoAP code or HTTP status to answer with. */
  readonly answer: number
  /** `RFC 9132 §4.4.1`. */
  readonly source: string

  constructor(code: string, message: string, answer: number, source: string, options?: { cause?: unknown }) {
    super(code, message, options)
    this.answer = answer
    this.source = source
  }
}

/** The peer said no. */
export class RejectedError extends BreakwaterError {
  /** CoAP code or HTTP status that the peer sent. */
  readonly answer: number

  constructor(code: string, message: string, answer: number, options?: { cause?: unknown }) {
    super(code, message, options)
    this.answer = answer
  }
}

/** A path, peer, store or device did not do its part. */
export class UnavailableError extends BreakwaterError {
  /** Whether trying again later may help. */
  readonly retryable: boolean

  constructor(code: string, message: string, retryable: boolean, options?: { cause?: unknown }) {
    super(code, message, options)
    this.retryable = retryable
  }
}

/** One mistake of the operator's, with the place where it stands. */
export interface ConfigProblem {
  /** `domains[0].server.port` */
  readonly path: string
  readonly message: string
  /** 1-based position in the file, where known. */
  readonly line?: number
  readonly column?: number
}

/** The operator's mistakes, all of them at once. Refuse to start. */
export class ConfigError extends BreakwaterError {
  readonly problems: readonly ConfigProblem[]

  constructor(
    code: string,
    message: string,
    problems: readonly ConfigProblem[],
    options?: { cause?: unknown }
  ) {
    super(code, message, options)
    this.problems = problems
  }
}

/** Our own bug. Log with trace, keep serving others. */
export class InternalError extends BreakwaterError {}
