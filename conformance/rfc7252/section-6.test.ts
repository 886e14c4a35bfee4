import { composeCoapUri, Method, parseCoapUri, schemeDefinition, uriOptions } from '@breakwater/coap'
import type { CoapOption, CoapScheme, OutgoingExchange, UriDestination } from '@breakwater/coap'
import { formatIpAddress } from '@breakwater/core'
import { address } from '@breakwater/testing'
import { describe, expect, test } from 'vitest'

import { Lockstep } from '../../packages/coap/test/lockstep.ts'

const destination: UriDestination = { address: address('2001:db8::2:1'), port: 5683 }

/** What a client sends that was told to GET this URI; it knows where the host is. */
function datagramFor(uri: string, to: UriDestination = destination): string[] {
  const client = new Lockstep({ draw: 0x1234_0000 })
  const options = uriOptions(parseCoapUri(uri), to)
  return client.feed({
    kind: 'request',
    exchange: 1 as OutgoingExchange,
    request: { method: Method.get, options, payload: new Uint8Array(0) },
    confirmable: true
  })
}

/** The URI that a server takes a request for: its options as they came over the wire. */
function uriSeenBy(scheme: CoapScheme, options: readonly CoapOption[], to = destination): string {
  const [client, server] = [new Lockstep(), new Lockstep()]
  client.request(1, Method.get, 'replaced')
  const request = { method: Method.get, options, payload: new Uint8Array(0) }
  client.feed({ kind: 'request', exchange: 2 as OutgoingExchange, request, confirmable: false })
  server.receive(client.sent.at(-1) ?? new Uint8Array(0))
  return composeCoapUri(scheme, server.requests[0]?.options ?? [], to)
}

describe('RFC 7252 §6.1: the coap scheme', () => {
  test.each(['coap://', 'coap:///x', 'coap://:5683/x', 'coaps:///x', 'coap+tcp://:1/'])(
    'an empty host is invalid, and nothing is sent: %s [RFC7252-6.1-M01] [RFC7252-6.1-M02]',
    (uri) => {
      expect(() => datagramFor(uri)).toThrow('an empty host')
      expect(datagramFor('coap://h/x')).toHaveLength(1)
    }
  )

  test.each(['coap:', 'coap:/x', 'coap:x', 'coaps:/x'])(
    'a missing authority is invalid, and nothing is sent: %s [RFC7252-6.1-M02]',
    (uri) => {
      expect(() => datagramFor(uri)).toThrow('no authority')
    }
  )

  test('an empty host that a request names is no URI, either [RFC7252-6.1-M01]', () => {
    const empty = [{ number: 3, value: new Uint8Array(0) }]
    expect(() => composeCoapUri('coap', empty, destination)).toThrow('no host')
    expect(new Lockstep().receive('CON [0001] GET (aa) #3=')[1]).toContain('ACK [0001] 4.02')
  })

  test.each(['coap://h', 'coap://h:', 'coap://h/'])('the default port is 5683: %s', (uri) => {
    expect(parseCoapUri(uri).port).toBe(5683)
  })
})

describe('RFC 7252 §6.2: the coaps scheme', () => {
  test.each([
    ['coaps://h', 5684],
    ['coaps://h:/x', 5684],
    ['coaps://h:5683/x', 5683],
    ['coaps://h:4646/x', 4646]
  ])('without a port 5684 is assumed, and all is secured: %s [RFC7252-6.2-M01]', (uri, port) => {
    const parsed = parseCoapUri(uri)
    expect(parsed.port).toBe(port)
    expect(schemeDefinition(parsed.scheme).isSecured).toBe(true)
    // The destination says it already, so that no Uri-Port need be sent.
    expect(datagramFor(uri, { ...destination, port })[0]).not.toContain('#7=')
    expect(datagramFor(uri, { ...destination, port: port + 1 })[0]).toContain('#7=')
    for (const scheme of ['coap', 'coap+tcp', 'coap+ws'] as const)
      expect(schemeDefinition(scheme).isSecured).toBe(false)
  })

  test('and all that holds for coap, holds for coaps [RFC7252-6.2-M01]', () => {
    expect(() => parseCoapUri('coaps:///x')).toThrow('an empty host')
    expect(() => parseCoapUri('coaps:x')).toThrow('no authority')
  })
})

describe('RFC 7252 §6.3: normal form', () => {
  test.each([
    'coap://example.com:5683/~sensors/temp.xml',
    'coap://EXAMPLE.com/%7Esensors/temp.xml',
    'COAP://EXAMPLE.com:/%7esensors/temp.xml'
  ])('%s is the same as the others, and makes the same options', (uri) => {
    const options = uriOptions(parseCoapUri(uri), destination)
    expect(datagramFor(uri)).toEqual([
      '> CON [1234] GET (12340000) /~sensors/temp.xml #3=6578616d706c652e636f6d'
    ])
    expect(uriSeenBy('coap', options)).toBe('coap://example.com/~sensors/temp.xml')
  })

  test.each([
    ['coap://h/a/./b/../c', ['a', 'c']],
    ['coap://h/a/b/..', ['a', '']],
    ['coap://h/%2E%2e/a', ['a']],
    ['coap://h/..', []],
    ['coap://h//', ['', '']]
  ])('dot segments are resolved before there are options: %s', (uri, path) => {
    expect(parseCoapUri(uri).path).toEqual(path)
  })
})

