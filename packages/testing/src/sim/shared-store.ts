import { UnavailableError } from '@breakwater/core'
import { LEASE_MS } from '@breakwater/dots'
import type {
  Beat,
  ChangesOfOthers,
  CommitOutcome,
  LoadedCollection,
  RecordChange,
  Revision,
  SharedRecordStore
} from '@breakwater/dots'

interface Place {
  readonly collection: string
  readonly key: string
}

interface LogEntry extends Place {
  readonly revision: number
  readonly writer: number
}

interface Member {
  readonly notice: Uint8Array
  readonly until: number
}

/** So much of what happened is remembered; who has seen less is given everything. */
const REMEMBERED = 1000

/**
 * A store that several servers share, in memory. Everything is done at once; `open` makes the port of one server, the
 * methods here are the same for tests that have no promises.
 */
export class SimulatedSharedStore {
  readonly #clock: () => number
  readonly #records = new Map<string, Place & { readonly value: Uint8Array }>()
  readonly #members = new Map<number, Member>()
  #log: LogEntry[] = []
  #leader: { readonly writer: number; readonly until: number } | undefined
  #revision = 0
  #nextWriter = 1

  /** @param clock Milliseconds. */
  constructor(clock: () => number) {
    this.#clock = clock
  }

  /** The port of one more server. */
  open(): SharedRecordStore {
    return new Port(this, this.join())
  }

  /** Names one more server. */
  join(): number {
    return this.#nextWriter++
  }

  leave(writer: number): void {
    this.#members.delete(writer)
    if (this.#leader?.writer === writer) this.#leader = undefined
  }

  revision(): Revision {
    return this.#revision as Revision
  }

  load(collection: string): LoadedCollection {
    const records = [...this.#records.values()]
      .filter((record) => record.collection === collection)
      .map(({ key, value }) => ({ key, value: value.slice() }))
    return { records: records.toSorted((a, b) => (a.key < b.key ? -1 : 1)), damaged: [] }
  }

  changes(writer: number, collection: string, seen: Revision): ChangesOfOthers {
    const first = this.#log[0]?.revision ?? this.#revision + 1
    const isWhole = seen + 1 < first
    const keys = isWhole ? this.load(collection).records.map(({ key }) => key) : []
    for (const entry of this.#log)
      if (entry.revision > seen && entry.writer !== writer && entry.collection === collection)
        keys.push(entry.key)
    const changes = [...new Set(keys)].map((key) => this.#latest({ collection, key }))
    return { revision: this.revision(), changes, isWhole, damaged: [] }
  }

  commit(writer: number, changes: readonly RecordChange[]): void {
    if (changes.length === 0) return
    const revision = ++this.#revision
    for (const change of changes) {
      const { collection, key } = change
      if (change.kind === 'put')
        this.#records.set(nameOf(change), { collection, key, value: change.value.slice() })
      else this.#records.delete(nameOf(change))
      this.#log.push({ revision, writer, collection, key })
    }
    this.#log = this.#log.slice(-REMEMBERED)
  }

  commitAsOf(
    writer: number,
    seen: Revision,
    collection: string,
    changes: readonly RecordChange[]
  ): CommitOutcome {
    const others = this.changes(writer, collection, seen)
    if (others.changes.length > 0 || others.isWhole) return { kind: 'outdated', others }
    this.commit(writer, changes)
    return { kind: 'committed' }
  }

  beat(writer: number, notice: Uint8Array): Beat {
    const now = this.#clock()
    const until = now + LEASE_MS
    this.#members.set(writer, { notice: notice.slice(), until })
    if (this.#leader === undefined || this.#leader.writer === writer || this.#leader.until <= now)
      this.#leader = { writer, until }
    const others = [...this.#members].filter(([other, member]) => other !== writer && member.until > now)
    return { leads: this.#leader.writer === writer, notices: others.map(([, member]) => member.notice) }
  }

  #latest({ collection, key }: Place): RecordChange {
    const record = this.#records.get(nameOf({ collection, key }))
    return record === undefined
      ? { kind: 'delete', collection, key }
      : { kind: 'put', collection, key, value: record.value.slice() }
  }
}

function nameOf({ collection, key }: Place): string {
  return `${collection}\0${key}`
}

class Port implements SharedRecordStore {
  readonly #store: SimulatedSharedStore
  readonly #writer: number
  #isClosed = false

  constructor(store: SimulatedSharedStore, writer: number) {
    this.#store = store
    this.#writer = writer
  }

  revision(): Promise<Revision> {
    return this.#do(() => this.#store.revision())
  }

  load(collection: string): Promise<LoadedCollection> {
    return this.#do(() => this.#store.load(collection))
  }

  changes(collection: string, seen: Revision): Promise<ChangesOfOthers> {
    return this.#do(() => this.#store.changes(this.#writer, collection, seen))
  }

  commit(changes: readonly RecordChange[]): Promise<void> {
    return this.#do(() => this.#store.commit(this.#writer, changes))
  }

  commitAsOf(seen: Revision, collection: string, changes: readonly RecordChange[]): Promise<CommitOutcome> {
    return this.#do(() => this.#store.commitAsOf(this.#writer, seen, collection, changes))
  }

  beat(notice: Uint8Array): Promise<Beat> {
    return this.#do(() => this.#store.beat(this.#writer, notice))
  }

  close(): Promise<void> {
    if (!this.#isClosed) this.#store.leave(this.#writer)
    this.#isClosed = true
    return Promise.resolve()
  }

  #do<Result>(act: () => Result): Promise<Result> {
    if (this.#isClosed)
      return Promise.reject(new UnavailableError('STORE_CLOSED', 'the store is closed', false))
    return Promise.resolve(act())
  }
}
