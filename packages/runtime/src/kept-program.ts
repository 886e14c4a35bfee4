import { spawn } from 'node:child_process'
import type { ChildProcess } from 'node:child_process'
import { Milliseconds, Seconds, after, between } from '@breakwater/core'
import type { Clock, Duration, Instant, ScheduledCall } from '@breakwater/core'

const RESTART = { first: Seconds(1), last: Seconds(30) } as const

/** A program that lived so long is a healthy one. */
const HEALTHY_LIFE = Seconds(60)

export interface KeptProgramOptions {
  readonly command: readonly [string, ...string[]]
  readonly clock: Clock
  /** Before each start. */
  readonly onStart: () => void
  readonly onOutput: (bytes: Buffer) => void
  /** It has ended, or is not there; it will be started again. */
  readonly onEnd: () => void
}

/** A program that tells without end, and is started again where it dies: after a second at first, then more rarely. */
export class KeptProgram {
  readonly #options: KeptProgramOptions
  #child: ChildProcess | undefined
  #startedAt: Instant | undefined
  #restartIn: Duration = RESTART.first
  #restart: ScheduledCall | undefined
  #isClosed = false

  constructor(options: KeptProgramOptions) {
    this.#options = options
    this.#start()
  }

  get isRunning(): boolean {
    return this.#child !== undefined
  }

  /** It tells nonsense: another one may not. */
  end(): void {
    endGroup(this.#child)
  }

  /** Resolves when the program has ended. */
  async close(): Promise<void> {
    this.#isClosed = true
    this.#restart?.cancel()
    const child = this.#child
    if (child === undefined) return
    const ended = new Promise<void>((resolve) => child.once('close', () => resolve()))
    endGroup(child)
    await ended
  }

  #start(): void {
    const { command, clock, onStart, onOutput } = this.#options
    const [file, ...args] = command
    // A group of its own: who is a pipeline ends as a whole.
    const child = spawn(file, args, { stdio: ['ignore', 'pipe', 'ignore'], detached: true })
    this.#child = child
    this.#startedAt = clock.now()
    child.stdout.on('data', (bytes: Buffer) => {
      if (!this.#isClosed && this.#child === child) onOutput(bytes)
    })
    child.stdout.on('error', () => undefined)
    // A program that is not there has no end, only this.
    child.on('error', () => this.#onEnd(child))
    child.on('close', () => this.#onEnd(child))
    onStart()
  }

  #onEnd(child: ChildProcess): void {
    if (this.#child !== child) return
    this.#child = undefined
    if (this.#isClosed) return
    const { clock, onEnd } = this.#options
    const now = clock.now()
    if (between(this.#startedAt ?? now, now) > HEALTHY_LIFE) this.#restartIn = RESTART.first
    this.#restart = clock.schedule(after(now, this.#restartIn), () => this.#start())
    this.#restartIn = Milliseconds(Math.min(this.#restartIn * 2, RESTART.last))
    onEnd()
  }
}

/** One that has just ended by itself is as good. */
function endGroup(child: ChildProcess | undefined): void {
  if (child?.pid === undefined) return
  try {
    process.kill(-child.pid)
  } catch {
    // See above.
  }
}