describe('RFC 7252 §6.4: options from a URI', () => {
  test.each([
    ['coap://[2001:db8::2:1]/', '> CON [1234] GET (12340000)'],
    ['coap://example.net/', '> CON [1234] GET (12340000) #3=6578616d706c652e6e6574'],
    ['coap://example.net/.well-known/core', '/.well-known/core #3=6578616d706c652e6e6574'],
    ['coap://xn--18j4d.example/%E3%81%93%E3%82%93', '/こん #3=786e2d2d31386a34642e6578616d706c65'],
    [
      'coap://198.51.100.1:61616//%2F//?%2F%2F&?%26',
      '(12340000) ///// #3=3139382e35312e3130302e31 #7=f0b0 #15=2f2f #15=3f26'
    ]
  ])('appendix B: %s', (uri, datagram) => {
    expect(datagramFor(uri)[0]).toContain(datagram)
  })

  test.each([
    ['http://h/', 'no scheme'],
    ['//h/x', 'no scheme'],
    ['/x', 'no scheme'],
    ['coap://h/#here', 'fragment'],
    ['coap://h:65536/', 'port'],
    ['coap://h:x/', 'empty host'],
    ['coap://user@h/', 'empty host'],
    ['coap://[::1/', 'empty host'],
    ['coap://[1.2.3.4]/', 'IP-literal'],
    ['coap://[fe80::1%25eth0]/', 'IP-literal'],
    ['coap://h/%4', 'percent'],
    ['coap://h/%zz', 'percent'],
    ['coap://h/%ff', 'percent'],
    ['coap://h/a b', 'percent'],
    ['coap://h/ü', 'percent'],
    [`coap://h/${'a'.repeat(256)}`, '256 bytes'],
    [`coap://h/${'a/'.repeat(600)}`, 'characters']
  ])('%s is refused: %s', (uri, why) => {
    expect(() => parseCoapUri(uri)).toThrow(why)
  })

  test('a literal that is not the destination is named', () => {
    expect(datagramFor('coap://[2001:db8::9]/x')[0]).toContain('#3=5b323030313a6462383a3a395d')
    const uri = parseCoapUri('coap://192.0.2.1/')
    expect(typeof uri.host === 'string' ? uri.host : formatIpAddress(uri.host)).toBe('192.0.2.1')
  })
})

const named = (host: string): CoapOption[] => [{ number: 3, value: new TextEncoder().encode(host) }]

describe('RFC 7252 §6.5: a URI from options', () => {
  test('percent-encodings have uppercase letters, also where the URI had others [RFC7252-6.5-M01]', () => {
    const options = uriOptions(parseCoapUri('coap://h%c3%bcb.example/%e3%81%93/%3f?%c3%bc=%26'), destination)
    expect(uriSeenBy('coap', options)).toBe('coap://h%C3%BCb.example/%E3%81%93/%3F?%C3%BC=%26')
  })

  test.each([
    ['coaps', 5684, 'coaps://[2001:db8::2:1]/'],
    ['coaps', 5683, 'coaps://[2001:db8::2:1]:5683/'],
    ['coap', 5683, 'coap://[2001:db8::2:1]/'],
    ['coaps+tcp', 4646, 'coaps+tcp://[2001:db8::2:1]:4646/']
  ] as const)('without options it is what the request came by: %s, port %i', (scheme, port, uri) => {
    expect(uriSeenBy(scheme, [], { ...destination, port })).toBe(uri)
  })

  test.each([
    'coap://[2001:db8::2:1]/',
    'coap://198.51.100.1:61616//%2F//?%2F%2F&?%26'.replace('%2F%2F&', '//&'),
    'coap://example.net/.well-known/core?rt=core.s&x=@:',
    'coap://example.net/a//b/',
    "coap://example.net/!$&'()*+,;=:@?/?"
  ])('there and back: %s', (uri) => {
    expect(uriSeenBy('coap', uriOptions(parseCoapUri(uri), destination))).toBe(uri)
  })

  test('what is no host is refused', () => {
    for (const host of ['a b', 'a/b', '[::1', '[x]', 'a%b'])
      expect(() => composeCoapUri('coap', named(host), destination)).toThrow('no host')
    expect(composeCoapUri('coap', named('[::1]'), destination)).toBe('coap://[::1]/')
  })
})
