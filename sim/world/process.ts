import { WallTime } from '@breakwater/core'
import type {
  Clock,
  Duration,
  Instant,
  OpenSecureEndpoint,
  OpenSecureStream,
  ScheduledCall,
  SecureEndpoint
} from '@breakwater/core'
import type { SimulatedHost, VirtualClock } from '@breakwater/testing'

/** The calendar of one computer; the monotonic clock is the world's. */
export class Calendar {
  #offset = 0

  step(duration: Duration): void {
    this.#offset += duration
  }

  read(clock: VirtualClock): WallTime {
    return WallTime(clock.wallClock() + this.#offset)
  }
}

/**
 * One life of a program on one computer. What it scheduled dies with it, and what it hears or says after its death is
 * nothing: a killed server must not go on writing to the disk that its successor reads.
 */
export class Process implements Clock {
  readonly #clock: VirtualClock
  readonly #calendar: Calendar
  readonly #scheduled = new Set<ScheduledCall>()
  readonly #lastWords = new Set<() => void>()
  #isAlive = true

  constructor(clock: VirtualClock, calendar: Calendar) {
    this.#clock = clock
    this.#calendar = calendar
  }

  get isAlive(): boolean {
    return this.#isAlive
  }

  now(): Instant {
    return this.#clock.now()
  }

  wallClock(): WallTime {
    return this.#calendar.read(this.#clock)
  }

  schedule(at: Instant, act: () => void): ScheduledCall {
    if (!this.#isAlive) return { cancel: () => undefined }
    const call = this.#clock.schedule(at, () => {
      this.#scheduled.delete(call)
      act()
    })
    this.#scheduled.add(call)
    return {
      cancel: () => {
        this.#scheduled.delete(call)
        call.cancel()
      }
    }
  }

  /** Schedules what settles a promise of the world outside. */
  answerAt(at: Instant, act: () => void): void {
    this.schedule(at, () => {
      this.#clock.expectPromises()
      act()
    })
  }

  /** Opens endpoints of a host for as long as the process lives. */
  opener(host: SimulatedHost): OpenSecureEndpoint {
    return (options, handlers) => this.#whileAlive(host.openSecureEndpoint(options, handlers))
  }

  /** The same for streams. */
  streamOpener(host: SimulatedHost): OpenSecureStream {
    return (options, handlers) => this.#whileAlive(host.openSecureStream(options, handlers))
  }

  async #whileAlive<Endpoint extends SecureEndpoint>(opening: Promise<Endpoint>): Promise<Endpoint> {
    this.#clock.expectPromises()
    const endpoint = await opening
    if (this.#isAlive) return endpoint
    await endpoint.destroy()
    return await new Promise(() => undefined)
  }

  /** Called when the process is killed, unless the function that is returned was called before. */
  atDeath(act: () => void): () => void {
    this.#lastWords.add(act)
    return () => void this.#lastWords.delete(act)
  }

  kill(): void {
    this.#isAlive = false
    for (const call of this.#scheduled) call.cancel()
    this.#scheduled.clear()
    for (const act of this.#lastWords) act()
    this.#lastWords.clear()
  }
}
