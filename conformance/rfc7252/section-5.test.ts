import { decodeUtf8, encodeUtf8, Instant } from '@breakwater/core'
import {
  Code,
  decodeMessage,
  freshUntil,
  Method,
  OptionNumber,
  retryAfter,
  stringOption,
  uintOption
} from '@breakwater/coap'
import type { CoapOption } from '@breakwater/coap'
import { seededEntropy } from '@breakwater/testing'
import { describe, expect, test } from 'vitest'

import { Lockstep } from '../../packages/coap/test/lockstep.ts'
import { openStream } from '../../packages/coap/test/stream-lockstep.ts'

const token = '(12340000)'
const draw = 0x1234_0000

/** A server that was asked once, as exchange 1. */
function asked(): Lockstep {
  const server = new Lockstep({ draw })
  server.receive('CON [0001] GET (aa) /x')
  return server
}

describe('RFC 7252 §5.3: tokens and matching', () => {
  test('tokens are drawn at random, even for one request after another [RFC7252-5.3.1-S02]', () => {
    const client = new Lockstep({ entropy: seededEntropy(3) })
    const tokens = [1, 2, 3, 4, 5].map((exchange) => {
      client.get(exchange, 'x', { confirmable: false })
      return Buffer.from(decodeMessage(client.sent.at(-1) ?? new Uint8Array(0)).token).readUInt32BE()
    })
    const steps = tokens.slice(1).map((value, index) => Math.abs(value - (tokens[index] ?? 0)))
    expect(Math.min(...steps)).toBeGreaterThan(1000)
  })

  test('a response counts only in the session of its request [RFC7252-5.3.2-M01]', () => {
    const [client, stranger] = [new Lockstep({ draw }), new Lockstep({ draw })]
    client.get(1)
    expect(stranger.receive(`NON [0001] 2.05 ${token} "spoofed"`)).toEqual([])
    expect(stranger.receive(`ACK [1234] 2.05 ${token} "spoofed"`)).toEqual([])
    expect(client.receive(`ACK [1234] 2.05 ${token} "right"`)).toEqual(['response 1 2.05 "right" final'])
  })
})

describe('RFC 7252 §5.4: options', () => {
  test('without Max-Age, 60 seconds are assumed [RFC7252-5.4.4-M01]', () => {
    const busy = { code: Code.serviceUnavailable, options: [], payload: new Uint8Array(0) }
    expect(retryAfter(busy)).toBe(60_000)
    expect(freshUntil({ ...busy, code: Code.content }, Instant(0))).toBe(60_000)
  })

  test.each([
    ['Content-Format', OptionNumber.contentFormat],
    ['Max-Age', OptionNumber.maxAge],
    ['Observe', OptionNumber.observe]
  ])('%s is never sent twice in one message [RFC7252-5.4.5-M01]', (_, number) => {
    const options = [uintOption(number, 1), uintOption(number, 2)]
    expect(() => asked().respond(1, Code.content, '', { options })).toThrow('more than once')
    expect(() => new Lockstep().get(1, 'x', { options })).toThrow('more than once')
    const stream = openStream()
    stream.receive('GET (aa) /x')
    expect(() => stream.respond(1, Code.content, '', { options })).toThrow('more than once')
    expect(() => openStream().get(1, 'x', { options })).toThrow('more than once')
  })

  test('a request may have several ETags, a response one [RFC7252-5.10.6.1-M01]', () => {
    const options = [1, 2].map((byte): CoapOption => ({
      number: OptionNumber.etag,
      value: Uint8Array.of(byte)
    }))
    expect(new Lockstep({ draw }).get(1, 'x', { options })[0]).toContain('#4=01')
    expect(() => asked().respond(1, Code.content, '', { options })).toThrow('more than once')
  })

  test('entity-tags are bytes: any bytes, compared as such [RFC7252-5.10.6-M01]', () => {
    const client = new Lockstep({ draw, blockwise: { maximumBodyBytes: 1000, preferredSize: 64 } })
    client.get(1)
    // No UTF-8, and a leading zero that a number would lose.
    client.receive(`ACK [1234] 2.05 ${token} #4=00ff80 2:0/1/64 <64>`)
    expect(client.receive(`ACK [1235] 2.05 ${token} #4=ff80 2:1/0/64 "end"`)[0]).toContain('2:0/0/64')
    client.receive(`ACK [1236] 2.05 ${token} #4=00ff80 2:0/1/64 <64>`)
    expect(client.receive(`ACK [1237] 2.05 ${token} #4=00ff80 2:1/0/64 "end"`)).toEqual([
      'response 1 2.05 <67> final'
    ])
    expect([...(client.responses[0]?.options[0]?.value ?? [])]).toEqual([0, 0xff, 0x80])
  })

  test.each(['.', '..'])('no Location-Path is "%s" [RFC7252-5.10.7-M02]', (segment) => {
    const options = [stringOption(OptionNumber.locationPath, segment)]
    expect(() => asked().respond(1, Code.created, '', { options })).toThrow('Location-Path')
    const fine = [stringOption(OptionNumber.locationPath, '.x')]
    expect(asked().respond(1, Code.created, '', { options: fine })).toHaveLength(1)
  })
})

