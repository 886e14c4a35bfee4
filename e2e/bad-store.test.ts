import { execFileSync } from 'node:child_process'
import { readFileSync, writeFileSync } from 'node:fs'
import { DatabaseSync } from 'node:sqlite'
import { Method } from '@breakwater/coap'
import { afterEach, describe, expect, it } from 'vitest'
import { PskServer } from './psk-server.ts'
import { lifetime, prefixes, requestBody } from './raw-cbor.ts'
import { asDotsCbor, mitigate } from './raw-peer.ts'
import type { RawPeer, RawRequest } from './raw-peer.ts'

/** raw peer ── DTLS on 127.0.0.1 ── `dots server` ── SQLite, on a disk or with a file that is not as it should be */
const obstacle = findObstacle()
if (obstacle !== undefined) console.warn(`e2e/bad-store.test.ts is skipped in part: ${obstacle}`)

function findObstacle(): string | undefined {
  try {
    execFileSync('unshare', ['--mount', 'sh', '-c', 'mount -t tmpfs none /mnt'], { stdio: 'pipe' })
    return undefined
  } catch (error) {
    return error instanceof Error ? error.message : String(error)
  }
}

let server: PskServer
let peer: RawPeer | undefined

afterEach(async () => {
  await peer?.close()
  peer = undefined
  await server.remove()
})

function protect(mid: number): RawRequest {
  const payload = requestBody(prefixes(`203.0.113.${mid}/32`), lifetime(600))
  return { path: mitigate('cuid=home', `mid=${mid}`), options: [asDotsCbor], payload }
}

const ask = (mid: number): RawRequest => ({ path: mitigate('cuid=home', `mid=${mid}`), method: Method.get })

/** A server that must not start: it ends, and says why in a line that names the file. */
async function expectRefusal(reason: RegExp): Promise<void> {
  await expect(server.start()).rejects.toThrow()
  const finished = await server.process?.finished()
  expect(finished?.code).toBe(1)
  expect(finished?.stdout).toBe('')
  expect(finished?.stderr).toMatch(reason)
  expect(finished?.stderr).toContain(server.storePath)
  expect(finished?.stderr).not.toMatch(/\n\s+at /)
}

/** After three mitigations were acknowledged and the server was killed. */
async function killAfterThree(): Promise<void> {
  server = new PskServer()
  await server.start()
  peer = await server.connect('home')
  for (const mid of [1, 2, 3]) expect((await peer.ask(protect(mid))).code).toBe('2.01')
  await peer.close()
  await server.kill()
}

function tamper(sql: string): void {
  const database = new DatabaseSync(server.storePath)
  database.exec(sql)
  database.close()
}

describe('a store that is damaged when the server starts', () => {
  it('is refused when it is no database, and left as it was', async () => {
    server = new PskServer()
    const garbage = Buffer.alloc(8192, 'not a database ')
    writeFileSync(server.storePath, garbage)
    await expectRefusal(/not a database/)
    expect(readFileSync(server.storePath).equals(garbage)).toBe(true)
  })

  it('is refused when it was cut off', async () => {
    await killAfterThree()
    tamper('PRAGMA wal_checkpoint(TRUNCATE)')
    writeFileSync(server.storePath, readFileSync(server.storePath).subarray(0, 5000))
    await expectRefusal(/malformed|damaged/)
  })

  it('serves all others when one record does not fit its checksum, and says which one is lost', async () => {
    await killAfterThree()
    tamper(`UPDATE record SET value = zeroblob(length(value)) WHERE key = 'home/2'`)
    await server.start()
    expect(server.process?.log).toMatch(/"event":"record.damaged","record":"home\/2"/)
    peer = await server.connect('home')
    expect([
      (await peer.ask(ask(1))).code,
      (await peer.ask(ask(2))).code,
      (await peer.ask(ask(3))).code
    ]).toEqual(['2.05', '4.04', '2.05'])
    expect((await peer.ask(protect(4))).code).toBe('2.01')
  })
})

/** In a mount namespace of its own, whose disk is of 1 MB. */
function onDisk(prepare: string): PskServer {
  const mount = 'mount -t tmpfs -o size=1m none /mnt'
  return new PskServer({
    storePath: '/mnt/server.db',
    prefix: ['unshare', '--mount', 'sh', '-c', `${mount} && ${prepare} && exec "$@"`, 'sh']
  })
}

describe.skipIf(obstacle !== undefined)('a disk that', () => {
  it('is read-only is refused at the start', async () => {
    server = onDisk('mount -o remount,ro /mnt')
    await expectRefusal(/unable to open|readonly|read-only/)
  })

  it('is full is refused at the start', async () => {
    server = onDisk('{ dd if=/dev/zero of=/mnt/ballast bs=4096 2>/dev/null || true; }')
    await expectRefusal(/full|disk/)
  })
})
