import { execFileSync } from 'node:child_process'
import { readdirSync, rmSync, statfsSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { Method, OptionNumber } from '@breakwater/coap'
import { afterEach, describe, expect, it } from 'vitest'
import { PskServer } from './psk-server.ts'
import { lifetime, prefixes, requestBody } from './raw-cbor.ts'
import { asDotsCbor, mitigate } from './raw-peer.ts'
import type { RawPeer, RawRequest } from './raw-peer.ts'

/** raw peer ── DTLS on 127.0.0.1 ── `dots server` ── SQLite on a tmpfs of 1 MB, in a mount namespace of the server's own */
const obstacle = findObstacle()
if (obstacle !== undefined) console.warn(`e2e/full-disk.test.ts is skipped: ${obstacle}`)

function findObstacle(): string | undefined {
  try {
    execFileSync('unshare', ['--mount', 'sh', '-c', 'mount -t tmpfs none /mnt'], { stdio: 'pipe' })
    return undefined
  } catch (error) {
    return error instanceof Error ? error.message : String(error)
  }
}

/** The mount is gone with the last process of its namespace. */
const onSmallDisk = [
  'unshare',
  '--mount',
  'sh',
  '-c',
  'mount -t tmpfs -o size=1m none /mnt && exec "$@"',
  'sh'
] as const

const server = new PskServer({ storePath: '/mnt/server.db', prefix: onSmallDisk })
let peer: RawPeer | undefined

afterEach(async () => {
  await peer?.close()
  await server.remove()
})

function protect(mid: number): RawRequest {
  const payload = requestBody(prefixes(`203.0.113.${mid}/32`), lifetime(600))
  return { path: mitigate('cuid=home', `mid=${mid}`), options: [asDotsCbor], payload }
}

/** The server's disk as it sees it. */
function disk(): string {
  return `/proc/${server.pid}/root/mnt`
}

function fill(): void {
  const block = Buffer.alloc(4096, 1)
  for (let index = 0; statfsSync(disk()).bfree > 0; index++)
    try {
      writeFileSync(join(disk(), `ballast-${index}`), block)
    } catch (error) {
      if (!(error instanceof Error) || !('code' in error) || error.code !== 'ENOSPC') throw error
    }
}

function makeRoom(): void {
  for (const name of readdirSync(disk())) if (name.startsWith('ballast')) rmSync(join(disk(), name))
}

async function ids(): Promise<number[]> {
  return (await server.control.mitigations()).map(({ mitigationId }) => mitigationId)
}

describe.skipIf(obstacle !== undefined)('a disk that is full', () => {
  it('PUT is answered 5.03 and nothing of it is done; with room again, all goes on as if nothing had been', async () => {
    await server.start()
    peer = await server.connect('home')
    expect((await peer.ask(protect(1))).code).toBe('2.01')
    fill()

    let full = 2
    // What fits into pages that SQLite has already may still be stored.
    while ((await peer.ask(protect(full))).code === '2.01' && full < 200) full++
    expect(full, 'the disk was never full').toBeLessThan(200)
    const stored = await ids()
    expect(stored).not.toContain(full)

    const refused = await peer.ask(protect(full + 1))
    expect(`${refused.code} ${refused.text}`).toMatch(/^5\.03 .*stored/)
    expect(refused.message.options.find(({ number }) => number === OptionNumber.maxAge)?.value).toBeDefined()
    expect(await ids()).toEqual(stored)
    expect(server.process?.log).toContain('disk')
    const kept = await peer.ask({ path: mitigate('cuid=home', 'mid=1'), method: Method.delete })
    expect(kept.code).toBe('5.03')
    const asked = await peer.ask({
      path: ['.well-known', 'dots', 'mitigate', 'cuid=home', 'mid=1'],
      method: 1
    })
    expect(asked.code).toBe('2.05')

    makeRoom()
    expect((await peer.ask(protect(full))).code).toBe('2.01')
    expect(new Set(await ids())).toEqual(new Set([...stored, full]))
  })
})
