import { encodeUtf8 } from '@breakwater/core'
import { Code, Method, OptionNumber, uintOption } from '@breakwater/coap'
import { describe, expect, test } from 'vitest'

import { Lockstep } from '../../packages/coap/test/lockstep.ts'

const token = '(12340000)'

function peer(preferredSize = 64, maximumBodyBytes = 1000): Lockstep {
  return new Lockstep({ draw: 0x1234_0000, blockwise: { maximumBodyBytes, preferredSize } })
}

describe('RFC 7959 §2.1: the options', () => {
  test('a Block option is critical: who does not do block-wise transfer refuses it [RFC7959-2.1-M01]', () => {
    const server = new Lockstep()
    expect(server.receive('CON [0001] PUT (aa) /x 1:0/1/16 "0123456789abcdef"')).toEqual([
      'malformed COAP_OPTION_UNSUPPORTED',
      '> ACK [0001] 4.02 (aa) "Block1 is critical and not supported here"'
    ])
    const client = new Lockstep({ draw: 0x1234_0000 })
    client.get(1)
    expect(client.receive(`ACK [1234] 2.05 ${token} 2:0/1/16 "0123456789abcdef"`)).toEqual([
      'malformed COAP_OPTION_UNSUPPORTED',
      'failed 1 unsupported-critical-option'
    ])
  })

  test('a second Block option of one kind is refused as what is not understood [RFC7959-2.1-M02]', () => {
    const answer = peer().receive('CON [0001] PUT (aa) /x 1:0/1/16 1:1/1/16 "0123456789abcdef"')
    expect(answer[1]).toContain('ACK [0001] 4.02 (aa)')
    const again = peer().receive('CON [0001] GET (aa) /x 2:0/0/16 2:1/0/16')
    expect(again[1]).toContain('ACK [0001] 4.02 (aa)')
  })
})

describe('RFC 7959 §2.2: the value', () => {
  test('the M bit of a Block2 in a request is zero, and ignored [RFC7959-2.2-M01] [RFC7959-2.3-M03] [RFC7959-2.4-M01]', () => {
    const client = peer()
    client.get(1)
    expect(client.receive(`ACK [1234] 2.05 ${token} 2:0/1/64 <64>`)[0]).toContain('2:1/0/64')
    const server = peer()
    server.receive('CON [0001] GET (aa) /x')
    server.respond(1, Code.content, new Uint8Array(100).fill(0x61))
    const plain = server.receive('CON [0002] GET (aa) /x 2:1/0/64')[0]
    expect(plain).toContain('2:1/0/64 "aaa')
    expect(server.receive('CON [0003] GET (aa) /x 2:1/1/64')[0]).toBe(plain?.replace('0002', '0003'))
  })

  test('SZX 7 in a request is answered by 4.00 [RFC7959-2.2-M02]', () => {
    expect(peer().receive('CON [0001] GET (aa) /x 2:0/0/BERT')).toEqual([
      '> ACK [0001] 4.00 (aa) "SZX 7 is reserved"',
      'malformed COAP_BLOCK_REFUSED'
    ])
    expect(peer().receive('CON [0001] PUT (aa) /x 1:0/0/BERT "x"')).toEqual([
      '> ACK [0001] 4.00 (aa) "SZX 7 is reserved"',
      'malformed COAP_BLOCK_REFUSED'
    ])
  })

  test('SZX 7 in a response makes no body', () => {
    const client = peer()
    client.get(1)
    expect(client.receive(`ACK [1234] 2.05 ${token} 2:0/0/BERT "x"`)).toEqual([
      'malformed COAP_BLOCK_SIZE_RESERVED',
      'failed 1 block-wise'
    ])
  })
})

