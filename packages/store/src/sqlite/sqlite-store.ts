import { mkdirSync } from 'node:fs'
import { dirname } from 'node:path'
import { Worker } from 'node:worker_threads'

import { UnavailableError } from '@breakwater/core'
import type {
  Beat,
  ChangesOfOthers,
  CommitOutcome,
  LoadedCollection,
  RecordChange,
  RecordStore,
  Revision,
  SharedRecordStore
} from '@breakwater/dots'

import type { Result, WriterAnswer, WriterOptions, WriterRequest } from './protocol.ts'

export interface SqliteStoreOptions {
  /** The database file; its folder is made when missing. */
  readonly path: string
  /** Requests that may wait for the disk; more are refused at once. Default 100,000. */
  readonly waitingLimit?: number
}

interface Waiting {
  readonly resolve: (result: Result | undefined) => void
  readonly reject: (error: UnavailableError) => void
}

/**
 * Opens the embedded store: SQLite with write-ahead log and full synchronisation, in a thread of its own with group
 * commit. Rejects with `UnavailableError` when the file cannot be used, also when another process holds it.
 */
export function openSqliteStore(options: SqliteStoreOptions): Promise<RecordStore> {
  return open(options, false)
}

/**
 * Opens the embedded store so that other processes on this computer may share it, each by an instance of its own. A process that
 * waits longer than two seconds for another one's write is told `STORE_BUSY`.
 */
export function openSharedSqliteStore(options: SqliteStoreOptions): Promise<SharedRecordStore> {
  return open(options, true)
}

async function open(options: SqliteStoreOptions, shared: boolean): Promise<SqliteStore> {
  mkdirSync(dirname(options.path), { recursive: true })
  const writer = new Worker(new URL(writerFile(), import.meta.url), {
    workerData: { path: options.path, shared } satisfies WriterOptions,
    // The parent's flags may name loaders that the writer does not need.
    execArgv: []
  })
  const store = new SqliteStore(writer, options)
  await store.opened
  return store
}

/** Source in a checkout, built JavaScript in a package. */
function writerFile(): string {
  return import.meta.url.endsWith('.ts') ? './writer.ts' : './writer.js'
}

class SqliteStore implements SharedRecordStore {
  readonly opened: Promise<void>
  /** Resolves when the writer thread is gone. */
  readonly #ended: Promise<void>
  readonly #writer: Worker
  readonly #path: string
  readonly #waitingLimit: number
  readonly #waiting = new Map<number, Waiting>()
  #nextId = 1
  /** Why nothing more is accepted. */
  #unusable: UnavailableError | undefined

  constructor(writer: Worker, options: SqliteStoreOptions) {
    this.#writer = writer
    this.#path = options.path
    this.#waitingLimit = options.waitingLimit ?? 100_000
    this.opened = new Promise((resolve, reject) => {
      writer.on('message', (answer: WriterAnswer) => {
        if (answer.kind === 'opened') resolve()
        // The thread ends by itself, which tells why.
        else if (answer.kind === 'unopened')
          this.#unusable = this.#unavailable('STORE_UNOPENED', answer.message, false)
        else this.#answer(answer)
      })
      writer.on('error', (error) => reject(this.#die(error)))
      writer.on('exit', () => reject(this.#die(undefined)))
    })
    this.#ended = new Promise((resolve) => {
      writer.once('exit', () => resolve())
    })
  }

  async load(collection: string): Promise<LoadedCollection> {
    return (await this.#ask({ kind: 'load', id: this.#nextId++, collection })) as LoadedCollection
  }

  async revision(): Promise<Revision> {
    return (await this.#ask({ kind: 'revision', id: this.#nextId++ })) as Revision
  }

  async changes(collection: string, seen: Revision): Promise<ChangesOfOthers> {
    const asOf = { seen, collection }
    return (await this.#ask({ kind: 'changes', id: this.#nextId++, asOf })) as ChangesOfOthers
  }

  async beat(notice: Uint8Array): Promise<Beat> {
    return (await this.#ask({ kind: 'beat', id: this.#nextId++, notice })) as Beat
  }

  async commitAsOf(
    seen: Revision,
    collection: string,
    changes: readonly RecordChange[]
  ): Promise<CommitOutcome> {
    const asOf = { seen, collection }
    const outcome = await this.#ask({ kind: 'commit', id: this.#nextId++, changes, asOf })
    return (outcome as CommitOutcome | undefined) ?? { kind: 'committed' }
  }

  async commit(changes: readonly RecordChange[]): Promise<void> {
    await this.#ask({ kind: 'commit', id: this.#nextId++, changes })
  }

  async close(): Promise<void> {
    if (this.#unusable !== undefined) return
    const closed = this.#ask({ kind: 'close', id: this.#nextId++ })
    this.#unusable = new UnavailableError('STORE_CLOSED', 'the store is closed', false)
    await closed
    // It ends by itself; to terminate it as well could interrupt V8 while it takes down the heap of the thread.
    await this.#ended
  }

  #ask(request: WriterRequest): Promise<Result | undefined> {
    if (this.#unusable !== undefined) return Promise.reject(this.#unusable)
    if (this.#waiting.size >= this.#waitingLimit)
      return Promise.reject(
        this.#unavailable('STORE_OVERLOADED', `${this.#waiting.size} requests wait for the disk`, true)
      )
    return new Promise((resolve, reject) => {
      this.#waiting.set(request.id, { resolve, reject })
      this.#writer.postMessage(request)
    })
  }

  #answer(answer: Exclude<WriterAnswer, { kind: 'opened' | 'unopened' }>): void {
    if (answer.kind === 'done') {
      for (const id of answer.ids) this.#take(id)?.resolve(undefined)
      return
    }
    const waiting = this.#take(answer.id)
    if (answer.kind === 'answered') waiting?.resolve(answer.result)
    else
      waiting?.reject(this.#unavailable(answer.isBusy ? 'STORE_BUSY' : 'STORE_FAILED', answer.message, true))
  }

  #take(id: number): Waiting | undefined {
    const waiting = this.#waiting.get(id)
    this.#waiting.delete(id)
    return waiting
  }

  /** The writer is gone: everyone who waits is told, and nothing more is accepted. */
  #die(cause: unknown): UnavailableError {
    this.#unusable ??= this.#unavailable('STORE_WRITER_DIED', 'its writer thread ended', false, cause)
    for (const waiting of this.#waiting.values()) waiting.reject(this.#unusable)
    this.#waiting.clear()
    return this.#unusable
  }

  #unavailable(code: string, message: string, retryable: boolean, cause?: unknown): UnavailableError {
    return new UnavailableError(code, `store ${this.#path}: ${message}`, retryable, { cause })
  }
}
