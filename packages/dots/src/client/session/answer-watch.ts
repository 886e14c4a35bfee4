import { after } from '@breakwater/core'
import type { Duration, Instant } from '@breakwater/core'
import { RoundTrip } from '../paths/round-trip.ts'

/**
 * Tells when an answer of one session is missing: by its own round trips, long before anything is asked again or counts as
 * lost. It tells once for whatever is sent, and again only when something else was sent since.
 */
export class AnswerWatch {
  readonly roundTrip: RoundTrip = new RoundTrip()
  /** When the first of what waits for an answer was sent. */
  #waitsSince: Instant | undefined
  #lateAt: Instant | undefined

  sent(now: Instant): void {
    this.#waitsSince ??= now
    this.#lateAt ??= after(now, this.roundTrip.patience)
  }

  /** @param roundTrip Undefined: what was answered had been sent more than once. */
  answered(roundTrip: Duration | undefined): void {
    if (roundTrip !== undefined) this.roundTrip.measured(roundTrip)
    this.#waitsSince = undefined
    this.#lateAt = undefined
  }

  nextTimeout(): Instant | undefined {
    return this.#lateAt
  }

  /** @returns since when an answer is waited for, when that is too long now. */
  handleTimeout(now: Instant): Instant | undefined {
    if (this.#lateAt === undefined || this.#lateAt > now) return undefined
    this.#lateAt = undefined
    return this.#waitsSince
  }
}
