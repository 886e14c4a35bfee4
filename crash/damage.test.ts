import { readFileSync, writeFileSync } from 'node:fs'
import { DatabaseSync } from 'node:sqlite'
import { derivedSeed, seededEntropy } from '@breakwater/testing'
import { integerBelow } from '@breakwater/core'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { PskServer } from '../e2e/psk-server.ts'
import { lifetime, prefixes, requestBody } from '../e2e/raw-cbor.ts'
import { asDotsCbor, mitigate } from '../e2e/raw-peer.ts'

const COUNT = 40
const DAMAGED = 'dots_server_records_damaged_total'

let server: PskServer

/** A server that granted 203.0.113.<mid>/32 to mids 1 to 40 and was stopped in good order. */
beforeEach(async () => {
  server = new PskServer()
  await server.start()
  await grant(1, COUNT)
  await server.process?.stop('SIGTERM')
})

afterEach(() => server.remove())

async function grant(from: number, to: number): Promise<void> {
  const peer = await server.connect('home')
  for (let mid = from; mid <= to; mid++) {
    const payload = requestBody(prefixes(`203.0.113.${mid}/32`), lifetime(3600))
    const path = mitigate('cuid=home', `mid=${mid}`)
    expect((await peer.ask({ path, options: [asDotsCbor], payload })).code).toBe('2.01')
  }
  await peer.close()
}

/** Starts it; returns what is missing, after a look at what is there. Undefined when it refused to start, and said why. */
async function startAndCount(): Promise<number | undefined> {
  try {
    await server.start()
  } catch {
    const { code, stderr } = (await server.process?.finished()) ?? {}
    expect(code).toBe(1)
    expect(stderr).toMatch(/server\.db: .*(damaged|malformed|not a database|layout version|no such column)/)
    expect(stderr).not.toMatch(/\n\s+at /)
    return undefined
  }
  const views = await server.control.mitigations()
  for (const { mitigationId, target } of views)
    expect(target.prefixes).toEqual([`203.0.113.${mitigationId}/32`])
  const missing = COUNT - views.length
  expect(await server.counter(DAMAGED)).toBeGreaterThanOrEqual(missing)
  if (missing > 0) expect(server.process?.log).toMatch(/"event":"record\.damaged"/)
  return missing
}

describe('a server whose store was damaged while it was down', () => {
  it('reports the records whose value, checksum, key or collection is damaged, and serves all others', async () => {
    const changes = [
      `value = CAST(substr(value, 1, 20) || x'ff' || substr(value, 22) AS BLOB)`,
      `value = CAST(substr(value, 1, length(value) - 1) AS BLOB)`,
      `checksum = checksum + 1`,
      `key = 'home/77'`,
      `collection = 'mitigatioo'`
    ]
    const database = new DatabaseSync(server.storePath)
    for (const [index, change] of changes.entries())
      database.exec(`UPDATE record SET ${change} WHERE key = 'home/${7 * (index + 1)}'`)
    database.close()
    expect(await startAndCount()).toBe(changes.length)
    expect(await server.counter(DAMAGED)).toBe(changes.length)
    for (const record of ['home/7', 'home/14', 'home/21', 'home/77', 'mitigatioo/home/35'])
      expect(server.process?.log).toContain(`"event":"record.damaged","record":"${record}"`)
  })

  it('reports, refuses or does not mind one bit that flips anywhere in the file', async () => {
    const whole = readFileSync(server.storePath)
    const entropy = seededEntropy(derivedSeed(9132, 'bits'))
    for (let round = 0; round < 6; round++) {
      const bit = integerBelow(entropy, whole.length * 8)
      const flipped = Uint8Array.from(whole)
      flipped[bit >> 3] = (flipped[bit >> 3] ?? 0) ^ (1 << (bit & 7))
      writeFileSync(server.storePath, flipped)
      const missing = await startAndCount()
      await server.process?.stop('SIGTERM')
      expect(missing ?? 0, `bit ${bit}`).toBeLessThanOrEqual(1)
    }
  })

  it('reports that a flipped bit in its write-ahead log took mitigations with it', async () => {
    await server.start()
    await grant(COUNT + 1, COUNT + 5)
    await server.kill()
    const log = `${server.storePath}-wal`
    const bytes = readFileSync(log)
    bytes[100] = (bytes[100] ?? 0) ^ 1
    writeFileSync(log, bytes)
    expect(await startAndCount()).toBe(0)
    expect(await server.counter(DAMAGED)).toBe(1)
    expect(server.process?.log).toContain('of the write-ahead log')
  })

  it('refuses a file that was cut off, and says which and why', async () => {
    writeFileSync(server.storePath, readFileSync(server.storePath).subarray(0, 6000))
    expect(await startAndCount()).toBeUndefined()
  })
})
