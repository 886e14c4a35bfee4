import { Seconds } from '@breakwater/core'
import type { SecureStreamEndpoint } from '@breakwater/core'
import { RecordingHandlers } from '@breakwater/testing'
import { once } from 'node:events'
import { connect } from 'node:net'
import type { Socket } from 'node:net'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { TestAuthority } from '../../../dtls/test/pki.ts'
import { SourceBook } from '../../src/tls/source-book.ts'
import { Credentials } from '../../../dtls/test/loopback-parties.ts'
import { TlsWorld } from './tls-world.ts'

let authority: TestAuthority
let world: TlsWorld
const crowd: Socket[] = []
beforeAll(() => {
  authority = new TestAuthority('Breakwater test CA')
})
afterAll(() => authority.remove())
beforeEach(() => {
  world = new TlsWorld(new Credentials(authority, authority))
})
afterEach(async () => {
  for (const socket of crowd.splice(0)) socket.destroy()
  await world.close()
})

/** Connections from one address that never begin to speak TLS. */
async function crowdFrom(
  localAddress: string,
  size: number,
  server: SecureStreamEndpoint
): Promise<Socket[]> {
  const sockets = Array.from({ length: size }, () =>
    connect({ host: '127.0.0.1', port: server.local.port, localAddress })
      .on('error', () => undefined)
      .resume()
  )
  crowd.push(...sockets)
  await Promise.all(sockets.map((socket) => once(socket, 'connect')))
  return sockets
}

const refusedHandshakes = 'connections_refused_total{handshaking-per-source}'

describe('a source that connects and says nothing', () => {
  it('holds 50 handshakes and no more, while others come in', async () => {
    const log = new RecordingHandlers()
    const server = await world.openServer(log, { limits: { handshaking: 60 } })
    const sockets = await crowdFrom('127.0.0.9', 200, server)
    await world.until(() => server.stats()[refusedHandshakes] === 150)
    expect(server.stats()).toMatchObject({ handshaking: 50, sources: 1 })
    await world.until(() => sockets.filter((socket) => socket.closed).length === 150)

    const own = new RecordingHandlers()
    const client = await world.openClient(own)
    const peers = Array.from({ length: 5 }, () =>
      client.connect({ remote: server.local, serverName: world.serverName })
    )
    await world.until(() => peers.every((peer) => own.isEstablished(peer)))
    // A client of TLS 1.3 is through before its server is.
    await world.until(() => server.stats()['sessions_established_total'] === 5)
    expect(server.stats()['handshaking']).toBe(50)
  })

  it('gets its share back as its handshakes time out', async () => {
    const log = new RecordingHandlers()
    const limits = { handshakingPerSource: 2, handshake: Seconds(1) }
    const server = await world.openServer(log, { limits })
    await crowdFrom('127.0.0.9', 3, server)
    await world.until(() => server.stats()[refusedHandshakes] === 1)
    await world.until(() => server.stats()['sources'] === 0)
    await crowdFrom('127.0.0.9', 2, server)
    await world.until(() => server.stats()['handshaking'] === 2)
    expect(server.stats()[refusedHandshakes]).toBe(1)
  })
})

describe('a source whose handshakes are complete', () => {
  it('holds as many sessions as it may, which leaves its handshakes alone, and then no more', async () => {
    const server = await world.openServer(new RecordingHandlers(), {
      limits: { handshakingPerSource: 1, peersPerSource: 3 }
    })
    const own = new RecordingHandlers()
    const client = await world.openClient(own)
    const request = { remote: server.local, serverName: world.serverName }
    for (let count = 0; count < 3; count++) {
      const peer = client.connect(request)
      await world.until(() => own.isEstablished(peer) && server.stats()['handshaking'] === 0)
    }
    const further = client.connect(request)
    await world.until(() => own.endOf(further) !== undefined || own.events.length === 4)
    expect(server.stats()).toMatchObject({
      'connections_refused_total{peers-per-source}': 1,
      peers: 3,
      sources: 1
    })

    client.close(own.established()[0]!)
    await world.until(() => server.stats()['peers'] === 2 && server.stats()['lingering'] === 0)
    const again = client.connect(request)
    await world.until(() => own.isEstablished(again))
  })
})

describe('what counts as one source', () => {
  const limits = { handshakingPerSource: 1, peersPerSource: 5 }

  it.each([
    ['one IPv4 address', '192.0.2.1', '192.0.2.1', true],
    ['not its neighbour', '192.0.2.1', '192.0.2.2', false],
    ['all of an IPv6 /64', '2001:db8:0:1::1', '2001:db8:0:1:ffff::9', true],
    ['not the next /64', '2001:db8:0:1::1', '2001:db8:0:2::1', false],
    ['a link-local address with its zone', 'fe80::1%lo', 'fe80::2%lo', true]
  ])('%s', (_, first, second, isOne) => {
    const book = new SourceBook(limits)
    const { gone } = book.enter(first)
    expect(book.limitAt(second)).toBe(isOne ? 'handshaking-per-source' : undefined)
    gone()
    expect([book.limitAt(second), book.size]).toEqual([undefined, 0])
  })

  it('is told of each step once, however often it is told', () => {
    const book = new SourceBook(limits)
    const kept = book.enter('192.0.2.1')
    kept.secured()
    const { secured, gone } = book.enter('192.0.2.1')
    for (let times = 0; times < 2; times++) {
      secured()
      gone()
    }
    expect([book.size, book.limitAt('192.0.2.1')]).toEqual([1, undefined])
    kept.gone()
    expect(book.size).toBe(0)
  })
})
