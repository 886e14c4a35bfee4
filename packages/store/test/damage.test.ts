import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'

import type { LoadedCollection } from '@breakwater/dots'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'

import { RecordDatabase } from '../src/sqlite/database.ts'

const COUNT = 120

/** CRC-32, as SQLite stores most of them: in four bytes, or in six from 2^31. */
const CHECKSUM_BYTES = 4

let folder: string
let path: string

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'breakwater-damage-'))
  path = join(folder, 'store.db')
  const database = new RecordDatabase(path)
  database.commit(
    Array.from({ length: COUNT }, (_, index) => ({
      kind: 'put' as const,
      collection: 'mitigation',
      key: keyOf(index),
      value: valueOf(index)
    }))
  )
  database.close()
})

afterEach(() => rmSync(folder, { recursive: true, force: true }))

function keyOf(index: number): string {
  return `client/${String(index).padStart(3, '0')}`
}

function valueOf(index: number): Uint8Array {
  return new Uint8Array(70).fill(index)
}

function open(): LoadedCollection {
  const database = new RecordDatabase(path)
  try {
    return database.load('mitigation')
  } finally {
    database.close()
  }
}

/** Changes rows behind the store's back. */
function tamper(sql: string): void {
  const database = new DatabaseSync(path)
  database.exec(sql)
  database.close()
}

/** `refused`, or `whole` where nothing that was damaged matters; fails where the loss is silent or a lie is served. */
function verdictOn(bytes: Uint8Array): 'refused' | 'reported' | 'whole' {
  writeFileSync(path, bytes)
  let loaded: LoadedCollection
  try {
    loaded = open()
  } catch (error) {
    expect(String(error)).toMatch(/\w{4}/)
    return 'refused'
  }
  for (const { key, value } of loaded.records) expect(value).toEqual(valueOf(Number(key.slice(-3))))
  const missing = COUNT - new Set(loaded.records.map(({ key }) => key)).size
  expect(loaded.damaged.length).toBeGreaterThanOrEqual(missing)
  return missing > 0 ? 'reported' : 'whole'
}

/** Where a record stands: pages keep what was there before they were split. */
function liveCopy(bytes: Buffer, text: string): number {
  for (let at = bytes.indexOf(text); at >= 0; at = bytes.indexOf(text, at + 1)) {
    const changed = Uint8Array.from(bytes)
    changed[at + text.length] = 0xee
    if (verdictOn(changed) !== 'whole') return at
  }
  return expect.fail(`no ${text}`)
}

describe('one flipped bit anywhere in the file', () => {
  it('is reported or refused, or does not matter', { timeout: 60_000 }, () => {
    const bytes = readFileSync(path)
    const verdicts = { refused: 0, reported: 0, whole: 0 }
    // Prime, so that all bits of a byte and all places of a cell have their turn.
    for (let bit = 0; bit < bytes.length * 8; bit += 499) {
      const flipped = Uint8Array.from(bytes)
      flipped[bit >> 3] = (flipped[bit >> 3] ?? 0) ^ (1 << (bit & 7))
      verdicts[verdictOn(flipped)]++
    }
    expect(verdicts.refused).toBeGreaterThan(5)
    expect(verdicts.reported).toBeGreaterThan(20)
    expect(verdicts.whole).toBeGreaterThan(20)
  })
})

describe('every single bit of a record, its collection, key, value and checksum', () => {
  it('is reported or refused when it flips', { timeout: 120_000 }, () => {
    const bytes = readFileSync(path)
    const start = liveCopy(bytes, `mitigation${keyOf(7)}`)
    const length = 'mitigation'.length + keyOf(7).length + valueOf(7).length + CHECKSUM_BYTES
    for (let bit = 8 * start; bit < 8 * (start + length); bit++) {
      const flipped = Uint8Array.from(bytes)
      flipped[bit >> 3] = (flipped[bit >> 3] ?? 0) ^ (1 << (bit & 7))
      expect(verdictOn(flipped), `bit ${bit - 8 * start} of the record`).not.toBe('whole')
    }
  })
})

describe('a page that says that it holds fewer records than it does', () => {
  it('is refused: the checksums of those that it hides are never looked at', () => {
    const bytes = readFileSync(path)
    const leaf = bytes.findIndex((byte, at) => at % 4096 === 0 && at > 0 && byte === 0x0a)
    expect(leaf).toBeGreaterThan(0)
    const count = (bytes[leaf + 3] ?? 0) * 256 + (bytes[leaf + 4] ?? 0)
    bytes[leaf + 4] = count - 1
    expect(() => {
      writeFileSync(path, bytes)
      open()
    }).toThrow(/damaged beyond single records/)
  })
})

describe('a file cut off', () => {
  it.each([1, 99, 100, 511, 512, 4096, 5000, 8192])('after %i bytes is refused', (length) => {
    expect(verdictOn(readFileSync(path).subarray(0, length))).toBe('refused')
  })
})

describe('a damaged row', () => {
  it.each([
    ['key', `key = 'client/00h'`],
    ['collection', `collection = 'mitigatioo'`],
    ['value', `value = x'00'`],
    ['value, cut off,', `value = substr(value, 1, 69)`],
    ['checksum', `checksum = checksum | (1 << 62)`]
  ])('%s is reported, and all others are served', (_, change) => {
    tamper(`UPDATE record SET ${change} WHERE key = 'client/007'`)
    const { records, damaged } = open()
    expect(damaged).toHaveLength(1)
    expect(records).toHaveLength(COUNT - 1)
  })
})

/** The bytes of a file and a log with ten transactions, as `kill -9` leaves them. */
function killed(): readonly [file: Buffer, log: Buffer] {
  const database = new RecordDatabase(path)
  for (let index = 0; index < 10; index++) {
    const value = valueOf(index + 100)
    database.commit([{ kind: 'put', collection: 'mitigation', key: keyOf(index), value }])
  }
  const left = [readFileSync(path), readFileSync(`${path}-wal`)] as const
  database.close()
  return left
}

describe('the write-ahead log of a killed process', () => {
  it('is reported where a flipped bit takes acknowledged transactions with it, and only there', () => {
    const [file, whole] = killed()
    const frame = 4096 + 24
    for (let bit = 0; bit < whole.length * 8; bit += 1499) {
      const flipped = Uint8Array.from(whole)
      flipped[bit >> 3] = (flipped[bit >> 3] ?? 0) ^ (1 << (bit & 7))
      writeFileSync(path, file)
      writeFileSync(`${path}-wal`, flipped)
      const isLast = bit >> 3 >= whole.length - frame
      expect(open().damaged.length, `bit ${bit}`).toBe(isLast ? 0 : 1)
    }
  })

  it('is not reported where its end is torn', () => {
    const [file, whole] = killed()
    for (let length = whole.length; length > 0; length -= 1021) {
      writeFileSync(path, file)
      writeFileSync(`${path}-wal`, whole.subarray(0, length))
      expect(open().damaged, `${length} bytes`).toEqual([])
    }
  })
})

describe('a file whose layout version is gone', () => {
  it('is refused as what it is', () => {
    tamper('PRAGMA user_version = 0')
    expect(open).toThrow(/tables without a layout version/)
  })
})
