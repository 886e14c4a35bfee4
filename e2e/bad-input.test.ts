import { Method, OptionNumber, emptyOption, uintOption } from '@breakwater/coap'
import type { CoapOption } from '@breakwater/coap'
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import { until } from './dots-process.ts'
import type { PskServer } from './psk-server.ts'
import { array, concat, integer, lifetime, map, prefixes, requestBody, text } from './raw-cbor.ts'
import type { Cbor } from './raw-cbor.ts'
import { asDotsCbor, mitigate } from './raw-peer.ts'
import type { RawPeer, RawRequest } from './raw-peer.ts'
import { SettledServer, good, heartbeatBody, malformed, put, refused, scopeWith } from './settled-server.ts'

let settled: SettledServer
let server: PskServer
let home: RawPeer
let branch: RawPeer
beforeAll(async () => {
  settled = await SettledServer.start()
  ;({ server, home, branch } = settled)
})

afterEach(() => settled.expectUnchanged())

afterAll(() => settled.remove())
/** The first four bytes of a message: version and type, code, Message ID 0x4242. */
const begin = (first: number, code = 0x03): number[] => [first, code, 0x42, 0x42]
const CON = 0x40
const NON = 0x50
const ACK = 0x60
const RST = 0x70

describe('datagrams that are no CoAP message', () => {
  const formatErrors: Readonly<Record<string, readonly number[]>> = {
    'a reserved token length': [0x0f, 0x03],
    'a token that ends too early': [0x04, 0x03, 1, 2],
    'an option delta of 15': [0, 0x03, 0xf0],
    'an option length of 15': [0, 0x03, 0xbf, 1],
    'an option header that ends too early': [0, 0x03, 0xd0],
    'an option value that ends too early': [0, 0x03, 0xb5, 1],
    'an option number above 65535': [0, 0x03, 0xe0, 0xff, 0xff],
    'a payload marker with nothing behind it': [0, 0x03, 0xff],
    'a code of the reserved class 1': [0, 0x21],
    'a code of the reserved class 6': [0, 0xc1],
    'a signaling code of CoAP over TCP': [0, 0xe1],
    'hundreds of options': [0, 0x03, ...Array.from({ length: 600 }, () => 0)]
  }
  for (const [name, [tokenLength = 0, code = 0, ...rest]] of Object.entries(formatErrors)) {
    it(`${name}: Reset when Confirmable, silence when not`, async () => {
      await settled.counting(malformed, 2, async () => {
        const replies = await home.repliesTo(() => {
          home.send(Uint8Array.from([...begin(CON | tokenLength, code), ...rest]))
          home.send(Uint8Array.from([...begin(NON | tokenLength, code), ...rest]))
        })
        expect(replies).toMatchObject([{ type: 'reset', messageId: 0x4242 }])
      })
    })
  }

  const silent: Readonly<Record<string, readonly number[]>> = {
    'one byte': [CON],
    'three bytes': [CON, 3, 0x42],
    'version 0': begin(0x00),
    'version 2': begin(0x80),
    'version 3': begin(0xc0),
    'an Acknowledgement that is a request': begin(ACK, 0x03),
    'an Acknowledgement with a reserved code': begin(ACK, 0x21),
    'a Reset that is not Empty': begin(RST, 0x45),
    'a Non-confirmable message that is Empty': begin(NON, 0x00)
  }
  for (const [name, bytes] of Object.entries(silent)) {
    it(`${name}: silence`, async () => {
      await settled.counting(malformed, 1, async () => {
        expect(await home.repliesTo(() => home.send(Uint8Array.from(bytes)))).toEqual([])
      })
    })
  }

  it('an Empty Confirmable message with bytes after it: Reset', async () => {
    await settled.counting(malformed, 1, async () => {
      const replies = await home.repliesTo(() => home.send(Uint8Array.from([...begin(CON, 0), 1])))
      expect(replies).toMatchObject([{ type: 'reset', messageId: 0x4242 }])
    })
  })

  it('Acknowledgements and Resets of nothing: silence', async () => {
    const replies = await home.repliesTo(() => {
      home.send(Uint8Array.from(begin(ACK, 0)))
      home.send(Uint8Array.from(begin(ACK, 0x45)))
      home.send(Uint8Array.from(begin(RST, 0)))
    })
    expect(replies).toEqual([])
  })

  it('a response to no request: Reset when Confirmable', async () => {
    const replies = await home.repliesTo(() => home.send(Uint8Array.from([...begin(CON | 1, 0x45), 0x99])))
    expect(replies).toMatchObject([{ type: 'reset', messageId: 0x4242 }])
  })
})

