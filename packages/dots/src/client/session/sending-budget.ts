import { Milliseconds } from '@breakwater/core'
import type { Duration, Instant } from '@breakwater/core'

/** When the next request may leave a session. */
export interface SendingBudget {
  /** Whether a request may leave at `now`. */
  allows(now: Instant): boolean
  /** When the next request may leave; undefined: at once. */
  nextAt(): Instant | undefined
  sent(now: Instant): void
  /** An answer to a request that was sent only once. */
  measured(roundTrip: Duration, now?: Instant): void
  /** A request stayed without an answer: one that was sent at `sentAt`, where something may have been answered since. */
  forgetRoundTrip(sentAt?: Instant): void
  /** Smoothed; undefined: no estimate. */
  readonly roundTrip: Duration | undefined
}

/** A smoothed round trip with one more measurement (RFC 6298 §2). */
export function smoothed(before: Duration | undefined, roundTrip: Duration): Duration {
  return before === undefined ? roundTrip : Milliseconds((7 * before + roundTrip) / 8)
}

/** On a stream TCP paces, repeats and keeps the order: everything may leave at once (RFC 9132 §4.4 speaks of datagrams). */
export class StreamBudget implements SendingBudget {
  #roundTrip: Duration | undefined

  allows(): boolean {
    return true
  }

  nextAt(): undefined {
    return undefined
  }

  sent(): void {
    // Nothing is counted.
  }

  measured(roundTrip: Duration): void {
    this.#roundTrip = smoothed(this.#roundTrip, roundTrip)
  }

  forgetRoundTrip(): void {
    this.#roundTrip = undefined
  }

  get roundTrip(): Duration | undefined {
    return this.#roundTrip
  }
}
