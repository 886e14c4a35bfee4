import { DatabaseSync, type StatementSync } from 'node:sqlite'

import type { LoadedCollection, RecordChange, StoredRecord } from '@breakwater/dots'

import { recordChecksum } from '../checksum.ts'

/** Version of the table layout, kept in `user_version`. */
const schemaVersion = 1

const schema = `
  CREATE TABLE record (
    collection TEXT NOT NULL,
    key TEXT NOT NULL,
    value BLOB NOT NULL,
    checksum INTEGER NOT NULL,
    PRIMARY KEY (collection, key)
  ) STRICT, WITHOUT ROWID`

interface Row {
  readonly key: string
  readonly value: Uint8Array
  readonly checksum: number
}

/** The records of one SQLite file, synchronously: it belongs to the writer thread. */
export class RecordDatabase {
  readonly #database: DatabaseSync
  readonly #put: StatementSync
  readonly #delete: StatementSync
  readonly #select: StatementSync

  /** Opens or creates the file; throws when it cannot, when another process holds it, or when it is of a later version. */
  constructor(path: string) {
    this.#database = new DatabaseSync(path)
    try {
      this.#prepareFile()
    } catch (error) {
      this.#database.close()
      throw error
    }
    this.#put = this.#database.prepare('INSERT OR REPLACE INTO record VALUES (?, ?, ?, ?)')
    this.#delete = this.#database.prepare('DELETE FROM record WHERE collection = ? AND key = ?')
    this.#select = this.#database.prepare(
      'SELECT key, value, checksum FROM record WHERE collection = ? ORDER BY key'
    )
  }

  load(collection: string): LoadedCollection {
    const records: StoredRecord[] = []
    const damaged: string[] = []
    for (const row of this.#select.iterate(collection) as unknown as Iterable<Row>)
      if (recordChecksum(collection, row.key, row.value) === row.checksum)
        records.push({ key: row.key, value: row.value })
      else damaged.push(row.key)
    return { records, damaged }
  }

  /** Applies all changes in one transaction that is on stable storage when this returns; throws and applies none else. */
  commit(changes: Iterable<RecordChange>): void {
    this.#database.exec('BEGIN IMMEDIATE')
    try {
      for (const change of changes) this.#apply(change)
      this.#database.exec('COMMIT')
    } catch (error) {
      if (this.#database.isTransaction) this.#database.exec('ROLLBACK')
      throw error
    }
  }

  close(): void {
    this.#database.close()
  }

  #apply(change: RecordChange): void {
    const { collection, key } = change
    if (change.kind === 'put')
      this.#put.run(collection, key, change.value, recordChecksum(collection, key, change.value))
    else this.#delete.run(collection, key)
  }

  #prepareFile(): void {
    // One writer only: a second agent on the same file is refused at once instead of fighting over it.
    this.#database.exec('PRAGMA locking_mode = EXCLUSIVE')
    this.#database.exec('PRAGMA busy_timeout = 0')
    this.#database.exec('PRAGMA journal_mode = WAL')
    // FULL: an acknowledged mitigation survives a power failure, too.
    this.#database.exec('PRAGMA synchronous = FULL')
    this.#database.exec('BEGIN IMMEDIATE')
    const { user_version: version } = this.#database.prepare('PRAGMA user_version').get() as {
      user_version: number
    }
    if (version > schemaVersion)
      throw new Error(`the file has layout version ${version}; this program knows ${schemaVersion}`)
    if (version === 0) this.#database.exec(schema)
    this.#database.exec(`PRAGMA user_version = ${schemaVersion}`)
    this.#database.exec('COMMIT')
  }
}
