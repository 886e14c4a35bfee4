import { readFileSync } from 'node:fs'
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import type { PskServer } from './psk-server.ts'
import {
  array,
  concat,
  head,
  integer,
  Key,
  lifetime,
  map,
  prefixes,
  requestBody,
  scopes,
  text
} from './raw-cbor.ts'
import type { Cbor } from './raw-cbor.ts'
import type { RawPeer } from './raw-peer.ts'
import { SettledServer, good, heartbeatBody, put, scopeWith } from './settled-server.ts'

let settled: SettledServer
let server: PskServer
let home: RawPeer

beforeAll(async () => {
  settled = await SettledServer.start()
  ;({ server, home } = settled)
})

afterEach(() => settled.expectUnchanged())

afterAll(() => settled.remove())
const nested = (depth: number, opening: number): Cbor => new Uint8Array(depth).fill(opening)
function range(lower: number, upper: number): Cbor {
  return map([Key.lowerPort, integer(lower)], [Key.upperPort, integer(upper)])
}

describe('bodies that are not what they should be', () => {
  const cases: readonly (readonly [string, Cbor, RegExp])[] = [
    ['no body', new Uint8Array(0), /end/],
    ['text', Buffer.from('{"lifetime":60}'), /./],
    ['a thousand arrays inside one another', nested(1000, 0x81), /./],
    ['a thousand maps of indefinite length', nested(1000, 0xbf), /./],
    ['a thousand tags before a known member', concat(head(5, 1), nested(1000, 0xc6)), /./],
    [
      'a thousand arrays below a key that may be ignored',
      scopeWith(200, nested(1000, 0x81)),
      /inside one another/
    ],
    ['indefinite arrays below such a key', scopeWith(200, nested(1000, 0x9f)), /inside one another/],
    ['a map that claims 2^64 − 1 pairs', concat(Uint8Array.of(0xbb), nested(8, 0xff)), /end/],
    [
      'an array that claims 2^32 − 1 prefixes',
      scopes(concat(map(), Uint8Array.of(0x9a), nested(4, 0xff))),
      /./
    ],
    [
      'a text that claims 2^63 bytes',
      requestBody([Key.targetPrefix, array(concat(Uint8Array.of(0x7b, 0x7f), nested(7, 0xff)))]),
      /end/
    ],
    ['an array that never ends', concat(map([1, map()]).subarray(0, 2), Uint8Array.of(0xa1, 2, 0x9f)), /end/],
    [
      'a text in chunks that never ends',
      requestBody([Key.targetPrefix, array(Uint8Array.of(0x7f, 0x61, 0x31))]),
      /./
    ],
    [
      'a chunk of another kind',
      requestBody([Key.targetPrefix, array(Uint8Array.of(0x7f, 0x41, 0x31, 0xff))]),
      /chunk/
    ],
    ['a break at the top', Uint8Array.of(0xff), /./],
    ['reserved additional information', Uint8Array.of(0xbc), /reserved/],
    ['bytes behind the message', concat(good, Uint8Array.of(0)), /1 bytes follow/],
    ['a second message behind the first', concat(good, good), /follow/],
    ['keys of text', map([text('ietf-dots-signal-channel:mitigation-scope'), map()]), /key/],
    ['negative keys', map([integer(-1), map()]), /key/],
    ['key 0', map([0, map()]), /key 0/],
    ['a key above 65535', map([70_000, map()]), /key 70000/],
    ['an unknown key that must be understood', scopeWith(100, integer(1)), /comprehension-required key 100/],
    ['such a key of the upper range', scopeWith(16_383, integer(1)), /comprehension-required key 16383/],
    [
      'a known key twice',
      requestBody(prefixes('203.0.113.9/32'), lifetime(60), lifetime(60)),
      /occurs twice/
    ],
    [
      'an ignored key twice',
      requestBody(prefixes('203.0.113.9/32'), lifetime(60), [200, integer(1)], [200, integer(1)]),
      /occurs twice/
    ],
    [
      'text that is not UTF-8',
      requestBody([Key.targetPrefix, array(Uint8Array.of(0x62, 0xff, 0xfe))]),
      /UTF-8/
    ],
    ['a body of heartbeats', heartbeatBody, /scope/],
    [
      'a message of two kinds',
      map([1, map([2, array(map(prefixes('203.0.113.9/32')))])], [49, map([51, Uint8Array.of(0xf5)])]),
      /two/
    ]
  ]
  for (const [name, payload, says] of cases)
    it(`${name}: 4.00`, () => settled.expectRefusal(put(payload), '4.00', says))

  it('as many items as one record holds: an answer, and nothing done', async () => {
    const wide = await server.connect('home', 16_384)
    try {
      const room = wide.longest - 120
      const answer = await wide.ask(put(scopeWith(100, concat(head(4, room), nested(room, 0x00)))))
      expect(`${answer.code} ${answer.text}`).toMatch(/^4\.00 .*key 100/)
      const flood = prefixes(...Array.from({ length: 1000 }, (_, index) => `203.0.113.${index % 256}x`))
      expect((await wide.ask(put(requestBody(flood, lifetime(60))))).code).toBe('4.00')
    } finally {
      await wide.close()
    }
  })
})

