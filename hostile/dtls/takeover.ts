import { randomBytes } from 'node:crypto'
import { ipv4 } from '@breakwater/core'
import { expect } from 'vitest'
import type { ForgingClient } from '../../packages/dtls/test/forging-client.ts'
import { ContentType, HandshakeType, handshakeMessage } from '../../packages/dtls/test/dtls-wire.ts'
import { EngineWorld, attacker, unthrottled } from './engine-world.ts'
import { by, record } from './forged.ts'
import type { DtlsAttack } from './forged.ts'

/** A session of the attacker's own, or of a victim whose address it can forge. */
function openSession(world: EngineWorld): ForgingClient {
  const client = world.client()
  client.handshake()
  expect(world.takeSessions()).toBe(1)
  return client
}

/** What the server has heard since it was last asked, by whatever session. */
const heard = (world: EngineWorld): string[] =>
  world.server.take().plaintexts.map(({ bytes }) => Buffer.from(bytes).toString())

/** Done to a session, which goes on as if nothing had been: what it says next is heard, and nothing besides. */
function toSession(
  facts: Pick<DtlsAttack, 'name' | 'after' | 'source' | 'answer'> & { readonly counter: string },
  run: (world: EngineWorld, client: ForgingClient) => void
): DtlsAttack {
  return by(facts.name, facts.after, facts.source, facts.answer, facts.counter, (world) => {
    const client = openSession(world)
    run(world, client)
    client.feed(client.data('still here'))
    expect(heard(world)).toEqual(['still here'])
  })
}

const helloInSession = handshakeMessage(HandshakeType.clientHello, 0, randomBytes(60))

/** Five hundred hellos in one session. What they gain on what they cost, in bytes. */
function renegotiate(world: EngineWorld, client: ForgingClient): number {
  let gain = 0
  for (let copy = 0; copy < 500; copy++) {
    const hello = client.sealed(ContentType.handshake, helloInSession)
    gain += world.feed(hello).reduce((sum, each) => sum + each.length, -hello.length)
  }
  expect(world.counted('handshaking')).toBe(0)
  return gain
}

/**
 * OpenSSL warns at the first such hello. The second leaves it in a handshake that it will not do, so that data which then
 * come are unexpected, and the session ends by a fatal alert: only that of whoever does this.
 */
function renegotiateWithOpenSsl({ authority }: EngineWorld): void {
  const world = new EngineWorld(authority, unthrottled, false)
  const client = openSession(world)
  expect(renegotiate(world, client)).toBeLessThan(0)
  client.feed(client.data('and now?'))
  world.expectKinds('closed alert')
  world.expectNothingKept()
}

/** The session or the rights of somebody else. */
export const takeover: readonly DtlsAttack[] = [
  toSession(
    {
      name: 'clear-text data in a session',
      after: 'words in the mouth of who has proved to be somebody',
      source: 'pion CVE-2019-20786',
      answer: 'silence',
      counter: 'recordsRefused'
    },
    (_, client) => {
      for (const epoch of [0, 1, 2])
        for (const sequence of [1, 2, 1000])
          client.feed(record(ContentType.applicationData, Buffer.from('forged'), sequence, epoch))
    }
  ),
  toSession(
    {
      name: 'clear-text farewell',
      after: 'the end of a session of somebody else',
      source: 'RFC 6347 §4.1.2.7',
      answer: 'silence',
      counter: 'recordsRefused'
    },
    (world, client) => {
      for (const alert of [Buffer.of(1, 0), Buffer.of(2, 0), Buffer.of(2, 40), Buffer.of(2, 20)])
        for (const epoch of [0, 1]) client.feed(record(ContentType.alert, alert, 7, epoch))
      expect(world.server.take().reports).toEqual([])
    }
  ),
  toSession(
    {
      name: 'record said again',
      after: 'a request that is done twice',
      source: 'RFC 6347 §4.1.2.6; RFC 9132 §7.1',
      answer: 'silence',
      counter: 'plaintextsIn'
    },
    (world, client) => {
      const once = client.data('delete')
      for (let copy = 0; copy < 100; copy++) client.feed(once)
      expect(heard(world)).toEqual(['delete'])
    }
  ),
  toSession(
    {
      name: 'hello at the address of a session',
      after: 'the place of a client behind the same address',
      source: 'RFC 6347 §4.2.8',
      answer: 'HelloVerifyRequest; the session lives until another one is proved',
      counter: 'hellosIn'
    },
    (world) => {
      world.client(attacker, Buffer.from('another key here')).handshake()
      world.client().begin()
      world.server.take()
    }
  ),
  toSession(
    {
      name: 'renegotiation storm',
      after: 'a handshake of the server’s for each small record',
      source: 'RFC 5746 §5; CVE-2011-1473',
      answer:
        'a warning no_renegotiation for each, smaller than what came; the session goes on, or where OpenSSL keeps its records ends with the next data by unexpected_message',
      counter: 'handshakesFinished'
    },
    (world, client) => {
      expect(renegotiate(world, client)).toBeLessThan(0)
      renegotiateWithOpenSsl(world)
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
        world.client({ ...attacker, port: 44_000 + identity.length }, undefined, identity).handshake()
        expect(world.takeSessions(), JSON.stringify(identity)).toBe(0)
      }
    }
  )
]
