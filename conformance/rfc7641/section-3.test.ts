import { Instant, Minutes } from '@breakwater/core'
import {
  Code,
  defaultParameters,
  freshUntil,
  OptionNumber,
  renewalAt,
  stringOption,
  uintOption
} from '@breakwater/coap'
import { seededEntropy } from '@breakwater/testing'
import { describe, expect, test } from 'vitest'

import { Lockstep, steadyEntropy } from '../../packages/coap/test/lockstep.ts'
import { openStream } from '../../packages/coap/test/stream-lockstep.ts'

const token = '(12340000)'
const draw = 0x1234_0000

function notification(maxAge?: number): Parameters<typeof freshUntil>[0] {
  const options = maxAge === undefined ? [] : [uintOption(OptionNumber.maxAge, maxAge)]
  return { code: Code.content, options, payload: new Uint8Array(0) }
}

describe('RFC 7641 §3: the client', () => {
  test('registers only once for a resource [RFC7641-3.1-M01]', () => {
    const client = new Lockstep({ draw })
    const stream = openStream()
    for (const session of [client, stream]) {
      expect(session.get(1, 'x', { observe: 0, confirmable: false })).toHaveLength(1)
      expect(session.get(2, 'x', { observe: 0, confirmable: false })).toEqual(['failed 2 already-observing'])
      expect(session.get(3, 'y', { observe: 0, confirmable: false })[0]).toContain('/y Observe=0')
      expect(session.get(4, 'x', { confirmable: false })[0]).toContain('/x')
      session.cancel(1)
      expect(session.get(5, 'x', { observe: 0, confirmable: false }).at(-1)).toContain('/x Observe=0')
    }
  })

  test('another query is another target', () => {
    const client = new Lockstep({ draw })
    client.get(1, 'x', { observe: 0 })
    const options = [stringOption(OptionNumber.uriQuery, 'a=1')]
    expect(client.get(2, 'x', { observe: 0, options })).not.toContain('failed 2 already-observing')
  })

  test('a state is taken for current until its Max-Age is over, 60 s where there is none [RFC7641-3.3.1-M01]', () => {
    expect(freshUntil(notification(15), Instant(1000))).toBe(16_000)
    expect(freshUntil(notification(), Instant(1000))).toBe(61_000)
    expect(freshUntil(notification(0), Instant(1000))).toBe(1000)
  })

  test('asks anew only 5 to 15 s after that, each time at another moment [RFC7641-3.3.1-S01] [RFC7641-3.3.1-S02]', () => {
    const entropy = seededEntropy(7)
    const moments = Array.from({ length: 200 }, () => renewalAt(notification(15), Instant(0), entropy))
    expect(Math.min(...moments)).toBeGreaterThanOrEqual(20_000)
    expect(Math.max(...moments)).toBeLessThan(30_000)
    expect(Math.max(...moments) - Math.min(...moments)).toBeGreaterThan(8000)
    expect(renewalAt(notification(15), Instant(0), steadyEntropy(0))).toBe(20_000)
  })

  test('deregisters with the options of the registration, Observe apart [RFC7641-3.6-M01]', () => {
    const stream = openStream()
    const options = [uintOption(OptionNumber.accept, 60), stringOption(OptionNumber.uriQuery, 'a=1')]
    const [registered = ''] = stream.get(1, 'x', { observe: 0, options })
    expect(registered).toBe(`> GET ${token} /x Observe=0 #15=613d31 Accept=60`)
    expect(stream.cancel(1)).toEqual([registered.replace('Observe=0', 'Observe=1')])
  })

  test('over datagrams, too, with the token, where it is to tell the server [RFC7641-3.6-M01] [RFC7641-3.6-O01]', () => {
    for (const confirmable of [false, true]) {
      const client = new Lockstep({ draw, parameters: { ...defaultParameters, nstart: 2 } })
      const options = [uintOption(OptionNumber.accept, 60), stringOption(OptionNumber.uriQuery, 'a=1')]
      const [registered = ''] = client.get(1, 'x', { observe: 0, options, confirmable })
      client.receive(`NON [9000] 2.05 ${token} Observe=5 "x"`)
      const farewell = registered.replace('Observe=0', 'Observe=1').replace('[1234]', '[1235]')
      expect(client.cancel(1, true)).toEqual([farewell])
      expect(farewell).toContain(token)
      // The answer says nothing any more; a notification that comes all the same is rejected.
      expect(client.receive(`${confirmable ? 'ACK [1235]' : 'NON [9001]'} 2.05 ${token} "x"`)).toEqual([])
      expect(client.receive(`NON [9002] 2.05 ${token} Observe=6 "y"`)).toEqual(['> RST [9002]'])
      expect(client.advance(Minutes(5))).toEqual([])
    }
  })

  test('what observes nothing is cancelled without a word', () => {
    const client = new Lockstep({ draw })
    client.get(1, 'x', { confirmable: false })
    expect(client.cancel(1, true)).toEqual([])
  })
})
