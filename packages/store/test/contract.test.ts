import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'

import { SimulatedSharedStore, recordStoreContract, sharedRecordStoreContract } from '@breakwater/testing'
import type { RecordStoreWorld } from '@breakwater/testing'

import { memoryStore, openSharedSqliteStore, openSqliteStore } from '../src/index.ts'

recordStoreContract(
  'simulated, shared',
  () => {
    const place = new SimulatedSharedStore(() => 0)
    return Promise.resolve({
      open: () => Promise.resolve(place.open()),
      persistent: true,
      close: () => Promise.resolve()
    })
  },
  ['damage']
)

sharedRecordStoreContract('simulated', () => {
  let now = 0
  const place = new SimulatedSharedStore(() => now)
  return Promise.resolve({
    open: () => Promise.resolve(place.open()),
    pass: (milliseconds: number) => void (now += milliseconds),
    close: () => Promise.resolve()
  })
})

recordStoreContract(
  'memory',
  () =>
    Promise.resolve({
      open: () => Promise.resolve(memoryStore()),
      persistent: false,
      close: () => Promise.resolve()
    }),
  ['persistence', 'damage']
)

recordStoreContract('SQLite', () => sqliteWorld(openSqliteStore))
recordStoreContract('SQLite, shared', () => sqliteWorld(openSharedSqliteStore))

sharedRecordStoreContract('SQLite', () => {
  const folder = mkdtempSync(join(tmpdir(), 'breakwater-store-'))
  const path = join(folder, 'store.db')
  return Promise.resolve({
    open: () => openSharedSqliteStore({ path }),
    pass: (milliseconds: number) => {
      const database = new DatabaseSync(path)
      for (const table of ['member', 'lead'])
        database.prepare(`UPDATE ${table} SET until = until - ?`).run(milliseconds)
      database.close()
    },
    close: () => remove(folder)
  })
})

function sqliteWorld(open: typeof openSqliteStore): Promise<RecordStoreWorld> {
  const folder = mkdtempSync(join(tmpdir(), 'breakwater-store-'))
  const path = join(folder, 'store.db')
  return Promise.resolve({
    open: () => open({ path }),
    persistent: true,
    damage: (collection: string, key: string) => {
      const database = new DatabaseSync(path)
      database
        .prepare(`UPDATE record SET value = CAST(value || x'00' AS BLOB) WHERE collection = ? AND key = ?`)
        .run(collection, key)
      database.close()
      return Promise.resolve()
    },
    close: () => remove(folder)
  })
}

function remove(folder: string): Promise<void> {
  rmSync(folder, { recursive: true, force: true })
  return Promise.resolve()
}
