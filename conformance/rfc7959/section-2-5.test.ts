import { Seconds } from '@breakwater/core'
import { Code, emptyOption, Method, OptionNumber } from '@breakwater/coap'
import { describe, expect, test } from 'vitest'

import { Lockstep } from '../../packages/coap/test/lockstep.ts'

const token = '(12340000)'

function peer(preferredSize = 64, maximumBodyBytes = 1000): Lockstep {
  return new Lockstep({ draw: 0x1234_0000, blockwise: { maximumBodyBytes, preferredSize } })
}

const long = new Uint8Array(150).fill(0x61)

describe('RFC 7959 §2.5: the server', () => {
  test('a last block without all those before it is answered by 4.08 [RFC7959-2.5-M01]', () => {
    const server = peer()
    expect(server.receive('CON [0001] PUT (aa) /x 1:1/0/64 "end"')[0]).toContain('ACK [0001] 4.08 (aa)')
    server.receive('CON [0002] PUT (aa) /x 1:0/1/64 <64>')
    expect(server.receive('CON [0003] PUT (aa) /x 1:2/0/64 "end"')[0]).toContain('ACK [0003] 4.08 (aa)')
    expect(server.requests).toEqual([])
  })

  test('what stood still for EXCHANGE_LIFETIME is forgotten', () => {
    const server = peer()
    server.receive('CON [0001] PUT (aa) /x 1:0/1/64 <64>')
    server.advance(Seconds(248))
    expect(server.receive('CON [0002] PUT (aa) /x 1:1/0/64 "end"')[0]).toContain('4.08')
  })

  test('a new block 0 begins anew', () => {
    const server = peer()
    server.receive('CON [0001] PUT (aa) /x 1:0/1/64 <64>')
    server.receive('CON [0002] PUT (aa) /x 1:1/1/64 <64>')
    server.receive('CON [0003] PUT (aa) /x 1:0/1/64 <64>')
    server.receive('CON [0004] PUT (aa) /x 1:1/0/64 "end"')
    expect(server.requests.map(({ payload }) => payload.length)).toEqual([67])
  })

  test('a Non-confirmable block that comes again with another Message ID counts once', () => {
    const server = peer()
    server.receive('NON [0001] PUT (aa) /x 1:0/1/64 <64>')
    server.receive('NON [0002] PUT (aa) /x 1:1/1/64 <64>')
    expect(server.receive('NON [0003] PUT (aa) /x 1:1/1/64 <64>')).toEqual([
      '> NON [1236] 2.31 (aa) 1:1/1/64'
    ])
    server.receive('NON [0004] PUT (aa) /x 1:2/0/64 "end"')
    // The answer may have been lost: as a request in one piece, it is handed up once more.
    server.receive('NON [0005] PUT (aa) /x 1:2/0/64 "end"')
    expect(server.requests.map(({ payload }) => payload.length)).toEqual([131, 131])
  })

  test('bodies beyond the limit are answered by 4.13 with the limit in Size1 [RFC7959-2.9.3-S01]', () => {
    const limit = '4.13 (aa)'
    expect(peer(64, 100).receive('CON [0001] PUT (aa) /x 1:0/1/64 Size1=101 <64>')).toEqual([
      `> ACK [0001] ${limit} 1:0/1/64 Size1=100`
    ])
    const growing = peer(64, 100)
    growing.receive('CON [0001] PUT (aa) /x 1:0/1/64 <64>')
    expect(growing.receive('CON [0002] PUT (aa) /x 1:1/1/64 <64>')).toEqual([
      `> ACK [0002] ${limit} 1:1/1/64 Size1=100`
    ])
    expect(peer(64, 100).receive('CON [0001] PUT (aa) /x <101>')).toEqual([`> ACK [0001] ${limit} Size1=100`])
  })

  test('a peer keeps only so many bodies here; the one that stood still longest makes room [RFC7959-7.1-S01]', () => {
    const blockwise = { maximumBodyBytes: 1000, preferredSize: 64, maxTransfers: 2 }
    const server = new Lockstep({ blockwise })
    for (const [index, path] of ['a', 'b', 'c'].entries())
      server.receive(`CON [000${index + 1}] PUT (aa) /${path} 1:0/1/64 <64>`)
    expect(server.receive('CON [0004] PUT (aa) /a 1:1/0/64 "end"')[0]).toContain('4.08')
    expect(server.receive('CON [0005] PUT (aa) /b 1:1/0/64 "end"')).toEqual(['request 5 CON PUT /b'])
    expect(server.receive('CON [0006] PUT (aa) /c 1:1/0/64 "end"')).toEqual(['request 6 CON PUT /c'])
    const moving = new Lockstep({ blockwise })
    moving.receive('CON [0001] PUT (aa) /a 1:0/1/64 <64>')
    moving.receive('CON [0002] PUT (aa) /b 1:0/1/64 <64>')
    moving.receive('CON [0003] PUT (aa) /a 1:1/1/64 <64>')
    moving.receive('CON [0004] PUT (aa) /c 1:0/1/64 <64>')
    expect(moving.receive('CON [0005] PUT (aa) /a 1:2/0/64 "end"')).toEqual(['request 5 CON PUT /a'])
    expect(moving.receive('CON [0006] PUT (aa) /b 1:1/0/64 "end"')[0]).toContain('4.08')
  })

  test('blocks of one session are never mixed with those of another [RFC7959-7-M01]', () => {
    const protectedOne = peer()
    const other = peer()
    protectedOne.receive('CON [0001] PUT (aa) /x 1:0/1/64 <64>')
    expect(other.receive('CON [0002] PUT (aa) /x 1:1/0/64 "end"')[0]).toContain('4.08')
    protectedOne.receive('CON [0003] GET (ab) /secret')
    protectedOne.respond(2, Code.content, long)
    expect(other.receive('CON [0003] POST (ab) /secret 2:1/0/64')[0]).toContain('4.08')
    expect(other.receive('CON [0004] GET (ab) /secret 2:1/0/64')).toEqual(['request 3 CON GET /secret'])
  })
})

