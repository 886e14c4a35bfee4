// Writes records for ever, eight at a time, and prints the key of each that was confirmed.
import { writeSync } from 'node:fs'

import { openSqliteStore } from '../src/index.ts'

const store = await openSqliteStore({ path: process.argv[2] ?? '' })
let next = 0

async function write(): Promise<void> {
  for (;;) {
    const key = `k${next++}`
    await store.commit([{ kind: 'put', collection: 'mitigation', key, value: new Uint8Array(300) }])
    writeSync(1, `${key}\n`)
  }
}

await Promise.all(Array.from({ length: 8 }, write))
