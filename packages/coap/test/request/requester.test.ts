import { Seconds } from '@breakwater/core'
import { seededEntropy } from '@breakwater/testing'
import { describe, expect, test } from 'vitest'
import { Code, decodeMessage, Method } from '../../src/index.ts'
import { Lockstep, steadyEntropy } from '../lockstep.ts'

const draw = 0x0100_aaaa
const token = '(0100aaaa)'

describe('matching a response to its request', () => {
  test('piggybacked: both Message ID and token must match [RFC7252-5.3.2-M02]', () => {
    const client = new Lockstep({ draw })
    client.get(1)
    expect(client.receive('ACK [0100] 2.05 (0100aaab) "other token"')).toEqual([])
    expect(client.receive('ACK [0100] 2.05 (aa) "other token"')).toEqual([])
    expect(client.receive(`ACK [0101] 2.05 ${token} "other id"`)).toEqual([])
    expect(client.receive(`ACK [0100] 2.05 ${token} "right"`)).toEqual(['response 1 2.05 "right" final'])
  })

  test('separate: just the token must match [RFC7252-5.3.2-M03]', () => {
    const client = new Lockstep({ draw })
    client.get(1)
    client.receive('ACK [0100]')
    expect(client.receive('CON [9998] 2.05 (0badcafe) "other token"')).toEqual(['> RST [9998]'])
    expect(client.receive(`CON [9999] 2.05 ${token} "right"`)).toEqual([
      '> ACK [9999]',
      'response 1 2.05 "right" final'
    ])
  })

  test('of several requests the one with the token is answered', () => {
    const client = new Lockstep({ entropy: seededEntropy(4) })
    for (const exchange of [1, 2, 3]) client.get(exchange, 'x', { confirmable: false })
    const [, second] = client.sent.map((bytes) => Buffer.from(decodeMessage(bytes).token).toString('hex'))
    expect(client.receive(`NON [0001] 2.04 (${second ?? ''})`)).toEqual(['response 2 2.04 final'])
  })

  test('tokens in use are unique even where chance repeats itself [RFC7252-5.3.1-S01]', () => {
    const client = new Lockstep({ entropy: steadyEntropy(0xffff_ffff) })
    for (const exchange of [1, 2, 3]) client.get(exchange, 'x', { confirmable: false })
    const tokens = client.sent.map((bytes) => [...decodeMessage(bytes).token].join('.'))
    expect(tokens).toEqual(['255.255.255.255', '0.0.0.0', '0.0.0.1'])
  })

  test('tokens have 32 bits of chance [RFC7252-5.3.1-S03]', () => {
    const client = new Lockstep({ entropy: seededEntropy(1) })
    for (let exchange = 1; exchange <= 100; exchange++) client.get(exchange, 'x', { confirmable: false })
    const tokens = client.sent.map((bytes) => decodeMessage(bytes).token)
    expect(new Set(tokens.map((bytes) => bytes.join('.'))).size).toBe(100)
    for (let bit = 0; bit < 32; bit++) {
      const ones = tokens.filter((bytes) => (((bytes[bit >> 3] ?? 0) >> (bit & 7)) & 1) === 1).length
      expect(ones).toBeGreaterThan(20)
      expect(ones).toBeLessThan(80)
    }
  })
})

describe('a Confirmable request', () => {
  test('may be answered by a Non-confirmable response, before or after the Acknowledgement [RFC7252-5.2.3-M01]', () => {
    const before = new Lockstep({ draw })
    before.get(1)
    expect(before.receive(`NON [9999] 2.05 ${token} "x"`)).toEqual(['response 1 2.05 "x" final'])
    expect(before.receive('ACK [0100]')).toEqual([])
    expect(before.advance(Seconds(100))).toEqual([])

    const behind = new Lockstep({ draw })
    behind.get(1)
    behind.receive('ACK [0100]')
    expect(behind.receive(`NON [9999] 2.05 ${token} "x"`)).toEqual(['response 1 2.05 "x" final'])
  })

  test('is not retransmitted once acknowledged, and fails when no response follows', () => {
    const client = new Lockstep({ draw })
    client.get(1)
    client.receive('ACK [0100]')
    expect(client.advance(Seconds(246))).toEqual([])
    expect(client.advance(Seconds(1))).toEqual(['failed 1 timeout'])
    expect(client.session.nextTimeout()).toBeUndefined()
  })

  test('fails by a Reset', () => {
    const client = new Lockstep({ draw })
    client.get(1)
    expect(client.receive('RST [0100]')).toEqual(['failed 1 reset'])
    expect(client.session.nextTimeout()).toBeUndefined()
  })

  test('is not repeated by hand', () => {
    const client = new Lockstep({ draw })
    client.get(1)
    expect(client.repeat(1)).toEqual([])
    client.receive('ACK [0100]')
    expect(client.repeat(1)).toEqual([])
  })

  test('that is cancelled leaves no more; its late separate response is rejected', () => {
    const client = new Lockstep({ draw })
    client.get(1)
    expect(client.cancel(1)).toEqual([])
    expect(client.session.nextTimeout()).toBeUndefined()
    expect(client.receive('ACK [0100]')).toEqual([])
    expect(client.receive(`CON [9999] 2.05 ${token}`)).toEqual(['> RST [9999]'])
    expect(client.receive(`CON [9999] 2.05 ${token}`)).toEqual(['> RST [9999]'])
  })
})

