// The bare store in a process of its own: store-commits.ts FILE. As many commits wait at any time as clients would.
import { WallTime } from '@breakwater/core'
import { MITIGATION_COLLECTION } from '@breakwater/dots'
import { openSqliteStore } from '@breakwater/store'
import { CLIENTS } from './many-clients.ts'
import { recordOf } from './mitigation-record.ts'
import { serveRates } from './sampler.ts'

const store = await openSqliteStore({ path: process.argv[2] ?? '' })
const state = { running: false, committed: 0, next: 0 }

async function commitOnAndOn(client: number): Promise<void> {
  while (state.running) {
    const record = recordOf(client, ++state.next, WallTime(Date.now()))
    await store.commit([{ kind: 'put', collection: MITIGATION_COLLECTION, ...record }])
    state.committed++
  }
}

serveRates({
  start: () => {
    state.running = true
    for (let client = 0; client < CLIENTS; client++) void commitOnAndOn(client)
  },
  stop: () => {
    state.running = false
  },
  count: () => state.committed
})
