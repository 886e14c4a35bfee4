import { Milliseconds, UnavailableError, after } from '@breakwater/core'
import type { Instant } from '@breakwater/core'
import type { LoadedCollection, RecordChange, RecordStore } from '@breakwater/dots'
import type { Chance } from '../chance.ts'
import type { Process } from './process.ts'

interface Kept {
  value: Uint8Array
  /** A bit flipped: its checksum does not hold any more. */
  damaged: boolean
}

/**
 * A disk that survives the programs that write to it. A commit reaches it some time after it was asked for and is
 * confirmed some time after that; a crash in between loses it, or loses only the confirmation.
 */
export class SimulatedDisk {
  /** Longest time of one commit in milliseconds. */
  latencyMilliseconds = 4
  /** Part of the calls that fail, 0 … 1. */
  failing = 0
  /** Planted bug: confirms what it has not written yet. */
  confirmsEarly = false
  /** Planted bug: deletes nothing. */
  keepsRecords = false
  readonly #chance: Chance
  readonly #collections = new Map<string, Map<string, Kept>>()
  readonly #everDamaged = new Set<string>()
  /** Writes happen in the order in which they were asked for. */
  #busyUntil: Instant | undefined

  constructor(chance: Chance) {
    this.#chance = chance
  }

  /** Keys of what is on the disk and can be read. */
  keys(collection: string): string[] {
    return [...this.#of(collection)].filter(([, kept]) => !kept.damaged).map(([key]) => key)
  }

  has(collection: string, key: string): boolean {
    return this.#of(collection).has(key)
  }

  /** Whether a record of this key was damaged at some time, so that what it said may be lost. */
  wasDamaged(key: string): boolean {
    return this.#everDamaged.has(key)
  }

  /** Flips a bit of one record, of this collection or of any. @returns whether there was one. */
  damage(collection?: string): boolean {
    const all = collection === undefined ? [...this.#collections.values()] : [this.#of(collection)]
    const sound = all.flatMap((each) => [...each]).filter(([, kept]) => !kept.damaged)
    if (sound.length === 0) return false
    const [key, kept] = this.#chance.oneOf(sound)
    kept.damaged = true
    this.#everDamaged.add(key)
    return true
  }

  /** Has records as another version of their program would have left them; `change` says undefined to leave one alone. */
  rewrite(collection: string, change: (value: Uint8Array) => Uint8Array | undefined): number {
    let count = 0
    for (const kept of this.#of(collection).values()) {
      const value = change(kept.value)
      if (value === undefined) continue
      kept.value = value
      count++
    }
    return count
  }

  /** The store as one process sees it. */
  mount(process: Process): RecordStore {
    return {
      load: (collection) => this.#call(process, () => this.#load(collection)),
      commit: (changes) => this.#commit(process, changes),
      close: () => Promise.resolve()
    }
  }

  #commit(process: Process, changes: readonly RecordChange[]): Promise<void> {
    const written = this.#call(process, () => this.#apply(changes))
    return this.confirmsEarly ? Promise.resolve() : written
  }

  #call<Result>(process: Process, act: () => Result): Promise<Result> {
    if (!process.isAlive) return new Promise(() => undefined)
    const total = this.#chance.between(0.1, this.latencyMilliseconds)
    const start =
      this.#busyUntil !== undefined && this.#busyUntil > process.now() ? this.#busyUntil : process.now()
    const writtenAt = after(start, Milliseconds(total * this.#chance.between(0.2, 0.9)))
    const confirmedAt = after(start, Milliseconds(total))
    this.#busyUntil = confirmedAt
    const fails = this.#chance.happens(this.failing)
    return new Promise((resolve, reject) => {
      let result: Result
      process.schedule(writtenAt, () => {
        if (!fails) result = act()
      })
      process.answerAt(confirmedAt, () => {
        if (fails) reject(new UnavailableError('SIM_DISK', 'the disk does not answer', true))
        else resolve(result)
      })
    })
  }

  #load(collection: string): LoadedCollection {
    const all = [...this.#of(collection)].toSorted(([a], [b]) => (a < b ? -1 : 1))
    return {
      records: all.flatMap(([key, { value, damaged }]) => (damaged ? [] : [{ key, value: value.slice() }])),
      damaged: all.flatMap(([key, { damaged }]) => (damaged ? [key] : []))
    }
  }

  #apply(changes: readonly RecordChange[]): void {
    for (const change of changes) {
      const collection = this.#of(change.collection)
      if (change.kind === 'put') collection.set(change.key, { value: change.value.slice(), damaged: false })
      else if (!this.keepsRecords) collection.delete(change.key)
    }
  }

  #of(collection: string): Map<string, Kept> {
    const found = this.#collections.get(collection) ?? new Map<string, Kept>()
    this.#collections.set(collection, found)
    return found
  }
}
