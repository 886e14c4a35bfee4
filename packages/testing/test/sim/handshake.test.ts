import { decodeUtf8, encodeUtf8, Milliseconds, Seconds } from '@breakwater/core'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { RecordingHandlers } from '../../src/contracts/recording-handlers.ts'
import {
  attendClient,
  attendServer,
  connect,
  establish,
  pairOf,
  sendTexts
} from '../../src/contracts/secure-pair.ts'
import { decodeHandshake } from '../../src/sim/handshake-message.ts'
import { decodeRecord, encodeRecord, plaintextOf, RecordKind } from '../../src/sim/record.ts'
import type { TraceEntry } from '../../src/sim/trace.ts'
import { SimulatedWorld } from './simulated-world.ts'

let world: SimulatedWorld
let trace: TraceEntry[]

function enter(next: SimulatedWorld): void {
  world = next
  trace = []
  world.network.tap((entry) => trace.push(entry))
}

beforeEach(() => enter(new SimulatedWorld(1)))
afterEach(() => world.close())

/** Who sent which flight when, in seconds. */
function flights(): readonly string[] {
  return trace.flatMap(({ at, bytes, fate, from }) => {
    const record = decodeRecord(bytes)
    if (fate.kind !== 'sent' || record?.kind !== RecordKind.handshake) return []
    return [`${at / 1000} ${from} ${decodeHandshake(record.payload)?.kind}`]
  })
}

async function storyOf(seed: number): Promise<readonly string[]> {
  enter(new SimulatedWorld(seed, { loss: 0.2, duplicate: 0.1, reorder: 0.1, jitter: Milliseconds(20) }))
  const server = await attendServer(world)
  const pair = await establish(world, server, await attendClient(world), Seconds(60))
  sendTexts(pair.client.endpoint, pair.toServer, ['a', 'b', 'c'])
  await world.close()
  return trace.map(({ at, fate, bytes }) => `${at} ${fate.kind} ${bytes.join(' ')}`)
}

