// The bare store in a process of its own: store-commits.ts FILE. As many commits wait at any time as clients would.
import { WallTime } from '@breakwater/core'
import { MITIGATION_COLLECTION } from '@breakwater/dots'
import { openSqliteStore } from '@breakwater/store'
import { CLIENTS } from './many-clients.ts'
import { recordOf } from './mitigation-record.ts'
import { serveSampler } from './sampler.ts'

const store = await openSqliteStore({ path: process.argv[2] ?? '' })
let running = false
let committed = 0
let next = 0

async function commitOnAndOn(client: number): Promise<void> {
  while (running) {
    const record = recordOf(client, ++next, WallTime(Date.now()))
    await store.commit([{ kind: 'put', collection: MITIGATION_COLLECTION, ...record }])
    committed++
  }
}

serveSampler({
  start: () => {
    running = true
    for (let client = 0; client < CLIENTS; client++) void commitOnAndOn(client)
  },
  stop: () => {
    running = false
  },
  count: () => committed
})
