import { Seconds } from '@breakwater/core'
import { describe, expect, test } from 'vitest'
import { Code, defaultParameters, OptionNumber } from '../../src/index.ts'
import type { IncomingExchange } from '../../src/index.ts'
import { Lockstep } from '../lockstep.ts'
import { openStream } from '../stream-lockstep.ts'

describe('a Confirmable request', () => {
  test('is acknowledged with its Message ID by the response itself [RFC7252-4.2-M02] [RFC7252-4.4-M01]', () => {
    const server = new Lockstep()
    server.receive('CON [0a01] PUT (0102030405060708) /x "body"')
    expect(server.respond(1, Code.changed)).toEqual(['> ACK [0a01] 2.04 (0102030405060708)'])
  })

  test('its token is echoed whatever it is [RFC7252-5.3.1-M02]', () => {
    const server = new Lockstep()
    server.receive('CON [0001] GET /x')
    server.receive('CON [0002] GET (00) /x')
    server.receive('CON [0003] GET (ffffffffffffffff) /x')
    expect(server.respond(1, Code.content)).toEqual(['> ACK [0001] 2.05'])
    expect(server.respond(2, Code.content)).toEqual(['> ACK [0002] 2.05 (00)'])
    expect(server.respond(3, Code.content)).toEqual(['> ACK [0003] 2.05 (ffffffffffffffff)'])
  })

  test('is acknowledged after half of ACK_TIMEOUT where the application takes longer', () => {
    const server = new Lockstep({ draw: 0 })
    server.receive('CON [0a01] PUT (01) /x')
    expect(server.session.nextTimeout()).toBe(1000)
    expect(server.wake()).toEqual(['> ACK [0a01]'])
  })

  test('the acknowledgement delay can be set, and follows ACK_TIMEOUT otherwise', () => {
    const set = new Lockstep({ acknowledgementDelaySeconds: 0.2 })
    set.receive('CON [0a01] PUT (01) /x')
    expect(set.session.nextTimeout()).toBe(200)
    const derived = new Lockstep({ parameters: { ...defaultParameters, ackTimeoutSeconds: 5 } })
    derived.receive('CON [0a01] PUT (01) /x')
    expect(derived.session.nextTimeout()).toBe(2500)
  })

  test('a copy gets the same Acknowledgement and is not handed up again [RFC7252-4.5-S01]', () => {
    const server = new Lockstep()
    server.receive('CON [0a01] PUT (01) /x')
    server.respond(1, Code.created)
    for (const seconds of [2, 4, 40, 200]) {
      server.advance(Seconds(seconds))
      expect(server.receive('CON [0a01] PUT (01) /x')).toEqual(['> ACK [0a01] 2.01 (01)'])
    }
  })

  test('after EXCHANGE_LIFETIME its Message ID belongs to a new request', () => {
    const server = new Lockstep()
    server.receive('CON [0a01] PUT (01) /x')
    server.respond(1, Code.created)
    server.advance(Seconds(246.999))
    expect(server.receive('CON [0a01] PUT (01) /x')).toEqual(['> ACK [0a01] 2.01 (01)'])
    server.advance(Seconds(0.001))
    expect(server.receive('CON [0a01] PUT (01) /x')).toEqual(['request 2 CON PUT /x'])
  })

  test('lifetimes follow the session’s own parameters', () => {
    const server = new Lockstep({
      parameters: { ...defaultParameters, maxRetransmit: 1, maxLatencySeconds: 10 }
    })
    server.receive('CON [0a01] PUT (01) /x')
    server.respond(1, Code.created)
    // 2 × (2 − 1) × 1.5 + 20 + 2
    server.advance(Seconds(24))
    expect(server.receive('CON [0a01] PUT (01) /x')).toHaveLength(1)
    server.advance(Seconds(1))
    expect(server.receive('CON [0a01] PUT (01) /x')).toEqual(['request 2 CON PUT /x'])
  })

  test('a copy that comes before the answer is acknowledged at once, and the answer goes separately [RFC7252-5.2.2-M01]', () => {
    const server = new Lockstep({ draw: 0 })
    server.receive('CON [0a01] PUT (01) /x')
    expect(server.receive('CON [0a01] PUT (01) /x')).toEqual(['> ACK [0a01]'])
    expect(server.respond(1, Code.created)).toEqual(['> CON [0000] 2.01 (01)'])
  })
})

