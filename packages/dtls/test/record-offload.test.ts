import { ipv4 } from '@breakwater/core'
import type { CertificateCredentials, ClientCredentials, PeerId, ResumableSession } from '@breakwater/core'
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { MemoryEngine } from '../src/memory-engine.ts'
import { ContentType, HandshakeType, decodeRecords, handshakeMessage } from './dtls-wire.ts'
import type { WireRecord } from './dtls-wire.ts'
import { eventually } from './eventually.ts'
import { ForgingClient } from './forging-client.ts'
import { establishedIn, settle } from './memory-pair.ts'
import { TestAuthority } from './pki.ts'

const serverName = 'server.example'
const key = Buffer.from('0123456789abcdef')
const psk = { kind: 'psk', identity: 'site-1', key } as const
const serverAddress = { address: ipv4(0x0a000001), port: 4646 }
const clientAddress = { address: ipv4(0x0a000002), port: 40_000 }
/** RFC 6347 §4.2.4: twice the maximum segment lifetime. */
const lastFlightMs = 240_000

let authority: TestAuthority
let credentials: { readonly server: CertificateCredentials; readonly client: CertificateCredentials }
beforeAll(() => {
  authority = new TestAuthority('Breakwater test CA')
  credentials = {
    server: authority.credentials(serverName),
    client: authority.credentials('client.example')
  }
})
afterAll(() => authority.remove())

interface Parts {
  readonly recordOffload?: boolean
  readonly sessions?: readonly ResumableSession[]
  readonly firstTimeoutMs?: number
}

function openServer({ recordOffload = true, firstTimeoutMs = 1000 }: Parts = {}): MemoryEngine {
  const preSharedKeys = new Map([[psk.identity, key]])
  const common = { local: serverAddress, constrainedPeers: true, recordOffload } as const
  const timing = { firstTimeoutMs, giveUpMs: 60_000 }
  return new MemoryEngine(
    { role: 'server', certificate: credentials.server, preSharedKeys, ...common },
    timing
  )
}

function openClient(own: ClientCredentials, parts: Parts = {}): MemoryEngine {
  const { recordOffload = true, sessions = [], firstTimeoutMs = 1000 } = parts
  const common = { local: clientAddress, credentials: own, sessions, recordOffload } as const
  return new MemoryEngine({ role: 'client', ...common }, { firstTimeoutMs, giveUpMs: 60_000 })
}

interface Session {
  readonly ofServer: PeerId
  readonly ofClient: PeerId
}

function connect(server: MemoryEngine, client: MemoryEngine): Session {
  client.connect(server.local, serverName)
  const { server: atServer, client: atClient } = settle(server, client)
  return { ofServer: establishedIn(atServer), ofClient: establishedIn(atClient) }
}

/** Sends a text in each direction and tells what arrived. */
function exchange(server: MemoryEngine, client: MemoryEngine, { ofServer, ofClient }: Session): string[] {
  client.send(ofClient, Buffer.from('to the server'))
  server.send(ofServer, Buffer.from('to the client'))
  const { server: atServer, client: atClient } = settle(server, client)
  return [atServer, atClient].flatMap(({ plaintexts }) =>
    plaintexts.map(({ bytes }) => Buffer.from(bytes).toString())
  )
}

const handedOver = (engine: MemoryEngine): number => engine.stats()['handshakesHandedOver'] ?? 0
const recordsOf = (datagrams: readonly Uint8Array[]): readonly WireRecord[] =>
  datagrams.flatMap(decodeRecords)
const explicitNonce = ({ fragment }: WireRecord): bigint => fragment.readBigUInt64BE(0)
const modes = [true, false].flatMap((server) => [true, false].map((client) => ({ server, client })))

