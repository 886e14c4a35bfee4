import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { until } from './dots-process.ts'
import { FakeNft, nftObstacle } from './fake-nft.ts'
import { PskServer } from './psk-server.ts'
import { lifetime, prefixes, requestBody } from './raw-cbor.ts'
import { asDotsCbor, mitigate } from './raw-peer.ts'
import type { RawPeer, RawRequest } from './raw-peer.ts'
import { heartbeatBody } from './settled-server.ts'

/** raw peer ── DTLS on 127.0.0.1 ── `dots server` ── an `nft` that does not come back */
if (nftObstacle !== undefined) console.warn(`e2e/hanging-mitigator.test.ts is skipped: ${nftObstacle}`)

/** Far below the ten seconds after which a call of nft is given up. */
const PROMPT_MS = 5000

let nft: FakeNft
let server: PskServer
let peer: RawPeer

beforeEach(async () => {
  nft = new FakeNft()
  server = new PskServer({ mitigator: '{ kind: nftables }', environment: nft.environment })
  await server.start()
  peer = await server.connect('home')
})

afterEach(async () => {
  await peer.close()
  nft.release()
  await server.remove()
  nft.remove()
})

function protect(mid: number): RawRequest {
  const payload = requestBody(prefixes(`203.0.113.${mid}/32`), lifetime(600))
  return { path: mitigate('cuid=home', `mid=${mid}`), options: [asDotsCbor], payload }
}

async function stateOf(mid: number): Promise<string | undefined> {
  return (await server.control.mitigations()).find(({ mitigationId }) => mitigationId === mid)?.state
}

describe.skipIf(nftObstacle !== undefined)('an nft that hangs', () => {
  it('slows no answer and no heartbeat, and nobody is told of protection that is not there', async () => {
    expect((await peer.ask(protect(1))).code).toBe('2.01')
    await until(
      async () => ((await stateOf(1)) === 'active' ? true : undefined),
      () => 'the first mitigation is not active'
    )
    nft.hang()
    const began = performance.now()
    for (let mid = 2; mid < 12; mid++) expect((await peer.ask(protect(mid))).code).toBe('2.01')
    const heartbeat = { path: ['.well-known', 'dots', 'hb'], payload: heartbeatBody, options: [asDotsCbor] }
    for (let count = 0; count < 10; count++) expect((await peer.ask(heartbeat)).code).toBe('2.04')
    expect(performance.now() - began).toBeLessThan(PROMPT_MS)

    expect(await stateOf(1)).toBe('active')
    for (let mid = 2; mid < 12; mid++) expect(await stateOf(mid)).not.toBe('active')
    expect(nft.destinations()).toEqual(['203.0.113.1'])

    nft.release()
    await until(
      () => (nft.destinations().length === 11 ? true : undefined),
      () => `rules ${nft.destinations().join(' ')}`
    )
    await until(
      async () =>
        (await server.control.mitigations()).every(({ state }) => state === 'active') ? true : undefined,
      () => server.process?.log ?? ''
    )
  })

  it('until it is given up: the failure is written down, the answers go on, and all comes right afterwards', async () => {
    nft.hang()
    expect((await peer.ask(protect(1))).code).toBe('2.01')
    await until(
      () => (server.process?.log.includes('MITIGATOR_NFT_TIMEOUT') === true ? true : undefined),
      () => `no word of the timeout:\n${server.process?.log}`
    )
    expect(await stateOf(1)).not.toBe('active')
    const began = performance.now()
    expect((await peer.ask(protect(2))).code).toBe('2.01')
    expect(performance.now() - began).toBeLessThan(PROMPT_MS)
    nft.release()
    await until(
      async () => ((await stateOf(1)) === 'active' && (await stateOf(2)) === 'active' ? true : undefined),
      () => server.process?.log ?? ''
    )
    expect(nft.destinations()).toEqual(['203.0.113.1', '203.0.113.2'])
  })
})
