import { randomBytes } from 'node:crypto'
import { ipv4 } from '@breakwater/core'
import { seededEntropy } from '@breakwater/testing'
import { expect } from 'vitest'
import { ContentType, HandshakeType, handshakeMessage } from '../../packages/dtls/test/dtls-wire.ts'
import { by, record, fragment, residentBytes } from './forged.ts'
import type { DtlsAttack } from './forged.ts'

/** What is no handshake, or not in this order. */
export const malformed: readonly DtlsAttack[] = [
  by(
    'fragment of length zero',
    'an endless loop in the reassembly',
    'pion CVE-2022-29190',
    'silence, or a handshake that is given up',
    'hellosVerified',
    (world) => {
      for (let type = 0; type < 30; type++) {
        world.feed(record(ContentType.handshake, fragment(type, 0, 60, 0, Buffer.alloc(0)), type))
        world.feed(record(ContentType.handshake, fragment(type, 0, 0, 0, Buffer.alloc(0)), type))
      }
      const begun = world.client()
      begun.begin()
      for (let copy = 0; copy < 200; copy++)
        begun.feed(
          begun.plaintext(
            ContentType.handshake,
            fragment(HandshakeType.clientKeyExchange, 2, 60, 0, Buffer.alloc(0))
          )
        )
      for (let copy = 0; copy < 200; copy++)
        begun.feed(begun.plaintext(ContentType.handshake, Buffer.alloc(0)))
    }
  ),
  by(
    'fragments without end',
    'memory for messages that are never whole',
    'pion CVE-2022-29189; RFC 6347 §4.2.3',
    'silence; what is held is bounded',
    'hellosVerified',
    (world) => {
      const client = world.client()
      client.begin()
      const before = residentBytes()
      for (let round = 0; round < 20_000; round++) {
        const part = fragment(
          HandshakeType.clientKeyExchange,
          round % 60,
          16_000,
          (round * 7) % 15_000,
          Buffer.alloc(900)
        )
        client.feed(client.plaintext(ContentType.handshake, part))
        if (round % 500 === 0) world.server.take()
      }
      expect(residentBytes() - before).toBeLessThan(30e6)
    }
  ),
  by(
    'data before its time',
    'a queue that grows while the handshake does not end',
    'pion CVE-2022-29189; RFC 6347 §4.1',
    'silence; at most 128 kB are held',
    'hellosVerified',
    (world) => {
      const client = world.client()
      client.lastFlight(client.begin())
      const before = residentBytes()
      for (let copy = 0; copy < 20_000; copy++)
        client.feed(client.sealed(ContentType.applicationData, Buffer.alloc(1100, copy)))
      expect(world.server.take().plaintexts).toEqual([])
      expect(residentBytes() - before).toBeLessThan(30e6)
    }
  ),
  by(
    'ChangeCipherSpec before a hello',
    'a crash in a state that nobody thought of',
    'tinydtls #12',
    'silence',
    'datagramsStrange',
    (world) => {
      for (const body of [Buffer.of(1), Buffer.of(0), Buffer.alloc(0), Buffer.alloc(300, 1)])
        for (const epoch of [0, 1, 2, 0xffff])
          expect(world.feed(record(ContentType.changeCipherSpec, body, 0, epoch))).toEqual([])
      world.expectNothingKept()
    }
  ),
  by(
    'wrong epoch',
    'a session whose Finished was never protected',
    'tinydtls #13; wolfSSL #6368, #8579',
    'no session',
    'hellosVerified',
    (world) => {
      const starts = [0, 2, 3, 0xffff].map((epoch, index) => ({
        epoch,
        client: world.clientAt(43_000 + index)
      }))
      for (const { epoch, client } of starts) {
        const [exchange, change] = client.lastFlight(client.begin())
        if (exchange === undefined || change === undefined) throw new Error('no flight')
        client.feed(exchange, change)
        const finished = handshakeMessage(HandshakeType.finished, 3, randomBytes(12))
        client.feed(client.plaintext(ContentType.handshake, finished))
        client.feed(client.sealed(ContentType.handshake, finished, { epoch }))
      }
      expect(world.takeSessions()).toBe(0)
    }
  ),
  by(
    'Finished without ChangeCipherSpec',
    'a session by a flight with a hole',
    'tinydtls #13; RFC 5246 §7.1',
    'no session',
    'hellosVerified',
    (world) => {
      const client = world.client()
      const [exchange, , finished] = client.lastFlight(client.begin())
      if (exchange === undefined || finished === undefined) throw new Error('no flight')
      client.feed(exchange, finished, client.data('let me in'))
      const { reports, plaintexts } = world.server.take()
      expect(reports.filter(({ kind }) => kind === 'established')).toEqual([])
      expect(plaintexts).toEqual([])
    }
  ),
  by(
    'messages in disorder',
    'a server that lives but serves nobody any more',
    'tinydtls #244; DTLS-Fuzzer (USENIX Security 2020)',
    'alerts or silence, and no session',
    'hellosVerified',
    (world) => {
      const entropy = seededEntropy(Number(process.env['SEED'] ?? Date.now() % 1_000_000))
      for (let round = 0; round < 120; round++) {
        const client = world.client({ address: ipv4(0x0a010000 + round), port: 4000 })
        if (world.takeSessions() > 0) throw new Error('a session came of disorder')
        if (entropy.uint32() % 4 > 0) client.begin()
        for (let step = entropy.uint32() % 12; step > 0; step--) {
          const type = [0, 1, 2, 4, 11, 12, 13, 14, 15, 16, 20][entropy.uint32() % 11] ?? 1
          const body = randomBytes(entropy.uint32() % 80)
          const kind = [
            ContentType.handshake,
            ContentType.handshake,
            ContentType.changeCipherSpec,
            ContentType.alert
          ]
          client.feed(
            client.plaintext(
              kind[entropy.uint32() % 4] ?? ContentType.handshake,
              handshakeMessage(type, entropy.uint32() % 4, body)
            )
          )
        }
      }
      expect(world.takeSessions()).toBe(0)
    }
  ),
  by(
    'chain without end',
    'memory for a certificate chain of 16 MB',
    'RFC 7252 §11.1; CVE class of unbounded messages',
    'alert, and the handshake is given up',
    'hellosVerified',
    (world) => {
      const client = world.client()
      client.begin()
      for (const whole of [20_000, 0xff_ffff])
        client.feed(client.plaintext(ContentType.handshake, fragment(16, 2, whole, 0, Buffer.alloc(100))))
      world.expectKinds('failed protocol')
      world.expectNothingKept()
    }
  ),
  by(
    'records that lie about their length',
    'bytes from beyond the datagram',
    'RFC 6347 §4.1; class of Heartbleed',
    'silence',
    'datagramsStrange',
    (world) => {
      for (const length of [1, 200, 16_384, 65_535])
        for (const type of [20, 21, 22, 23, 24, 25, 255]) {
          const lying = record(type, Buffer.alloc(30, 1))
          lying.writeUInt16BE(length, 11)
          world.feedUnverified(lying)
        }
      for (let length = 0; length < 14; length++) world.feedUnverified(Buffer.alloc(length, 22))
      world.expectNothingKept()
    }
  )
]