describe('the handshake of simulated endpoints', () => {
  it('takes three round trips, as RFC 6347 Figure 1 draws them', async () => {
    await pairOf(world)
    expect(flights()).toEqual([
      '0 client client-hello',
      '0.01 server hello-verify-request',
      '0.02 client client-hello',
      '0.03 server server-hello',
      '0.04 client client-finished',
      '0.05 server server-finished'
    ])
    expect(world.clock.now()).toBe(60)
  })

  it('repeats an unanswered hello after 1, 2, 4 … seconds, then reports a timeout', async () => {
    const server = await attendServer(world)
    const client = await attendClient(world)
    world.hosts.server.link('eth0').cut()
    const peer = connect(world, client, server)
    await world.until(() => client.log.failureOf(peer) !== undefined, Seconds(100))
    expect(flights().map((flight) => flight.split(' ')[0])).toEqual(['0', '1', '3', '7', '15', '31'])
    expect(world.clock.now()).toBe(60_000)
    expect(client.log.failureOf(peer)).toBe('timeout')
  })

  it('starts with another timer where it is told to (RFC 9147 §5.8.2)', async () => {
    const server = await attendServer(world)
    const client = await attendClient(world, { handshakeRetransmission: Milliseconds(400) })
    world.hosts.server.link('eth0').cut()
    const peer = connect(world, client, server)
    await world.until(() => client.log.failureOf(peer) !== undefined, Seconds(100))
    expect(flights().slice(0, 5)).toEqual(
      ['0', '0.4', '1.2', '2.8', '6'].map((at) => `${at} client client-hello`)
    )
  })

  it('changes the timer of a hello without an answer, as if it had begun so', async () => {
    const server = await attendServer(world)
    const client = await attendClient(world)
    world.hosts.server.link('eth0').cut()
    const peer = connect(world, client, server)
    client.endpoint.useHandshakeRetransmission?.(peer, Milliseconds(400))
    await world.until(() => client.log.failureOf(peer) !== undefined, Seconds(100))
    expect(flights().slice(0, 4)).toEqual(['0', '0.4', '1.2', '2.8'].map((at) => `${at} client client-hello`))
  })

  it('changes the timer of the flights that follow, and not of the one that is out', async () => {
    const server = await attendServer(world)
    const client = await attendClient(world)
    const peer = connect(world, client, server)
    await world.pause(Milliseconds(25))
    world.hosts.server.link('eth0').cut()
    client.endpoint.useHandshakeRetransmission?.(peer, Milliseconds(400))
    await world.until(() => client.log.failureOf(peer) !== undefined, Seconds(100))
    expect(flights().filter((flight) => flight.includes('client client'))).toEqual(
      ['0', '0.02', '1.02', '3.02', '7.02', '15.02', '31.02'].map((at) => `${at} client client-hello`)
    )
  })

  it('takes five flights where sessions are resumed, as RFC 6347 Figure 2 draws them behind the cookie', async () => {
    await world.close()
    enter(new SimulatedWorld(1, {}, true))
    const { client, toServer, server, toClient } = await pairOf(world)
    expect(flights()).toEqual([
      '0 client client-hello',
      '0.01 server hello-verify-request',
      '0.02 client client-hello',
      '0.03 server server-hello',
      '0.04 client client-finished'
    ])
    sendTexts(client.endpoint, toServer, ['resumed'])
    await world.until(() => server.log.textsFrom(toClient).length > 0)
  })

  it('repeats the last flight of a resumed session when the server repeats its own', async () => {
    await world.close()
    enter(new SimulatedWorld(1, {}, true))
    const server = await attendServer(world)
    const client = await attendClient(world)
    world.hosts.client.link('eth0').up.dropNext(1, 2)
    const peer = connect(world, client, server)
    await world.until(() => server.log.events.length > 0)
    expect(client.log.isEstablished(peer)).toBe(true)
    expect(flights().slice(-2)).toEqual(['1.03 server server-hello', '1.04 client client-finished'])
  })

  it('keeps no state at the server before the cookie came back', async () => {
    const server = await attendServer(world)
    const client = await attendClient(world)
    world.hosts.client.link('eth0').cut('down')
    connect(world, client, server)
    await world.pause(Seconds(100))
    expect(server.endpoint.stats()).toMatchObject({ peers: 0, handshaking: 0 })
    expect(server.log.events).toEqual([])
  })

  it('repeats the answer to a repeated hello, besides repeating it unasked', async () => {
    const server = await attendServer(world)
    const client = await attendClient(world)
    world.dropNext(1, 'client', 1)
    await establish(world, server, client)
    expect(flights().filter((flight) => flight.includes('server-hello'))).toEqual([
      '0.03 server server-hello',
      '1.03 server server-hello',
      '1.03 server server-hello'
    ])
  })

  it('repeats the proof when the server repeats its hello, besides repeating it unasked', async () => {
    const server = await attendServer(world)
    const client = await attendClient(world)
    world.dropNext(1, 'server', 2)
    await establish(world, server, client)
    expect(flights().filter((flight) => flight.includes('client-finished'))).toEqual([
      '0.04 client client-finished',
      '1.04 client client-finished',
      '1.04 client client-finished'
    ])
  })

  it('starts nothing for a late copy of the hello that began the session', async () => {
    const { server, client } = await pairOf(world)
    const hello = trace.filter(({ fate, from }) => fate.kind === 'sent' && from === 'client')[1]
    const { local } = client.endpoint
    world.hosts.client.sendForged(
      'eth0',
      local,
      server.endpoint.local,
      hello?.bytes ?? expect.fail('no hello')
    )
    await world.pause(Seconds(70))
    expect(server.endpoint.stats()['handshakes_started_total']).toBe(1)
    expect(server.log.events).toHaveLength(1)
  })

  it('does not take a finish from somebody who does not know the key', async () => {
    const identity = 'site-1'
    const preSharedKeys = new Map([[identity, Uint8Array.of(1, 2, 3)]])
    const server = await attendServer(world, { preSharedKeys })
    const credentials = { kind: 'psk', identity, key: Uint8Array.of(9, 9, 9) } as const
    const client = await attendClient(world, { credentials })
    const peer = connect(world, client, server)
    await world.until(() => flights().some((flight) => flight.includes('client-finished')))
    const session =
      decodeRecord(trace.at(-1)?.bytes ?? new Uint8Array(0))?.session ?? expect.fail('no record')
    const payload = encodeUtf8(JSON.stringify({ kind: 'server-finished', finished: 'guessed' }))
    const forged = encodeRecord({ kind: RecordKind.handshake, session, sequence: 9, payload })
    world.hosts.server.sendForged('eth0', server.endpoint.local, client.endpoint.local, forged)
    await world.until(() => client.log.failureOf(peer) !== undefined, Seconds(100))
    expect(client.log.failureOf(peer)).toBe('timeout')
    expect(client.log.established()).toEqual([])
  })

  it('lets a client come back to a full server in the place of its own old session', async () => {
    const server = await attendServer(world, { limits: { peers: 1 } })
    const { client, toClient } = await establish(world, server, await attendClient(world))
    const { local } = client.endpoint
    await world.vanish(client.endpoint)
    await establish(world, server, await attendClient(world, { local }))
    expect(server.log.endOf(toClient)).toBe('replaced')
  })

  it('lets the server give up a client that fell silent after its cookie', async () => {
    const server = await attendServer(world)
    const client = await attendClient(world)
    connect(world, client, server)
    await world.until(() => server.endpoint.stats()['handshaking'] === 1)
    await world.vanish(client.endpoint)
    await world.until(() => server.log.events.length > 0, Seconds(70))
    expect(server.log.failures()).toEqual(['timeout'])
  })

  it.for([1, 2, 3, 4, 5])('gets through a third of loss, reordering and copies (seed %i)', async (seed) => {
    enter(new SimulatedWorld(seed, { loss: 0.18, duplicate: 0.2, reorder: 0.2, jitter: Milliseconds(30) }))
    const server = await attendServer(world)
    const client = await attendClient(world)
    const { toServer, toClient } = await establish(world, server, client, Seconds(60))
    await world.pause(Seconds(60))
    expect(client.log.established()).toEqual([toServer])
    expect(server.log.isEstablished(toClient)).toBe(true)
    expect(server.endpoint.stats()['peers']).toBe(1)
  })

  it('is the same in every run of one seed, down to the last datagram', async () => {
    const first = await storyOf(9)
    expect(first.length).toBeGreaterThan(12)
    expect(await storyOf(9)).toEqual(first)
    expect(await storyOf(10)).not.toEqual(first)
  })
})

