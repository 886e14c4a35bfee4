import { Seconds } from '@breakwater/core'
import { Code, Method, OptionNumber, uintOption } from '@breakwater/coap'
import { describe, expect, test } from 'vitest'

import { Lockstep } from '../../packages/coap/test/lockstep.ts'

const token = '(12340000)'

function peer(preferredSize = 64, maximumBodyBytes = 1000): Lockstep {
  return new Lockstep({ draw: 0x1234_0000, blockwise: { maximumBodyBytes, preferredSize } })
}

const long = (fill: number): Uint8Array => new Uint8Array(100).fill(fill)

/** A client that observes as exchange 1, with a whole first representation. */
function observing(): Lockstep {
  const client = peer()
  client.get(1, 'x', { observe: 0 })
  client.receive(`ACK [1234] 2.05 ${token} Observe=1 #4=01 2:0/1/64 <64>`)
  client.receive(`ACK [1235] 2.05 (12340001) #4=01 2:1/0/64 "end"`)
  return client
}

describe('RFC 7959 §2.4: the client', () => {
  test('compares ETags, and asks anew for what changed under its hands [RFC7959-2.4-M06]', () => {
    const client = peer()
    client.get(1)
    client.receive(`ACK [1234] 2.05 ${token} #4=01 2:0/1/64 <64>`)
    expect(client.receive(`ACK [1235] 2.05 ${token} #4=02 2:1/0/64 "new"`)).toEqual([
      `> CON [1236] GET ${token} /temperature 2:0/0/64`
    ])
    client.receive(`ACK [1236] 2.05 ${token} #4=02 2:0/1/64 <64>`)
    expect(client.receive(`ACK [1237] 2.05 ${token} #4=02 2:1/0/64 "new"`)).toEqual([
      'response 1 2.05 <67> final'
    ])
  })

  test('a block without ETag belongs to no version that has one', () => {
    const client = peer()
    client.get(1)
    client.receive(`ACK [1234] 2.05 ${token} #4=01 2:0/1/64 <64>`)
    expect(client.receive(`ACK [1235] 2.05 ${token} 2:1/0/64 "old"`)[0]).toContain('2:0/0/64')
  })

  test('gives up on a representation that never stands still', () => {
    const client = peer()
    client.get(1)
    let lines: string[] = client.receive(`ACK [1234] 2.05 ${token} #4=01 2:0/1/64 <64>`)
    for (let round = 0; round < 20 && lines.at(-1)?.startsWith('>') === true; round++) {
      const id = (0x1235 + round).toString(16)
      const number = lines[0]?.includes('2:1/') === true ? 1 : 0
      lines = client.receive(
        `ACK [${id}] 2.05 ${token} #4=${(round + 2).toString(16).padStart(2, '0')} 2:${number}/1/64 <64>`
      )
    }
    expect(lines).toEqual(['malformed COAP_BODY_CHANGED', 'failed 1 block-wise'])
  })

  test('never asks a POST anew, whose answer changed', () => {
    const client = peer()
    client.request(1, Method.post, 'x', { payload: 'go' })
    client.receive(`ACK [1234] 2.04 ${token} #4=01 2:0/1/64 <64>`)
    expect(client.receive(`ACK [1235] 2.04 ${token} #4=02 2:1/0/64 "end"`)).toEqual([
      'malformed COAP_BODY_CHANGED',
      'failed 1 block-wise'
    ])
  })

  test('asks for the next block as soon as it has one [RFC7959-2.4-S03] [RFC7959-7.1-S02]', () => {
    const client = peer()
    client.get(1)
    const lines = client.receive(`ACK [1234] 2.05 ${token} 2:0/1/64 <64>`)
    expect(lines).toEqual([`> CON [1235] GET ${token} /temperature 2:1/0/64`])
  })

  test('hands up an error that comes instead of a block', () => {
    const client = peer()
    client.get(1)
    client.receive(`ACK [1234] 2.05 ${token} 2:0/1/64 <64>`)
    expect(client.receive(`ACK [1235] 4.04 ${token}`)).toEqual(['response 1 4.04 final'])
  })

  test('takes no body above its limit, announced or not', () => {
    const announced = peer(64, 100)
    announced.get(1)
    expect(announced.receive(`ACK [1234] 2.05 ${token} 2:0/1/64 Size2=101 <64>`)).toEqual([
      'malformed COAP_BODY_TOO_LONG',
      'failed 1 block-wise'
    ])
    const sudden = peer(64, 100)
    sudden.get(1)
    sudden.receive(`ACK [1234] 2.05 ${token} 2:0/1/64 <64>`)
    expect(sudden.receive(`ACK [1235] 2.05 ${token} 2:1/1/64 <64>`)).toEqual([
      'malformed COAP_BODY_TOO_LONG',
      'failed 1 block-wise'
    ])
  })

  test('takes no block but the one that it asked for', () => {
    const client = peer()
    client.get(1)
    client.receive(`ACK [1234] 2.05 ${token} 2:0/1/64 <64>`)
    expect(client.receive(`ACK [1235] 2.05 ${token} 2:2/0/64 "x"`)).toEqual([
      'malformed COAP_BLOCK_UNEXPECTED',
      'failed 1 block-wise'
    ])
  })

  test('fails when a block is never answered, and stops when cancelled', () => {
    const client = peer()
    client.get(1)
    client.receive(`ACK [1234] 2.05 ${token} 2:0/1/64 <64>`)
    expect(client.advance(Seconds(100)).at(-1)).toBe('failed 1 timeout')
    const hasty = peer()
    hasty.get(1)
    hasty.receive(`ACK [1234] 2.05 ${token} 2:0/1/64 <64>`)
    hasty.cancel(1)
    expect(hasty.advance(Seconds(300))).toEqual([])
  })

  test('a Non-confirmable block is repeated when the caller says so, and given up after the time-out', () => {
    const client = peer()
    client.get(1, 'x', { confirmable: false })
    expect(client.receive(`NON [0001] 2.05 ${token} 2:0/1/64 <64>`)).toEqual([
      `> NON [1235] GET ${token} /x 2:1/0/64`
    ])
    expect(client.repeat(1)).toEqual([`> NON [1236] GET ${token} /x 2:1/0/64`])
    expect(client.advance(Seconds(246))).toEqual([])
    expect(client.advance(Seconds(2))).toEqual(['failed 1 timeout'])
  })
})

