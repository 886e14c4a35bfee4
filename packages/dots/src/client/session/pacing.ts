import { Milliseconds, Seconds, after } from '@breakwater/core'
import type { Duration, Instant } from '@breakwater/core'
import { PACING_WITHOUT_RTT } from '../../signal/defaults.ts'
import { smoothed } from './sending-budget.ts'
import type { SendingBudget } from './sending-budget.ts'

/** A clock that cannot tell less must not make us send in bursts. */
const LEAST_SPACING: Duration = Milliseconds(10)

/** In a handshake that took so long something was repeated (RFC 6347 §4.2.4.1), so it tells nothing of round trips. */
const REPEATED_HANDSHAKE: Duration = Seconds(1)

/**
 * How soon the next Non-confirmable request may go to a server: one per round trip where the round-trip time is known,
 * else one in 3 seconds (RFC 9132 §4.4). One budget for everything that is sent there.
 */
export class Pacing implements SendingBudget {
  /** Smoothed as in RFC 6298 §2; undefined: no estimate. */
  #roundTrip: Duration | undefined
  #sentAt: Instant | undefined
  #measuredAt: Instant | undefined

  /** Whether a request may leave at `now`. */
  allows(now: Instant): boolean {
    const next = this.nextAt()
    return next === undefined || next <= now
  }

  /** When the next request may leave; undefined: at once. */
  nextAt(): Instant | undefined {
    return this.#sentAt === undefined ? undefined : after(this.#sentAt, this.#spacing())
  }

  sent(now: Instant): void {
    this.#sentAt = now
  }

  /** An answer to a request that was sent only once (RFC 6298 §3: others tell nothing). */
  measured(roundTrip: Duration, now?: Instant): void {
    this.#measuredAt = now
    // A server that stood still, not a path: by such an estimate, nothing would be sent for minutes after it goes on.
    if (roundTrip >= PACING_WITHOUT_RTT) this.forgetRoundTrip()
    else this.#roundTrip = smoothed(this.#roundTrip, roundTrip)
  }

  /** A new session, perhaps by another path. Its handshake holds more than one round trip: a first estimate, on the slow side. */
  handshakeTook(handshake: Duration): void {
    this.#roundTrip = handshake < REPEATED_HANDSHAKE ? handshake : undefined
  }

  /** A request stayed without an answer: what was measured before tells nothing of the path as it is now. */
  forgetRoundTrip(sentAt?: Instant): void {
    const isNewer = sentAt !== undefined && this.#measuredAt !== undefined && this.#measuredAt > sentAt
    if (!isNewer) this.#roundTrip = undefined
  }

  get roundTrip(): Duration | undefined {
    return this.#roundTrip
  }

  #spacing(): Duration {
    if (this.#roundTrip === undefined) return PACING_WITHOUT_RTT
    return this.#roundTrip < LEAST_SPACING ? LEAST_SPACING : this.#roundTrip
  }
}