describe('RFC 7959 §2.5: the client', () => {
  test('begins with block 0 and sends block after block, each as soon as the one before is answered [RFC7959-2.5-S02] [RFC7959-2.5-S03]', () => {
    const client = peer()
    expect(client.request(1, Method.put, 'x', { payload: long })[0]).toContain('1:0/1/64 Size1=150 <64>')
    expect(client.receive(`ACK [1234] 2.31 ${token} 1:0/1/64`)[0]).toContain(
      '[1235] PUT (12340000) /x 1:1/1/64'
    )
    expect(client.receive(`ACK [1235] 2.31 ${token} 1:1/1/64`)[0]).toContain(
      '[1236] PUT (12340000) /x 1:2/0/64'
    )
  })

  test('If-None-Match goes with block 0 only, and is refused elsewhere [RFC7959-2.10-M01]', () => {
    const client = peer()
    const options = [emptyOption(OptionNumber.ifNoneMatch)]
    expect(client.request(1, Method.put, 'x', { payload: long, options })[0]).toContain(' #5= 1:0/1/64')
    expect(client.receive(`ACK [1234] 2.31 ${token} 1:0/1/64`)[0]).not.toContain('#5')
    expect(client.receive(`ACK [1235] 2.31 ${token} 1:1/1/64`)[0]).not.toContain('#5')
    // Nor do the blocks of the answer ask for it.
    expect(client.receive(`ACK [1236] 2.04 ${token} 2:0/1/64 1:2/0/64 <64>`)).toEqual([
      `> CON [1237] PUT ${token} /x 2:1/0/64`
    ])
    const understoodOptions = new Set<number>([OptionNumber.ifNoneMatch, OptionNumber.uriPath])
    const server = new Lockstep({
      understoodOptions,
      blockwise: { maximumBodyBytes: 1000, preferredSize: 64 }
    })
    server.receive('CON [0001] PUT (aa) #5= /x 1:0/1/64 <64>')
    expect(server.receive('CON [0002] PUT (aa) #5= /x 1:1/0/64 "end"')[0]).toContain('4.00')
  })

  test('takes the hint of a 4.13 to smaller blocks, and begins anew', () => {
    const client = peer()
    client.request(1, Method.put, 'x', { payload: long })
    expect(client.receive(`ACK [1234] 4.13 ${token} 1:0/1/32`)[0]).toContain('1:0/1/32 Size1=150 "')
    const whole = peer(1024)
    whole.request(1, Method.put, 'x', { payload: long })
    expect(whole.receive(`ACK [1234] 4.13 ${token} 1:0/1/64`)[0]).toContain('1:0/1/64 Size1=150 <64>')
  })

  test.each([
    ['4.13 without a hint', '4.13'],
    ['4.13 with the same size', '4.13 1:0/1/64'],
    ['4.08', '4.08'],
    ['5.03', '5.03']
  ])('hands up %s', (_, answer) => {
    const client = peer()
    client.request(1, Method.put, 'x', { payload: long })
    const [code = '', ...rest] = answer.split(' ')
    expect(client.receive(`ACK [1234] ${code} ${token} ${rest.join(' ')}`)).toEqual([
      `response 1 ${code} final`
    ])
  })

  test.each([
    ['no Block1', `ACK [1234] 2.31 ${token}`],
    ['another number', `ACK [1234] 2.31 ${token} 1:1/1/64`],
    ['a success without Block1', `ACK [1234] 2.04 ${token}`]
  ])('an answer to a block with %s ends the transfer', (_, answer) => {
    const client = peer()
    client.request(1, Method.put, 'x', { payload: long })
    expect(client.receive(answer)).toEqual(['malformed COAP_BLOCK_UNEXPECTED', 'failed 1 block-wise'])
  })

  test('2.31 is no answer to the last block', () => {
    const client = peer()
    client.request(1, Method.put, 'x', { payload: long.subarray(0, 100) })
    client.receive(`ACK [1234] 2.31 ${token} 1:0/1/64`)
    expect(client.receive(`ACK [1235] 2.31 ${token} 1:1/0/64`)).toEqual([
      'malformed COAP_BLOCK_UNEXPECTED',
      'failed 1 block-wise'
    ])
  })

  test('pings and block transfers do not mix up their exchanges', () => {
    const client = peer()
    client.request(1, Method.put, 'x', { payload: long })
    client.receive(`ACK [1234] 2.31 ${token} 1:0/1/64`)
    client.receive(`ACK [1235] 2.31 ${token} 1:1/1/64`)
    client.receive(`ACK [1236] 2.04 ${token} 1:2/0/64`)
    expect(client.ping(1)).toEqual(['> CON [1237]'])
    expect(client.receive('RST [1237]')).toEqual(['pong 1'])
    expect(client.ping(7)).toEqual(['> CON [1238]'])
    expect(client.cancel(7)).toEqual([])
    expect(client.receive('RST [1238]')).toEqual([])
  })

  test('a caller’s own block numbers are its mistake', () => {
    expect(() =>
      peer().get(1, 'x', { options: [{ number: OptionNumber.block2, value: Uint8Array.of(0x12) }] })
    ).toThrow('block numbers')
    expect(() => new Lockstep({ blockwise: { maximumBodyBytes: 100, preferredSize: 100 } })).toThrow(
      'preferredSize'
    )
    expect(() => new Lockstep({ blockwise: { maximumBodyBytes: 0, preferredSize: 64 } })).toThrow(
      'maximumBodyBytes'
    )
  })
})
