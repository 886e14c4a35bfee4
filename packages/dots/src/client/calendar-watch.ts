import { Seconds, after } from '@breakwater/core'
import type { Clock, Duration, ScheduledCall, WallTime } from '@breakwater/core'

/** A step of the calendar is noticed within this time. */
const PERIOD: Duration = Seconds(60)

/** Tells a client what the calendar shows, over and over, as long as something in force depends on it. */
export class CalendarWatch {
  readonly #clock: Clock
  readonly #tell: (wallClock: WallTime) => void
  #next: ScheduledCall | undefined

  constructor(clock: Clock, tell: (wallClock: WallTime) => void) {
    this.#clock = clock
    this.#tell = tell
  }

  /** Watches from now on, or no longer. */
  watch(isNeeded: boolean): void {
    this.#next?.cancel()
    this.#next = isNeeded
      ? this.#clock.schedule(after(this.#clock.now(), PERIOD), () => this.#look())
      : undefined
  }

  #look(): void {
    this.watch(true)
    this.#tell(this.#clock.wallClock())
  }
}
