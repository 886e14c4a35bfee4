import { WallTime } from '@breakwater/core'
import { MITIGATION_COLLECTION } from '@breakwater/dots'
import type { RecordChange } from '@breakwater/dots'
import { openSqliteStore } from '@breakwater/store'
import { CLIENTS } from './many-clients.ts'
import { recordOf } from './mitigation-record.ts'

const CHANGES_PER_COMMIT = 5000

/** Writes the store that a server with so many mitigations would have left behind, spread over all clients. */
export async function fillStore(path: string, mitigations: number): Promise<void> {
  const store = await openSqliteStore({ path })
  const now = WallTime(Date.now())
  const changes = Array.from({ length: mitigations }, (_, index): RecordChange => {
    const record = recordOf(index % CLIENTS, 1 + Math.floor(index / CLIENTS), now)
    return { kind: 'put', collection: MITIGATION_COLLECTION, ...record }
  })
  for (let at = 0; at < changes.length; at += CHANGES_PER_COMMIT)
    await store.commit(changes.slice(at, at + CHANGES_PER_COMMIT))
  await store.close()
}
