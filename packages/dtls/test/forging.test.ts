import { randomBytes } from 'node:crypto'
import { ipv4 } from '@breakwater/core'
import type { SocketAddress } from '@breakwater/core'
import { beforeEach, describe, expect, it } from 'vitest'
import type { MemoryTakings, NativeReport } from '../src/addon.ts'
import { MemoryEngine } from '../src/memory-engine.ts'
import { ContentType, HandshakeType, handshakeMessage, uint } from './dtls-wire.ts'
import { ForgingClient } from './forging-client.ts'

const psk = Buffer.from('0123456789abcdef')
const serverAddress: SocketAddress = { address: ipv4(0xc0000201), port: 4646 }
const clientAddress: SocketAddress = { address: ipv4(0xc6336401), port: 40_000 }
const closeNotify = Buffer.of(1, 0)
const fatalHandshakeFailure = Buffer.of(2, 40)
const noRenegotiation = Buffer.of(1, 100)

/** Our own record layer and OpenSSL's have to stand the same. */
const layers = [
  { layer: 'our own record layer', recordOffload: true },
  { layer: 'OpenSSL', recordOffload: false }
] as const

let server: MemoryEngine

function openServer(recordOffload: boolean): MemoryEngine {
  const preSharedKeys = new Map([['site-1', psk]])
  // The forger has a pre-shared key without ECDHE.
  const common = { local: serverAddress, constrainedPeers: true, recordOffload } as const
  return new MemoryEngine({ role: 'server', preSharedKeys, ...common })
}

function clientAt(address: SocketAddress = clientAddress, key: Uint8Array = psk): ForgingClient {
  return new ForgingClient(server, address, 'site-1', key)
}

const texts = (takings: MemoryTakings): readonly string[] =>
  takings.plaintexts.map(({ bytes }) => Buffer.from(bytes).toString())
const sent = (takings: MemoryTakings): readonly Uint8Array[] => takings.datagrams.map(({ bytes }) => bytes)
const kinds = (reports: readonly NativeReport[]): readonly string[] =>
  reports.map((report) => (report.kind === 'established' ? report.kind : `${report.kind} ${report.reason}`))

/** Feeds datagrams and says which plaintexts came of them. */
function yields(client: ForgingClient, ...datagrams: readonly Uint8Array[]): readonly string[] {
  client.feed(...datagrams)
  return texts(server.take())
}

/** The cookie that the server asks this client for. */
function cookieFor(client: ForgingClient): Buffer {
  client.feed(client.hello())
  return client.answers()[0]?.fragment.subarray(15) ?? Buffer.alloc(0)
}

