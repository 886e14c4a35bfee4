/**
 * The store port: durable records, named by collection and key. Implementations guard every record with a checksum of
 * their own: a damaged one is reported, never served.
 */
export interface RecordStore {
  /** Everything in a collection. Rejects with `UnavailableError` when the store cannot be read. */
  load(collection: string): Promise<LoadedCollection>
  /**
   * Applies all changes or none, after those of all earlier calls, whether these were waited for or not. Resolves when
   * they are on stable storage: only then may an answer be sent. Rejects with `UnavailableError`; then nothing of it was
   * applied.
   */
  commit(changes: readonly RecordChange[]): Promise<void>
  /** Finishes what was committed, then lets go of the files. */
  close(): Promise<void>
}

/** One step of a commit: what stood under this key is replaced, or gone. */
export type RecordChange =
  | { readonly kind: 'put'; readonly collection: string; readonly key: string; readonly value: Uint8Array }
  | { readonly kind: 'delete'; readonly collection: string; readonly key: string }

/** A record as it was put, its checksum proved. */
export interface StoredRecord {
  readonly key: string
  readonly value: Uint8Array
}

/** All that there is of a collection. */
export interface LoadedCollection {
  /** Ordered by key. */
  readonly records: readonly StoredRecord[]
  /** Keys whose checksum does not hold; and, in words, what else of the store is known to be lost. */
  readonly damaged: readonly string[]
}