describe('options', () => {
  const unknownCritical = emptyOption(0xfffd)

  it('an unknown critical option in a Confirmable request: 4.02', async () => {
    await settled.expectRefusal(
      { ...put(), options: [asDotsCbor, unknownCritical] },
      '4.02',
      /critical/,
      malformed
    )
  })

  it('an unknown critical option in a Non-confirmable request: rejected, not done', async () => {
    await settled.counting(malformed, 1, async () => {
      let id = 0
      const replies = await home.repliesTo(() => {
        id = home.request({ ...put(), options: [asDotsCbor, unknownCritical], confirmable: false })
      })
      expect(replies).toMatchObject([{ type: 'reset', messageId: id }])
    })
  })

  it('a first block that is shorter than it says: 4.00 (RFC 7959 §2.2)', async () => {
    const moreBlocksOf1024 = uintOption(OptionNumber.block1, 0x0e)
    await settled.expectRefusal(
      { ...put(), options: [asDotsCbor, moreBlocksOf1024] },
      '4.00',
      /block 0 has 27 bytes/,
      malformed
    )
  })

  it('a critical option twice that may be there once: 4.02', async () => {
    const accept = uintOption(OptionNumber.accept, 271)
    await settled.expectRefusal(
      { ...put(), options: [accept, accept, asDotsCbor] },
      '4.02',
      /Accept/,
      malformed
    )
  })

  it('a proxy is asked for: 5.05', async () => {
    const proxy: CoapOption = { number: OptionNumber.proxyScheme, value: Buffer.from('coaps') }
    await settled.expectRefusal({ ...put(), options: [asDotsCbor, proxy] }, '5.05', /Proxy/, malformed)
  })

  it('another Content-Format: 4.15', async () => {
    const json = uintOption(OptionNumber.contentFormat, 50)
    await settled.expectRefusal({ ...put(), options: [json] }, '4.15', /format 50/)
  })

  it('an answer is wanted in another format: 4.06', async () => {
    const accept = uintOption(OptionNumber.accept, 50)
    await settled.expectRefusal({ ...put(), options: [asDotsCbor, accept] }, '4.06', /format 50/)
  })
})

describe('paths and methods', () => {
  const cuid129 = `cuid=${'a'.repeat(129)}`
  const cases: readonly (readonly [string, RawRequest, string, RegExp])[] = [
    ['no path', { path: [] }, '4.04', /no such resource/],
    ['a path of somebody else', { path: ['.well-known', 'core'] }, '4.04', /no such resource/],
    ['an unknown operation', { path: ['.well-known', 'dots', 'tm'] }, '4.04', /no such resource/],
    ['upper case', { path: ['.well-known', 'DOTS', 'mitigate'] }, '4.04', /no such resource/],
    ['too many segments', put(good, 'cuid=home', 'mid=77', 'a', 'b', 'c', 'd'), '4.04', /no such/],
    ['no cuid', put(good, 'mid=77'), '4.00', /cuid is missing/],
    ['an empty cuid', put(good, 'cuid=', 'mid=77'), '4.00', /cuid is empty/],
    ['a cuid that is too long', put(good, cuid129, 'mid=77'), '4.00', /cuid is not/],
    ['a cuid with a slash', put(good, 'cuid=a/b', 'mid=77'), '4.00', /cuid is not/],
    ['a cuid with a blank', put(good, 'cuid=a b', 'mid=77'), '4.00', /cuid is not/],
    ['a cuid with a NUL', put(good, 'cuid=a\0', 'mid=77'), '4.00', /cuid is not/],
    ['two cuids', put(good, 'cuid=home', 'cuid=other', 'mid=77'), '4.00', /out of order/],
    ['no mid', put(good, 'cuid=home'), '4.00', /mid is missing/],
    ['an empty mid', put(good, 'cuid=home', 'mid='), '4.00', /mid is empty/],
    ['a mid above 32 bits', put(good, 'cuid=home', 'mid=4294967296'), '4.00', /mid is not/],
    ['a negative mid', put(good, 'cuid=home', 'mid=-1'), '4.00', /mid is not/],
    ['a mid with leading zeros', put(good, 'cuid=home', 'mid=007'), '4.00', /mid is not/],
    ['a mid in words', put(good, 'cuid=home', 'mid=seven'), '4.00', /mid is not/],
    ['a mid with a point', put(good, 'cuid=home', 'mid=1.0'), '4.00', /mid is not/],
    ['two mids', put(good, 'cuid=home', 'mid=1', 'mid=2'), '4.00', /out of order/],
    ['mid before cuid', put(good, 'mid=77', 'cuid=home'), '4.00', /out of order/],
    ['an unknown parameter', put(good, 'cuid=home', 'mid=77', 'x=1'), '4.00', /parameter "x"/],
    ['POST', { ...put(), method: Method.post }, '4.05', /mitigate/],
    ['FETCH', { ...put(), method: 5 }, '4.05', /mitigate/],
    ['a method that nobody knows', { ...put(), method: 31 }, '4.05', /mitigate/],
    ['DELETE without mid', { path: mitigate('cuid=home'), method: Method.delete }, '4.00', /mid is missing/],
    ['GET on heartbeats', { path: ['.well-known', 'dots', 'hb'], method: Method.get }, '4.05', /hb/],
    [
      'POST of the configuration',
      { path: ['.well-known', 'dots', 'config'], method: Method.post },
      '4.05',
      /config/
    ],
    [
      'GET of a mid that is not there',
      { path: mitigate('cuid=home', 'mid=5'), method: Method.get },
      '4.04',
      /mid 5/
    ]
  ]
  for (const [name, request, code, says] of cases)
    it(`${name}: ${code}`, () => settled.expectRefusal(request, code, says))

  it('a segment of 256 bytes, which no Uri-Path can have: 4.02', () =>
    settled.expectRefusal(put(good, `cuid=${'a'.repeat(251)}`, 'mid=77'), '4.02', /Uri-Path/, malformed))

  it('bytes that are not UTF-8: 4.00', async () => {
    const raw: CoapOption = { number: OptionNumber.uriPath, value: Uint8Array.of(0xff, 0xfe) }
    await settled.expectRefusal({ ...put(), options: [raw, asDotsCbor] }, '4.00', /not UTF-8/)
  })

  it('a body on GET means nothing and is not looked at', async () => {
    const path = mitigate('cuid=home', 'mid=1')
    const answer = await home.ask({ path, method: Method.get, payload: Uint8Array.of(0xff, 0xff) })
    expect(answer.code).toBe('2.05')
  })

  it('a heartbeat with a body that is none: 4.00', async () => {
    const path = ['.well-known', 'dots', 'hb']
    await settled.expectRefusal({ path, options: [asDotsCbor], payload: Uint8Array.of(0xa0) }, '4.00', /./)
    await settled.expectRefusal({ path, options: [asDotsCbor] }, '4.00', /./)
  })
})

