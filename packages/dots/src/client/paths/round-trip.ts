import { Milliseconds, Seconds } from '@breakwater/core'
import type { Duration } from '@breakwater/core'

/** However fast a path is, a server may take a moment. The initial probe timeout of RFC 5534 §7. */
const LEAST_PATIENCE: Duration = Milliseconds(500)

/** RFC 9132 §4.4: what is asked is asked again after 3 seconds, so a longer wait tells nothing more. */
const MOST_PATIENCE: Duration = Seconds(3)

/** Smoothed round trips of one path and how much they vary (RFC 6298 §2). */
export class RoundTrip {
  #smoothed: number | undefined
  #variation = 0

  /** Undefined: nothing was measured. */
  get smoothed(): Duration | undefined {
    return this.#smoothed === undefined ? undefined : Milliseconds(this.#smoothed)
  }

  get variation(): Duration {
    return Milliseconds(this.#variation)
  }

  measured(roundTrip: Duration): void {
    if (this.#smoothed === undefined) {
      this.#smoothed = roundTrip
      this.#variation = roundTrip / 2
      return
    }
    this.#variation = (3 * this.#variation + Math.abs(this.#smoothed - roundTrip)) / 4
    this.#smoothed = (7 * this.#smoothed + roundTrip) / 8
  }

  /** How long an answer may take before it counts as missing. */
  get patience(): Duration {
    if (this.#smoothed === undefined) return MOST_PATIENCE
    const expected = this.#smoothed + 4 * this.#variation
    return Milliseconds(Math.min(Math.max(expected, LEAST_PATIENCE), MOST_PATIENCE))
  }
}