describe('the record layer of our own', () => {
  it.for(modes)(
    'and OpenSSL’s understand each other (offload at the server $server, at the client $client)',
    (offload) => {
      for (const own of [psk, credentials.client]) {
        const server = openServer({ recordOffload: offload.server })
        const client = openClient(own, { recordOffload: offload.client })
        const session = connect(server, client)
        expect([handedOver(server), handedOver(client)]).toEqual([
          Number(offload.server),
          Number(offload.client)
        ])
        expect(exchange(server, client, session)).toEqual(['to the server', 'to the client'])
        client.close(session.ofClient)
        const { server: atServer } = settle(server, client)
        expect(atServer.reports).toMatchObject([{ kind: 'closed', reason: 'close-notify' }])
        expect([server.stats()['peers'], client.stats()['peers']]).toEqual([0, 0])
      }
    }
  )

  it.for(modes)(
    'resumes with OpenSSL’s (offload at the server $server, at the client $client)',
    (offload) => {
      const server = openServer({ recordOffload: offload.server })
      const client = openClient(credentials.client, { recordOffload: offload.client })
      client.close(connect(server, client).ofClient)
      settle(server, client)
      expect(exchange(server, client, connect(server, client))).toEqual(['to the server', 'to the client'])
      expect(client.stats()).toMatchObject({ handshakesResumed: 1 })
      expect(handedOver(server)).toBe(offload.server ? 2 : 0)
    }
  )

  it('carries plaintexts of every length up to the longest', () => {
    const [server, client] = [openServer(), openClient(credentials.client, { recordOffload: false })]
    const { ofServer } = connect(server, client)
    const longest = 1280 - 28 - 13 - 24
    for (let length = 1; length <= longest; length += length < 40 ? 1 : 97)
      expect(server.send(ofServer, new Uint8Array(length))).toBe(true)
    expect(server.send(ofServer, new Uint8Array(longest))).toBe(true)
    expect(server.send(ofServer, new Uint8Array(longest + 1))).toBe(false)
    expect(server.send(ofServer, new Uint8Array(0))).toBe(false)
    const { client: atClient, toClient } = settle(server, client)
    expect(atClient.plaintexts).toHaveLength(toClient.length)
    expect(atClient.plaintexts.at(-1)?.bytes).toHaveLength(longest)
  })
})

describe('the hand-over after a handshake', () => {
  let server: MemoryEngine
  let client: ForgingClient
  let finished: WireRecord
  let lastFlight: readonly Buffer[]
  beforeEach(() => {
    server = openServer()
    client = new ForgingClient(server, clientAddress, psk.identity, key)
    lastFlight = client.lastFlight(client.begin())
    client.feed(...lastFlight)
    const { datagrams, reports } = server.take()
    const written = recordsOf(datagrams.map(({ bytes }) => bytes))
    const last = written.find(({ epoch }) => epoch === 1)
    if (last === undefined || reports[0]?.kind !== 'established') throw new Error('no session')
    finished = last
    server.send(reports[0].peer, Buffer.from('first'))
  })

  const nextRecords = (): readonly WireRecord[] =>
    recordsOf(server.take().datagrams.map(({ bytes }) => bytes))
  const repeatFinished = (): void => {
    const message = handshakeMessage(HandshakeType.finished, 3, Buffer.alloc(12))
    client.feed(client.sealed(ContentType.handshake, message))
  }

  it('goes on with the sequence number and the nonce behind those of Finished', () => {
    const [first] = nextRecords()
    if (first === undefined) throw new Error('nothing sent')
    expect(first.sequence).toBe(finished.sequence + 1n)
    expect(explicitNonce(first)).toBe((explicitNonce(finished) + 1n) % (1n << 64n))
  })

  it('never uses a number or a nonce twice, whatever it has to say', () => {
    const seen = [finished, ...nextRecords()]
    repeatFinished()
    client.feed(client.sealed(ContentType.handshake, handshakeMessage(HandshakeType.clientHello, 0, key)))
    client.feed(client.data('data'))
    repeatFinished()
    client.feed(client.sealed(ContentType.alert, Buffer.of(1, 0)))
    seen.push(...nextRecords().filter(({ epoch }) => epoch === 1))
    expect(seen.length).toBe(6)
    expect(new Set(seen.map(({ sequence }) => sequence)).size).toBe(6)
    expect(new Set(seen.map(explicitNonce)).size).toBe(6)
  })

  it('knows the Finished that OpenSSL has read: repeated as it was, it is a replay', () => {
    nextRecords()
    client.feed(...lastFlight, ...lastFlight)
    expect(nextRecords()).toEqual([])
  })

  it('repeats the last flight, as new records, to a client that has not got it', () => {
    nextRecords()
    repeatFinished()
    const again = nextRecords()
    expect(again.map(({ type, epoch }) => [type, epoch])).toEqual([
      [ContentType.changeCipherSpec, 0],
      [ContentType.handshake, 1]
    ])
    repeatFinished()
    const [change] = nextRecords()
    expect(change?.sequence).toBe((again[0]?.sequence ?? 0n) + 1n)
  })

  it('repeats it only so often, and not for ever', () => {
    nextRecords()
    for (let times = 0; times < 40; times++) repeatFinished()
    expect(nextRecords()).toHaveLength(2 * 16)
    const other = openServer()
    const late = new ForgingClient(other, clientAddress, psk.identity, key)
    late.handshake()
    other.take()
    other.advance(lastFlightMs + 1)
    other.handleTimeouts()
    const message = handshakeMessage(HandshakeType.finished, 3, Buffer.alloc(12))
    late.feed(late.sealed(ContentType.handshake, message))
    expect(other.take().datagrams).toEqual([])
    late.feed(late.data('still there'))
    expect(other.take().plaintexts).toHaveLength(1)
  })

  it('ends the session over an alert that is none', () => {
    nextRecords()
    client.feed(client.sealed(ContentType.alert, Buffer.of(1)))
    const { reports, datagrams } = server.take()
    expect(reports).toMatchObject([{ kind: 'closed', reason: 'alert' }])
    const decodeError = Buffer.of(2, 50)
    expect(
      client.opened(
        datagrams.map(({ bytes }) => bytes),
        ContentType.alert
      )
    ).toEqual([decodeError])
  })

  it('does not happen before the peer has proved that it has the key', () => {
    const stranger = new ForgingClient(server, { ...clientAddress, port: 1 }, psk.identity, Buffer.alloc(16))
    nextRecords()
    stranger.handshake()
    expect(handedOver(server)).toBe(1)
    expect(server.stats()).toMatchObject({ peers: 2, handshaking: 1 })
  })
})

