import { WallTime } from '@breakwater/core'
import type { Instant } from '@breakwater/core'

/** The calendar as the machine knows it: told now and then by its host, and counted on by the monotonic clock. */
export class Calendar {
  #offset = 0

  /** The calendar says `wallClock` at `now`. It may step in either direction. */
  tell(wallClock: WallTime, now: Instant): void {
    this.#offset = wallClock - now
  }

  at(moment: Instant): WallTime {
    return WallTime(moment + this.#offset)
  }
}
