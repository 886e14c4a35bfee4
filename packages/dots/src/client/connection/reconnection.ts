import { ConfigError, Seconds, after, later } from '@breakwater/core'
import type { ConfigProblem, Duration, Instant } from '@breakwater/core'
import type { ConnectionId } from './session-state.ts'

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

/**
 * When the next handshake may start: counts what went wrong with the sessions of one server.
 *
 * RFC 9132 §4.7 says how often is tried, so the time runs from the start of an attempt to the start of the next one, not from
 * when the former is given up: a server that comes back just behind the last flight of an attempt waits for one interval,
 * and not for what is left of the attempt besides. Of several attempts, as of a run over several paths, the last one counts.
 */
export class Reconnection {
  readonly #rule: ReconnectionRule
  #failures = 0
  /** The last attempt that is known to have sent something. */
  #sentAt: Instant | undefined
  /** Attempts of which that is not known yet. */
  readonly #open = new Map<ConnectionId, Instant>()
  #heldOffUntil: Instant | undefined

  constructor(rule: ReconnectionRule) {
    this.#rule = rule
  }

  /** A handshake starts: of this connection, or of somebody else's with the same server. */
  attempted(now: Instant, connection?: ConnectionId): void {
    if (connection === undefined) this.#sentAt = later(now, this.#sentAt)
    else this.#open.set(connection, now)
  }

  /** An attempt has failed, or is given up. One that sent nothing is none (RFC 9132 §4.7: it was not tried to establish a session). */
  ended(connection: ConnectionId, hasSentSomething: boolean): void {
    const at = this.#open.get(connection)
    this.#open.delete(connection)
    if (at !== undefined && hasSentSomething) this.#sentAt = later(at, this.#sentAt)
  }

  /** @returns when to try again after a handshake, or a run of them, that came to nothing. */
  afterFailure(now: Instant, hasSentSomething: boolean): Instant {
    const earliest = this.afterLoss(now)
    if (!hasSentSomething) return later(after(now, Seconds(this.#rule.localRetrySeconds)), earliest)
    const wait = Math.min(this.#rule.firstRetrySeconds * 2 ** this.#failures, this.#rule.retrySeconds)
    this.#failures++
    const spacing = Seconds(Math.max(wait, LEAST_SPACING_SECONDS))
    return later(earliest, after(this.#attemptedAt ?? now, spacing))
  }

  /** A session is there: what is tried from now on has no more to do with what was. */
  established(): void {
    this.#failures = 0
    this.#sentAt = this.#attemptedAt
    this.#open.clear()
  }

  /** The server ended a session and wants nobody back before `until` (RFC 8323 §5.5). */
  holdOff(until: Instant): void {
    this.#heldOffUntil = until
  }

  /** @returns when to try again after the loss of a session: at once, unless the last handshake was just now. */
  afterLoss(now: Instant): Instant {
    const spacing: Duration = Seconds(LEAST_SPACING_SECONDS)
    const attemptedAt = this.#attemptedAt
    const earliest = attemptedAt === undefined ? now : after(attemptedAt, spacing)
    return later(later(now, earliest), this.#heldOffUntil)
  }

  get #attemptedAt(): Instant | undefined {
    return [...this.#open.values()].reduce<Instant | undefined>((last, at) => later(at, last), this.#sentAt)
  }
}
