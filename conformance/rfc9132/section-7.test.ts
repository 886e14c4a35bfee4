import type { PeerIdentity } from '@breakwater/core'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { answerToHello, Extension, readHello, Suite } from '../../packages/dtls/test/hello.ts'
import type { Hello } from '../../packages/dtls/test/hello.ts'
import { ContentType, decodeRecords } from '../../packages/dtls/test/dtls-wire.ts'
import { establishedIn, settle } from '../../packages/dtls/test/memory-pair.ts'
import { digestOfKey, newRawKey } from '../../packages/dtls/test/raw-keys.ts'
import { clientAddress, DtlsBed, preSharedKeys, psk, serverName } from '../dtls-bed.ts'

let bed: DtlsBed
beforeAll(() => void (bed = new DtlsBed()))
afterAll(() => bed.remove())

function helloOf(client: ReturnType<DtlsBed['client']>): Hello {
  client.connect(bed.server().local, serverName)
  const [datagram] = client.take().datagrams
  if (datagram === undefined) throw new Error('no hello')
  return readHello(datagram.bytes)
}

/** RFC 5288, RFC 7905, RFC 6655, RFC 7251: AES-GCM, AES-CCM and ChaCha20-Poly1305, with an ephemeral exchange. */
const aeadWithEcdhe = new Set([0xc02b, 0xc02c, 0xc02f, 0xc030, 0xcca8, 0xcca9, 0xccac, 0xc0ac])
const renegotiationScsv = 0x00ff

const handshakeFailure = 40
const protocolVersion = 70

const flight = (server: ReturnType<DtlsBed['server']>, client: ReturnType<DtlsBed['client']>): number => {
  client.connect(server.local, serverName)
  const takings = settle(server, client)
  establishedIn(takings.client)
  return takings.toClient.reduce((sum, { length }) => sum + length, 0)
}

describe('RFC 9132 §7.1: the profile', () => {
  it('a client offers authenticated encryption with an ephemeral exchange, and nothing else [RFC9132-7.1-M01] [RFC9132-11-M01] [RFC9132-11-M02]', () => {
    for (const client of [bed.client(), bed.client(psk)]) {
      const { suites } = helloOf(client)
      const real = suites.filter((suite) => suite !== renegotiationScsv)
      expect(real.length).toBeGreaterThan(0)
      expect(real.filter((suite) => !aeadWithEcdhe.has(suite))).toEqual([])
    }
  })

  it('a server takes none of the others, even from a client that has nothing else [RFC9132-7.1-M01] [RFC9132-11-M01] [RFC9132-11-M02]', () => {
    const weak = [
      Suite.ecdheEcdsaAes128Cbc,
      Suite.rsaAes128Gcm,
      Suite.pskAes128Gcm,
      Suite.pskNull,
      Suite.ecdheEcdsaAes128Ccm8
    ]
    for (const suite of weak)
      expect(answerToHello(bed.server(), clientAddress, { suites: [suite] })).toMatchObject({
        suite: undefined,
        alert: handshakeFailure
      })
    const both = { suites: [...weak, Suite.ecdheEcdsaAes128Gcm] }
    expect(answerToHello(bed.server(), clientAddress, both).suite).toBe(Suite.ecdheEcdsaAes128Gcm)
  })

  it('a client offers no compression, and binds the master secret to the handshake (RFC 9325 §3.3, §3.5) [RFC9132-7.1-M01]', () => {
    const { compressions, extensions, suites } = helloOf(bed.client())
    expect(compressions).toEqual([0])
    expect(extensions.has(Extension.extendedMasterSecret)).toBe(true)
    const renegotiationInfo = 0xff01
    expect(extensions.has(renegotiationInfo) || suites.includes(renegotiationScsv)).toBe(true)
  })

  it('a message that was changed on the way is no message [RFC9132-11-M01]', () => {
    const [server, client] = [bed.server(), bed.client()]
    client.connect(server.local, serverName)
    const peer = establishedIn(settle(server, client).client)
    client.send(peer, Buffer.from('protect 203.0.113.1'))
    const [sealed] = client.take().datagrams.map(({ bytes }) => Buffer.from(bytes))
    expect(sealed?.includes('protect')).toBe(false)
    for (let at = 13; at < (sealed?.length ?? 0); at++) {
      const changed = Buffer.from(sealed ?? [])
      changed[at] = (changed[at] ?? 0) ^ 1
      server.feed(clientAddress, changed)
    }
    expect(server.take().plaintexts).toEqual([])
    server.feed(clientAddress, sealed ?? Buffer.of(0))
    expect(server.take().plaintexts).toHaveLength(1)
  })

  it('agents speak DTLS 1.2 and none before it [RFC9132-7.1-M02]', () => {
    expect(helloOf(bed.client()).version).toBe(0xfefd)
    const old = { suites: [Suite.ecdheEcdsaAes128Gcm, Suite.ecdheEcdsaAes128Cbc], version: 0xfeff }
    expect(answerToHello(bed.server(), clientAddress, old)).toMatchObject({
      suite: undefined,
      alert: protocolVersion
    })
  })

  it('a client names the server in SNI, whatever it proves itself by [RFC9132-7.1-S03]', () => {
    for (const client of [bed.client(), bed.client(psk)])
      expect(helloOf(client).extensions.get(Extension.serverName)?.subarray(5).toString()).toBe(serverName)
  })

  it('raw public keys, and pre-shared keys with ECDHE, make the flight of the server shorter [RFC9132-7.1-M05]', () => {
    const [own, theirs] = [newRawKey(), newRawKey()]
    const certified = flight(bed.server(), bed.client())
    const rawPublicKey = { ...own.credentials, peerKeys: [theirs.digest] }
    const raw = bed.client({ ...theirs.credentials, peerKeys: [own.digest] })
    expect(flight(bed.rawServer(rawPublicKey), raw)).toBeLessThan(certified - 300)
    expect(flight(bed.server(), bed.client(psk))).toBeLessThan(certified - 300)
    expect(answerToHello(bed.server(), clientAddress, { suites: [Suite.ecdhePskChacha20] }).suite).toBe(
      Suite.ecdhePskChacha20
    )
  })

  it('a session is resumed by what the client brings: the server may have been started anew since [RFC9132-7.1-M05]', () => {
    const ticketKeys = [Buffer.alloc(32, 5)]
    const client = bed.client()
    for (const [round, server] of [bed.server({ ticketKeys }), bed.server({ ticketKeys })].entries()) {
      client.connect(server.local, serverName)
      client.close(establishedIn(settle(server, client).client))
      settle(server, client)
      expect(server.stats()).toMatchObject({ handshakesFinished: 1, handshakesResumed: round })
    }
  })

  it('a datagram that comes twice is one message [RFC9132-7.1-M05]', () => {
    const [server, client] = [bed.server(), bed.client()]
    client.connect(server.local, serverName)
    client.send(establishedIn(settle(server, client).client), Buffer.from('once'))
    const [datagram] = client.take().datagrams
    for (let copy = 0; copy < 3; copy++) server.feed(clientAddress, datagram?.bytes ?? Buffer.of(0))
    expect(server.take().plaintexts).toHaveLength(1)
  })
})

