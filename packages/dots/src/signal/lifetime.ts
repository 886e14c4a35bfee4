import { Code } from '@breakwater/coap'
import { Seconds, after, between, inSeconds } from '@breakwater/core'
import type { Instant, WallTime } from '@breakwater/core'
import { accepted, refused } from './problem.ts'
import type { Checked } from './problem.ts'

/** The wire's `lifetime` for "until withdrawn" (RFC 9132 §4.4.1.1). */
export const INDEFINITE_LIFETIME = -1

/** How long a mitigation lasts: seconds, or until it is withdrawn. */
export type Lifetime = number | 'indefinite'

/** When a mitigation ends by itself, on the clock of the machine that runs or on the calendar. */
export type Expiry<Moment extends Instant | WallTime> = Moment | 'never'

/** What a server grants. */
export interface LifetimePolicy {
  /** Longest lifetime in seconds. */
  readonly maximumSeconds: number
  /** Shortest lifetime in seconds, which who asks for less gets; by default there is none. */
  readonly minimumSeconds?: number
  /** RFC 9132 §4.4.1.1: the server may refuse an indefinite lifetime; it then grants `maximumSeconds`. */
  readonly grantIndefinite: boolean
}

/** A day: long enough for any attack that is still looked at, short enough for a client that will never come back. */
export const DEFAULT_LIFETIME_POLICY: LifetimePolicy = { maximumSeconds: 86_400, grantIndefinite: false }

/** Reads the wire's `lifetime` of a request; 0 and what lies below −1 are invalid (RFC 9132 §4.4.1.1, §4.4.1.3). */
export function parseLifetime(seconds: number): Checked<Lifetime> {
  if (seconds === INDEFINITE_LIFETIME) return accepted('indefinite')
  if (Number.isInteger(seconds) && seconds > 0) return accepted(seconds)
  return refused(
    'DOTS_SIGNAL_LIFETIME_INVALID',
    Code.badRequest,
    `lifetime ${seconds} is neither -1 nor at least 1 (scope[0].lifetime)`
  )
}

/** What of a requested lifetime is granted. */
export function grantLifetime(requested: Lifetime, policy: LifetimePolicy): Lifetime {
  if (requested === 'indefinite') return policy.grantIndefinite ? 'indefinite' : policy.maximumSeconds
  return Math.min(Math.max(requested, policy.minimumSeconds ?? 1), policy.maximumSeconds)
}

/** When a lifetime that starts at `now` is over. */
export function expiryOf<Moment extends Instant | WallTime>(lifetime: Lifetime, now: Moment): Expiry<Moment> {
  return lifetime === 'indefinite' ? 'never' : after(now, Seconds(lifetime))
}

/** The remaining lifetime as the wire wants it: whole seconds, never negative but for "indefinite". */
export function remainingLifetimeSeconds<Moment extends Instant | WallTime>(
  expiry: Expiry<Moment>,
  now: Moment
): number {
  if (expiry === 'never') return INDEFINITE_LIFETIME
  return Math.max(0, Math.ceil(inSeconds(between(now, expiry))))
}
