import { Seconds } from '@breakwater/core'
import { describe, expect, test } from 'vitest'
import { Code, defaultParameters } from '../../src/index.ts'
import { Lockstep } from '../lockstep.ts'

describe('NSTART', () => {
  test('one Confirmable message is outstanding at a time, the others follow in order [RFC7252-4.7-M01]', () => {
    const client = new Lockstep({ draw: 0 })
    expect(client.get(1, 'a')).toEqual(['> CON [0000] GET (00000000) /a'])
    expect(client.get(2, 'b')).toEqual([])
    expect(client.ping(3)).toEqual([])
    expect(client.receive('ACK [0000] 2.05 (00000000)')).toEqual([
      '> CON [0001] GET (00000001) /b',
      'response 1 2.05 final'
    ])
    expect(client.receive('ACK [0001]')).toEqual(['> CON [0002]'])
    expect(client.receive('RST [0002]')).toEqual(['pong 3'])
  })

  test('a Non-confirmable message does not wait', () => {
    const client = new Lockstep({ draw: 0 })
    client.get(1, 'a')
    expect(client.get(2, 'b', { confirmable: false })).toEqual(['> NON [0001] GET (00000001) /b'])
  })

  test('what waits starts when the one before it times out', () => {
    const client = new Lockstep({ draw: 0 })
    client.get(1, 'a')
    client.get(2, 'b')
    expect(client.advance(Seconds(62)).slice(-2)).toEqual([
      '> CON [0001] GET (00000001) /b',
      'failed 1 timeout'
    ])
  })

  test('what waits can be cancelled without ever leaving', () => {
    const client = new Lockstep({ draw: 0 })
    client.get(1, 'a')
    client.get(2, 'b')
    client.cancel(2)
    expect(client.receive('ACK [0000]')).toEqual([])
  })

  test('cancelling the outstanding one lets the next one go', () => {
    const client = new Lockstep({ draw: 0 })
    client.get(1, 'a')
    client.get(2, 'b')
    expect(client.cancel(1)).toEqual(['> CON [0001] GET (00000001) /b'])
  })

  test('a larger NSTART takes effect at once', () => {
    const client = new Lockstep({ draw: 0 })
    for (const exchange of [1, 2, 3, 4]) client.get(exchange, 'a')
    expect(client.feed({ kind: 'parameters', parameters: { ...defaultParameters, nstart: 3 } })).toHaveLength(
      2
    )
  })

  test('separate responses and notifications count as well [RFC7641-4.5.1-M01]', () => {
    const server = new Lockstep({ draw: 0 })
    server.receive('CON [0a01] GET (0a) /x Observe=0')
    server.respond(1, Code.content, 'one', { observe: 0 })
    server.receive('CON [0a02] GET (0b) /y')
    server.advance(Seconds(1))
    expect(server.respond(2, Code.content, 'late')).toEqual(['> CON [0000] 2.05 (0b) "late"'])
    expect(server.notify(1, 'two', true)).toEqual([])
    expect(server.receive('ACK [0000]')).toEqual(['> CON [0001] 2.05 (0a) Observe=2 "two"'])
  })
})

describe('matching Acknowledgement and Reset', () => {
  test('only the very Message ID matches [RFC7252-4.4-M03]', () => {
    const client = new Lockstep({ draw: 0x0100_0000 })
    client.get(1)
    expect(client.receive('ACK [0101]')).toEqual([])
    expect(client.receive('RST [0101]')).toEqual([])
    expect(client.receive('ACK [0101] 2.05 (01000000)')).toEqual([])
    // Still waiting: it is retransmitted.
    expect(client.advance(Seconds(3))).toEqual(['> CON [0100] GET (01000000) /temperature'])
    expect(client.receive('RST [0100]')).toEqual(['failed 1 reset'])
  })
})

describe('when all Message IDs are taken', () => {
  test('a Confirmable message waits for one, a Non-confirmable request fails', () => {
    const client = new Lockstep({ draw: 0, maxExchanges: 10 })
    let sent = 0
    for (let exchange = 1; exchange < 70_000; exchange++) {
      const [first = ''] = client.get(exchange, 'a', { confirmable: false })
      client.cancel(exchange)
      if (first.startsWith('failed')) break
      sent++
    }
    expect(sent).toBeGreaterThan(60_000)
    expect(sent).toBeLessThanOrEqual(65_536)
    expect(client.get(1, 'b')).toEqual([])
    expect(client.advance(Seconds(246))).toEqual([])
    expect(client.advance(Seconds(1))).toEqual(['> CON [f000] GET (00000000) /b'])
  })
})
