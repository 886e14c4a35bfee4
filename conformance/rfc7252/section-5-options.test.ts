import {
  Code,
  isPreconditionMet,
  Method,
  OptionNumber,
  parseCoapUri,
  stringOption,
  uintOption,
  uriOptions
} from '@breakwater/coap'
import type { CoapOption, CoapRequest, CurrentState } from '@breakwater/coap'
import { ipv4, Seconds } from '@breakwater/core'
import { describe, expect, test } from 'vitest'

import { Lockstep } from '../../packages/coap/test/lockstep.ts'
import { openStream } from '../../packages/coap/test/stream-lockstep.ts'

const token = '(12340000)'
const draw = 0x1234_0000

function asked(request = 'GET (aa) /x'): Lockstep {
  const server = new Lockstep({ draw })
  server.receive(`CON [0001] ${request}`)
  return server
}

const optionsOf = (server: { requests: CoapRequest[] }): number[] | undefined =>
  server.requests.at(-1)?.options.map(({ number }) => number)

const aged = (seconds: number): string[] =>
  asked().respond(1, Code.content, '', { options: [uintOption(OptionNumber.maxAge, seconds)] })

describe('RFC 7252 §5.4: an option belongs to methods and codes', () => {
  test.each([
    ['Max-Age', Method.get, uintOption(OptionNumber.maxAge, 1)],
    ['Location-Path', Method.put, stringOption(OptionNumber.locationPath, 'x')],
    ['Observe', Method.put, uintOption(OptionNumber.observe, 0)],
    ['ETag', Method.delete, stringOption(OptionNumber.etag, 'x')]
  ])('no %s is sent in a request where it is not defined [RFC7252-5.4-M01]', (name, method, option) => {
    const request = (end: { request: Lockstep['request'] }): string[] =>
      end.request(1, method, 'x', { options: [option] })
    expect(() => request(new Lockstep())).toThrow(name)
    expect(() => request(openStream())).toThrow(name)
  })

  test.each([
    ['Uri-Path', Code.content, stringOption(OptionNumber.uriPath, 'x')],
    ['If-Match', Code.content, stringOption(OptionNumber.ifMatch, 'x')],
    ['Accept', Code.notAcceptable, uintOption(OptionNumber.accept, 0)],
    ['Location-Path', Code.content, stringOption(OptionNumber.locationPath, 'x')]
  ])('no %s is sent in a response where it is not defined [RFC7252-5.4-M01]', (name, code, option) => {
    expect(() => asked().respond(1, code, '', { options: [option] })).toThrow(name)
    const stream = openStream()
    stream.receive('GET (aa) /x')
    expect(() => stream.respond(1, code, '', { options: [option] })).toThrow(name)
  })

  test('an elective one that comes where it is not defined, is not seen [RFC7252-5.4-M01]', () => {
    const { uriPath, contentFormat } = OptionNumber
    const request = 'PUT (aa) /x Observe=0 Max-Age=7 ETag=01 Content-Format=0 Location-Path=y'
    expect(optionsOf(asked(request))).toEqual([uriPath, contentFormat])
    const stream = openStream()
    stream.receive(request)
    expect(optionsOf(stream)).toEqual([uriPath, contentFormat])
    const client = new Lockstep({ draw })
    client.get(1)
    expect(client.receive(`ACK [1234] 2.05 ${token} Hop-Limit=9 Location-Path=y "x"`)).toEqual([
      'response 1 2.05 "x" final'
    ])
    expect(client.responses[0]?.options).toEqual([])
  })

  test('a critical one that comes where it is not defined, rejects the message [RFC7252-5.4-M01]', () => {
    const client = new Lockstep({ draw })
    client.get(1)
    client.receive('ACK [1234]')
    expect(client.receive(`CON [0001] 2.05 ${token} Accept=0 "x"`)).toEqual([
      '> RST [0001]',
      'malformed COAP_OPTION_UNSUPPORTED',
      'failed 1 unsupported-critical-option'
    ])
    const stream = openStream()
    stream.get(1)
    expect(stream.receive(`2.05 ${token} /x`)).toEqual([
      'malformed COAP_OPTION_UNSUPPORTED',
      'failed 1 unsupported-critical-option'
    ])
  })

  test('a default value is not sent, neither Max-Age nor Uri-Port and Uri-Host [RFC7252-5.4.4-S01]', () => {
    expect(aged(60)).toEqual(['> ACK [0001] 2.05 (aa)'])
    expect(aged(61)).toEqual(['> ACK [0001] 2.05 (aa) Max-Age=61'])
    expect(aged(0)).toEqual(['> ACK [0001] 2.05 (aa) Max-Age=0'])
    const stream = openStream()
    stream.receive('GET (aa) /x')
    const options = [uintOption(OptionNumber.maxAge, 60)]
    expect(stream.respond(1, Code.content, '', { options })).toEqual(['> 2.05 (aa)'])
    const destination = { address: ipv4(0xc0000201), port: 5683 }
    const saying = (uri: string): number[] =>
      uriOptions(parseCoapUri(uri), destination).map(({ number }) => number)
    const { uriHost, uriPort, uriPath } = OptionNumber
    expect(saying('coap://192.0.2.1:5683/x')).toEqual([uriPath])
    expect(saying('coap://192.0.2.2:5684/x')).toEqual([uriHost, uriPort, uriPath])
  })
})