/** Loses the first datagrams that end a handshake, those with Finished, of one side. */
async function connectWithLoss(
  server: MemoryEngine,
  client: MemoryEngine,
  loser: MemoryEngine
): Promise<Session> {
  let [ofServer, ofClient]: (PeerId | undefined)[] = []
  let losses = 2
  const carry = (from: MemoryEngine, to: MemoryEngine): readonly PeerId[] => {
    const { datagrams, reports } = from.take()
    for (const { bytes } of datagrams) {
      const ends = decodeRecords(bytes).some(({ epoch }) => epoch === 1)
      if (ends && from === loser && losses > 0) losses--
      else to.feed(from.local, bytes)
    }
    return reports.flatMap(({ kind, peer }) => (kind === 'established' ? [peer] : []))
  }
  client.connect(server.local, serverName)
  await eventually('a session at both sides', () => {
    for (const engine of [server, client]) engine.handleTimeouts()
    ofClient = carry(client, server)[0] ?? ofClient
    ofServer = carry(server, client)[0] ?? ofServer
    return ofClient !== undefined && ofServer !== undefined
  })
  expect(losses).toBe(0)
  if (ofServer === undefined || ofClient === undefined) throw new Error('no session')
  return { ofServer, ofClient }
}

describe('when the last flight is lost', () => {
  it.for([{ kind: 'psk' }, { kind: 'certificate' }] as const)(
    'the server sends it again, ticket and all ($kind)',
    async ({ kind }) => {
      const server = openServer({ firstTimeoutMs: 5 })
      const own = kind === 'psk' ? psk : credentials.client
      const client = openClient(own, { firstTimeoutMs: 5 })
      const session = await connectWithLoss(server, client, server)
      expect([handedOver(server), handedOver(client)]).toEqual([1, 1])
      expect(exchange(server, client, session)).toEqual(['to the server', 'to the client'])
      expect(client.resumableSessions()).toHaveLength(1)
    }
  )

  it('so does the client, in a handshake that resumes a session', async () => {
    const server = openServer({ firstTimeoutMs: 5 })
    const client = openClient(credentials.client, { firstTimeoutMs: 5 })
    client.close(connect(server, client).ofClient)
    settle(server, client)
    const session = await connectWithLoss(server, client, client)
    expect(client.stats()).toMatchObject({ handshakesResumed: 1 })
    expect(exchange(server, client, session)).toEqual(['to the server', 'to the client'])
  })
})
