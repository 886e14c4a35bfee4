import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'

import { recordStoreContract } from '@breakwater/testing'

import { memoryStore, openSqliteStore } from '../src/index.ts'

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

recordStoreContract('SQLite', () => {
  const folder = mkdtempSync(join(tmpdir(), 'breakwater-store-'))
  const path = join(folder, 'store.db')
  return Promise.resolve({
    open: () => openSqliteStore({ path }),
    persistent: true,
    damage: (collection: string, key: string) => {
      const database = new DatabaseSync(path)
      database
        .prepare(`UPDATE record SET value = CAST(value || x'00' AS BLOB) WHERE collection = ? AND key = ?`)
        .run(collection, key)
      database.close()
      return Promise.resolve()
    },
    close: () => {
      rmSync(folder, { recursive: true, force: true })
      return Promise.resolve()
    }
  })
})
