import { chmodSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { ControlClient } from '@breakwater/control'
import { socketTransport } from '@breakwater/cli'
import { Method } from '@breakwater/coap'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { DotsProcess, until } from './dots-process.ts'
import { FakeNft, nftObstacle } from './fake-nft.ts'
import { PskServer } from './psk-server.ts'
import { lifetime, prefixes, requestBody } from './raw-cbor.ts'
import { asDotsCbor, mitigate } from './raw-peer.ts'
import type { RawPeer, RawRequest } from './raw-peer.ts'

/**
 *   raw peer or `dots client` ── DTLS on 127.0.0.1 ── `dots server` ── SQLite, nft ── kernel, in a network namespace
 *                                                       kill -9, again and again
 */
if (nftObstacle !== undefined) console.warn(`e2e/restart.test.ts is skipped: ${nftObstacle}`)

let nft: FakeNft
let server: PskServer
let peer: RawPeer | undefined

beforeEach(() => {
  nft = new FakeNft()
  server = new PskServer({
    mitigator: '{ kind: nftables }',
    more: 'activeButTerminatingSeconds: 1',
    environment: nft.environment
  })
})

afterEach(async () => {
  await peer?.close()
  peer = undefined
  await server.remove()
  nft.remove()
})

function protect(mid: number, prefix: string, seconds = 600, cuid = 'home'): RawRequest {
  return {
    path: mitigate(`cuid=${cuid}`, `mid=${mid}`),
    options: [asDotsCbor],
    payload: requestBody(prefixes(prefix), lifetime(seconds))
  }
}

function withdraw(mid: number, cuid = 'home'): RawRequest {
  return { path: mitigate(`cuid=${cuid}`, `mid=${mid}`), method: Method.delete }
}

async function startAndConnect(): Promise<RawPeer> {
  await server.start()
  peer = await server.connect('home')
  return peer
}

async function killAndForgetPeer(): Promise<void> {
  await server.kill()
  await peer?.close()
  peer = undefined
}

/** Waits until every mitigation is in force, and the kernel has one rule for each and no other. */
async function expectOneRuleEach(): Promise<string[]> {
  let wanted: string[] = []
  let states: string[] = []
  await until(
    async () => {
      const all = await server.control.mitigations()
      states = all.map(({ state }) => state)
      wanted = all
        .flatMap(({ target }) => target.prefixes)
        .map((prefix) => prefix.replace('/32', ''))
        .toSorted()
      if (!states.every((state) => state === 'active')) return undefined
      return JSON.stringify(nft.destinations()) === JSON.stringify(wanted) ? true : undefined
    },
    () => `mitigations ${states.join(' ')} of ${wanted.join(' ')}, rules ${nft.destinations().join(' ')}`
  )
  return wanted
}

describe.skipIf(nftObstacle !== undefined)('kill -9 of a server that filters with nftables', () => {
  it('at once after its answer: the mitigation is there, with no more lifetime than before, and one rule', async () => {
    const client = await startAndConnect()
    expect((await client.ask(protect(1, '203.0.113.1/32'))).code).toBe('2.01')
    await killAndForgetPeer()
    await server.start()
    const [mitigation] = await server.control.mitigations()
    expect(mitigation).toMatchObject({ client: 'home', mitigationId: 1 })
    expect(mitigation?.remainingLifetimeSeconds).toBeLessThanOrEqual(600)
    expect(mitigation?.remainingLifetimeSeconds).toBeGreaterThan(500)
    expect(await expectOneRuleEach()).toEqual(['203.0.113.1'])
  })

  it('while requests are in flight, several times: what was granted is there, what was withdrawn is gone', async () => {
    /** Last answer to each mitigation: true for granted, false for withdrawn. */
    const acknowledged = new Map<string, boolean>()
    for (let round = 0; round < 4; round++) {
      const client = await startAndConnect()
      const asked = new Map<number, readonly [key: string, granted: boolean]>()
      for (let index = 0; index < 24; index++) {
        const host = round * 24 + index
        asked.set(client.request(protect(host, `203.0.113.${host}/32`, 600, `home${index % 6}`)), [
          `home${index % 6}/${host}`,
          true
        ])
      }
      if (round > 0)
        for (let index = 0; index < 6; index++) {
          const host = (round - 1) * 24 + index
          asked.set(client.request(withdraw(host, `home${index}`)), [`home${index}/${host}`, false])
        }
      // By the count of answers, which comes at another moment each time: printed, for what it is worth.
      const enough = Math.floor(Math.random() * 20)
      await until(
        () =>
          [...asked.keys()].filter((id) => client.answerTo(id) !== undefined).length >= enough
            ? true
            : undefined,
        () => `fewer than ${enough} answers`
      )
      await server.kill()
      for (const [id, [key, granted]] of asked) {
        const code = client.answerTo(id)?.code
        if (code === undefined) acknowledged.delete(key)
        else {
          expect(code, key).toBe(granted ? '2.01' : '2.02')
          acknowledged.set(key, granted)
        }
      }
      await killAndForgetPeer()
      await server.start()
      const present = new Set(
        (await server.control.mitigations()).map(({ cuid, mitigationId }) => `${cuid}/${mitigationId}`)
      )
      const what = `round ${round}, killed after ${enough} answers`
      for (const [key, granted] of acknowledged)
        if (granted) expect(present.has(key), `${key}: ${what}`).toBe(true)
      await until(
        async () => {
          const all = await server.control.mitigations()
          return all.some(({ state }) => state === 'terminating') ? undefined : true
        },
        () => 'a withdrawn mitigation does not go'
      )
      const left = new Set(
        (await server.control.mitigations()).map(({ cuid, mitigationId }) => `${cuid}/${mitigationId}`)
      )
      for (const [key, granted] of acknowledged)
        if (!granted) expect(left.has(key), `${key}: ${what}`).toBe(false)
      await expectOneRuleEach()
      await killAndForgetPeer()
    }
  })

  it('and somebody flushes the rules meanwhile: each comes back once', async () => {
    const client = await startAndConnect()
    expect((await client.ask(protect(1, '203.0.113.1/32'))).code).toBe('2.01')
    expect((await client.ask(protect(2, '203.0.113.2/32'))).code).toBe('2.01')
    await expectOneRuleEach()
    await killAndForgetPeer()
    nft.run('flush', 'chain', 'inet', 'breakwater', 'mitigation')
    expect(nft.destinations()).toEqual([])
    await server.start()
    expect(await expectOneRuleEach()).toEqual(['203.0.113.1', '203.0.113.2'])
    await killAndForgetPeer()
    nft.run('delete', 'table', 'inet', 'breakwater')
    await server.start()
    expect(await expectOneRuleEach()).toEqual(['203.0.113.1', '203.0.113.2'])
  })

  it('and one was withdrawn before: its rule is gone after its grace period', async () => {
    const client = await startAndConnect()
    expect((await client.ask(protect(1, '203.0.113.1/32'))).code).toBe('2.01')
    expect((await client.ask(protect(2, '203.0.113.2/32'))).code).toBe('2.01')
    await expectOneRuleEach()
    expect((await client.ask(withdraw(1))).code).toBe('2.02')
    await killAndForgetPeer()
    await server.start()
    await until(
      async () => ((await server.control.mitigations()).length === 1 ? true : undefined),
      () => 'the withdrawn one is still there'
    )
    expect(await expectOneRuleEach()).toEqual(['203.0.113.2'])
  })

  it('and a lifetime ends while it is down: no mitigation, no rule, no record', async () => {
    const client = await startAndConnect()
    expect((await client.ask(protect(1, '203.0.113.1/32', 2))).code).toBe('2.01')
    expect((await client.ask(protect(2, '203.0.113.2/32'))).code).toBe('2.01')
    await until(
      () => (nft.destinations().length === 2 ? true : undefined),
      () => 'the rules did not come'
    )
    await killAndForgetPeer()
    const over = Date.now() + 2000
    await until(
      () => (Date.now() > over ? true : undefined),
      () => 'time stands still'
    )
    expect(nft.destinations()).toEqual(['203.0.113.1', '203.0.113.2'])
    await server.start()
    expect(await expectOneRuleEach()).toEqual(['203.0.113.2'])
    await server.kill()
    expect(server.storedKeys()).toEqual(['home/2'])
  })

  it('while nft hangs, and the next server meets the same: what nft does late is made good', async () => {
    const client = await startAndConnect()
    nft.hang()
    expect((await client.ask(protect(1, '203.0.113.1/32'))).code).toBe('2.01')
    await killAndForgetPeer()
    const started = server.start()
    await until(
      () => (server.process?.log.includes('agent.starting') === true ? true : undefined),
      () => 'the server does not start'
    )
    // The orphaned nft and the new server's go on at the same moment.
    nft.release()
    await started
    expect(await expectOneRuleEach()).toEqual(['203.0.113.1'])
  })
})

describe.skipIf(nftObstacle !== undefined)('a client whose server was killed', () => {
  it('gets a session again by itself, and is still protected', async () => {
    await server.start()
    const socket = join(server.folder, 'client.sock')
    const config = join(server.folder, 'client.yaml')
    writeFileSync(
      config,
      `domains:
  - name: isp
    prefixes: [203.0.113.0/24]
    sources: [127.0.0.1]
    server: { name: dots.example, addresses: [127.0.0.1], port: ${server.port} }
    credentials: { pskIdentity: home, keyFile: home.psk }
session: { heartbeatIntervalSeconds: 15, missingHeartbeatsAllowed: 3 }
control: { socket: client.sock }
`
    )
    chmodSync(config, 0o600)
    const client = new DotsProcess(['client', '--config', config])
    try {
      await client.ready()
      const control = new ControlClient(socketTransport(socket))
      const answer = await control.protect({ prefixes: ['203.0.113.7/32'] })
      if (!answer.accepted) throw new Error('not accepted')
      const { id } = answer.protection
      await until(
        async () => ((await control.protection(id)).state === 'protected' ? true : undefined),
        () => client.log
      )
      await server.kill()
      await server.start()
      expect((await server.control.sessions()).length).toBe(0)
      // RFC 9132 §4.7: three heartbeats of 15 s are lost before the client may think so.
      const deadline = performance.now() + 150_000
      while (performance.now() < deadline && (await server.control.sessions()).length === 0)
        await new Promise((resolve) => {
          setTimeout(resolve, 100)
        })
      expect((await server.control.sessions()).length, client.log).toBe(1)
      await until(
        async () => {
          const { state, requests } = await control.protection(id)
          return state === 'protected' && requests.every((request) => request.state === 'in-force')
            ? true
            : undefined
        },
        () => client.log
      )
      expect(await expectOneRuleEach()).toEqual(['203.0.113.7'])
    } finally {
      await client.stop('SIGKILL')
    }
  }, 240_000)
})
