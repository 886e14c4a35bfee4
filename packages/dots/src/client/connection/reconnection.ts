import { ConfigError, Seconds, after } from '@breakwater/core'
import type { ConfigProblem, Duration, Instant } from '@breakwater/core'

/** How soon a session that could not be established is tried again. */
export interface ReconnectionRule {
  /** After the first failure; at least 60 (RFC 9132 §4.7, MUST). Default 60. */
  readonly firstRetrySeconds: number
  /** Doubled with each failure up to this (RFC 9132 §4.7, SHOULD 300). Default 300. */
  readonly retrySeconds: number
  /** After an attempt that sent nothing, for want of an interface or a source address. Default 5. */
  readonly localRetrySeconds: number
}

/** RFC 9132 §4.7; the last is ours, for nothing is sent. */
export const DEFAULT_RECONNECTION: ReconnectionRule = {
  firstRetrySeconds: 60,
  retrySeconds: 300,
  localRetrySeconds: 5
}

/** RFC 9132 §4.7: never more often than this. */
const LEAST_SPACING_SECONDS = 60

/** A rule with the defaults for what is missing; throws a ConfigError when it is faster than the RFC allows. */
export function reconnectionRule(given: Partial<ReconnectionRule> = {}): ReconnectionRule {
  const rule = { ...DEFAULT_RECONNECTION, ...given }
  const problems: ConfigProblem[] = []
  for (const name of ['firstRetrySeconds', 'retrySeconds'] as const)
    if (!(rule[name] >= LEAST_SPACING_SECONDS))
      problems.push({
        path: name,
        message: `${rule[name]} is below ${LEAST_SPACING_SECONDS} (RFC 9132 §4.7)`
      })
  if (!(rule.localRetrySeconds >= 1))
    problems.push({ path: 'localRetrySeconds', message: `${rule.localRetrySeconds} is below 1` })
  if (problems.length > 0)
    throw new ConfigError('DOTS_CLIENT_RECONNECTION_INVALID', 'the reconnection rule is unusable', problems)
  return rule
}

/** When the next handshake may start: counts what went wrong with the sessions of one server. */
export class Reconnection {
  readonly #rule: ReconnectionRule
  #failures = 0
  #attemptedAt: Instant | undefined
  #heldOffUntil: Instant | undefined

  constructor(rule: ReconnectionRule) {
    this.#rule = rule
  }

  /** A handshake starts. */
  attempted(now: Instant): void {
    this.#attemptedAt = now
  }

  /** @returns when to try again after a handshake that came to nothing. */
  afterFailure(now: Instant, hasSentSomething: boolean): Instant {
    if (!hasSentSomething) return after(now, Seconds(this.#rule.localRetrySeconds))
    const wait = Math.min(this.#rule.firstRetrySeconds * 2 ** this.#failures, this.#rule.retrySeconds)
    this.#failures++
    return after(now, Seconds(Math.max(wait, LEAST_SPACING_SECONDS)))
  }

  established(): void {
    this.#failures = 0
  }

  /** The server ended a session and wants nobody back before `until` (RFC 8323 §5.5). */
  holdOff(until: Instant): void {
    this.#heldOffUntil = until
  }

  /** @returns when to try again after the loss of a session: at once, unless the last handshake was just now. */
  afterLoss(now: Instant): Instant {
    const spacing: Duration = Seconds(LEAST_SPACING_SECONDS)
    const earliest = this.#attemptedAt === undefined ? now : after(this.#attemptedAt, spacing)
    return later(later(now, earliest), this.#heldOffUntil ?? now)
  }
}

function later(a: Instant, b: Instant): Instant {
  return a > b ? a : b
}