describe('RFC 9132 §4.4', () => {
  it('a client proves to the server who it is, by whatever it was given [RFC9132-4.4-M04]', () => {
    const raw = newRawKey()
    const { privateKey } = bed.serverCertificate
    const rawPublicKey = { kind: 'raw-public-key', privateKey, peerKeys: [raw.digest] } as const
    const pinned = { ...raw.credentials, peerKeys: [digestOfKey(privateKey)] }
    const cases: readonly [ReturnType<DtlsBed['client']>, Partial<PeerIdentity>][] = [
      [bed.client(), { kind: 'certificate', dnsNames: ['client.example'] }],
      [bed.client(psk), { kind: 'psk', identity: psk.identity }],
      [bed.client(pinned), { kind: 'raw-public-key', spkiSha256: raw.digest }]
    ]
    for (const [client, identity] of cases) {
      const server = bed.server({ rawPublicKey, preSharedKeys })
      client.connect(server.local, serverName)
      expect(settle(server, client).server.reports).toMatchObject([{ kind: 'established', identity }])
    }
  })
})

describe('RFC 9132 §7.3: the path MTU', () => {
  it.for([
    ['certificates', () => bed.client()],
    ['pre-shared keys', () => bed.client(psk)]
  ] as const)(
    'leaves room for IP, UDP, record header and authentication with %s: 1280 bytes in all [RFC9132-7.3-M01] [RFC9132-7.3-M02]',
    ([, open]) => {
      const [server, client] = [bed.server(), open()]
      client.connect(server.local, serverName)
      const takings = settle(server, client)
      const peer = establishedIn(takings.client)
      const [most] = takings.client.reports.flatMap((report) =>
        report.kind === 'established' ? [report.maximumPlaintext] : []
      )
      expect(client.send(peer, new Uint8Array((most ?? 0) + 1))).toBe(false)
      expect(client.send(peer, new Uint8Array(most ?? 0))).toBe(true)
      const [datagram] = client.take().datagrams
      expect((datagram?.bytes.length ?? 0) + 28).toBeLessThanOrEqual(1280)
      expect((datagram?.bytes.length ?? 0) + 28).toBeGreaterThan(1280 - 16)
      const records = decodeRecords(datagram?.bytes ?? Buffer.of())
      expect(records.map(({ type }) => type)).toEqual([ContentType.applicationData])
    }
  )

  it('keeps every datagram of a handshake within it, over paths of 576 bytes, too [RFC9132-7.3-O01]', () => {
    const [server, client] = [bed.server({ mtu: 576 }), bed.client(undefined, { mtu: 576 })]
    client.connect(server.local, serverName)
    const { toClient, toServer, client: takings } = settle(server, client)
    establishedIn(takings)
    expect(Math.max(...[...toClient, ...toServer].map(({ length }) => length + 28))).toBeLessThanOrEqual(576)
  })
})
