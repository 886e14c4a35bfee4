import { Seconds } from '@breakwater/core'
import { describe, expect, test } from 'vitest'
import { Code } from '../../src/index.ts'
import { Lockstep } from '../lockstep.ts'
import { observeOf } from '@breakwater/testing'

describe('RFC 7641 figures, as the client', () => {
  test('figure 2: a registration and three notifications', () => {
    const client = new Lockstep({ draw: 0x0001_004a })
    expect(client.get(1, 'temperature', { observe: 0 })).toEqual([
      '> CON [0001] GET (0001004a) /temperature Observe=0'
    ])
    expect(client.receive('ACK [0001] 2.05 (0001004a) Observe=12 "22.9 Cel"')).toEqual([
      'response 1 2.05 "22.9 Cel"'
    ])
    expect(client.receive('NON [7001] 2.05 (0001004a) Observe=44 "22.8 Cel"')).toEqual([
      'response 1 2.05 "22.8 Cel"'
    ])
    expect(client.receive('NON [7002] 2.05 (0001004a) Observe=60 "23.1 Cel"')).toEqual([
      'response 1 2.05 "23.1 Cel"'
    ])
  })

  test('figure 6: who has forgotten the observation resets the next notification', () => {
    const client = new Lockstep({ draw: 0x0001_00f9 })
    client.get(1, 'temperature', { observe: 0 })
    client.receive('ACK [0001] 2.05 (000100f9) Observe=87 "19.7 Cel"')
    expect(client.cancel(1)).toEqual([])
    expect(client.receive('CON [aa0f] 2.05 (000100f9) Observe=91 Max-Age=15 "19.3 Cel"')).toEqual([
      '> RST [aa0f]'
    ])
  })
})

describe('RFC 7641 figures, as the server', () => {
  test('figures 2 and 3: registration, then notifications with the client’s token in ascending order [RFC7641-4.2-M01] [RFC7641-4.4-M03]', () => {
    const server = new Lockstep({ draw: 0x7b50_0000 })
    expect(server.receive('CON [1633] GET (4a) /temperature Observe=0')).toEqual([
      'request 1 CON GET /temperature'
    ])
    expect(server.respond(1, Code.content, '18.5 Cel', { observe: 0 })).toEqual([
      '> ACK [1633] 2.05 (4a) Observe=1 "18.5 Cel"'
    ])
    server.advance(Seconds(7))
    expect(server.notify(1, '19.2 Cel', false)).toEqual(['> NON [7b50] 2.05 (4a) Observe=2 "19.2 Cel"'])
    server.advance(Seconds(7))
    expect(server.notify(1, '19.7 Cel', false)).toEqual(['> NON [7b51] 2.05 (4a) Observe=3 "19.7 Cel"'])
    const numbers = server.sent.map((bytes) => observeOf(bytes) ?? 0)
    expect(numbers).toEqual(numbers.toSorted((a, b) => a - b))
  })

  test('figure 6: a rejected notification removes the observer', () => {
    const server = new Lockstep({ draw: 0xaa0f_0000 })
    server.receive('CON [1633] GET (f9) /temperature Observe=0')
    server.respond(1, Code.content, '19.7 Cel', { observe: 0 })
    expect(server.notify(1, '19.3 Cel', true)).toEqual(['> CON [aa0f] 2.05 (f9) Observe=2 "19.3 Cel"'])
    expect(server.receive('RST [aa0f]')).toEqual(['observer-gone 1'])
    expect(server.notify(1, '19.0 Cel', true)).toEqual([])
  })
})