describe('a Non-confirmable request', () => {
  test('may be answered by a Confirmable response [RFC7252-5.2.3-M01]', () => {
    const client = new Lockstep({ draw })
    client.get(1, 'x', { confirmable: false })
    expect(client.receive(`CON [9999] 2.05 ${token} "x"`)).toEqual([
      '> ACK [9999]',
      'response 1 2.05 "x" final'
    ])
  })

  test('is repeated with the same token and a new Message ID, when the caller says so', () => {
    const client = new Lockstep({ draw })
    expect(client.request(1, Method.put, 'x', { confirmable: false, payload: 'hb' })).toEqual([
      `> NON [0100] PUT ${token} /x "hb"`
    ])
    expect(client.advance(Seconds(300))).toEqual([])
    expect(client.repeat(1)).toEqual([`> NON [0101] PUT ${token} /x "hb"`])
    expect(client.sent[0]).not.toEqual(client.sent[1])
    expect(client.receive(`NON [0001] 2.04 ${token}`)).toEqual(['response 1 2.04 final'])
    expect(client.repeat(1)).toEqual([])
    // The answer to the other copy.
    expect(client.receive(`NON [0002] 2.04 ${token}`)).toEqual([])
  })

  test('fails by a Reset of any of its copies', () => {
    const client = new Lockstep({ draw })
    client.get(1, 'x', { confirmable: false })
    client.repeat(1)
    expect(client.receive('RST [0100]')).toEqual(['failed 1 reset'])
    expect(client.receive('RST [0101]')).toEqual([])
  })

  test('is not acknowledged by an Acknowledgement', () => {
    const client = new Lockstep({ draw })
    client.get(1, 'x', { confirmable: false })
    expect(client.receive(`ACK [0100] 2.05 ${token}`)).toEqual([])
  })
})

describe('copies of a response', () => {
  test('a Confirmable one is acknowledged each time and handed up once [RFC7252-4.5-S01]', () => {
    const client = new Lockstep({ draw })
    client.get(1)
    client.receive('ACK [0100]')
    const separate = `CON [9999] 2.05 ${token} "x"`
    expect(client.receive(separate)).toEqual(['> ACK [9999]', 'response 1 2.05 "x" final'])
    expect(client.receive(separate)).toEqual(['> ACK [9999]'])
    client.advance(Seconds(246))
    expect(client.receive(separate)).toEqual(['> ACK [9999]'])
  })

  test('a Non-confirmable one is ignored [RFC7252-4.5-S02]', () => {
    const client = new Lockstep({ draw })
    client.get(1, 'x', { observe: 0 })
    client.receive(`ACK [0100] 2.05 ${token} Observe=1`)
    expect(client.receive(`NON [9999] 2.05 ${token} Observe=2 "x"`)).toEqual(['response 1 2.05 "x"'])
    client.advance(Seconds(129))
    expect(client.receive(`NON [9999] 2.05 ${token} Observe=2 "x"`)).toEqual([])
  })
})

describe('a response with a critical option that is not understood', () => {
  test('Confirmable: is rejected, each copy of it [RFC7252-5.4.1-M03]', () => {
    const client = new Lockstep({ draw })
    client.get(1)
    client.receive('ACK [0100]')
    const response = `CON [9999] 2.05 ${token} #9999=01`
    expect(client.receive(response)).toEqual([
      '> RST [9999]',
      'malformed COAP_OPTION_UNSUPPORTED',
      'failed 1 unsupported-critical-option'
    ])
    expect(client.receive(response)).toEqual(['> RST [9999]'])
  })

  test('piggybacked: is rejected by silence [RFC7252-5.4.1-M03]', () => {
    const client = new Lockstep({ draw })
    client.get(1)
    expect(client.receive(`ACK [0100] 2.05 ${token} #9999=01`)).toEqual([
      'malformed COAP_OPTION_UNSUPPORTED',
      'failed 1 unsupported-critical-option'
    ])
    expect(client.session.nextTimeout()).toBeUndefined()
  })

  test('is taken by an application that understands it', () => {
    const client = new Lockstep({ draw, understoodOptions: new Set([9999]) })
    client.get(1)
    expect(client.receive(`ACK [0100] 2.05 ${token} #9999=01`)).toEqual(['response 1 2.05 final'])
  })
})

describe('a response to nothing', () => {
  test('Confirmable: is reset; Non-confirmable: is ignored, unless it is a notification', () => {
    const client = new Lockstep()
    expect(client.receive('CON [0001] 2.05 (01)')).toEqual(['> RST [0001]'])
    expect(client.receive('NON [0002] 2.05 (01)')).toEqual([])
    expect(client.receive('NON [0003] 2.05 (01) Observe=5')).toEqual(['> RST [0003]'])
  })
})

describe('limits', () => {
  test('a request beyond maxExchanges fails at once, and works when another has ended', () => {
    const client = new Lockstep({ draw, maxExchanges: 2 })
    client.get(1, 'x', { confirmable: false })
    client.get(2, 'x', { confirmable: false })
    expect(client.get(3, 'x')).toEqual(['failed 3 session-full'])
    client.cancel(1)
    expect(client.get(3, 'x')).toHaveLength(1)
  })

  test('error responses and unknown response codes are responses', () => {
    const client = new Lockstep({ draw })
    client.get(1)
    expect(client.receive(`ACK [0100] 5.31 ${token}`)).toEqual(['response 1 5.31 final'])
    expect(Code.hopLimitReached).toBe(0xa8)
  })
})
