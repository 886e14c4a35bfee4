import { after, Milliseconds, Seconds } from '@breakwater/core'
import type { Clock, Duration, Instant, ScheduledCall } from '@breakwater/core'

const firstInterval = Seconds(1)
const longestInterval = Seconds(60)

/** Sends a flight again while no answer comes (RFC 6347 §4.2.4.1: after 1 s, then twice as long each time, up to 60 s). */
export class FlightTimer {
  readonly #clock: Clock
  readonly #deadline: Instant
  readonly #giveUp: () => void
  #firstInterval: Duration
  #flights = 0
  /** When the flight left last. */
  #sent: { readonly at: Instant; readonly again: () => void } | undefined
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

  /** Flights begin with another wait from now on; the first one of all, which has no answer yet, is sent again in time. */
  use(first: Duration = firstInterval): void {
    const isSooner = first < this.#firstInterval
    this.#firstInterval = first
    const sent = this.#sent
    if (!isSooner || sent === undefined || this.#flights !== 1 || this.#armed === undefined) return
    this.#armed.cancel()
    const due = after(sent.at, first)
    this.#schedule(due > this.#clock.now() ? due : this.#clock.now(), sent.again, first)
  }

  /** Calls `send` now and again until `stop`, the next `start`, or until it gives up. */
  start(send: () => void): void {
    this.stop()
    this.#flights++
    send()
    this.#arm(send, this.#firstInterval)
  }

  stop(): void {
    this.#armed?.cancel()
    this.#armed = undefined
  }

  #arm(send: () => void, interval: Duration): void {
    const now = this.#clock.now()
    this.#sent = { at: now, again: send }
    this.#schedule(after(now, interval), send, interval)
  }

  #schedule(next: Instant, send: () => void, interval: Duration): void {
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
