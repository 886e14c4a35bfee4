import { Instant, WallTime } from '@breakwater/core'

/** The calendar as the machine knows it: told now and then by its host, and counted on by the monotonic clock. */
export class Calendar {
  #offset = 0

  /** The calendar says `wallClock` at `now`. It may step in either direction. */
  tell(wallClock: WallTime, now: Instant): void {
    this.#offset = wallClock - now
  }

  /** When the monotonic clock of this life shows a time of the calendar. */
  momentOf(time: WallTime): Instant {
    return Instant(time - this.#offset)
  }

  at(moment: Instant): WallTime {
    return WallTime(moment + this.#offset)
  }
}
