import { concatBytes, Instant, Milliseconds, Seconds } from '@breakwater/core'
import { expect, it } from 'vitest'
import { connect, pairOf, attendClient, attendServer, sendTexts } from '../../src/contracts/secure-pair.ts'
import { decodeSegment, SegmentKind } from '../../src/sim/stream-segment.ts'
import type { Segment } from '../../src/sim/stream-segment.ts'
import { SimulatedStreamWorld } from './simulated-stream-world.ts'

/** Segments that a host sends from now on, and when. */
function segmentsOf(
  world: SimulatedStreamWorld,
  host: 'client' | 'server'
): { at: Instant; segment: Segment }[] {
  const sent: { at: Instant; segment: Segment }[] = []
  world.network.tap(({ fate, from, bytes, at }) => {
    const segment = decodeSegment(bytes)
    if (fate.kind === 'sent' && from === host && segment !== undefined) sent.push({ at, segment })
  })
  return sent
}

function withBytes(sent: readonly { readonly at: Instant; readonly segment: Segment }[]): Instant[] {
  return sent.filter(({ segment }) => segment.payload.length > 0).map(({ at }) => at)
}

it('repeats a SYN after 1 s, 2 s and 4 s (RFC 6298 §2.1, §5.5), until the handshake has taken too long', async () => {
  const world = new SimulatedStreamWorld(1)
  const server = await attendServer(world)
  const client = await attendClient(world)
  const sent = segmentsOf(world, 'client')
  world.hosts.client.link('eth0').cut('up')
  const peer = connect(world, client, server)
  await world.until(() => client.log.failureOf(peer) !== undefined, Seconds(20))
  const syns = sent.filter(({ segment }) => segment.kind === SegmentKind.syn).map(({ at }) => at)
  expect(syns).toEqual([0, 1000, 3000, 7000].map(Instant))
  expect(client.log.failureOf(peer)).toBe('timeout')
  expect(world.clock.now()).toBe(15_000)
  await world.close()
})

it('gets through when the first SYN-ACK is lost', async () => {
  const world = new SimulatedStreamWorld(1)
  const server = await attendServer(world)
  const client = await attendClient(world)
  world.hosts.client.link('eth0').down.dropNext(1)
  const peer = connect(world, client, server)
  await world.until(() => client.log.isEstablished(peer))
  expect(world.clock.now()).toBeGreaterThanOrEqual(1000)
  expect(world.clock.now()).toBeLessThan(1100)
  await world.close()
})

it('repeats what is not acknowledged after 200 ms, doubling (RFC 6298 §5.5)', async () => {
  const world = new SimulatedStreamWorld(1)
  const { client, toServer, server, toClient } = await pairOf(world)
  sendTexts(client.endpoint, toServer, ['in time'])
  await world.until(() => server.log.received.length > 0)
  await world.pause(Milliseconds(100))
  const sent = segmentsOf(world, 'client')
  const start = world.clock.now()
  world.hosts.client.link('eth0').up.dropNext(3)
  sendTexts(client.endpoint, toServer, ['late'])
  await world.until(() => server.log.textsFrom(toClient).join('') === 'in timelate')
  expect(withBytes(sent).map((at) => at - start)).toEqual([0, 200, 600, 1400])
  await world.close()
})

it('repeats at once what three acknowledgements miss (RFC 5681 §3.2)', async () => {
  const world = new SimulatedStreamWorld(1)
  const { client, toServer, server, toClient } = await pairOf(world)
  world.hosts.client.link('eth0').up.dropNext(1)
  const before = world.clock.now()
  client.endpoint.send(toServer, new Uint8Array(8000).fill(7))
  const came = (): number => server.log.received.reduce((sum, one) => sum + one.bytes.length, 0)
  await world.until(() => came() === 8000)
  expect(world.clock.now() - before).toBeLessThan(100)
  expect(server.log.endOf(toClient)).toBeUndefined()
  await world.close()
})

it.each([1, 2, 3, 4])(
  'keeps every byte and its place on a link that loses and reorders, seed %i',
  async (seed) => {
    const world = new SimulatedStreamWorld(seed)
    const patient = { limits: { firstByte: Seconds(600) } }
    const { client, toServer, server } = await pairOf(world, { server: patient })
    world.hosts.client
      .link('eth0')
      .change({ loss: 0.4, reorder: 0.2, duplicate: 0.2, jitter: Milliseconds(20) })
    const bytes = Uint8Array.from({ length: 20_000 }, (_, index) => Math.imul(index, 0x9e3779b1) >>> 24)
    client.endpoint.send(toServer, bytes)
    const came = (): Uint8Array => concatBytes(server.log.received.map((one) => one.bytes))
    await world.until(() => came().length >= bytes.length, Seconds(600))
    expect(came()).toEqual(bytes)
    world.hosts.client.link('eth0').change({ loss: 0 })
    await world.close()
  }
)

it('says nothing of a session whose host died before it is used: then the host answers with a reset', async () => {
  const world = new SimulatedStreamWorld(1)
  const { client, toServer, server } = await pairOf(world)
  world.hosts.server.crash()
  await world.pause(Seconds(60))
  expect(client.log.endOf(toServer)).toBeUndefined()
  sendTexts(client.endpoint, toServer, ['anybody there?'])
  await world.until(() => client.log.endOf(toServer) !== undefined)
  expect(client.log.endOf(toServer)).toBe('alert')
  expect(server.log.events).toHaveLength(1)
  await world.close()
})

it('gives a session up that nobody acknowledges for a quarter of an hour', async () => {
  const world = new SimulatedStreamWorld(1)
  const { client, toServer } = await pairOf(world)
  world.hosts.server.link('eth0').cut()
  sendTexts(client.endpoint, toServer, ['anybody there?'])
  await world.until(() => client.log.endOf(toServer) !== undefined, Seconds(1800))
  expect(client.log.endOf(toServer)).toBe('alert')
  expect(world.clock.now()).toBeGreaterThan(Seconds(600))
  // The server never hears of it.
  world.hosts.server.crash()
  await world.close()
})

it('listens to TCP and UDP at one port (RFC 9132 §3)', async () => {
  const world = new SimulatedStreamWorld(1)
  const local = { address: world.address('server', 4), port: 4646 }
  const server = await attendServer(world, { local })
  const datagrams = await world.hosts.server.openSecureEndpoint(
    { role: 'server', local, certificate: world.certificate('server') },
    { onBatch: () => undefined, onSession: () => undefined }
  )
  expect(datagrams.local).toEqual(server.endpoint.local)
  const client = await attendClient(world)
  const peer = connect(world, client, server)
  await world.until(() => client.log.isEstablished(peer))
  await datagrams.destroy()
  await world.close()
})
