import { randomBytes } from 'node:crypto'
import { setTimeout as pause } from 'node:timers/promises'
import { ipv4, ipv6 } from '@breakwater/core'
import type { SecureEndpointLimits, SocketAddress } from '@breakwater/core'
import { seededEntropy } from '@breakwater/testing'
import { beforeEach, describe, expect, it } from 'vitest'
import type { NativeReport } from '../src/addon.ts'
import { MemoryEngine } from '../src/memory-engine.ts'
import { ContentType, HandshakeType, handshakeMessage, uint } from './dtls-wire.ts'
import { ForgingClient } from './forging-client.ts'

const psk = Buffer.from('0123456789abcdef')
const clientAddress: SocketAddress = { address: ipv4(0xc6336401), port: 40_000 }

let server: MemoryEngine

function openServer(limits: SecureEndpointLimits = {}): MemoryEngine {
  const local = { address: ipv4(0xc0000201), port: 4646 }
  const preSharedKeys = new Map([['site-1', psk]])
  return new MemoryEngine({ role: 'server', local, preSharedKeys, limits, constrainedPeers: true })
}

const clientAt = (address: SocketAddress = clientAddress): ForgingClient =>
  new ForgingClient(server, address, 'site-1', psk)
const inOneSubnet = (host: number): SocketAddress => ({ address: ipv6(0x20010db8, 0, host, host), port: 7 })
const kinds = (reports: readonly NativeReport[]): readonly string[] =>
  reports.map((report) => (report.kind === 'established' ? report.kind : `${report.kind} ${report.reason}`))

beforeEach(() => {
  server = openServer()
})

describe('against a client that wants all for itself, a server', () => {
  it('holds only so much data that overtakes Finished, in whole plaintexts, and goes on after it', () => {
    const client = clientAt()
    const [exchange, changeCipherSpec, finished] = client.lastFlight(client.begin())
    if (exchange === undefined || changeCipherSpec === undefined || finished === undefined)
      throw new Error('no flight')
    client.feed(exchange, changeCipherSpec)
    for (let copy = 0; copy < 60; copy++)
      client.feed(client.sealed(ContentType.applicationData, Buffer.alloc(16_000, copy)))
    client.feed(finished)
    const { reports, plaintexts } = server.take()
    expect(kinds(reports)).toEqual(['established'])
    expect(plaintexts.map(({ bytes }) => bytes.length)).toEqual(Array.from({ length: 8 }, () => 16_000))
    client.feed(client.data('after'))
    expect(server.take().plaintexts).toMatchObject([{ bytes: new Uint8Array(Buffer.from('after')) }])
  })

  it('makes no room for a message that is longer than a chain of certificates may be', () => {
    const client = clientAt()
    client.begin()
    const beginOf = (length: number, messageSequence: number): Buffer => {
      const kind = [uint(HandshakeType.clientKeyExchange, 1), uint(length, 3), uint(messageSequence, 2)]
      return client.plaintext(
        ContentType.handshake,
        Buffer.concat([...kind, uint(0, 3), uint(1, 3), uint(1, 1)])
      )
    }
    client.feed(beginOf(16_000, 8))
    expect(server.take().reports).toEqual([])
    client.feed(beginOf(20_000, 9))
    expect(kinds(server.take().reports)).toEqual(['failed protocol'])
  })

  it('bounds handshakes in progress', () => {
    server = openServer({ handshaking: 3 })
    for (let port = 1; port <= 3; port++) clientAt({ ...clientAddress, port }).begin()
    expect(server.stats()).toMatchObject({ handshaking: 3 })
    const late = clientAt({ ...clientAddress, port: 4 })
    late.feed(late.hello())
    const cookie = late.answers()[0]?.fragment.subarray(15) ?? Buffer.alloc(0)
    late.feed(late.hello(cookie))
    expect(kinds(server.take().reports)).toEqual(['failed limit'])
    expect(server.stats()).toMatchObject({ handshaking: 3 })
  })

  it('leaves room for others, however many ports one host begins handshakes from', () => {
    server = openServer({ handshaking: 200 })
    for (let port = 1; port <= 40; port++) clientAt({ ...clientAddress, port }).begin()
    expect(server.stats()).toMatchObject({ handshaking: 25, hellosOverLimit: 15 })
    for (let host = 1; host <= 40; host++) clientAt(inOneSubnet(host)).begin()
    expect(server.stats()).toMatchObject({ handshaking: 50 })
    server.take()
    clientAt({ ...clientAddress, address: ipv4(0xc6336402) }).handshake()
    expect(kinds(server.take().reports)).toEqual(['established'])
    server.advance(60_001)
    server.handleTimeouts()
    expect(server.stats()).toMatchObject({ peers: 1, handshaking: 0 })
    server.take()
    clientAt().handshake()
    expect(kinds(server.take().reports)).toEqual(['established'])
  })

  it('bounds handshakes of one address: a newer one takes the place of the older', () => {
    for (let attempt = 0; attempt < 20; attempt++) clientAt().begin()
    expect(server.stats()).toMatchObject({ peers: 1, handshaking: 1 })
  })

  it('never answers by more than it got while nothing proves an address, however a hello is cut, changed or doubled', () => {
    const seed = Date.now() % 1_000_000
    const entropy = seededEntropy(seed)
    let answered = 0
    server = openServer({ hellosPerSecondPerSource: 1_000_000 })
    for (let round = 0; round < 4000; round++) {
      const client = clientAt({ ...clientAddress, port: 1 + round })
      let datagram = client.hello(Buffer.alloc(entropy.uint32() % 20))
      if (entropy.uint32() % 2 === 0)
        datagram = datagram.subarray(0, 1 + (entropy.uint32() % datagram.length))
      if (entropy.uint32() % 2 === 0) datagram[entropy.uint32() % datagram.length] = entropy.uint32() & 255
      // Lengths of record, message and fragment that fit what is left of it.
      if (entropy.uint32() % 2 === 0 && datagram.length > 25) {
        datagram.writeUInt16BE(datagram.length - 13, 11)
        for (const at of [14, 22]) datagram.writeUIntBE(datagram.length - 25, at, 3)
      }
      if (entropy.uint32() % 4 === 0) datagram = Buffer.concat([datagram, datagram, datagram])
      client.feed(datagram)
      const out = server.take().datagrams.reduce((sum, { bytes }) => sum + bytes.length, 0)
      expect(out, `seed ${seed}, round ${round}`).toBeLessThanOrEqual(datagram.length)
      if (out > 0) answered++
    }
    expect(answered).toBeGreaterThan(500)
    expect(server.stats()).toMatchObject({ peers: 0, hellosVerified: 0 })
  })

  it('keeps one deadline for a handshake, however often somebody disturbs it', async () => {
    const client = clientAt()
    client.begin()
    const strange = handshakeMessage(HandshakeType.clientKeyExchange, 100, randomBytes(20))
    for (let round = 0; round < 20; round++) {
      client.feed(client.plaintext(ContentType.handshake, strange))
      await pause(2)
    }
    expect(server.stats()).toMatchObject({ handshaking: 1 })
    expect(server.stats()['deadlines']).toBeLessThanOrEqual(3)
  })
})