describe('the records of simulated endpoints', () => {
  it('show auditors what was said', async () => {
    const { client, toServer } = await pairOf(world)
    sendTexts(client.endpoint, toServer, ['overheard'])
    await world.pause(Seconds(1))
    const said = trace
      .filter(({ fate }) => fate.kind === 'delivered')
      .flatMap(({ bytes }) => plaintextOf(bytes) ?? [])
      .map((bytes) => decodeUtf8(bytes))
    expect(said).toEqual(['overheard'])
  })

  it('are taken once, however often the network copies them', async () => {
    const { client, server, toServer, toClient } = await pairOf(world)
    world.hosts.client.link('eth0').up.change({ duplicate: 1 })
    const texts = Array.from({ length: 200 }, (_, index) => `${index}`)
    sendTexts(client.endpoint, toServer, texts)
    await world.pause(Seconds(1))
    expect(server.log.textsFrom(toClient)).toEqual(texts)
    expect(server.endpoint.stats()['records_dropped_total{replayed}']).toBe(200)
  })

  it('that arrive in one instant are one batch', async () => {
    const { client, server, toServer } = await pairOf(world)
    sendTexts(client.endpoint, toServer, ['a', 'b', 'c'])
    await world.pause(Milliseconds(1))
    sendTexts(client.endpoint, toServer, ['d'])
    await world.pause(Seconds(1))
    expect(server.log.batchSizes).toEqual([3, 1])
  })

  it('of a session that was replaced are dropped', async () => {
    const { client, server, toServer } = await pairOf(world)
    sendTexts(client.endpoint, toServer, ['of the old session'])
    const old = trace.at(-1) ?? expect.fail('nothing was sent')
    await world.pause(Seconds(1))
    const again = await establish(world, server, client)
    expect(server.log.events.map(({ kind }) => kind)).toEqual(['established', 'closed', 'established'])
    expect(client.log.endOf(toServer)).toBe('replaced')
    world.hosts.client.sendForged('eth0', old.path.local, old.path.remote, old.bytes)
    await world.pause(Seconds(1))
    expect(server.log.textsFrom(again.toClient)).toEqual([])
    expect(server.endpoint.stats()['records_dropped_total{no-session}']).toBe(1)
  })

  it('that are nonsense or forged do no harm', async () => {
    const { client, server, toServer, toClient } = await pairOf(world)
    const [from, to] = [client.endpoint.local, server.endpoint.local]
    const session = { client: 1, server: 2 }
    const forged = Object.values(RecordKind).map((kind) =>
      encodeRecord({ kind, session, sequence: 0, payload: encodeUtf8('close_notify') })
    )
    const cut = forged.map((bytes) => bytes.subarray(0, 18))
    const json = encodeRecord({ kind: 22, session, sequence: 0, payload: encodeUtf8('[{"kind":7}]') })
    const broken = encodeRecord({ kind: 22, session, sequence: 0, payload: Uint8Array.of(0xff, 0xfe) })
    for (const bytes of [...forged, ...cut, json, broken, new Uint8Array(0), new Uint8Array(19)])
      world.hosts.client.sendForged('eth0', from, to, bytes)
    await world.pause(Seconds(1))
    sendTexts(client.endpoint, toServer, ['unharmed'])
    await world.pause(Seconds(1))
    expect(server.log.textsFrom(toClient)).toEqual(['unharmed'])
    expect(server.log.events).toHaveLength(1)
    expect(server.endpoint.stats()['records_dropped_total{malformed}']).toBe(5)
  })

  it('leave spoilt views behind, so that nobody keeps one', async () => {
    const kept: Uint8Array[] = []
    const log = new RecordingHandlers()
    log.beforeBatch = (batch) => kept.push(batch.bytes(0))
    const server = await attendServer(world, {}, log)
    const { client, toServer } = await establish(world, server, await attendClient(world))
    sendTexts(client.endpoint, toServer, ['mine'])
    await world.pause(Seconds(1))
    expect(kept).toEqual([Uint8Array.of(0xdd, 0xdd, 0xdd, 0xdd)])
  })
})

describe('a host of simulated endpoints', () => {
  it('says no goodbye when it crashes', async () => {
    const { client, server } = await pairOf(world)
    world.hosts.server.crash()
    const sent = trace.length
    await world.pause(Seconds(10))
    expect(trace).toHaveLength(sent)
    expect([client.log.events.length, server.log.events.length]).toEqual([1, 1])
    expect(world.hosts.server.openSockets).toBe(0)
  })

  it('lets a session end on one side only when the goodbye is lost', async () => {
    const { client, server, toServer, toClient } = await pairOf(world)
    world.dropNext(1, 'server')
    client.endpoint.close(toServer)
    await world.pause(Seconds(10))
    expect(client.log.endOf(toServer)).toBe('local')
    expect(server.log.endOf(toClient)).toBeUndefined()
  })

  it('refuses to connect from a server endpoint', async () => {
    const server = await attendServer(world)
    const { endpoint } = server
    expect(() => endpoint.connect({ remote: endpoint.local, serverName: 'x' })).toThrow(
      'only a client endpoint connects'
    )
  })
})
