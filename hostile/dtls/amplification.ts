import { randomBytes } from 'node:crypto'
import { ipv4 } from '@breakwater/core'
import { seededEntropy } from '@breakwater/testing'
import { expect } from 'vitest'
import { ContentType, HandshakeType } from '../../packages/dtls/test/dtls-wire.ts'
import { attacker } from './engine-world.ts'
import { by, record, fragment, extension, oddHello, version } from './forged.ts'
import type { DtlsAttack } from './forged.ts'

/** Who has proved no address wants to be answered by more than came, or remembered. */
export const amplification: readonly DtlsAttack[] = [
  by(
    'spoofed hello',
    'memory and bandwidth, by hellos from addresses that are not the sender’s',
    'RFC 6347 §4.2.1; RFC 4732 §4.1.1',
    'HelloVerifyRequest, shorter than the hello',
    'hellosIn',
    (world) => {
      for (let host = 1; host <= 500; host++) {
        const from = { address: ipv4(0x0a000000 + host * 7919), port: host }
        expect(world.feedUnverified(world.client(from).hello(), from).packets).toBe(1)
      }
      world.expectNothingKept()
    }
  ),
  by(
    'fuzzed hello',
    'a larger answer than what came, by a hello that is cut, changed or doubled',
    'RFC 7252 §11.3; RFC 4732 §3.1',
    'at most 1 packet and 1.0 bytes out for each in',
    'hellosIn',
    (world) => {
      const entropy = seededEntropy(Number(process.env['SEED'] ?? Date.now() % 1_000_000))
      let answered = 0
      for (let round = 0; round < 20_000; round++) {
        const client = world.clientAt(1 + round)
        let datagram = client.hello(Buffer.alloc(entropy.uint32() % 20))
        for (let flips = entropy.uint32() % 3; flips > 0; flips--)
          datagram[entropy.uint32() % datagram.length] = entropy.uint32() & 255
        if (entropy.uint32() % 3 === 0)
          datagram = datagram.subarray(0, 1 + (entropy.uint32() % datagram.length))
        if (entropy.uint32() % 4 === 0) datagram = Buffer.concat([datagram, datagram, datagram])
        answered += world.feedUnverified(datagram, client.address).packets
      }
      expect(answered).toBeGreaterThan(1000)
      world.expectNothingKept()
    }
  ),
  by(
    'six fragments',
    'a HelloVerifyRequest for each fragment of one hello',
    'matrixssl #31 (63 bytes → 590)',
    'at most one answer, no larger than its cause',
    'hellosIn',
    (world) => {
      const body = world.client().hello().subarray(25)
      for (let copies = 1; copies <= 12; copies++) {
        const parts = Array.from({ length: copies }, (_, index) =>
          record(
            ContentType.handshake,
            fragment(HandshakeType.clientHello, 0, body.length, 0, body.subarray(0, 34 + (index % 8))),
            index
          )
        )
        world.feedUnverified(Buffer.concat(parts))
        for (const part of parts) world.feedUnverified(part)
      }
      world.expectNothingKept()
    }
  ),
  by(
    'ticket that nobody sealed',
    'a whole flight to a forged address, by a resumption that fails',
    'Californium CVE-2022-2576',
    'HelloVerifyRequest, and the full handshake only behind the cookie',
    'hellosIn',
    (world) => {
      for (const length of [1, 16, 160, 600, 1000]) {
        const [spoofed, client] = [world.clientAt(40_000 + length), world.clientAt(40_000 + length)]
        spoofed.extensions = client.extensions = extension(35, randomBytes(length))
        expect(world.feedUnverified(spoofed.hello(), spoofed.address).packets).toBe(1)
        const flight = client.begin()
        expect(flight.length).toBeGreaterThan(1)
        client.feed(...client.lastFlight(flight))
        expect(world.takeSessions()).toBe(1)
      }
      expect(world.counted('hellosVerified')).toBe(5)
    }
  ),
  by(
    'session id that nobody gave',
    'a short handshake that proves neither address nor key',
    'Californium CVE-2022-2576; RFC 6347 §4.2.1',
    'HelloVerifyRequest',
    'hellosIn',
    (world) => {
      for (let length = 1; length <= 32; length++)
        world.feedUnverified(oddHello({ sessionId: randomBytes(length) }))
      world.expectNothingKept()
      expect(world.counted('hellosVerified')).toBe(0)
    }
  ),
  by(
    'version without a cookie',
    'a flight without a cookie, as the version field says something odd',
    'tinydtls #74',
    'HelloVerifyRequest, an alert of 15 bytes, or silence',
    'hellosIn',
    (world) => {
      for (const odd of [0, 0x0100, 0x0301, 0x0303, 0x0304, 0xfefc, 0xfefe, 0xfeff, 0xffff])
        for (const recordVersion of [version, 0xfeff, odd]) {
          world.feedUnverified(oddHello({ version: odd, recordVersion }))
          world.feedUnverified(oddHello({ recordVersion: odd }))
        }
      world.expectNothingKept()
      expect(world.counted('hellosVerified')).toBe(0)
    }
  ),
  by(
    'cookie of another address',
    'a handshake in the name of an address that was seen asking',
    'RFC 6347 §4.2.1',
    'HelloVerifyRequest again',
    'hellosIn',
    (world) => {
      const owner = world.client()
      const cookie = world.cookieFor(owner)
      const thief = world.client({ ...attacker, address: ipv4(0xc6336402) })
      for (const tried of [
        cookie,
        new Uint8Array(cookie).toReversed(),
        cookie.subarray(0, 8),
        randomBytes(255)
      ])
        world.feedUnverified(thief.hello(tried), thief.address)
      world.feedUnverified(world.clientAt(40_009).hello(cookie), { ...attacker, port: 40_009 })
      expect(world.counted('hellosVerified')).toBe(0)
    }
  ),
  by(
    'cookie of yesterday',
    'a stock of cookies that are collected and used all at once',
    'RFC 6347 §4.2.1',
    'HelloVerifyRequest again',
    'hellosIn',
    (world) => {
      const clients = Array.from({ length: 15 }, (_, index) => world.clientAt(42_000 + index))
      const cookies = clients.map((client) => world.cookieFor(client))
      for (let step = 0; step < 2; step++) {
        world.server.advance(61_000)
        const fresh = world.client({ ...attacker, address: ipv4(0xc6336409) })
        world.cookieFor(fresh)
        world.server.take()
      }
      clients.forEach((client, index) => {
        world.feedUnverified(client.hello(cookies[index]), client.address)
      })
      expect(world.counted('hellosVerified')).toBe(0)
    }
  )
]
