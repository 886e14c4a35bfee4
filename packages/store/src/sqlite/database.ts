import { statSync } from 'node:fs'
import { DatabaseSync, type StatementSync } from 'node:sqlite'

import type { LoadedCollection, RecordChange, StoredRecord } from '@breakwater/dots'

import { recordChecksum } from '../checksum.ts'
import { Sharing } from './sharing.ts'
import { walDamage } from './wal-damage.ts'

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
  readonly collection: string
  readonly key: string
  readonly value: Uint8Array
  /** A damaged one may be too large for a number. */
  readonly checksum: bigint
}

/** Bytes of a file's header; a shorter file is an empty database to SQLite. */
const HEADER_BYTES = 100

/** Waiting for another process that writes, in milliseconds: the writer thread waits, and nobody else. */
const MOST_WAITING_MS = 2000

/** SQLITE_BUSY: another process has the file, or writes. */
const BUSY = 5

/** Whether another process was in the way. */
export function isBusy(error: unknown): boolean {
  return error instanceof Error && 'errcode' in error && (Number(error.errcode) & 0xff) === BUSY
}

/** The records of one SQLite file, synchronously: it belongs to the writer thread. */
export class RecordDatabase {
  /** Of one whose file several processes share. */
  readonly sharing: Sharing | undefined
  readonly #database: DatabaseSync
  readonly #put: StatementSync
  readonly #delete: StatementSync
  readonly #select: StatementSync
  /** What the log of an earlier process no longer tells. */
  readonly lost: readonly string[]

  /**
   * Opens or creates the file; throws when it cannot, when another process holds it, when it is of a later version, or
   * when SQLite itself finds it malformed.
   * @param shared Other processes may have it, too, if they share it.
   */
  constructor(path: string, shared = false) {
    this.lost = shared ? lostBeforeSharing(path) : lostOf(path)
    this.#database = new DatabaseSync(path)
    try {
      if (shared) this.#joinOthers()
      else {
        this.#takeAlone()
        this.#checkStructure()
      }
      this.sharing = shared ? new Sharing(this.#database) : undefined
      this.#put = this.#database.prepare('INSERT OR REPLACE INTO record VALUES (?, ?, ?, ?)')
      this.#delete = this.#database.prepare('DELETE FROM record WHERE collection = ? AND key = ?')
      this.#select = this.#database.prepare(
        'SELECT collection, key, value, checksum FROM record ORDER BY collection, key'
      )
      this.#select.setReadBigInts(true)
    } catch (error) {
      this.#database.close()
      throw error
    }
  }

  /**
   * Reads all records, whatever collection is asked for: where the name of the collection is what was damaged, the record
   * is no longer among its own. One that is in no collection with intact records is therefore reported with every one.
   */
  load(collection: string): LoadedCollection {
    const records: StoredRecord[] = []
    const damaged: string[] = []
    const strays: Row[] = []
    const intact = new Set<string>()
    for (const row of this.#select.iterate() as unknown as Iterable<Row>) {
      const isIntact = BigInt(recordChecksum(row.collection, row.key, row.value)) === row.checksum
      if (isIntact) intact.add(row.collection)
      if (row.collection !== collection) {
        if (!isIntact) strays.push(row)
      } else if (isIntact) records.push({ key: row.key, value: row.value })
      else damaged.push(row.key)
    }
    const homeless = strays.filter((row) => !intact.has(row.collection))
    const named = homeless.map((row) => `${row.collection}/${row.key}`)
    return { records, damaged: [...damaged, ...named, ...this.lost] }
  }

  /** Applies all changes in one transaction that is on stable storage when this returns; throws and applies none else. */
  commit(changes: Iterable<RecordChange>): void {
    this.transact(() => {
      for (const change of changes) this.apply(change)
    })
  }

  /** Does everything or, when it throws, nothing; what it did is on stable storage when this returns. */
  transact<Result>(act: () => Result): Result {
    return this.#within('BEGIN IMMEDIATE', act)
  }

  /** Reads several things of one moment. */
  read<Result>(act: () => Result): Result {
    return this.#within('BEGIN', act)
  }

  close(): void {
    this.#database.close()
  }

  #within<Result>(begin: string, act: () => Result): Result {
    this.#database.exec(begin)
    try {
      const result = act()
      this.#database.exec('COMMIT')
      return result
    } catch (error) {
      if (this.#database.isTransaction) this.#database.exec('ROLLBACK')
      throw error
    }
  }

  /** Within a transaction. */
  apply(change: RecordChange): void {
    const { collection, key } = change
    this.sharing?.note(change)
    if (change.kind === 'put')
      this.#put.run(collection, key, change.value, recordChecksum(collection, key, change.value))
    else this.#delete.run(collection, key)
  }

  #createTable(): void {
    if (this.#database.prepare('SELECT 1 FROM sqlite_schema').get() !== undefined)
      throw new Error('the file has tables without a layout version: it is damaged, or of another program')
    this.#database.exec(schema)
  }

  /** Checksums guard the records that are found; this finds out that some would not be. */
  #checkStructure(): void {
    const [finding] = this.#database.prepare('PRAGMA integrity_check(1)').all()
    const words = String(Object.values(finding ?? {})[0])
    if (words !== 'ok')
      throw new Error(`the file is damaged beyond single records, restore it or remove it: ${words}`)
  }

  #takeAlone(): void {
    // One writer only: a second agent on the same file is refused at once instead of fighting over it.
    this.#database.exec('PRAGMA locking_mode = EXCLUSIVE')
    this.#database.exec('PRAGMA busy_timeout = 0')
    this.#database.exec('PRAGMA journal_mode = WAL')
    this.#synchronise()
    // Frames of a torn end must not outlive this start: behind newer ones, they would look like damage.
    this.#database.exec('PRAGMA wal_checkpoint(TRUNCATE)')
    this.transact(() => this.#prepareTables())
  }

  #joinOthers(): void {
    this.#database.exec(`PRAGMA busy_timeout = ${MOST_WAITING_MS}`)
    this.#database.exec('PRAGMA journal_mode = WAL')
    this.#synchronise()
    this.transact(() => this.#prepareTables())
  }

  /** FULL: an acknowledged mitigation survives a power failure, too. */
  #synchronise(): void {
    this.#database.exec('PRAGMA synchronous = FULL')
  }

  #prepareTables(): void {
    const { user_version: version } = this.#database.prepare('PRAGMA user_version').get() as {
      user_version: number
    }
    if (version > schemaVersion)
      throw new Error(`the file has layout version ${version}; this program knows ${schemaVersion}`)
    if (version === 0) {
      this.#createTable()
      this.#database.exec(`PRAGMA user_version = ${schemaVersion}`)
    }
  }
}

/** What the log of an earlier process no longer tells, in words. */
function lostOf(path: string): readonly string[] {
  const bytes = statSync(path, { throwIfNoEntry: false })?.size ?? 0
  if (bytes > 0 && bytes < HEADER_BYTES) throw new Error(`the file was cut off after ${bytes} bytes`)
  const damage = walDamage(`${path}-wal`)
  return damage === undefined ? [] : [damage]
}

/**
 * Whoever comes first has the file alone for a moment, and makes all checks. Where others are at work they have been made,
 * and the log, which these are writing, says nothing of damage.
 */
function lostBeforeSharing(path: string): readonly string[] {
  try {
    const alone = new RecordDatabase(path)
    alone.close()
    return alone.lost
  } catch (error) {
    if (isBusy(error)) return []
    throw error
  }
}
