import { watch } from 'node:fs'
import type { FSWatcher } from 'node:fs'
import { stat } from 'node:fs/promises'
import { Milliseconds, Seconds, after } from '@breakwater/core'
import type { Clock, Duration, ScheduledCall } from '@breakwater/core'

/** Several changes at once are one: a rename is two, and who writes does so in pieces. */
const DEBOUNCE = Milliseconds(50)

/** What the kernel does not tell (another folder in this place, a network file system) is found by looking. */
const LOOK_EVERY = Seconds(10)

/**
 * Calls `look` at once, soon after every change in a folder, and from time to time; never twice at the same time. The
 * folder may be missing for now.
 */
export class FolderWatch {
  /** Resolves when `look` has been done once. Never rejects. */
  readonly ready: Promise<void>
  readonly #folder: string
  readonly #clock: Clock
  readonly #look: () => Promise<void>
  #watcher: FSWatcher | undefined
  /** The folder that `#watcher` watches. */
  #watched: string | undefined
  #next: ScheduledCall | undefined
  #running: Promise<void> | undefined
  #isChanged = false
  #isClosed = false

  constructor(folder: string, clock: Clock, look: () => Promise<void>) {
    this.#folder = folder
    this.#clock = clock
    this.#look = look
    this.#run()
    this.ready = this.#running ?? Promise.resolve()
  }

  /** Resolves when nothing is being looked at any more. */
  async close(): Promise<void> {
    this.#isClosed = true
    this.#next?.cancel()
    this.#unwatch()
    await this.#running
  }

  #run(): void {
    if (this.#isClosed || this.#running !== undefined) return
    this.#next?.cancel()
    this.#isChanged = false
    this.#running = this.#lookOnce().finally(() => {
      this.#running = undefined
      this.#scheduleIn(this.#isChanged ? DEBOUNCE : LOOK_EVERY)
    })
  }

  async #lookOnce(): Promise<void> {
    // First the watch, then the look: nothing falls between the two.
    await this.#rewatch()
    await this.#look()
  }

  #scheduleIn(delay: Duration): void {
    if (this.#isClosed) return
    this.#next?.cancel()
    this.#next = this.#clock.schedule(after(this.#clock.now(), delay), () => this.#run())
  }

  #onChange(): void {
    if (this.#isChanged || this.#isClosed) return
    this.#isChanged = true
    if (this.#running === undefined) this.#scheduleIn(DEBOUNCE)
  }

  async #rewatch(): Promise<void> {
    const identity = await stat(this.#folder).then(
      ({ dev, ino }) => `${dev} ${ino}`,
      () => undefined
    )
    if (identity === this.#watched || this.#isClosed) return
    this.#unwatch()
    if (identity === undefined) return
    try {
      this.#watcher = watch(this.#folder, { persistent: false }, () => this.#onChange())
      this.#watcher.on('error', () => this.#unwatch())
      this.#watched = identity
    } catch {
      // Too many watches, or gone again: looking from time to time is left.
    }
  }

  #unwatch(): void {
    this.#watcher?.close()
    this.#watcher = undefined
    this.#watched = undefined
  }
}