describe('RFC 7959 §2.4: the server', () => {
  test('keeps the version that it began with, and forgets it in time', () => {
    const server = peer()
    server.receive('CON [0001] GET (aa) /x')
    server.respond(1, Code.content, long(0x61))
    server.advance(Seconds(200))
    expect(server.receive('CON [0002] GET (aa) /x 2:1/0/64')[0]).toContain('2:1/0/64 "aaaa')
    server.advance(Seconds(248))
    // A GET can be done again: the application is asked for the whole, and the block is cut from that.
    expect(server.receive('CON [0003] GET (aa) /x 2:1/0/64')).toEqual(['request 3 CON GET /x'])
    expect(server.requests.at(-1)?.options.map(({ number }) => number)).toEqual([OptionNumber.uriPath])
    expect(server.respond(3, Code.content, long(0x62))[0]).toContain('2:1/0/64 "bbbb')
  })

  test('another query is another resource', () => {
    const server = peer()
    server.receive('CON [0001] GET (aa) /x')
    server.respond(1, Code.content, long(0x61))
    expect(server.receive('CON [0002] GET (aa) /x 2:1/0/64 #15=71')).toEqual(['request 2 CON GET /x'])
  })

  test('answers a block behind the end by 4.00', () => {
    const server = peer()
    server.receive('CON [0001] GET (aa) /x')
    server.respond(1, Code.content, long(0x61))
    expect(server.receive('CON [0002] GET (aa) /x 2:2/0/64')).toEqual([
      '> ACK [0002] 4.00 (aa)',
      'malformed COAP_BLOCK_REFUSED'
    ])
  })

  test('keeps an ETag that the application gives, and makes none for errors', () => {
    const server = peer()
    server.receive('CON [0001] GET (aa) /x')
    const tag = { number: OptionNumber.etag, value: Uint8Array.of(7) }
    expect(server.respond(1, Code.content, long(0x61), { options: [tag] })[0]).toContain(' #4=07 2:0/1/64')
    server.receive('CON [0002] GET (aa) /y')
    expect(server.respond(2, Code.internalServerError, long(0x61))).toEqual([
      '> ACK [0002] 5.00 (aa) 2:0/1/64 Size2=100 <64>'
    ])
  })

  test('an idle session ends up waiting for nothing', () => {
    const server = peer()
    server.receive('CON [0001] GET (aa) /x')
    server.respond(1, Code.content, long(0x61))
    server.receive('CON [0002] PUT (aa) /x 1:0/1/64 <64>')
    server.receive('CON [0003] GET (aa) /unanswered')
    server.advance(Seconds(1000))
    expect(server.session.nextTimeout()).toBeUndefined()
  })
})

