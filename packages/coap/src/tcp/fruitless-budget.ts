import { between, inSeconds } from '@breakwater/core'
import type { Instant } from '@breakwater/core'

/** Nobody who means well comes near: a Ping in a round trip of 10 ms, … */
const PER_SECOND = 100
/** … and as many at once as ten seconds bring. */
const BURST = 1000

/**
 * How much a peer may say of which no exchange comes: Pings, further CSMs, empty messages, answers that nobody waits for,
 * requests that are refused before anybody is asked. Each costs us more than the peer, and on a stream nothing may be
 * dropped (RFC 8323 §5.4: each Ping MUST be answered).
 */
export class FruitlessBudget {
  #left = BURST
  #filledAt: Instant

  constructor(now: Instant) {
    this.#filledAt = now
  }

  /** @returns false when it is used up. */
  take(now: Instant): boolean {
    const fresh = inSeconds(between(this.#filledAt, now)) * PER_SECOND
    this.#left = Math.min(BURST, this.#left + fresh)
    this.#filledAt = now
    if (this.#left < 1) return false
    this.#left--
    return true
  }
}