describe('somebody else', () => {
  it("who uses home's cuid: 4.09 for PUT and DELETE, 4.04 for GET", async () => {
    await settled.counting('dots_server_requests_total{conflict}', 2, async () => {
      const own = requestBody(prefixes('198.51.100.7/32'), lifetime(60))
      expect((await branch.ask(put(own, 'cuid=home', 'mid=99'))).code).toBe('4.09')
      const path = mitigate('cuid=home', 'mid=1')
      expect((await branch.ask({ path, method: Method.delete })).code).toBe('4.09')
      expect((await branch.ask({ path, method: Method.get })).code).toBe('4.04')
    })
  })

  it('whom the server does not serve: 4.01 for everything, heartbeats too', async () => {
    const stranger = await server.connect('stranger')
    try {
      const heartbeat = {
        path: ['.well-known', 'dots', 'hb'],
        payload: heartbeatBody
      }
      const get = { path: mitigate('cuid=home'), method: Method.get }
      await settled.counting(refused, 4, async () => {
        for (const request of [put(), get, heartbeat, { path: ['x'] }])
          expect((await stranger.ask(request)).code).toBe('4.01')
      })
    } finally {
      await stranger.close()
    }
  })
})

describe('what looks odd and is right', () => {
  afterEach(async () => {
    expect((await home.ask({ path: mitigate('cuid=home', 'mid=500'), method: Method.delete })).code).toBe(
      '2.02'
    )
    await until(
      async () => ((await server.control.mitigations()).length === 1 ? true : undefined),
      () => 'the mitigation is still there'
    )
  })

  const right: readonly (readonly [string, RawRequest])[] = [
    ['a key that may be ignored', put(scopeWith(200, array(map())), 'cuid=home', 'mid=500')],
    ['such a key of the highest range', put(scopeWith(65_535, text('x')), 'cuid=home', 'mid=500')],
    ['a cdid from a client, which is ignored', put(good, 'cdid=liar', 'cuid=home', 'mid=500')],
    ['no Content-Format', { ...put(good, 'cuid=home', 'mid=500'), options: [] }],
    [
      'an unknown elective option',
      { ...put(good, 'cuid=home', 'mid=500'), options: [asDotsCbor, emptyOption(0xfffe)] }
    ],
    ['maps and arrays of indefinite length', put(indefinite(), 'cuid=home', 'mid=500')]
  ]
  for (const [name, request] of right)
    it(`${name}: 2.01`, async () => {
      const answer = await home.ask(request)
      expect(`${answer.code} ${answer.text}`).toBe('2.01 ')
    })
})

describe('after all that', () => {
  it('the server has complained of nothing, and a good request is granted and stored', () =>
    settled.expectGoodAsNew())
})

function indefinite(): Cbor {
  const end = Uint8Array.of(0xff)
  const [key, list] = prefixes('203.0.113.9/32')
  const scope = concat(Uint8Array.of(0xbf), integer(Number(key)), list, integer(14), integer(60), end)
  return concat(Uint8Array.of(0xbf, 1, 0xbf, 2, 0x9f), scope, end, end, end)
}