describe('RFC 7959 §2.6: with Observe', () => {
  test('the blocks of a notification are compared by ETag [RFC7959-2.6-M01]', () => {
    const client = observing()
    client.receive(`NON [0001] 2.05 ${token} Observe=2 #4=02 2:0/1/64 <64>`)
    expect(client.receive('ACK [1236] 2.05 (12340001) #4=03 2:1/0/64 "end"')[0]).toContain('/x 2:0/0/64')
  })

  test('the rest of a notification is asked for at once [RFC7959-2.6-S02]', () => {
    const client = observing()
    expect(client.receive(`NON [0001] 2.05 ${token} Observe=2 #4=02 2:0/1/64 <64>`)).toEqual([
      '> CON [1236] GET (12340001) /x 2:1/0/64'
    ])
  })

  test('a newer notification takes the place of one that is still being fetched', () => {
    const client = observing()
    client.receive(`NON [0001] 2.05 ${token} Observe=2 #4=02 2:0/1/64 <64>`)
    expect(client.receive(`NON [0002] 2.05 ${token} Observe=3 "small"`)).toEqual(['response 1 2.05 "small"'])
    expect(client.receive('ACK [1236] 2.05 (12340001) #4=02 2:1/0/64 "late"')).toEqual([])
  })

  test('a notification that cannot be fetched is lost, the observation is not', () => {
    const client = observing()
    client.receive(`NON [0001] 2.05 ${token} Observe=2 #4=02 2:0/1/64 <64>`)
    expect(client.receive('ACK [1236] 5.03 (12340001)')).toEqual(['malformed COAP_BODY_CHANGED'])
    expect(client.receive(`NON [0002] 2.05 ${token} Observe=3 "small"`)).toEqual(['response 1 2.05 "small"'])
  })

  test('a request for a further block never registers', () => {
    const server = peer()
    server.receive('CON [0001] GET (aa) /x Observe=0 2:1/0/64')
    expect(server.respond(1, Code.content, long(0x61), { observe: 0 })[0]).not.toContain('Observe')
    expect(server.notify(1, 'x', false)).toEqual([])
  })

  test('a short notification leaves as it is, and the body before it is forgotten', () => {
    const server = peer()
    server.receive('CON [0001] GET (aa) /x Observe=0')
    server.respond(1, Code.content, long(0x61), { observe: 0 })
    expect(server.notify(1, 'short', false)).toEqual(['> NON [1234] 2.05 (aa) Observe=2 "short"'])
    expect(server.receive('CON [0002] GET (ab) /x 2:1/0/64')).toEqual(['request 2 CON GET /x'])
  })
})

describe('RFC 7959 §2.7: Block1 and Block2', () => {
  test('the answer to a body is fetched in sequence, and cannot be had otherwise [RFC7959-2.7-M01]', () => {
    const server = peer()
    server.receive('CON [0001] POST (aa) /x 1:0/1/64 <64>')
    server.receive('CON [0002] POST (aa) /x 1:1/0/64 "end"')
    server.respond(2, Code.changed, new Uint8Array(300).fill(0x61))
    expect(server.receive('CON [0003] POST (aa) /x 2:2/0/64')[0]).toContain('ACK [0003] 4.08')
    expect(server.receive('CON [0004] POST (aa) /x 2:1/0/64')[0]).toContain('2.04 (aa) 2:1/1/64')
    expect(server.receive('CON [0005] POST (aa) /x 2:2/0/64')[0]).toContain('2.04 (aa) 2:2/1/64')
    const client = peer()
    client.request(1, Method.post, 'x', { payload: 'go' })
    expect(client.receive(`ACK [1234] 2.04 ${token} 2:0/1/64 <64>`)[0]).toContain('2:1/0/64')
    expect(client.receive(`ACK [1235] 2.04 ${token} 2:1/1/64 <64>`)[0]).toContain('2:2/0/64')
  })

  test('further blocks of an answer that is not kept are refused', () => {
    expect(peer().receive('CON [0001] POST (aa) /x 2:1/0/64')[0]).toContain('ACK [0001] 4.08')
    expect(peer().receive('CON [0001] POST (aa) /x 1:0/0/64 2:1/0/64 "x"')[0]).toContain('ACK [0001] 4.00')
  })
})

describe('RFC 7959 §4: Size', () => {
  test('Size2 of 0 asks, and no answer to it is fine [RFC7959-4-M01] [RFC7959-4-M02]', () => {
    const client = peer()
    const sent = client.get(1, 'x', { options: [uintOption(OptionNumber.size2, 0)] })
    expect(sent).toEqual([`> CON [1234] GET ${token} /x Size2=0`])
    const knows = uintOption(OptionNumber.size2, 100)
    expect(() => peer().get(1, 'x', { options: [knows] })).toThrow('Size2')
    expect(client.receive(`ACK [1234] 2.05 ${token} 2:0/1/64 <64>`)[0]).not.toContain('Size2')
    expect(client.receive(`ACK [1235] 2.05 ${token} 2:1/0/64 "end"`)).toEqual(['response 1 2.05 <67> final'])
  })

  test('a second Size option of one kind is neither sent nor seen [RFC7959-4-M03]', () => {
    const server = peer(64, 100)
    expect(server.receive('CON [0001] PUT (aa) /x 1:0/1/64 Size1=99 Size1=500 <64>')).toEqual([
      '> ACK [0001] 2.31 (aa) 1:0/1/64'
    ])
    const sent = server.request(1, Method.put, 'x', { payload: long(0x61) })
    expect(sent[0]?.match(/Size1/g)).toHaveLength(1)
    const asks = uintOption(OptionNumber.size2, 0)
    expect(() => peer().get(1, 'x', { options: [asks, asks] })).toThrow('more than once')
  })
})
