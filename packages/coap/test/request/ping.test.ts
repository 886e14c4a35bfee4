import { Seconds } from '@breakwater/core'
import { describe, expect, test } from 'vitest'
import { Lockstep } from '../lockstep.ts'

describe('a ping', () => {
  test('is an Empty Confirmable message, and its Reset a pong', () => {
    const client = new Lockstep({ draw: 0x0100_0000 })
    expect(client.ping(1)).toEqual(['> CON [0100]'])
    expect(client.receive('RST [0101]')).toEqual([])
    expect(client.receive('RST [0100]')).toEqual(['pong 1'])
    expect(client.session.nextTimeout()).toBeUndefined()
  })

  test('an Acknowledgement is a sign of life, too', () => {
    const client = new Lockstep({ draw: 0x0100_0000 })
    client.ping(1)
    expect(client.receive('ACK [0100]')).toEqual(['pong 1'])
  })

  test('is retransmitted and fails like any other Confirmable message', () => {
    const client = new Lockstep({ draw: 0 })
    client.ping(1)
    const lines = client.advance(Seconds(62))
    expect(lines).toEqual([...Array.from({ length: 4 }, () => '> CON [0000]'), 'failed 1 timeout'])
  })

  test('can be cancelled', () => {
    const client = new Lockstep({ draw: 0 })
    client.ping(1)
    expect(client.cancel(1)).toEqual([])
    expect(client.receive('RST [0000]')).toEqual([])
    expect(client.session.nextTimeout()).toBeUndefined()
  })

  test('under a number that is in use is a mistake of the caller’s', () => {
    const client = new Lockstep({ draw: 0 })
    client.ping(1)
    expect(() => client.ping(1)).toThrow('in use')
  })

  test('beyond maxExchanges fails at once', () => {
    const client = new Lockstep({ draw: 0, maxExchanges: 1 })
    client.ping(1)
    expect(client.ping(2)).toEqual(['failed 2 session-full'])
  })
})
