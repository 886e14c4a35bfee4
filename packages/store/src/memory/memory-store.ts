import { UnavailableError } from '@breakwater/core'
import type { LoadedCollection, RecordChange, RecordStore } from '@breakwater/dots'

/** Keeps records in memory: for tests, and for agents whose operator wants nothing on disk. */
export function memoryStore(): RecordStore {
  return new MemoryStore()
}

class MemoryStore implements RecordStore {
  readonly #collections = new Map<string, Map<string, Uint8Array>>()
  #closed = false

  load(collection: string): Promise<LoadedCollection> {
    if (this.#closed) return Promise.reject(closedStore())
    const records = [...(this.#collections.get(collection) ?? [])]
      .map(([key, value]) => ({ key, value: value.slice() }))
      .toSorted((a, b) => (a.key < b.key ? -1 : 1))
    return Promise.resolve({ records, damaged: [] })
  }

  commit(changes: readonly RecordChange[]): Promise<void> {
    if (this.#closed) return Promise.reject(closedStore())
    for (const change of changes) this.#apply(change)
    return Promise.resolve()
  }

  close(): Promise<void> {
    this.#closed = true
    return Promise.resolve()
  }

  #apply(change: RecordChange): void {
    const records = this.#collections.get(change.collection) ?? new Map<string, Uint8Array>()
    this.#collections.set(change.collection, records)
    if (change.kind === 'put') records.set(change.key, change.value.slice())
    else records.delete(change.key)
  }
}

function closedStore(): UnavailableError {
  return new UnavailableError('STORE_CLOSED', 'the store is closed', false)
}