describe('requests that ask for what must not be', () => {
  const one = prefixes('203.0.113.9/32')
  const cases: readonly (readonly [string, Cbor, RegExp])[] = [
    ['no scope', map([1, map([2, array()])]), /scope/],
    ['an empty mitigation-scope', map([1, map()]), /scope/],
    ['two scopes', scopes(map(one, lifetime(60)), map(one, lifetime(60))), /2 scopes/],
    ['a scope without a target', requestBody(lifetime(60)), /none of target-prefix/],
    [
      'only ports',
      requestBody([Key.targetPortRange, array(range(80, 80))], lifetime(60)),
      /none of target-prefix/
    ],
    ['an empty list of prefixes', requestBody(prefixes(), lifetime(60)), /target-prefix: is empty/],
    ['an empty list of ports', requestBody(one, [Key.targetPortRange, array()], lifetime(60)), /is empty/],
    ['an empty list of protocols', requestBody(one, [Key.targetProtocol, array()], lifetime(60)), /is empty/],
    ['an empty prefix', requestBody(prefixes(''), lifetime(60)), /empty/],
    ['an empty alias', requestBody(one, [Key.aliasName, array(text(''))], lifetime(60)), /empty/],
    ['an alias', requestBody([Key.aliasName, array(text('web'))], lifetime(60)), /no alias "web"/],
    ['a name', requestBody([Key.targetFqdn, array(text('www.example'))], lifetime(60)), /resolves no names/],
    ['no lifetime', requestBody(one), /lifetime is missing/],
    ['lifetime 0', requestBody(one, lifetime(0)), /lifetime/],
    ['lifetime −2', requestBody(one, lifetime(-2)), /lifetime/],
    [
      'a lifetime above 32 bits',
      requestBody(one, [14, Uint8Array.of(0x1b, 0, 0, 0, 1, 0, 0, 0, 0)]),
      /lifetime/
    ],
    ['a lifetime in words', requestBody(one, [14, text('60')]), /lifetime/],
    [
      'a lower port above the upper one',
      requestBody(one, [7, array(range(81, 80))], lifetime(60)),
      /below the lower-port/
    ],
    ['port 65536', requestBody(one, [7, array(range(1, 65_536))], lifetime(60)), /65536/],
    ['protocol 256', requestBody(one, [10, array(integer(256))], lifetime(60)), /256/],
    ['an address without a length', requestBody(prefixes('203.0.113.9'), lifetime(60)), /no ip-prefix/],
    ['host bits', requestBody(prefixes('203.0.113.9/24'), lifetime(60)), /203\.0\.113\.9\/24/],
    ['a length of 33', requestBody(prefixes('203.0.113.9/33'), lifetime(60)), /203\.0\.113\.9\/33/],
    ['no address', requestBody(prefixes('everything'), lifetime(60)), /everything/],
    ['loopback', requestBody(prefixes('127.0.0.1/32'), lifetime(60)), /loopback/],
    ['loopback of IPv6', requestBody(prefixes('::1/128'), lifetime(60)), /loopback/],
    ['multicast', requestBody(prefixes('224.0.0.1/32'), lifetime(60)), /multicast/],
    ['multicast of IPv6', requestBody(prefixes('ff02::1/128'), lifetime(60)), /multicast/],
    ['broadcast', requestBody(prefixes('255.255.255.255/32'), lifetime(60)), /broadcast|multicast/],
    ['unspecified', requestBody(prefixes('0.0.0.0/32'), lifetime(60)), /unspecified/],
    ['unspecified of IPv6', requestBody(prefixes('::/128'), lifetime(60)), /unspecified/],
    ['the whole Internet', requestBody(prefixes('0.0.0.0/0'), lifetime(60)), /./],
    ['a mid in the body', requestBody(one, lifetime(60), [Key.mid, integer(77)]), /mid has no place/],
    ['a cuid in the body', requestBody(one, lifetime(60), [Key.cuid, text('home')]), /cuid has no place/],
    ['a status', requestBody(one, lifetime(60), [Key.status, integer(2)]), /status has no place/]
  ]
  for (const [name, payload, says] of cases)
    it(`${name}: 4.00`, () => settled.expectRefusal(put(payload), '4.00', says))

  for (const prefix of ['198.51.100.7/32', '203.0.112.0/23', '::ffff:198.51.100.7/128', '2001:db8:2::/48'])
    it(`${prefix}, which is not home's: 4.00, and written down as such`, async () => {
      const counter = 'dots_server_requests_total{foreign-target}'
      await settled.expectRefusal(
        put(requestBody(prefixes('203.0.113.9/32', prefix), lifetime(60))),
        '4.00',
        /does not belong/,
        counter
      )
      expect(readFileSync(server.auditPath, 'utf8').trimEnd().split('\n').at(-1)).toContain(
        '"foreign-target"'
      )
    })

  it('a refresh with another target: 4.00', () =>
    settled.expectRefusal(put(good, 'cuid=home', 'mid=1'), '4.00', /other targets/))

  it('an overlapping request with a lower mid: 4.09', async () => {
    await settled.counting('dots_server_requests_total{conflict}', 1, async () => {
      const overlapping = requestBody(prefixes('203.0.113.0/24'), lifetime(60))
      expect((await home.ask(put(overlapping, 'cuid=home', 'mid=0'))).code).toBe('4.09')
    })
  })
})

describe('after all that', () => {
  it('the server has complained of nothing, and a good request is granted and stored', () =>
    settled.expectGoodAsNew())
})
