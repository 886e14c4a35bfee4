import { randomBytes } from 'node:crypto'
import { ipv4 } from '@breakwater/core'
import { expect } from 'vitest'
import { ContentType, HandshakeType, handshakeMessage } from '../../packages/dtls/test/dtls-wire.ts'
import { attacker } from './engine-world.ts'
import { by, record } from './forged.ts'
import type { DtlsAttack } from './forged.ts'

/** The session or the rights of somebody else. */
export const takeover: readonly DtlsAttack[] = [
  by(
    'clear-text data in a session',
    'words in the mouth of who has proved to be somebody',
    'pion CVE-2019-20786',
    'silence',
    'recordsRefused',
    (world) => {
      const client = world.client()
      client.handshake()
      expect(world.takeSessions()).toBe(1)
      for (const epoch of [0, 1, 2])
        for (const sequence of [1, 2, 1000])
          client.feed(record(ContentType.applicationData, Buffer.from('forged'), sequence, epoch))
      expect(world.server.take()).toMatchObject({ plaintexts: [], reports: [] })
      client.feed(client.data('genuine'))
      expect(world.server.take().plaintexts).toHaveLength(1)
    }
  ),
  by(
    'clear-text farewell',
    'the end of a session of somebody else',
    'RFC 6347 §4.1.2.7',
    'silence',
    'recordsRefused',
    (world) => {
      const client = world.client()
      client.handshake()
      expect(world.takeSessions()).toBe(1)
      for (const alert of [Buffer.of(1, 0), Buffer.of(2, 0), Buffer.of(2, 40), Buffer.of(2, 20)])
        for (const epoch of [0, 1]) client.feed(record(ContentType.alert, alert, 7, epoch))
      expect(world.server.take().reports).toEqual([])
      client.feed(client.data('still here'))
      expect(world.server.take().plaintexts).toHaveLength(1)
    }
  ),
  by(
    'record said again',
    'a request that is done twice',
    'RFC 6347 §4.1.2.6; RFC 9132 §7.1',
    'silence',
    'plaintextsIn',
    (world) => {
      const client = world.client()
      client.handshake()
      expect(world.takeSessions()).toBe(1)
      const once = client.data('delete')
      for (let copy = 0; copy < 100; copy++) client.feed(once)
      expect(world.server.take().plaintexts).toHaveLength(1)
    }
  ),
  by(
    'hello at the address of a session',
    'the place of a client behind the same address',
    'RFC 6347 §4.2.8',
    'HelloVerifyRequest; the session lives until another one is proved',
    'hellosIn',
    (world) => {
      const client = world.client()
      client.handshake()
      expect(world.takeSessions()).toBe(1)
      const thief = world.client(attacker, Buffer.from('another key here'))
      thief.handshake()
      world.client().begin()
      world.server.take()
      client.feed(client.data('still here'))
      expect(world.server.take().plaintexts).toHaveLength(1)
    }
  ),
  by(
    'renegotiation storm',
    'a handshake of the server’s for each small record',
    'RFC 5746 §5; CVE-2011-1473',
    'a warning no_renegotiation, fewer bytes than came',
    'handshakesFinished',
    (world) => {
      const client = world.client()
      client.handshake()
      expect(world.takeSessions()).toBe(1)
      const again = handshakeMessage(HandshakeType.clientHello, 0, randomBytes(60))
      let bytes = 0
      for (let copy = 0; copy < 500; copy++) {
        const hello = client.sealed(ContentType.handshake, again)
        bytes += world.feed(hello).reduce((sum, each) => sum + each.length - hello.length, 0)
      }
      expect(bytes).toBeLessThanOrEqual(0)
      // It goes on or ends by an alert: whoever does this has only a session of his own to lose.
      expect(world.counted('handshaking')).toBe(0)
    }
  ),
  by(
    'key by guessing',
    'a session by trying keys for an identity that is known',
    'RFC 9257 §4; RFC 7252 §9.1',
    'no session, and no word that tells a known identity from an unknown one',
    'hellosVerified',
    (world) => {
      for (let guess = 0; guess < 20; guess++)
        world.client({ address: ipv4(0x0a020000 + guess), port: 1 }, randomBytes(16)).handshake()
      expect(world.takeSessions()).toBe(0)
    }
  ),
  by(
    'identity with a NUL',
    'the rights of another identity that begins alike',
    'CVE-2009-2408, for keys',
    'no session, or that of the identity whose key was proved',
    'hellosVerified',
    (world) => {
      for (const identity of ['\0site-1', 'SITE-1', 'site-1 ', '', '\0', 'x'.repeat(1000)]) {
        expect(world.takeSessions()).toBe(0)
        world.client({ ...attacker, port: 44_000 + identity.length }, undefined, identity).handshake()
      }
      expect(world.takeSessions()).toBe(0)
    }
  )
]