describe.each(layers)(
  'against a client that forges, an established session on $layer',
  ({ recordOffload }) => {
    let client: ForgingClient
    let lastFlight: readonly Buffer[]
    beforeEach(() => {
      server = openServer(recordOffload)
      client = clientAt()
      lastFlight = client.handshake()
      expect(kinds(server.take().reports)).toEqual(['established'])
      expect(server.stats()).toMatchObject({ handshakesHandedOver: Number(recordOffload) })
    })

    const stillWorks = (): void => expect(yields(client, client.data('alive'))).toEqual(['alive'])

    it('delivers what is genuine', () => {
      expect(yields(client, client.data('one'), client.data('two'))).toEqual(['one', 'two'])
    })

    it('drops a replayed record', () => {
      const record = client.data('once')
      expect(yields(client, record, record)).toEqual(['once'])
      expect(yields(client, record)).toEqual([])
      stillWorks()
    })

    it('keeps a window of 64 records for those that come late', () => {
      const records = Array.from({ length: 70 }, (_, index) => client.data(String(index)))
      const at = (index: number): Buffer => records[index] ?? Buffer.alloc(0)
      expect(yields(client, at(69))).toEqual(['69'])
      expect(yields(client, at(6))).toEqual(['6'])
      expect(yields(client, at(5))).toEqual([])
      expect(yields(client, at(6))).toEqual([])
    })

    it('takes records in any order', () => {
      const records = Array.from({ length: 20 }, (_, index) => client.data(String(index)))
      const shuffled = records.map((_, index) => records[(index * 7) % 20] ?? Buffer.alloc(0))
      expect(yields(client, ...shuffled).toSorted()).toEqual(
        records.map((_, index) => String(index)).toSorted()
      )
    })

    it('drops a record with any byte changed, and takes the genuine one after it', () => {
      const record = client.data('genuine')
      for (let at = 0; at < record.length; at++) {
        const tampered = Buffer.from(record)
        tampered[at] = (tampered[at] ?? 0) ^ 0x10
        expect(yields(client, tampered)).toEqual([])
      }
      expect(yields(client, record)).toEqual(['genuine'])
    })

    it('drops a record cut off at any length', () => {
      const record = client.data('whole')
      for (let length = 1; length < record.length; length++)
        expect(yields(client, record.subarray(0, length))).toEqual([])
      expect(yields(client, record)).toEqual(['whole'])
    })

    it('drops records too short to be encrypted', () => {
      for (let length = 0; length < 40; length++) {
        const header = { epoch: 1, sequence: 1000n }
        expect(
          yields(client, client.plaintext(ContentType.applicationData, Buffer.alloc(length), header))
        ).toEqual([])
      }
      stillWorks()
    })

    it('drops records whose length goes beyond the datagram', () => {
      const record = client.data('lie')
      for (const length of [record.length, 1900, 16_384 + 2048, 65_535]) {
        const lying = Buffer.from(record)
        lying.writeUInt16BE(length, 11)
        expect(yields(client, lying)).toEqual([])
      }
      stillWorks()
    })

    it('drops records of other epochs, versions and types', () => {
      const record = client.data('strange')
      const variants: readonly (readonly [at: number, value: number])[] = [
        [4, 0],
        [4, 2],
        [3, 255],
        [2, 0xff],
        [1, 0x03],
        [0, ContentType.changeCipherSpec],
        [0, 24],
        [0, 0],
        [0, 255]
      ]
      for (const [at, value] of variants) {
        const changed = Buffer.from(record)
        changed[at] = value
        expect(yields(client, changed)).toEqual([])
      }
      expect(yields(client, record)).toEqual(['strange'])
      expect(server.take().reports).toEqual([])
    })

    it('ignores unencrypted alerts', () => {
      const alerts = [fatalHandshakeFailure, closeNotify].map((alert) =>
        client.plaintext(ContentType.alert, alert)
      )
      expect(yields(client, ...alerts)).toEqual([])
      expect(server.take().reports).toEqual([])
      stillWorks()
    })

    it('ignores unencrypted handshake messages other than a hello', () => {
      for (let type = 0; type < 30; type++) {
        if (type === HandshakeType.clientHello) continue
        client.feed(client.plaintext(ContentType.handshake, handshakeMessage(type, 9, randomBytes(20))))
      }
      expect(server.take().datagrams).toEqual([])
      stillWorks()
    })

    it('reads several records of one datagram', () => {
      const three = Buffer.concat([client.data('a'), client.data('b'), client.data('c')])
      expect(yields(client, three)).toEqual(['a', 'b', 'c'])
    })

    it('reads the genuine ones among several records of one datagram', () => {
      const [good, cut] = [client.data('good'), client.data('cut')]
      expect(yields(client, Buffer.concat([good, cut.subarray(0, -3)]))).toEqual(['good'])
      const [bad, after] = [client.data('bad'), client.data('after')]
      bad[20] = (bad[20] ?? 0) ^ 1
      expect(yields(client, Buffer.concat([bad, after]))).toEqual(['after'])
    })

    it('refuses to renegotiate, and goes on', () => {
      const again = handshakeMessage(HandshakeType.clientHello, 0, randomBytes(60))
      client.feed(client.sealed(ContentType.handshake, again))
      const takings = server.take()
      expect(client.opened(sent(takings), ContentType.alert)).toEqual([noRenegotiation])
      expect(takings.reports).toEqual([])
      stillWorks()
    })

    it('ignores warnings, malformed alerts and empty records of a peer that knows the key', () => {
      client.feed(client.sealed(ContentType.alert, Buffer.of(1, 90)))
      client.feed(client.sealed(ContentType.applicationData, Buffer.alloc(0)))
      expect(server.take().reports).toEqual([])
      stillWorks()
    })

    it('takes a jump in the sequence numbers', () => {
      client.sequence += 1n << 40n
      stillWorks()
      client.sequence = (1n << 48n) - 2n
      stillWorks()
    })

    it('sends its last flight once more when the client repeats its own', () => {
      client.feed(...lastFlight)
      const finished = client.opened(sent(server.take()), ContentType.handshake)
      // A repeated Finished is a replay for the record layer: only one under a new number shows that ours was lost.
      expect(finished).toEqual([])
      const body = Buffer.from('a repeated Finished')
      client.feed(client.sealed(ContentType.handshake, handshakeMessage(HandshakeType.finished, 3, body)))
      const repeated = client.opened(sent(server.take()), ContentType.handshake)
      expect(repeated.map((message) => message[0])).toEqual([HandshakeType.finished])
      stillWorks()
    })

    it('answers close_notify by close_notify, and is gone', () => {
      client.feed(client.sealed(ContentType.alert, closeNotify))
      const takings = server.take()
      expect(kinds(takings.reports)).toEqual(['closed close-notify'])
      expect(client.opened(sent(takings), ContentType.alert)).toEqual([closeNotify])
      expect(yields(client, client.data('from the grave'))).toEqual([])
      expect(server.stats()).toMatchObject({ peers: 0 })
    })

    it('delivers what stands before close_notify in one datagram, in that order', () => {
      client.feed(Buffer.concat([client.data('last words'), client.sealed(ContentType.alert, closeNotify)]))
      const { plaintexts, reports } = server.take()
      expect(plaintexts).toHaveLength(1)
      expect(reports).toMatchObject([{ kind: 'closed', reason: 'close-notify', after: 1 }])
    })

    it('ends by a fatal alert of the peer', () => {
      client.feed(client.sealed(ContentType.alert, fatalHandshakeFailure))
      expect(kinds(server.take().reports)).toEqual(['closed alert'])
      expect(yields(client, client.data('from the grave'))).toEqual([])
    })

    it('lives on while a hello without a cookie comes from its address', () => {
      const other = clientAt()
      other.feed(other.hello())
      expect(server.take().datagrams).toHaveLength(1)
      stillWorks()
      expect(server.stats()).toMatchObject({ peers: 1, handshaking: 0 })
    })

    it('lives on while half a handshake comes from its address', () => {
      const other = clientAt()
      const flight = other.begin()
      expect(server.stats()).toMatchObject({ peers: 2, handshaking: 1 })
      stillWorks()
      const [exchange, changeCipherSpec, finished] = other.lastFlight(flight)
      if (exchange === undefined || changeCipherSpec === undefined || finished === undefined)
        throw new Error('no flight')
      other.feed(exchange, changeCipherSpec)
      stillWorks()
      other.feed(finished)
      expect(kinds(server.take().reports)).toEqual(['closed replaced', 'established'])
      expect(yields(client, client.data('too late'))).toEqual([])
      expect(yields(other, other.data('new'))).toEqual(['new'])
      expect(server.stats()).toMatchObject({ peers: 1, handshaking: 0 })
    })

    it('lives on when somebody without the key tries a handshake from its address', () => {
      const other = clientAt(clientAddress, Buffer.from('another key here'))
      other.handshake()
      expect(server.take().reports).toEqual([])
      stillWorks()
    })

    it('lives on when a handshake from its address fails', () => {
      const other = clientAt()
      other.begin()
      other.feed(other.plaintext(ContentType.alert, fatalHandshakeFailure))
      expect(kinds(server.take().reports)).toEqual(['failed peer-alert'])
      stillWorks()
    })

    it('lives on when its own hello is replayed', () => {
      const fresh = clientAt({ ...clientAddress, port: 40_001 })
      const first = fresh.hello()
      fresh.feed(first)
      expect(server.take().datagrams).toHaveLength(1)
      const hello = client.hello()
      client.feed(hello, hello, hello)
      stillWorks()
      expect(server.stats()).toMatchObject({ handshaking: 0 })
    })
  }
)