describe('RFC 7959 §2.3: blocks in requests and responses', () => {
  test.each([15, 17, 0])(
    'a block of 16 bytes with %i of them is refused when M is set [RFC7959-2.3-M01]',
    (length) => {
      const payload = length === 0 ? '' : `"${'x'.repeat(length)}"`
      const [answer = ''] = peer().receive(`CON [0001] PUT (aa) /x 1:0/1/16 ${payload}`)
      expect(answer).toContain('ACK [0001] 4.00 (aa)')
      const client = peer()
      client.get(1)
      expect(client.receive(`ACK [1234] 2.05 ${token} 2:0/1/16 ${payload}`)).toEqual([
        'malformed COAP_BLOCK_LENGTH_WRONG',
        'failed 1 block-wise'
      ])
    }
  )

  test('every block that we send with M is as long as it says [RFC7959-2.3-M01]', () => {
    const client = peer(64)
    const [first = ''] = client.request(1, Method.put, 'x', { payload: new Uint8Array(100) })
    expect(first).toContain('1:0/1/64 Size1=100 <64>')
    const server = peer(64)
    server.receive('CON [0001] GET (aa) /x')
    expect(server.respond(1, Code.content, new Uint8Array(150))[0]).toContain('2:0/1/64 Size2=150 <64>')
    expect(server.receive('CON [0002] GET (aa) /x 2:1/0/64')[0]).toContain('2:1/1/64 <64>')
  })

  test('who asked for larger blocks goes on with those that came [RFC7959-2.3-M02] [RFC7959-2.4-M03] [RFC7959-2.4-M04]', () => {
    const client = peer(1024)
    client.get(1, 'x', { options: [uintOption(OptionNumber.block2, 6)] })
    expect(client.receive(`ACK [1234] 2.05 ${token} 2:0/1/32 "0123456789abcdef0123456789abcdef"`)).toEqual([
      `> CON [1235] GET ${token} /x 2:1/0/32`
    ])
    expect(client.receive(`ACK [1235] 2.05 ${token} 2:1/1/32 "0123456789abcdef0123456789abcdef"`)).toEqual([
      `> CON [1236] GET ${token} /x 2:2/0/32`
    ])
  })

  test('the answer to a block that is not the last carries no Block2 [RFC7959-2.3-M04]', () => {
    expect(peer().receive('CON [0001] POST (aa) /x 1:0/1/64 2:0/0/16 <64>')).toEqual([
      '> ACK [0001] 2.31 (aa) 1:0/1/64'
    ])
  })

  test('Content-Format goes with every block, both ways [RFC7959-2.3-M05]', () => {
    const client = peer(64)
    const options = [uintOption(OptionNumber.contentFormat, 60)]
    expect(client.request(1, Method.put, 'x', { payload: new Uint8Array(100), options })[0]).toContain(
      'Content-Format=60'
    )
    expect(client.receive(`ACK [1234] 2.31 ${token} 1:0/1/64`)[0]).toContain('Content-Format=60')
    const server = peer(64)
    server.receive('CON [0001] GET (aa) /x')
    expect(server.respond(1, Code.content, new Uint8Array(100), { options })[0]).toContain(
      'Content-Format=60'
    )
    expect(server.receive('CON [0002] GET (aa) /x 2:1/0/64')[0]).toContain('Content-Format=60')
  })

  test('blocks of different Content-Formats are never put together [RFC7959-2.3-M06]', () => {
    const server = peer(64)
    server.receive('CON [0001] PUT (aa) /x Content-Format=60 1:0/1/64 <64>')
    expect(server.receive('CON [0002] PUT (aa) /x Content-Format=50 1:1/0/64 "end"')[0]).toContain(
      'ACK [0002] 4.08'
    )
    // The transfer is over: what would have fitted comes too late.
    expect(server.receive('CON [0003] PUT (aa) /x Content-Format=60 1:1/0/64 "end"')[0]).toContain(
      'ACK [0003] 4.08'
    )
    expect(server.requests).toEqual([])
  })

  test('a response whose blocks change their Content-Format makes no body', () => {
    const client = peer(64)
    client.get(1)
    client.receive(`ACK [1234] 2.05 ${token} Content-Format=60 2:0/1/64 <64>`)
    expect(client.receive(`ACK [1235] 2.05 ${token} Content-Format=50 2:1/0/64 "end"`)).toEqual([
      'malformed COAP_BLOCK_UNEXPECTED',
      'failed 1 block-wise'
    ])
  })

  test('the body that is handed up is what was sent, block by block', () => {
    const server = peer(64)
    server.receive(`CON [0001] PUT (aa) /x 1:0/1/16 "0123456789abcdef"`)
    server.receive(`CON [0002] PUT (aa) /x 1:1/1/16 "ghijklmnopqrstuv"`)
    server.receive(`CON [0003] PUT (aa) /x 1:2/0/16 "wxyz"`)
    expect(server.requests[0]?.payload).toEqual(encodeUtf8('0123456789abcdefghijklmnopqrstuvwxyz'))
    expect(server.requests[0]?.options.map(({ number }) => number)).toEqual([OptionNumber.uriPath])
  })
})
