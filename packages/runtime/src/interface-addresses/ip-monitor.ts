import { spawn } from 'node:child_process'
import type { ChildProcess } from 'node:child_process'
import { Milliseconds, Seconds, after, between } from '@breakwater/core'
import type { Clock, Duration, Instant, ScheduledCall } from '@breakwater/core'
import type { IpCommand } from '../ip-command.ts'

/** One change of an address is several messages. */
const DEBOUNCE = Milliseconds(50)

/** In a storm of changes, so often at most. */
const PACE = Milliseconds(500)

/** What no message told is found by looking: how often, with and without `ip monitor`. */
const LOOK_EVERY = { watched: Seconds(60), unwatched: Seconds(5) } as const

const RESTART = { first: Seconds(1), last: Seconds(30) } as const

/** A monitor that lived so long is a healthy one. */
const HEALTHY_LIFE = Seconds(60)

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
  #child: ChildProcess | undefined
  #startedAt: Instant | undefined
  #restartIn: Duration = RESTART.first
  #restart: ScheduledCall | undefined
  #look: ScheduledCall | undefined
  #lookAt: Instant | undefined
  #lastLook: Instant | undefined
  #isClosed = false

  constructor(options: IpMonitorOptions) {
    this.#options = options
    this.#start()
  }

  /** Whether `ip monitor` runs at the moment. */
  get isWatching(): boolean {
    return this.#child !== undefined
  }

  /** Resolves when the child process has ended. */
  async close(): Promise<void> {
    this.#isClosed = true
    this.#restart?.cancel()
    this.#look?.cancel()
    const child = this.#child
    if (child === undefined) return
    const ended = new Promise<void>((resolve) => child.once('close', () => resolve()))
    child.kill()
    await ended
  }

  #start(): void {
    const { ip, clock } = this.#options
    const [file, ...args] = ip
    const words = [...args, 'monitor', 'link', 'address', 'prefix']
    const child = spawn(file, words, { stdio: ['ignore', 'pipe', 'ignore'] })
    this.#child = child
    this.#startedAt = clock.now()
    child.stdout.on('data', (text: Buffer) => {
      if (this.#isClosed) return
      this.#options.onMessage?.(text.toString())
      this.#lookIn(DEBOUNCE)
    })
    child.stdout.on('error', () => undefined)
    // A program that is not there has no end, only this.
    child.on('error', () => this.#onEnd(child))
    child.on('close', () => this.#onEnd(child))
    // What changed while nobody watched was told to nobody.
    this.#options.onMessage?.('')
    this.#lookIn(DEBOUNCE)
  }

  #onEnd(child: ChildProcess): void {
    if (this.#child !== child) return
    this.#child = undefined
    if (this.#isClosed) return
    const { clock } = this.#options
    const now = clock.now()
    if (between(this.#startedAt ?? now, now) > HEALTHY_LIFE) this.#restartIn = RESTART.first
    this.#restart = clock.schedule(after(now, this.#restartIn), () => this.#start())
    this.#restartIn = Milliseconds(Math.min(this.#restartIn * 2, RESTART.last))
    this.#lookIn(LOOK_EVERY.unwatched)
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