/** A server that has sent its response separately, as Message ID 0. */
function late(): Lockstep {
  const server = new Lockstep({ draw: 0 })
  server.receive('CON [0a01] PUT (01) /x')
  server.advance(Seconds(1))
  expect(server.respond(1, Code.created)).toEqual(['> CON [0000] 2.01 (01)'])
  return server
}

describe('a separate response', () => {
  test('a copy of the request gets another Empty Acknowledgement [RFC7252-5.2.2-M02]', () => {
    const server = late()
    expect(server.receive('CON [0a01] PUT (01) /x')).toEqual(['> ACK [0a01]'])
  })

  test('that is acknowledged, the server still acknowledges a copy of the request [RFC7252-4.2-M07]', () => {
    const server = late()
    server.receive('ACK [0000]')
    expect(server.receive('CON [0a01] PUT (01) /x')).toEqual(['> ACK [0a01]'])
  })

  test('is retransmitted until acknowledged', () => {
    const server = late()
    expect(server.advance(Seconds(6))).toEqual(['> CON [0000] 2.01 (01)', '> CON [0000] 2.01 (01)'])
    server.receive('ACK [0000]')
    expect(server.advance(Seconds(100))).toEqual([])
  })

  test.each(['ACK [0000]', 'ACK [0000] 2.05 (01) "ignored"', 'ACK [0000] 4.04', 'RST [0000]'])(
    'stops at %s [RFC7252-5.2.2-M04]',
    (datagram) => {
      const server = late()
      expect(server.receive(datagram)).toEqual([])
      expect(server.advance(Seconds(100))).toEqual([])
    }
  )

  test('that nobody acknowledges is given up without a word', () => {
    const server = late()
    expect(server.advance(Seconds(300))).toHaveLength(4)
    expect(server.session.nextTimeout()).toBeUndefined()
  })
})

describe('a Non-confirmable request', () => {
  test('is not acknowledged, however long the answer takes [RFC7252-4.3-M02]', () => {
    const server = new Lockstep({ draw: 0 })
    expect(server.receive('NON [0a01] PUT (01) /x')).toEqual(['request 1 NON PUT /x'])
    expect(server.advance(Seconds(100))).toEqual([])
    expect(server.respond(1, Code.changed)).toEqual(['> NON [0000] 2.04 (01)'])
    expect(server.advance(Seconds(300))).toEqual([])
  })

  test('a copy is ignored for NON_LIFETIME [RFC7252-4.5-S02]', () => {
    const server = new Lockstep({ draw: 0 })
    server.receive('NON [0a01] PUT (01) /x')
    expect(server.receive('NON [0a01] PUT (01) /x')).toEqual([])
    server.respond(1, Code.changed)
    server.advance(Seconds(144.999))
    expect(server.receive('NON [0a01] PUT (01) /x')).toEqual([])
    server.advance(Seconds(0.001))
    expect(server.receive('NON [0a01] PUT (01) /x')).toEqual(['request 2 NON PUT /x'])
  })

  test('responses have Message IDs of their own', () => {
    const server = new Lockstep({ draw: 0x0005_0000 })
    server.receive('NON [0a01] PUT (01) /x')
    server.receive('NON [0a02] PUT (02) /x')
    expect(server.respond(2, Code.changed)).toEqual(['> NON [0005] 2.04 (02)'])
    expect(server.respond(1, Code.changed)).toEqual(['> NON [0006] 2.04 (01)'])
  })

  test('is answered once', () => {
    const server = new Lockstep()
    server.receive('NON [0a01] PUT (01) /x')
    expect(server.respond(1, Code.changed)).toHaveLength(1)
    expect(server.respond(1, Code.changed)).toEqual([])
  })
})