describe('RFC 7252 §5.10.5: Max-Age when it is sent again', () => {
  test('a separate response says what is left, each time [RFC7252-5.10.5-S01]', () => {
    const server = new Lockstep({ draw: 0 })
    server.receive('CON [0001] GET (aa) /x')
    server.advance(Seconds(1))
    const options = [uintOption(OptionNumber.maxAge, 10)]
    expect(server.respond(1, Code.content, 'x', { options })).toEqual([
      '> CON [0000] 2.05 (aa) Max-Age=10 "x"'
    ])
    // After 2, 6, 14 and 30 s.
    expect(server.advance(Seconds(100))).toEqual([
      '> CON [0000] 2.05 (aa) Max-Age=8 "x"',
      '> CON [0000] 2.05 (aa) Max-Age=4 "x"',
      '> CON [0000] 2.05 (aa) Max-Age=0 "x"',
      '> CON [0000] 2.05 (aa) Max-Age=0 "x"'
    ])
  })

  test('so does a piggybacked one, for a copy of its request [RFC7252-5.10.5-S01]', () => {
    const server = asked()
    server.respond(1, Code.content, 'x', { options: [uintOption(OptionNumber.maxAge, 10)] })
    server.advance(Seconds(3))
    expect(server.receive('CON [0001] GET (aa) /x')).toEqual(['> ACK [0001] 2.05 (aa) Max-Age=7 "x"'])
  })

  test('and a notification, and one that waited for its turn [RFC7252-5.10.5-S01]', () => {
    const options = [uintOption(OptionNumber.maxAge, 10)]
    const server = new Lockstep({ draw: 0, notificationSpacingSeconds: 3 })
    server.receive('CON [0001] GET (aa) /x Observe=0')
    server.respond(1, Code.content, 'x', { observe: 0 })
    server.notify(1, 'a', false, Code.content, options)
    server.notify(1, 'b', false, Code.content, options)
    expect(server.advance(Seconds(3))).toEqual(['> NON [0001] 2.05 (aa) Observe=3 Max-Age=7 "b"'])
    expect(server.notify(1, 'c', true, Code.content, options)).toHaveLength(1)
    expect(server.advance(Seconds(2))).toEqual(['> CON [0002] 2.05 (aa) Observe=4 Max-Age=8 "c"'])
    server.notify(1, 'd', true, Code.content, options)
    expect(server.advance(Seconds(4))).toEqual(['> CON [0003] 2.05 (aa) Observe=5 Max-Age=6 "d"'])
  })
})

describe('RFC 7252 §5.10.7: numbers that are kept for Location', () => {
  test.each([128, 132, 136, 140])('option %i beside a Location is a 4.02 [RFC7252-5.10.7-M03]', (number) => {
    for (const location of ['Location-Path=y', 'Location-Query=y'])
      expect(new Lockstep().receive(`CON [0001] POST (aa) /x ${location} #${number}=01`)[1]).toContain(
        `ACK [0001] 4.02 (aa) "option ${number}`
      )
    expect(openStream().receive(`POST (aa) /x Location-Path=y #${number}=01`)[1]).toContain('> 4.02 (aa)')
    // Alone it is an elective option like any other that is not known.
    expect(new Lockstep().receive(`CON [0001] POST (aa) /x #${number}=01`)).toEqual(['request 1 CON POST /x'])
  })

  test('and a response with both is not taken for what it is not [RFC7252-5.10.7-M03]', () => {
    const client = new Lockstep({ draw })
    client.request(1, Method.post, 'x')
    client.receive('ACK [1234]')
    expect(client.receive(`CON [0001] 2.01 ${token} Location-Path=y #128=01`)).toEqual([
      '> RST [0001]',
      'malformed COAP_OPTION_UNSUPPORTED',
      'failed 1 unsupported-critical-option'
    ])
  })
})

/** A resource with a condition on it: what was performed, and what was answered. */
class Guarded {
  readonly performed: number[] = []
  readonly #server: Lockstep
  readonly #current: CurrentState | undefined
  #messageId = 1

  constructor(current: CurrentState | undefined) {
    this.#current = current
    const conditional = [OptionNumber.ifMatch, OptionNumber.ifNoneMatch, OptionNumber.uriPath]
    this.#server = new Lockstep({ understoodOptions: new Set(conditional) })
  }

  ask(conditions: string): string {
    this.#server.receive(`CON [000${this.#messageId++}] PUT (aa) /x ${conditions}`)
    const { length } = this.#server.requests
    const options: readonly CoapOption[] = this.#server.requests.at(-1)?.options ?? []
    const isMet = isPreconditionMet(options, this.#current)
    if (isMet) this.performed.push(length)
    const [line = ''] = this.#server.respond(length, isMet ? Code.changed : Code.preconditionFailed)
    return line.split(' ')[3] ?? ''
  }
}

describe('RFC 7252 §5.10.8: conditions', () => {
  const etag = Uint8Array.of(0, 0x80)

  test.each([
    ['If-Match=0081', { etag }],
    ['If-Match=80', { etag }],
    ['If-Match=', undefined],
    ['If-Match=0080', undefined],
    ['If-Match=0080', {}],
    ['If-None-Match=', { etag }],
    ['If-None-Match=', {}],
    ['If-Match=0080 If-None-Match=', { etag }]
  ])(
    'where %s does not hold, nothing is performed and the answer is 4.12 [RFC7252-5.10.8-M01] [RFC7252-5.10.8-M02]',
    (conditions, current) => {
      const resource = new Guarded(current)
      expect(resource.ask(conditions)).toBe('4.12')
      expect(resource.performed).toEqual([])
    }
  )

  test.each([
    ['', undefined],
    ['', { etag }],
    ['If-Match=', {}],
    ['If-Match=0080', { etag }],
    ['If-Match=01 If-Match=0080', { etag }],
    ['If-None-Match=', undefined]
  ])('where "%s" holds, it is as if it were not there', (conditions, current) => {
    const resource = new Guarded(current)
    expect(resource.ask(conditions)).toBe('2.04')
    expect(resource.performed).toEqual([1])
  })
})
