import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Method } from '@breakwater/coap'
import { afterEach, beforeEach, expect, it } from 'vitest'
import { until } from './dots-process.ts'
import { PskServer } from './psk-server.ts'
import { lifetime, prefixes, requestBody } from './raw-cbor.ts'
import { asDotsCbor, mitigate } from './raw-peer.ts'
import type { RawPeer, RawRequest } from './raw-peer.ts'

/**
 *   raw peer ── DTLS on 127.0.0.1 ── `dots server` one ────┐
 *        └───── DTLS on 127.0.0.1 ── `dots server` other ──┴── one SQLite file
 *
 * RFC 9284 §5.4: distinct servers of one provider need to coordinate.
 */
let folder: string
let one: PskServer
let other: PskServer
let peers: RawPeer[]

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'breakwater-shared-'))
  const wishes = { storePath: join(folder, 'server.db'), sharesStore: true }
  one = new PskServer(wishes)
  other = new PskServer({ ...wishes, more: 'activeButTerminatingSeconds: 0' })
  peers = []
})

afterEach(async () => {
  for (const peer of peers) await peer.close()
  await one.remove()
  await other.remove()
  rmSync(folder, { recursive: true, force: true })
})

function protect(mid: number, prefix: string): RawRequest {
  return {
    path: mitigate('cuid=home', `mid=${mid}`),
    options: [asDotsCbor],
    payload: requestBody(prefixes(prefix), lifetime(600))
  }
}

async function connect(server: PskServer): Promise<RawPeer> {
  const peer = await server.connect('home')
  peers.push(peer)
  return peer
}

/** mid and state of each mitigation, as the operator of a server sees them. */
async function shownBy({ control }: PskServer): Promise<string> {
  const mitigations = await control.mitigations()
  return mitigations.map(({ mitigationId, state }) => `${mitigationId} ${state}`).join()
}

function untilShownBy(server: PskServer, wanted: string): Promise<boolean> {
  let last = ''
  return until(
    async () => {
      last = await shownBy(server)
      return last === wanted ? true : undefined
    },
    () => `shown: ${last}`
  )
}

it('one request is one mitigation of both, whoever of the two is asked about it next, and outlives a kill', async () => {
  await one.start()
  await other.start()
  const here = await connect(one)
  const there = await connect(other)
  expect((await here.ask(protect(1, '203.0.113.7/32'))).code).toBe('2.01')
  await untilShownBy(other, '1 active')
  expect((await there.ask(protect(1, '203.0.113.7/32'))).code).toBe('2.04')
  await one.kill()
  expect((await there.ask(protect(2, '203.0.113.0/28'))).code).toBe('2.01')
  // Nobody leads until the lease of the one that was killed is over.
  await untilShownBy(other, '2 active')
  await one.start()
  await untilShownBy(one, '2 active')
  const again = await connect(one)
  const gone = await again.ask({ path: mitigate('cuid=home', 'mid=2'), method: Method.delete })
  expect(gone.code).toBe('2.02')
}, 120_000)
