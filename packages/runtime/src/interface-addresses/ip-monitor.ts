import { Milliseconds, Seconds, after } from '@breakwater/core'
import type { Clock, Duration, Instant, ScheduledCall } from '@breakwater/core'
import type { IpCommand } from '../ip-command.ts'
import { KeptProgram } from '../kept-program.ts'

/** One change of an address is several messages. */
const DEBOUNCE = Milliseconds(50)

/** In a storm of changes, so often at most. */
const PACE = Milliseconds(500)

/** What no message told is found by looking: how often, with and without `ip monitor`. */
const LOOK_EVERY = { watched: Seconds(60), unwatched: Seconds(5) } as const

export interface IpMonitorOptions {
  readonly ip: IpCommand
  readonly clock: Clock
  /** Something may be another now. */
  readonly onChange: () => void
  /** Messages came: at once, and as often as they come. Also at each start of `ip monitor`, with no text. */
  readonly onMessage?: (text: string) => void
}

/**
 * Says when links, addresses or advertised prefixes of this host change. `ip monitor` only wakes: what there is now is read
 * in the format that is meant for it. Where it dies it is started again, and meanwhile there is looking from time to time.
 */
export class IpMonitor {
  readonly #options: IpMonitorOptions
  readonly #program: KeptProgram
  #look: ScheduledCall | undefined
  #lookAt: Instant | undefined
  #lastLook: Instant | undefined
  #isClosed = false

  constructor(options: IpMonitorOptions) {
    this.#options = options
    const { ip, clock } = options
    this.#program = new KeptProgram({
      command: [...ip, 'monitor', 'link', 'address', 'prefix'],
      clock,
      // What changed while nobody watched was told to nobody.
      onStart: () => this.#hear(''),
      onOutput: (bytes) => this.#hear(bytes.toString()),
      onEnd: () => this.#lookIn(LOOK_EVERY.unwatched)
    })
  }

  /** Whether `ip monitor` runs at the moment. */
  get isWatching(): boolean {
    return this.#program.isRunning
  }

  /** Resolves when the child process has ended. */
  async close(): Promise<void> {
    this.#isClosed = true
    this.#look?.cancel()
    await this.#program.close()
  }

  /** Somebody else heard of a change: it is looked for as if a message had come. */
  look(): void {
    this.#lookIn(DEBOUNCE)
  }

  #hear(text: string): void {
    this.#options.onMessage?.(text)
    this.#lookIn(DEBOUNCE)
  }

  /** Looks after a delay, or sooner where that was promised; never sooner than the pace allows. */
  #lookIn(delay: Duration): void {
    const { clock } = this.#options
    const now = clock.now()
    const earliest = this.#lastLook === undefined ? now : after(this.#lastLook, PACE)
    const at = after(now, delay) < earliest ? earliest : after(now, delay)
    if (this.#isClosed || (this.#lookAt !== undefined && this.#lookAt <= at)) return
    this.#look?.cancel()
    this.#lookAt = at
    this.#look = clock.schedule(at, () => {
      this.#lookAt = undefined
      this.#lastLook = clock.now()
      this.#lookIn(this.isWatching ? LOOK_EVERY.watched : LOOK_EVERY.unwatched)
      this.#options.onChange()
    })
  }
}
