import { Seconds, between } from '@breakwater/core'
import type { Duration, Instant } from '@breakwater/core'

/** In this time, half of what was learnt is forgotten. */
export const SCORE_HALF_LIFE: Duration = Seconds(30)

/** Every reporter has the same influence: one vote in this time (TLC-FM). */
const VOTE_SPACING: Duration = Seconds(1)

/** What a new vote counts, beside all that came before it. */
const WEIGHT = 0.5

/** How a path, or a part of several, fared lately: from -1, everybody failed, to 1. Without news it goes back to 0. */
export class PathScore {
  #value = 0
  #at: Instant | undefined
  /** When it was last voted against. */
  #failedAt: Instant | undefined
  /** When each reporter last voted, as long as that keeps it from voting again. */
  readonly #voted = new Map<string, Instant>()

  at(now: Instant): number {
    return this.#at === undefined ? 0 : this.#value * 0.5 ** (between(this.#at, now) / SCORE_HALF_LIFE)
  }

  /** Whether it failed after `moment`. */
  failedAfter(moment: Instant): boolean {
    return this.#failedAt !== undefined && this.#failedAt > moment
  }

  /** @returns whether the vote counts: not when its reporter has just voted. */
  vote(reporter: string, isGood: boolean, now: Instant): boolean {
    for (const [name, at] of this.#voted) if (between(at, now) >= VOTE_SPACING) this.#voted.delete(name)
    if (this.#voted.has(reporter)) return false
    this.#voted.set(reporter, now)
    const before = this.at(now)
    this.#value = before + ((isGood ? 1 : -1) - before) * WEIGHT
    this.#at = now
    if (!isGood) this.#failedAt = now
    return true
  }
}
