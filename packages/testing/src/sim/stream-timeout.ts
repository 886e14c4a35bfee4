import { Milliseconds, Seconds } from '@breakwater/core'
import type { Duration } from '@breakwater/core'

/** RFC 6298 §2.1. */
export const firstTimeout: Duration = Seconds(1)

/** RFC 6298 §2.4 says 1 s; systems that are in use take 200 ms. */
const leastTimeout = Milliseconds(200)

const longestTimeout = Seconds(120)

/** How long a sender waits for an acknowledgement (RFC 6298). */
export class RetransmissionTimeout {
  #smoothed: number | undefined
  #variation = 0
  #current: Duration = firstTimeout

  get current(): Duration {
    return this.#current
  }

  /** A round trip of a segment that was sent once only (Karn's rule, RFC 6298 §3). */
  measured(roundTrip: Duration): void {
    if (this.#smoothed === undefined) {
      this.#smoothed = roundTrip
      this.#variation = roundTrip / 2
    } else {
      this.#variation = 0.75 * this.#variation + 0.25 * Math.abs(this.#smoothed - roundTrip)
      this.#smoothed = 0.875 * this.#smoothed + 0.125 * roundTrip
    }
    this.recover()
  }

  /** Something was acknowledged: systems whose timestamps tell which copy it was (RFC 7323 §4) forget the doubling. */
  recover(): void {
    if (this.#smoothed === undefined) this.#current = firstTimeout
    else this.#current = within(this.#smoothed + 4 * this.#variation)
  }

  /** RFC 6298 §5.5. */
  backOff(): void {
    this.#current = within(this.#current * 2)
  }
}

function within(timeout: number): Duration {
  return Milliseconds(Math.min(Math.max(timeout, leastTimeout), longestTimeout))
}
