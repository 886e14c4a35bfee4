import { after, Milliseconds, Seconds } from '@breakwater/core'
import type { Clock, Duration, Instant, ScheduledCall } from '@breakwater/core'

const firstInterval = Seconds(1)
const longestInterval = Seconds(60)

/** Sends a flight again while no answer comes (RFC 6347 §4.2.4.1: after 1 s, then twice as long each time, up to 60 s). */
export class FlightTimer {
  readonly #clock: Clock
  readonly #deadline: Instant
  readonly #giveUp: () => void
  readonly #firstInterval: Duration
  #armed: ScheduledCall | undefined

  /**
   * @param giveUp called once at `deadline`, unless stopped before.
   * @param first Default 1 s.
   */
  constructor(clock: Clock, deadline: Instant, giveUp: () => void, first: Duration = firstInterval) {
    this.#clock = clock
    this.#deadline = deadline
    this.#giveUp = giveUp
    this.#firstInterval = first
  }

  /** Calls `send` now and again until `stop`, the next `start`, or until it gives up. */
  start(send: () => void): void {
    this.stop()
    send()
    this.#arm(send, this.#firstInterval)
  }

  stop(): void {
    this.#armed?.cancel()
    this.#armed = undefined
  }

  #arm(send: () => void, interval: Duration): void {
    const next = after(this.#clock.now(), interval)
    if (next >= this.#deadline) {
      this.#armed = this.#clock.schedule(this.#deadline, this.#giveUp)
      return
    }
    this.#armed = this.#clock.schedule(next, () => {
      send()
      this.#arm(send, Milliseconds(Math.min(interval * 2, longestInterval)))
    })
  }
}
