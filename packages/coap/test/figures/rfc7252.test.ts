import { Milliseconds, Seconds } from '@breakwater/core'
import { describe, expect, test } from 'vitest'
import { Code } from '../../src/index.ts'
import { Lockstep } from '../lockstep.ts'
import { wire } from '@breakwater/testing'

// Where we are the client, tokens are ours: 4 bytes in place of the figure's one.
const draw = 0x7d34_0020

describe('RFC 7252 figures, as the client', () => {
  test('figures 4 and 16: a piggybacked response ends the exchange [RFC7252-5.2.1-M01]', () => {
    const client = new Lockstep({ draw })
    expect(client.get(1)).toEqual(['> CON [7d34] GET (7d340020) /temperature'])
    expect(client.receive('ACK [7d34] 2.05 (7d340020) "22.3 C"')).toEqual(['response 1 2.05 "22.3 C" final'])
    expect(client.session.nextTimeout()).toBeUndefined()
  })

  test('figure 4: a piggybacked error is a response, too', () => {
    const client = new Lockstep({ draw })
    client.get(1)
    expect(client.receive('ACK [7d34] 4.04 (7d340020) "Not found"')).toEqual([
      'response 1 4.04 "Not found" final'
    ])
  })

  test('figure 18: a lost request is retransmitted, byte for byte, after ACK_TIMEOUT', () => {
    const client = new Lockstep({ draw: 0 })
    expect(client.get(1)).toEqual(['> CON [0000] GET (00000000) /temperature'])
    expect(client.advance(Milliseconds(1999))).toEqual([])
    expect(client.advance(Milliseconds(1))).toEqual(['> CON [0000] GET (00000000) /temperature'])
    expect(client.sent[1]).toEqual(client.sent[0])
    expect(client.receive('ACK [0000] 2.05 (00000000) "22.3 C"')).toEqual(['response 1 2.05 "22.3 C" final'])
  })

  test('figures 5 and 20: a separate response is acknowledged with an Empty message [RFC7252-5.2.1-M01] [RFC7252-5.2.2-M03]', () => {
    const client = new Lockstep({ draw })
    client.get(1)
    expect(client.receive('ACK [7d34]')).toEqual([])
    expect(client.advance(Seconds(60))).toEqual([])
    expect(client.receive('CON [ad7b] 2.05 (7d340020) "22.3 C"')).toEqual([
      '> ACK [ad7b]',
      'response 1 2.05 "22.3 C" final'
    ])
  })

  test('figure 20: the separate response may overtake the Acknowledgement', () => {
    const client = new Lockstep({ draw })
    client.get(1)
    expect(client.receive('CON [ad7b] 2.05 (7d340020) "22.3 C"')).toEqual([
      '> ACK [ad7b]',
      'response 1 2.05 "22.3 C" final'
    ])
    expect(client.receive('ACK [7d34]')).toEqual([])
    expect(client.advance(Seconds(100))).toEqual([])
  })

  test('figure 21: after a crash, the Acknowledgement is ignored and the response reset', () => {
    const client = new Lockstep()
    expect(client.receive('ACK [7d39]')).toEqual([])
    expect(client.receive('CON [ad7c] 2.05 (64) "22.3 C"')).toEqual(['> RST [ad7c]'])
  })

  test('figures 6 and 22: a Non-confirmable request and response', () => {
    const client = new Lockstep({ draw: 0x7d40_0075 })
    expect(client.get(1, 'temperature', { confirmable: false })).toEqual([
      '> NON [7d40] GET (7d400075) /temperature'
    ])
    expect(client.session.nextTimeout()).toBeUndefined()
    expect(client.receive('NON [ad7d] 2.05 (7d400075) "22.3 C"')).toEqual(['response 1 2.05 "22.3 C" final'])
  })
})

describe('RFC 7252 figures, as the server', () => {
  test('figure 16: the piggybacked response echoes Message ID and empty token, in 11 bytes', () => {
    const server = new Lockstep()
    const request = wire('CON [7d34] GET /temperature')
    expect(request).toHaveLength(16)
    expect(server.receive(request)).toEqual(['request 1 CON GET /temperature'])
    expect(server.respond(1, Code.content, '22.3 C')).toEqual(['> ACK [7d34] 2.05 "22.3 C"'])
    expect(server.sent[0]).toHaveLength(11)
  })

  test('figure 17: a token is echoed unchanged [RFC7252-5.3.1-M01]', () => {
    const server = new Lockstep()
    const request = wire('CON [7d35] GET (20) /temperature')
    expect(request).toHaveLength(17)
    server.receive(request)
    expect(server.respond(1, Code.content, '22.3 C')).toEqual(['> ACK [7d35] 2.05 (20) "22.3 C"'])
    expect(server.sent[0]).toHaveLength(12)
  })

  test('figure 19: a lost Acknowledgement is sent again for the copy, and the request is processed once [RFC7252-4.5-S01]', () => {
    const server = new Lockstep()
    expect(server.receive('CON [7d37] GET (42) /temperature')).toEqual(['request 1 CON GET /temperature'])
    expect(server.respond(1, Code.content, '22.3 C')).toEqual(['> ACK [7d37] 2.05 (42) "22.3 C"'])
    server.advance(Seconds(2))
    expect(server.receive('CON [7d37] GET (42) /temperature')).toEqual(['> ACK [7d37] 2.05 (42) "22.3 C"'])
  })

  test('figures 5 and 20: what is late is acknowledged first and answered separately [RFC7252-5.2.2-M01]', () => {
    const server = new Lockstep({ draw: 0xad7b_0000 })
    server.receive('CON [7d38] GET (53) /temperature')
    expect(server.advance(Seconds(1))).toEqual(['> ACK [7d38]'])
    expect(server.advance(Seconds(9))).toEqual([])
    expect(server.respond(1, Code.content, '22.3 C')).toEqual(['> CON [ad7b] 2.05 (53) "22.3 C"'])
    expect(server.receive('ACK [ad7b]')).toEqual([])
    expect(server.advance(Seconds(200))).toEqual([])
  })

  test('figure 21: a Reset stops the separate response', () => {
    const server = new Lockstep({ draw: 0xad7c_0000 })
    server.receive('CON [7d39] GET (64) /temperature')
    server.advance(Seconds(1))
    server.respond(1, Code.content, '22.3 C')
    expect(server.receive('RST [ad7c]')).toEqual([])
    expect(server.advance(Seconds(200))).toEqual([])
  })

  test('figure 22: a Non-confirmable request gets a Non-confirmable response [RFC7252-5.2.3-S01]', () => {
    const server = new Lockstep({ draw: 0xad7d_0000 })
    expect(server.receive('NON [7d40] GET (75) /temperature')).toEqual(['request 1 NON GET /temperature'])
    expect(server.respond(1, Code.content, '22.3 C')).toEqual(['> NON [ad7d] 2.05 (75) "22.3 C"'])
  })
})
