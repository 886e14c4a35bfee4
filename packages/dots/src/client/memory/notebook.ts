import { Seconds, after } from '@breakwater/core'
import type { Clock, Duration, ScheduledCall } from '@breakwater/core'
import type { LoadedCollection, RecordChange, RecordStore } from '../../domain/record-store.ts'

const RETRY_PAUSE: Duration = Seconds(5)

/** What an operator is to hear of a notebook. */
export interface NotebookReports {
  /** A record is none that was written: it is not served. */
  readonly onDamaged: (collection: string, key: string) => void
  /** The store did not take what was noted, and is tried again. Once for every time that it begins to fail. */
  readonly onFailure: (reason: string) => void
}

/**
 * What a client remembers over a restart, whoever wants it remembered: requests, numbers, protections, outcomes of
 * connection attempts, tickets. Nobody waits for the disk: changes are gathered while one commit is under way, the latest
 * of each record counts, and what could not be stored is tried again.
 */
export class Notebook {
  readonly #store: RecordStore
  readonly #clock: Clock
  readonly #reports: NotebookReports
  readonly #waiting = new Map<string, RecordChange>()
  #writing: Promise<boolean> | undefined
  #retry: ScheduledCall | undefined
  #isFailing = false
  #isClosed = false

  constructor(store: RecordStore, clock: Clock, reports: NotebookReports) {
    this.#store = store
    this.#clock = clock
    this.#reports = reports
  }

  /** Everything in a collection that is whole. Rejects with `UnavailableError` when the store cannot be read. */
  async load(collection: string): Promise<LoadedCollection['records']> {
    const { records, damaged } = await this.#store.load(collection)
    for (const key of damaged) this.#reports.onDamaged(collection, key)
    return records
  }

  /** @returns, when the store has been tried, whether it is on stable storage. */
  note(change: RecordChange): Promise<boolean> {
    if (this.#isClosed) return Promise.resolve(false)
    this.#waiting.set(`${change.collection}\n${change.key}`, change)
    return this.settled()
  }

  /** Resolves when all that was noted until now has been stored (true) or could not be (false). */
  async settled(): Promise<boolean> {
    const underWay = this.#writing
    if (underWay === undefined) return this.#write()
    await underWay
    // Others may have waited for the same: one of them writes for all.
    return this.#writing ?? this.#write()
  }

  /** Stores what waits, once more if need be, and then leaves the store alone. */
  async close(): Promise<void> {
    await this.settled()
    this.#isClosed = true
    this.#retry?.cancel()
  }

  #write(): Promise<boolean> {
    const changes = [...this.#waiting.values()]
    if (changes.length === 0) return Promise.resolve(true)
    this.#waiting.clear()
    this.#retry?.cancel()
    const writing = this.#commit(changes).finally(() => {
      this.#writing = undefined
    })
    this.#writing = writing
    return writing
  }

  async #commit(changes: readonly RecordChange[]): Promise<boolean> {
    try {
      await this.#store.commit(changes)
      this.#isFailing = false
      return true
    } catch (error) {
      this.#failed(changes, String(error))
      return false
    }
  }

  /** What was noted since then is newer. */
  #failed(changes: readonly RecordChange[], reason: string): void {
    for (const change of changes) {
      const name = `${change.collection}\n${change.key}`
      if (!this.#waiting.has(name)) this.#waiting.set(name, change)
    }
    if (!this.#isFailing) this.#reports.onFailure(reason)
    this.#isFailing = true
    if (this.#isClosed) return
    this.#retry = this.#clock.schedule(after(this.#clock.now(), RETRY_PAUSE), () => void this.settled())
  }
}
