import type { Instant, WallTime } from '@breakwater/core'
import { nextConsentChange } from '../domain/consent.ts'
import type { Consent } from '../domain/consent.ts'
import type { Calendar } from './memory/calendar.ts'

/** Knows when a consent begins or ends: one that has ended is none, also for what was asked because of it (RFC 9284 §6). */
export class ConsentWatch {
  readonly #calendar: Calendar
  /** When one begins or ends next. */
  #change: WallTime | undefined

  constructor(calendar: Calendar) {
    this.#calendar = calendar
  }

  /** @returns whether placements may depend on what the calendar says. */
  watch(consents: readonly Consent[], now: Instant): boolean {
    this.#change = consents.length === 0 ? undefined : nextConsentChange(consents, this.#calendar.at(now))
    return consents.length > 0
  }

  /** One has begun or ended since the last look, as while the host slept. */
  isDue(now: Instant): boolean {
    return this.#change !== undefined && this.#change <= this.#calendar.at(now)
  }

  nextTimeout(): Instant | undefined {
    return this.#change === undefined ? undefined : this.#calendar.momentOf(this.#change)
  }
}
