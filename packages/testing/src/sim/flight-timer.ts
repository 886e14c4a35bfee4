import { after, Milliseconds, Seconds } from '@breakwater/core'
import type { Clock, Duration, ScheduledCall } from '@breakwater/core'

const firstInterval = Seconds(1)
const longestInterval = Seconds(60)

/** Sends a flight again while no answer comes (RFC 6347 §4.2.4.1: after 1 s, then twice as long each time, up to 60 s). */
export class FlightTimer {
  readonly #clock: Clock
  readonly #retransmissions: number
  readonly #giveUp: () => void
  #armed: ScheduledCall | undefined

  constructor(clock: Clock, retransmissions: number, giveUp: () => void) {
    this.#clock = clock
    this.#retransmissions = retransmissions
    this.#giveUp = giveUp
  }

  /** Calls `send` now and again until `stop`, the next `start`, or until it gives up. */
  start(send: () => void): void {
    this.stop()
    send()
    this.#arm(send, firstInterval, this.#retransmissions)
  }

  stop(): void {
    this.#armed?.cancel()
    this.#armed = undefined
  }

  #arm(send: () => void, interval: Duration, left: number): void {
    this.#armed = this.#clock.schedule(after(this.#clock.now(), interval), () => {
      if (left === 0) {
        this.#giveUp()
        return
      }
      send()
      this.#arm(send, Milliseconds(Math.min(interval * 2, longestInterval)), left - 1)
    })
  }
}
