import { Instant, WallTime } from '@breakwater/core'
import type { Clock, ScheduledCall } from '@breakwater/core'

/** Longer delays wrap around inside Node and fire at once: they are waited for in pieces. */
const longestTimeoutMs = 2 ** 31 - 1

/** One call in the future. Re-arms itself until its moment has truly come. */
class SystemScheduledCall implements ScheduledCall {
  readonly #at: Instant
  readonly #act: () => void
  #timeout: NodeJS.Timeout | undefined
  #immediate: NodeJS.Immediate | undefined

  constructor(at: Instant, act: () => void) {
    this.#at = at
    this.#act = act
    this.#arm()
  }

  cancel(): void {
    clearTimeout(this.#timeout)
    clearImmediate(this.#immediate)
  }

  #arm(): void {
    const remaining = this.#at - performance.now()
    if (remaining <= 0) {
      this.#immediate = setImmediate(this.#act)
      return
    }
    // Rounded up, and looked at again on waking: libuv counts whole milliseconds and may wake up to one too early.
    this.#timeout = setTimeout(() => this.#wake(), Math.min(Math.ceil(remaining), longestTimeoutMs))
  }

  #wake(): void {
    if (performance.now() >= this.#at) this.#act()
    else this.#arm()
  }
}

/**
 * The clocks of this computer: the only place that asks for the real time and starts timers. `now()` counts from the
 * start of the process; `wallClock()` follows the system's calendar and may step. A pending call keeps the process alive.
 */
export function systemClock(): Clock {
  return {
    now: () => Instant(performance.now()),
    wallClock: () => WallTime(Date.now()),
    schedule: (at, act) => new SystemScheduledCall(at, act)
  }
}
