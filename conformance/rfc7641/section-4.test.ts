import { Seconds } from '@breakwater/core'
import { Code, OptionNumber, uintOption } from '@breakwater/coap'
import type { CoapSessionOptions } from '@breakwater/coap'
import { describe, expect, test } from 'vitest'

import { Lockstep } from '../../packages/coap/test/lockstep.ts'
import { observeOf } from '@breakwater/testing'
import { openStream } from '../../packages/coap/test/stream-lockstep.ts'

const cbor = [uintOption(OptionNumber.contentFormat, 60)]
const json = [uintOption(OptionNumber.contentFormat, 50)]

/** A server with an observer as exchange 1, token 4a; its own Message IDs begin at 0. */
function observed(options: Partial<CoapSessionOptions> = {}): Lockstep {
  const server = new Lockstep({ draw: 0, ...options })
  server.receive('CON [0a01] GET (4a) /x Observe=0')
  server.respond(1, Code.content, 'one', { observe: 0, options: cbor })
  return server
}

describe('RFC 7641 §4.1 and §4.3: in sync', () => {
  test('every state that the application tells leaves for the observer, until it is gone [RFC7641-4.1-M01]', () => {
    const server = observed()
    for (const state of ['two', 'three', 'four'])
      expect(server.notify(1, state, false)[0]).toContain(`2.05 (4a) Observe=`)
    server.receive('RST [0002]')
    expect(server.notify(1, 'five', false)).toEqual([])
  })

  test('while one state is underway only the latest waits, and it does arrive [RFC7641-4.3.1-M01]', () => {
    const server = observed()
    server.notify(1, 'two', true)
    for (const state of ['three', 'four', 'five']) expect(server.notify(1, state, true)).toEqual([])
    expect(server.receive('ACK [0000]')).toEqual(['> CON [0001] 2.05 (4a) Observe=5 "five"'])
  })
})

describe('RFC 7641 §4.2: notifications', () => {
  test('an error tells that the resource is gone [RFC7641-4.2-S02]', () => {
    const server = observed()
    expect(server.notify(1, '', false, Code.notFound)).toEqual(['> NON [0000] 4.04 (4a)'])
  })

  test('keep the Content-Format of the first response [RFC7641-4.2-M03]', () => {
    const server = observed()
    expect(server.notify(1, 'two', false, Code.content, cbor)[0]).toContain(
      '2.05 (4a) Observe=2 Content-Format=60'
    )
    expect(server.notify(1, 'two', false, Code.content, json)[0]).not.toContain('Content-Format=50')
  })

  test('in another format there is a 4.06, and the entry is gone [RFC7641-4.2-M04]', () => {
    const server = observed()
    expect(server.notify(1, 'two', false, Code.content, json)).toEqual([
      '> NON [0000] 4.06 (4a)',
      'observer-gone 1'
    ])
    expect(server.notify(1, 'three', false, Code.content, cbor)).toEqual([])
    const stream = openStream()
    stream.receive('GET (aa) /x Observe=0')
    stream.respond(1, Code.content, 'one', { observe: 0, options: cbor })
    const response = { code: Code.content, options: json, payload: new Uint8Array(0) }
    expect(stream.feed({ kind: 'notify', exchange: 1 as never, response, confirmable: false })).toEqual([
      '> 4.06 (aa)',
      'observer-gone 1'
    ])
  })
})

describe('RFC 7641 §4.4: the sequence', () => {
  test('goes up by one with each notification, which is far below 2^23 in 256 s [RFC7641-4.4-M02]', () => {
    const server = observed()
    for (let turn = 0; turn < 1000; turn++) server.notify(1, 'x', false)
    expect(server.sent.map((bytes) => observeOf(bytes))).toEqual(
      Array.from({ length: 1001 }, (_, index) => index + 1)
    )
  })
})

describe('RFC 7641 §4.5.1: the pace', () => {
  test('one Non-confirmable notification in 3 s, and then the latest state [RFC7641-4.5.1-S02] [RFC7641-4.5.1-S01]', () => {
    const server = observed({ notificationSpacingSeconds: 3 })
    expect(server.notify(1, 'two', false)).toEqual(['> NON [0000] 2.05 (4a) Observe=2 "two"'])
    expect(server.notify(1, 'three', false)).toEqual([])
    expect(server.notify(1, 'four', false)).toEqual([])
    expect(server.advance(Seconds(2.9))).toEqual([])
    expect(server.advance(Seconds(0.2))).toEqual(['> NON [0001] 2.05 (4a) Observe=4 "four"'])
    expect(server.advance(Seconds(100))).toEqual([])
    expect(server.notify(1, 'five', false)).toHaveLength(1)
  })

  test('over all observations of one peer, in turn', () => {
    const server = observed({ notificationSpacingSeconds: 3 })
    server.receive('CON [0a02] GET (4b) /y Observe=0')
    server.respond(2, Code.content, 'y', { observe: 0 })
    server.notify(1, 'x1', false)
    expect(server.notify(1, 'x2', false)).toEqual([])
    expect(server.notify(2, 'y2', false)).toEqual([])
    expect(server.advance(Seconds(3))).toEqual(['> NON [0001] 2.05 (4a) Observe=4 "x2"'])
    expect(server.advance(Seconds(3))).toEqual(['> NON [0002] 2.05 (4b) Observe=5 "y2"'])
    expect(server.session.nextTimeout()).toBeDefined()
  })

  test('what ends an observation does not wait, and nothing waits for who is gone', () => {
    const server = observed({ notificationSpacingSeconds: 3 })
    server.notify(1, 'two', false)
    server.notify(1, 'three', false)
    expect(server.notify(1, '', false, Code.notFound)).toEqual(['> NON [0001] 4.04 (4a)'])
    expect(server.advance(Seconds(10))).toEqual([])
    const forgotten = observed({ notificationSpacingSeconds: 3 })
    forgotten.notify(1, 'two', false)
    forgotten.notify(1, 'three', false)
    forgotten.forgetObserver(1)
    expect(forgotten.advance(Seconds(10))).toEqual([])
  })
})

describe('RFC 7641 §7: security', () => {
  test('after so many Non-confirmable notifications one is Confirmable [RFC7641-7-M01]', () => {
    const server = observed({ mostUnconfirmed: 2 })
    const types = (): string | undefined => server.notify(1, 'x', false)[0]?.slice(0, 5)
    expect([types(), types(), types()]).toEqual(['> NON', '> NON', '> CON'])
    server.receive('ACK [0002]')
    expect([types(), types(), types()]).toEqual(['> NON', '> NON', '> CON'])
  })

  test('notifications leave by the session of the registration only [RFC7641-7-M02]', () => {
    const [registered, other, plain] = [observed(), new Lockstep({ draw: 0 }), new Lockstep({ draw: 0 })]
    plain.receive('CON [0a01] GET (4a) /x')
    plain.respond(1, Code.content, 'one')
    other.receive('CON [0a01] GET (4b) /y Observe=0')
    other.respond(1, Code.content, 'one', { observe: 0 })
    expect(plain.notify(1, 'two', false)).toEqual([])
    expect(registered.notify(1, 'two', false)[0]).toContain('(4a)')
    expect(other.notify(1, 'two', false)[0]).toContain('(4b)')
  })
})