describe('a request with a critical option that is not understood', () => {
  test('Confirmable: 4.02 with the reason, without troubling the application [RFC7252-5.4.1-M02] [RFC7252-5.4.1-S01]', () => {
    const server = new Lockstep()
    const request = 'CON [0a01] GET (01) /x #9999=01'
    const answer = '> ACK [0a01] 4.02 (01) "option 9999 is critical and not supported here"'
    expect(server.receive(request)).toEqual(['malformed COAP_OPTION_UNSUPPORTED', answer])
    expect(server.receive(request)).toEqual([answer])
  })

  test('Non-confirmable: is rejected [RFC7252-5.4.1-M04]', () => {
    const server = new Lockstep()
    expect(server.receive('NON [0a01] GET (01) /x #9999=01')).toEqual([
      'malformed COAP_OPTION_UNSUPPORTED',
      '> RST [0a01]'
    ])
    expect(server.receive('NON [0a01] GET (01) /x #9999=01')).toEqual([])
  })

  test('that is for a proxy: 5.05 [RFC7252-5.10.2-M02]', () => {
    const server = new Lockstep()
    expect(server.receive(`CON [0a01] GET (01) #${OptionNumber.proxyUri}=61`)[1]).toMatch(
      /ACK \[0a01\] 5\.05 /
    )
    expect(server.receive(`CON [0a02] GET (01) #${OptionNumber.proxyScheme}=61`)[1]).toMatch(
      /ACK \[0a02\] 5\.05 /
    )
  })

  test('reaches an application that understands it', () => {
    const server = new Lockstep({ understoodOptions: new Set([9999, OptionNumber.uriPath]) })
    expect(server.receive('CON [0a01] GET (01) /x #9999=01')).toEqual(['request 1 CON GET /x'])
  })
})

test('a request with an elective option that is not understood arrives without it [RFC7252-5.4.1-M01]', () => {
  const server = new Lockstep()
  server.session.handle(
    { kind: 'datagram', bytes: Uint8Array.of(0x40, 1, 0, 1, 0xb1, 0x78, 0xd1, 100, 1) },
    server.now
  )
  expect(server.session.poll()).toMatchObject({ kind: 'request', request: { options: [{ number: 11 }] } })
})

test('an unknown method reaches the application', () => {
  expect(new Lockstep().receive(Uint8Array.of(0x40, 31, 0, 1))).toEqual(['request 1 CON 0.31 /'])
})

describe('a request that is ignored', () => {
  test('gets no answer and no Acknowledgement, nor do its copies, and makes room', () => {
    const server = new Lockstep({ maxUnanswered: 1 })
    server.receive('CON [0001] GET (aa) /x')
    expect(server.feed({ kind: 'ignore', exchange: 1 as IncomingExchange })).toEqual([])
    expect(server.advance(Seconds(10))).toEqual([])
    expect(server.receive('CON [0001] GET (aa) /x')).toEqual([])
    expect(server.respond(1, Code.content, 'late')).toEqual([])
    expect(server.receive('CON [0002] GET (ab) /x')).toEqual(['request 2 CON GET /x'])
  })

  test('makes room on a stream, and with block-wise transfer', () => {
    const stream = openStream({ maxUnanswered: 1, blockwise: { maximumBodyBytes: 1000, preferredSize: 64 } })
    stream.receive('GET (aa) /x')
    expect(stream.receive('GET (ab) /x')[0]).toContain('4.29')
    expect(stream.feed({ kind: 'ignore', exchange: 1 as IncomingExchange })).toEqual([])
    expect(stream.receive('GET (ac) /x')[0]).toContain('request')
  })
})
