import type { DatabaseSync, StatementSync } from 'node:sqlite'

import type { Beat, ChangesOfOthers, RecordChange, Revision } from '@breakwater/dots'
import { LEASE_MS } from '@breakwater/dots'

import { recordChecksum } from '../checksum.ts'

/** So many changes are remembered; who has seen less of them is given everything. */
const REMEMBERED = 10_000

/**
 * Beside the records: who changed which in what order, who is there, and who leads. Without them a file is as that of a
 * server that shares it with nobody.
 */
const schema = `
  CREATE TABLE IF NOT EXISTS change (
    revision INTEGER PRIMARY KEY AUTOINCREMENT,
    writer TEXT NOT NULL,
    collection TEXT NOT NULL,
    key TEXT NOT NULL
  ) STRICT;
  CREATE TABLE IF NOT EXISTS member (writer TEXT PRIMARY KEY, notice BLOB NOT NULL, until REAL NOT NULL) STRICT;
  CREATE TABLE IF NOT EXISTS lead (
    one INTEGER PRIMARY KEY CHECK (one = 1),
    writer TEXT NOT NULL,
    until REAL NOT NULL
  ) STRICT`

interface Changed {
  readonly key: string
  readonly value: Uint8Array | null
  readonly checksum: bigint | null
}

/** What makes one SQLite file the store of several processes: synchronously, for the writer thread. */
export class Sharing {
  /** Names this process among those that share the file. */
  readonly #writer: string = crypto.randomUUID()
  readonly #database: DatabaseSync
  readonly #note: StatementSync
  readonly #changed: StatementSync
  readonly #all: StatementSync

  constructor(database: DatabaseSync) {
    this.#database = database
    database.exec(`BEGIN IMMEDIATE; ${schema}; COMMIT`)
    this.#note = database.prepare('INSERT INTO change (writer, collection, key) VALUES (?, ?, ?)')
    this.#changed = database.prepare(`
      SELECT DISTINCT change.key, record.value, record.checksum FROM change LEFT JOIN record USING (collection, key)
      WHERE revision > ? AND writer <> ? AND collection = ? ORDER BY change.key`)
    this.#changed.setReadBigInts(true)
    this.#all = database.prepare('SELECT key, value, checksum FROM record WHERE collection = ? ORDER BY key')
    this.#all.setReadBigInts(true)
  }

  /** Remembers that a record is changed, within the transaction that does. */
  note({ collection, key }: RecordChange): void {
    const { lastInsertRowid } = this.#note.run(this.#writer, collection, key)
    if (Number(lastInsertRowid) % (REMEMBERED / 10) === 0)
      this.#database
        .prepare('DELETE FROM change WHERE revision <= ?')
        .run(Number(lastInsertRowid) - REMEMBERED)
  }

  revision(): Revision {
    const { last } = this.#database.prepare('SELECT max(revision) AS last FROM change').get() as {
      last: number | null
    }
    return (last ?? 0) as Revision
  }

  /** Within a transaction, so that all of it is of one moment. */
  changes(collection: string, seen: Revision): ChangesOfOthers {
    const { first } = this.#database.prepare('SELECT min(revision) AS first FROM change').get() as {
      first: number | null
    }
    const isWhole = first !== null && seen + 1 < first
    const rows = isWhole ? this.#all.all(collection) : this.#changed.all(seen, this.#writer, collection)
    const changes: RecordChange[] = []
    const damaged: string[] = []
    for (const { key, value, checksum } of rows as unknown as Changed[]) {
      if (value === null) changes.push({ kind: 'delete', collection, key })
      else if (BigInt(recordChecksum(collection, key, value)) === checksum)
        changes.push({ kind: 'put', collection, key, value })
      else damaged.push(key)
    }
    return { revision: this.revision(), changes, isWhole, damaged }
  }

  /** Whether others have changed anything of the collection behind `seen`; within a transaction. */
  isOutdated(collection: string, seen: Revision): boolean {
    const others = this.#database.prepare(
      'SELECT 1 FROM change WHERE revision > ? AND writer <> ? AND collection = ? LIMIT 1'
    )
    return others.get(seen, this.#writer, collection) !== undefined
  }

  /**
   * Within a transaction. Times are those of the computer that all processes are on: one that steps forward makes another
   * server lead early, which the first one learns by its next beat.
   */
  beat(notice: Uint8Array, now: number): Beat {
    const until = now + LEASE_MS
    this.#database.prepare('INSERT OR REPLACE INTO member VALUES (?, ?, ?)').run(this.#writer, notice, until)
    // A lease that ends later than any that was given now is one of before the clock was set back.
    this.#database
      .prepare(
        `INSERT INTO lead VALUES (1, ?1, ?2) ON CONFLICT DO UPDATE SET writer = ?1, until = ?2
         WHERE writer = ?1 OR until <= ?3 OR until > ?2`
      )
      .run(this.#writer, until, now)
    const { writer } = this.#database.prepare('SELECT writer FROM lead').get() as { writer: string }
    const members = this.#database
      .prepare('SELECT notice FROM member WHERE writer <> ? AND until > ? ORDER BY writer')
      .all(this.#writer, now) as unknown as { notice: Uint8Array }[]
    this.#database.prepare('DELETE FROM member WHERE until <= ?').run(now - 10 * LEASE_MS)
    return { leads: writer === this.#writer, notices: members.map((member) => member.notice) }
  }

  /** Within a transaction: somebody else may lead now. */
  leave(): void {
    for (const table of ['member', 'lead'])
      this.#database.prepare(`DELETE FROM ${table} WHERE writer = ?`).run(this.#writer)
  }
}