describe.each(layers)('against a client that forges, a server with $layer', ({ recordOffload }) => {
  beforeEach(() => {
    server = openServer(recordOffload)
  })

  it('answers hellos from anywhere, by less than it got, and keeps nothing', () => {
    for (let port = 1; port <= 2000; port++) {
      const client = clientAt({ address: ipv4(0x0a000000 + port), port })
      const hello = client.hello()
      client.feed(hello)
      const [answer, ...more] = server.take().datagrams
      expect(more).toEqual([])
      expect(answer?.bytes.length).toBeLessThan(hello.length)
    }
    expect(server.stats()).toMatchObject({ peers: 0, handshaking: 0, hellosIn: 2000, hellosVerified: 0 })
  })

  it('does not take the cookie of another address, nor one that it never made', () => {
    const client = clientAt()
    client.feed(client.hello())
    const cookie = client.answers()[0]?.fragment.subarray(15) ?? Buffer.alloc(0)
    const thief = clientAt({ ...clientAddress, port: 40_001 })
    thief.feed(
      thief.hello(cookie),
      thief.hello(randomBytes(16)),
      thief.hello(randomBytes(255)),
      thief.hello()
    )
    expect(server.stats()).toMatchObject({ peers: 0, hellosVerified: 0 })
    client.feed(client.hello(cookie))
    expect(server.stats()).toMatchObject({ peers: 1, hellosVerified: 1 })
  })

  it('keeps nothing for a hello in fragments, and serves the next whole one', () => {
    const client = clientAt()
    const hello = client.hello()
    const body = hello.subarray(25)
    const fragment = Buffer.concat([hello.subarray(13, 19), uint(0, 3), uint(20, 3), body.subarray(0, 34)])
    client.feed(client.plaintext(ContentType.handshake, fragment))
    expect(server.stats()).toMatchObject({ peers: 0, hellosVerified: 0 })
    const next = clientAt()
    next.handshake()
    expect(kinds(server.take().reports)).toEqual(['established'])
  })

  it('drops what strangers send that is no hello', () => {
    const client = clientAt()
    const strange = [ContentType.alert, ContentType.changeCipherSpec, ContentType.applicationData, 99].map(
      (type) => client.plaintext(type, randomBytes(40))
    )
    client.feed(...strange, randomBytes(1), randomBytes(1200), Buffer.alloc(13))
    expect(server.take()).toEqual({ datagrams: [], reports: [], plaintexts: [] })
    expect(server.stats()).toMatchObject({ peers: 0 })
  })

  it('holds data that overtakes Finished', () => {
    const client = clientAt()
    const [exchange, changeCipherSpec, finished] = client.lastFlight(client.begin())
    if (exchange === undefined || changeCipherSpec === undefined || finished === undefined)
      throw new Error('no flight')
    client.feed(exchange, changeCipherSpec, client.data('early'))
    expect(server.take().reports).toEqual([])
    client.feed(finished)
    const { reports, plaintexts } = server.take()
    expect(reports).toMatchObject([{ kind: 'established', after: 0 }])
    expect(plaintexts).toHaveLength(1)
  })

  it('keeps to the fragment length that a client asks for', () => {
    const client = clientAt()
    // RFC 6066 §4: max_fragment_length (1), one byte, 2^9.
    client.extensions = Buffer.concat([uint(1, 2), uint(1, 2), uint(1, 1)])
    client.handshake()
    const [report] = server.take().reports
    if (report?.kind !== 'established') throw new Error('no session')
    expect(report.maximumPlaintext).toBe(512)
    expect(server.send(report.peer, new Uint8Array(513))).toBe(false)
    expect(server.send(report.peer, new Uint8Array(512))).toBe(true)
    expect(client.opened(sent(server.take()), ContentType.applicationData)).toEqual([Buffer.alloc(512)])
  })

  it('reads an identity up to a NUL, and proves it by the key all the same', () => {
    const clientAs = (identity: string, key = psk): ForgingClient =>
      new ForgingClient(server, clientAddress, identity, key)
    clientAs('site-1\0site-2').handshake()
    expect(server.take().reports).toMatchObject([{ kind: 'established', identity: { identity: 'site-1' } }])
    server = openServer(recordOffload)
    for (const identity of ['', '\0', '\0site-1', 'site-1 ', 'SITE-1', 'x'.repeat(128), 'x'.repeat(1000)]) {
      clientAs(identity).handshake()
      expect(kinds(server.take().reports)[0]).toMatch(/^failed (?:no-shared-key|protocol)$/)
    }
    expect(server.stats()).toMatchObject({ peers: 0, handshaking: 0 })
  })

  it('takes a last flight in which Finished arrives first', () => {
    const client = clientAt()
    const [exchange, changeCipherSpec, finished] = client.lastFlight(client.begin())
    if (exchange === undefined || changeCipherSpec === undefined || finished === undefined)
      throw new Error('no flight')
    client.feed(finished, exchange, changeCipherSpec)
    expect(kinds(server.take().reports)).toEqual(['established'])
  })

  it('finishes a handshake into which somebody throws short and encrypted garbage', () => {
    const client = clientAt()
    const flight = client.lastFlight(client.begin())
    const types = [ContentType.alert, ContentType.handshake, ContentType.applicationData]
    for (const record of flight) {
      for (let length = 0; length < 60; length++)
        for (const type of types)
          client.feed(
            client.plaintext(type, randomBytes(length), { epoch: 1, sequence: BigInt(1000 + length) })
          )
      client.feed(record)
    }
    expect(kinds(server.take().reports)).toEqual(['established'])
    expect(server.stats()).toMatchObject({ handshakesHandedOver: Number(recordOffload) })
  })

  it('never lets in a client with another key, and tells it from one that fell silent', () => {
    clientAt(clientAddress, Buffer.from('another key here')).handshake()
    clientAt({ ...clientAddress, port: 40_001 }).begin()
    expect(server.take().reports).toEqual([])
    server.advance(60_001)
    server.handleTimeouts()
    expect(kinds(server.take().reports).toSorted()).toEqual(['failed no-shared-key', 'failed timeout'])
    expect(server.stats()).toMatchObject({ peers: 0, handshaking: 0 })
  })

  it('takes a cookie across one change of its secret, not across two', () => {
    const [prompt, late] = [clientAt(), clientAt({ ...clientAddress, port: 40_001 })]
    const [fresh, stale] = [cookieFor(prompt), cookieFor(late)]
    server.advance(61_000)
    prompt.feed(prompt.hello(fresh))
    expect(server.stats()).toMatchObject({ hellosVerified: 1 })
    server.advance(61_000)
    late.feed(late.hello(stale))
    expect(server.stats()).toMatchObject({ hellosVerified: 1 })
    server.take()
    const again = clientAt({ ...clientAddress, port: 40_001 })
    again.feed(again.hello(cookieFor(again)))
    expect(server.stats()).toMatchObject({ hellosVerified: 2 })
  })

  it('gives one session to each of two ports of one address', () => {
    const [first, second] = [clientAt(), clientAt({ ...clientAddress, port: 40_001 })]
    first.handshake()
    server.take()
    second.handshake()
    server.take()
    first.feed(first.data('first'))
    second.feed(second.data('second'))
    const { plaintexts } = server.take()
    expect(new Set(plaintexts.map(({ peer }) => peer)).size).toBe(2)
  })
})
