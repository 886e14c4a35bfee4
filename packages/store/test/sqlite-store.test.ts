import { type ChildProcess, spawn } from 'node:child_process'
import { existsSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { DatabaseSync } from 'node:sqlite'

import { UnavailableError } from '@breakwater/core'
import type { RecordChange } from '@breakwater/dots'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'

import { openSharedSqliteStore, openSqliteStore } from '../src/index.ts'

let folder: string
let path: string

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'breakwater-store-'))
  path = join(folder, 'nested', 'store.db')
})

afterEach(() => rmSync(folder, { recursive: true, force: true }))

function put(key: string, value: readonly number[]): RecordChange {
  return { kind: 'put', collection: 'mitigation', key, value: Uint8Array.from(value) }
}

/** Changes the file behind the store's back. */
function tamper(sql: string): void {
  const database = new DatabaseSync(path)
  database.exec(sql)
  database.close()
}

async function keptKeys(): Promise<readonly string[]> {
  const store = await openSqliteStore({ path })
  const { records } = await store.load('mitigation')
  await store.close()
  return records.map(({ key }) => key)
}

describe('the SQLite store', () => {
  it('makes the folder of its file', async () => {
    const store = await openSqliteStore({ path })
    await store.close()
    expect(existsSync(path)).toBe(true)
  })

  it.each([
    ['a flipped bit in a value', `UPDATE record SET value = x'0103' WHERE key = 'b'`],
    ['a value that strayed to another key', `UPDATE record SET key = 'c' WHERE key = 'b'`],
    ['a flipped bit in a checksum', `UPDATE record SET checksum = checksum + 1 WHERE key = 'b'`]
  ])('reports %s and serves the rest', async (_, sql) => {
    const store = await openSqliteStore({ path })
    await store.commit([put('a', [1, 1]), put('b', [1, 2])])
    await store.close()
    tamper(sql)
    const reopened = await openSqliteStore({ path })
    const { records, damaged } = await reopened.load('mitigation')
    await reopened.close()
    expect(records.map(({ key }) => key)).toEqual(['a'])
    expect(damaged).toHaveLength(1)
  })

  it('refuses a file that another process holds', async () => {
    const store = await openSqliteStore({ path })
    await expect(openSqliteStore({ path })).rejects.toThrow(UnavailableError)
    await store.commit([put('a', [1])])
    await store.close()
    expect(await keptKeys()).toEqual(['a'])
  })

  it('that is shared says so when another process goes on writing, and takes changes again afterwards', async () => {
    const store = await openSharedSqliteStore({ path })
    const rival = new DatabaseSync(path)
    rival.exec('BEGIN IMMEDIATE')
    await expect(store.commit([put('a', [1])])).rejects.toMatchObject({ code: 'STORE_BUSY' })
    rival.exec('COMMIT')
    await store.commit([put('b', [2])])
    rival.close()
    await store.close()
    expect(await keptKeys()).toEqual(['b'])
  })

  it('refuses a file of a later layout and leaves it alone', async () => {
    await (await openSqliteStore({ path })).close()
    tamper('PRAGMA user_version = 99')
    await expect(openSqliteStore({ path })).rejects.toThrow(/version 99/)
    const database = new DatabaseSync(path)
    expect(database.prepare('PRAGMA user_version').get()).toEqual({ user_version: 99 })
    database.close()
  })

  it('refuses a file that is no database', async () => {
    await expect(openSqliteStore({ path: '/dev/null/store.db' })).rejects.toThrow()
    await expect(openSqliteStore({ path: '/proc/version' })).rejects.toThrow(UnavailableError)
  })

  it('refuses more than its limit of waiting requests instead of growing without bound', async () => {
    const store = await openSqliteStore({ path, waitingLimit: 10 })
    const outcomes = await Promise.allSettled(
      Array.from({ length: 50 }, (_, i) => store.commit([put(`k${i}`, [i])]))
    )
    await store.close()
    const kept = await keptKeys()
    expect(outcomes.filter(({ status }) => status === 'rejected').length).toBeGreaterThan(0)
    expect(kept).toHaveLength(outcomes.filter(({ status }) => status === 'fulfilled').length)
  })

  it('has every record that it confirmed after kill -9', { timeout: 30_000 }, async () => {
    const writer = spawn(process.execPath, [join(import.meta.dirname, 'endless-writer.ts'), path], {
      stdio: ['ignore', 'pipe', 'inherit']
    })
    const confirmed = await confirmedUntilKilled(writer, 200)
    const kept = new Set(await keptKeys())
    expect(confirmed.filter((key) => !kept.has(key))).toEqual([])
  })
})

/** Kills the writer in the middle of its work once it has confirmed `count` keys; returns all that it confirmed. */
function confirmedUntilKilled(writer: ChildProcess, count: number): Promise<readonly string[]> {
  const confirmed: string[] = []
  return new Promise((resolve, reject) => {
    if (writer.stdout === null) return reject(new Error('the writer has no output'))
    createInterface({ input: writer.stdout })
      .on('line', (key) => {
        confirmed.push(key)
        if (confirmed.length === count) writer.kill('SIGKILL')
      })
      .on('close', () => resolve(confirmed))
    return undefined
  })
}