describe('RFC 7252 §5.5: payloads', () => {
  test('where none is defined none is sent, and one that comes is ignored [RFC7252-5.5-M01]', () => {
    for (const method of [Method.get, Method.delete])
      expect(() => new Lockstep().request(1, method, 'x', { payload: 'x' })).toThrow('payload')
    const server = new Lockstep()
    server.receive('CON [0001] GET (aa) /x "ignored"')
    server.receive('CON [0002] DELETE (ab) /x "ignored"')
    server.receive('CON [0003] PUT (ac) /x "kept"')
    expect(server.requests.map(({ payload }) => decodeUtf8(payload))).toEqual(['', '', 'kept'])
    const client = new Lockstep({ draw })
    client.get(1)
    client.receive(`ACK [1234] 2.03 ${token} #4=01 "ignored"`)
    expect(client.responses[0]?.payload.length).toBe(0)
    const stream = openStream()
    stream.receive('GET (aa) /x "ignored"')
    expect(stream.requests[0]?.payload.length).toBe(0)
  })

  test('2.03 has an ETag and no payload [RFC7252-5.9.1.3-M01]', () => {
    const options = [{ number: OptionNumber.etag, value: Uint8Array.of(1) }]
    expect(() => asked().respond(1, Code.valid, '', {})).toThrow('ETag')
    expect(() => asked().respond(1, Code.valid, 'x', { options })).toThrow('payload')
    expect(asked().respond(1, Code.valid, '', { options })).toEqual(['> ACK [0001] 2.03 (aa) #4=01'])
  })

  test('what we refuse by ourselves is explained in UTF-8 [RFC7252-5.5.2-M01] [RFC7252-5.9.2-S01] [RFC7252-5.9.3-S01]', () => {
    const server = new Lockstep({ blockwise: { maximumBodyBytes: 100, preferredSize: 64 } })
    for (const request of [
      'GET (aa) #9999=',
      'GET (aa) 2:0/0/BERT',
      'PUT (aa) /x 1:1/0/64 "x"',
      'GET (aa) #35=636f6170'
    ])
      server.receive(`CON [000${server.sent.length}] ${request}`)
    const codes = server.sent.map((bytes) => decodeMessage(bytes).code)
    expect(codes).toEqual([
      Code.badOption,
      Code.badRequest,
      Code.requestEntityIncomplete,
      Code.proxyingNotSupported
    ])
    for (const bytes of server.sent) {
      const text = decodeUtf8(decodeMessage(bytes).payload)
      expect(text).toMatch(/\w+ \w+/)
      expect(encodeUtf8(text.normalize('NFC'))).toEqual(encodeUtf8(text))
    }
  })

  test('nothing is said that the code does not say already [RFC7252-5.5.2-S01]', () => {
    const server = new Lockstep({ methods: new Set([Method.get]) })
    server.receive('CON [0001] PUT (aa) /x')
    expect(openStream({ serves: false }).receive('GET (aa) /x')).toEqual(['> 5.01 (aa)'])
    expect(decodeMessage(server.sent[0] ?? new Uint8Array(0)).payload.length).toBe(0)
  })
})

describe('RFC 7252 §5.7 to §5.9: methods and codes', () => {
  test('who is no proxy says so [RFC7252-5.7.2-M01]', () => {
    const server = new Lockstep()
    expect(server.receive('CON [0001] GET (aa) #35=636f61703a2f2f78')[1]).toContain('ACK [0001] 5.05 (aa)')
    expect(server.receive('CON [0002] GET (aa) #39=636f6170')[1]).toContain('ACK [0002] 5.05 (aa)')
  })

  test.each([0x02, 0x08, 0x1f])(
    'method 0.%i that is not served is answered by 4.05, piggybacked [RFC7252-5.8-M01]',
    (method) => {
      const server = new Lockstep({ methods: new Set([Method.get]) })
      const message = Uint8Array.of(0x41, method, 0, 1, 0xaa)
      expect(server.receive(message)).toEqual(['> ACK [0001] 4.05 (aa)'])
      expect(server.receive('CON [0002] GET (aa) /x')).toEqual(['request 2 CON GET /x'])
      const stream = openStream({ methods: new Set([Method.get]) })
      expect(stream.receive(Uint8Array.of(0x01, method, 0xaa))).toEqual(['> 4.05 (aa)'])
    }
  )

  test('a 4.13 names the largest body that is taken [RFC7252-5.9.2.9-S01]', () => {
    const server = new Lockstep({ blockwise: { maximumBodyBytes: 100, preferredSize: 64 } })
    expect(server.receive('CON [0001] PUT (aa) /x <101>')).toEqual(['> ACK [0001] 4.13 (aa) Size1=100'])
  })
})
