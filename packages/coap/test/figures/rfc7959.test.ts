import { Seconds } from '@breakwater/core'
import { describe, expect, test } from 'vitest'
import { Code, Method, OptionNumber, uintOption } from '../../src/index.ts'
import type { CoapOption } from '../../src/index.ts'
import { Lockstep } from '../lockstep.ts'

/** The figures of RFC 7959 §3. Besides what they show, our server adds ETag (#4) and Size2, our client Size1. */
const token = '(12340000)'

function peer(preferredSize: number): Lockstep {
  return new Lockstep({ draw: 0x1234_0000, blockwise: { maximumBodyBytes: 5000, preferredSize } })
}

function body(length: number): Uint8Array {
  return Uint8Array.from({ length }, (_, index) => 0x61 + ((index * 7 + (index >> 5)) % 26))
}

/** Block2 of number 0 with this size: early negotiation. */
function proposal(sizeExponent: number): { options: readonly CoapOption[] } {
  return { options: [uintOption(OptionNumber.block2, sizeExponent)] }
}

const etag = /#4=[0-9a-f]{16}/
const withoutTag = (lines: string[]): string[] => lines.map((text) => text.replace(etag, 'ETag'))

describe('RFC 7959 figures, as the client', () => {
  test('figure 2: a GET in three blocks', () => {
    const client = peer(128)
    expect(client.get(1, 'status')).toEqual([`> CON [1234] GET ${token} /status`])
    expect(client.receive(`ACK [1234] 2.05 ${token} 2:0/1/128 <128>`)).toEqual([
      `> CON [1235] GET ${token} /status 2:1/0/128`
    ])
    expect(client.receive(`ACK [1235] 2.05 ${token} 2:1/1/128 <128>`)).toEqual([
      `> CON [1236] GET ${token} /status 2:2/0/128`
    ])
    expect(client.receive(`ACK [1236] 2.05 ${token} 2:2/0/128 <100>`)).toEqual([
      'response 1 2.05 <356> final'
    ])
    expect(client.session.nextTimeout()).toBeUndefined()
  })

  test('figure 3: early negotiation', () => {
    const client = peer(1024)
    expect(client.get(1, 'status', proposal(2))).toEqual([`> CON [1234] GET ${token} /status 2:0/0/64`])
    expect(client.receive(`ACK [1234] 2.05 ${token} 2:0/1/64 <64>`)).toEqual([
      `> CON [1235] GET ${token} /status 2:1/0/64`
    ])
    expect(client.receive(`ACK [1235] 2.05 ${token} 2:1/0/64 "end"`)).toEqual(['response 1 2.05 <67> final'])
  })

  test('figure 4: late negotiation goes on in smaller blocks where the first one ended', () => {
    const client = peer(64)
    client.get(1, 'status')
    expect(client.receive(`ACK [1234] 2.05 ${token} 2:0/1/128 <128>`)).toEqual([
      `> CON [1235] GET ${token} /status 2:2/0/64`
    ])
    for (const [id, next] of [
      [0x1235, 3],
      [0x1236, 4],
      [0x1237, 5]
    ] as const)
      expect(client.receive(`ACK [${id.toString(16)}] 2.05 ${token} 2:${next - 1}/1/64 <64>`)).toEqual([
        `> CON [${(id + 1).toString(16)}] GET ${token} /status 2:${next}/0/64`
      ])
    expect(client.receive(`ACK [1238] 2.05 ${token} 2:5/0/64 "end"`)).toEqual(['response 1 2.05 <323> final'])
  })

  test('figures 5 and 6: a lost request or answer is the message layer’s affair', () => {
    const client = peer(64)
    client.get(1, 'status')
    client.receive(`ACK [1234] 2.05 ${token} 2:0/1/128 <128>`)
    expect(client.advance(Seconds(3))).toEqual([`> CON [1235] GET ${token} /status 2:2/0/64`])
    expect(client.receive(`ACK [1235] 2.05 ${token} 2:2/0/64 "end"`)).toEqual(['response 1 2.05 <131> final'])
    expect(client.receive(`ACK [1235] 2.05 ${token} 2:2/0/64 "end"`)).toEqual([])
  })

  test('figure 7: an atomic PUT in three blocks', () => {
    const client = peer(128)
    expect(client.request(1, Method.put, 'options', { payload: body(300) })).toEqual([
      `> CON [1234] PUT ${token} /options 1:0/1/128 Size1=300 <128>`
    ])
    expect(client.receive(`ACK [1234] 2.31 ${token} 1:0/1/128`)).toEqual([
      `> CON [1235] PUT ${token} /options 1:1/1/128 <128>`
    ])
    expect(client.receive(`ACK [1235] 2.31 ${token} 1:1/1/128`)).toEqual([
      `> CON [1236] PUT ${token} /options 1:2/0/128 "${new TextDecoder().decode(body(300).subarray(256))}"`
    ])
    expect(client.receive(`ACK [1236] 2.04 ${token} 1:2/0/128`)).toEqual(['response 1 2.04 final'])
  })

  test('figure 8: a stateless server answers each block; the last answer counts', () => {
    const client = peer(128)
    client.request(1, Method.put, 'options', { payload: body(300) })
    expect(client.receive(`ACK [1234] 2.04 ${token} 1:0/0/128`)).toHaveLength(1)
    expect(client.receive(`ACK [1235] 2.04 ${token} 1:1/0/128`)).toHaveLength(1)
    expect(client.receive(`ACK [1236] 2.04 ${token} 1:2/0/128`)).toEqual(['response 1 2.04 final'])
  })

  test('figure 9: the server wants smaller blocks, and the numbers count in them [RFC7959-3.2-M01] [RFC7959-2.3-S01] [RFC7959-2.5-S01]', () => {
    const client = peer(128)
    client.request(1, Method.put, 'options', { payload: body(220) })
    expect(client.receive(`ACK [1234] 2.31 ${token} 1:0/1/32`)[0]).toContain('/options 1:4/1/32 "')
    expect(client.receive(`ACK [1235] 2.31 ${token} 1:4/1/32`)[0]).toContain('/options 1:5/1/32 "')
    expect(client.receive(`ACK [1236] 2.31 ${token} 1:5/1/32`)[0]).toContain('/options 1:6/0/32 "')
    expect(client.receive(`ACK [1237] 2.04 ${token} 1:6/0/32`)).toEqual(['response 1 2.04 final'])
  })

  test('figure 10: the answer to a POST in blocks comes in blocks itself', () => {
    const client = peer(128)
    client.request(1, Method.post, 'soap', { payload: body(300) })
    client.receive(`ACK [1234] 2.31 ${token} 1:0/1/128`)
    client.receive(`ACK [1235] 2.31 ${token} 1:1/1/128`)
    expect(client.receive(`ACK [1236] 2.04 ${token} 2:0/1/128 1:2/0/128 <128>`)).toEqual([
      `> CON [1237] POST ${token} /soap 2:1/0/128`
    ])
    expect(client.receive(`ACK [1237] 2.04 ${token} 2:1/1/128 <128>`)).toEqual([
      `> CON [1238] POST ${token} /soap 2:2/0/128`
    ])
    expect(client.receive(`ACK [1238] 2.04 ${token} 2:2/0/128 <80>`)).toEqual(['response 1 2.04 <336> final'])
  })

  test('figure 11: a proposal for the answer goes with the last block', () => {
    const client = peer(128)
    const sent = client.request(1, Method.post, 'soap', { payload: body(140), ...proposal(2) })
    expect(sent).toEqual([`> CON [1234] POST ${token} /soap 1:0/1/128 Size1=140 <128>`])
    expect(client.receive(`ACK [1234] 2.31 ${token} 1:0/1/128`)[0]).toContain('/soap 2:0/0/64 1:1/0/128 "')
    expect(client.receive(`ACK [1235] 2.04 ${token} 1:1/0/128 2:0/1/64 <64>`)).toEqual([
      `> CON [1236] POST ${token} /soap 2:1/0/64`
    ])
  })

  test('figure 12: the rest of a notification is fetched with tokens of its own', () => {
    const client = peer(128)
    client.get(1, 'status-icon', { observe: 0 })
    expect(client.receive(`ACK [1234] 2.05 ${token} Observe=62350 #4=6f00f38e "small"`)).toEqual([
      'response 1 2.05 "small"'
    ])
    const fetching = '(12340001)'
    expect(client.receive(`CON [af9c] 2.05 ${token} Observe=62354 #4=6f00f392 2:0/1/128 <128>`)).toEqual([
      '> ACK [af9c]',
      `> CON [1235] GET ${fetching} /status-icon 2:1/0/128`
    ])
    expect(client.receive(`ACK [1235] 2.05 ${fetching} #4=6f00f392 2:1/1/128 <128>`)).toEqual([
      `> CON [1236] GET ${fetching} /status-icon 2:2/0/128`
    ])
    expect(client.receive(`ACK [1236] 2.05 ${fetching} #4=6f00f392 2:2/0/128 <53>`)).toEqual([
      'response 1 2.05 <309>'
    ])
    expect(client.receive(`NON [af9d] 2.05 ${token} Observe=62355 "after"`)).toEqual([
      'response 1 2.05 "after"'
    ])
  })
})

describe('RFC 7959 figures, as the server', () => {
  test('figure 2: a GET in three blocks, all of one version [RFC7959-2.4-S02] [RFC7959-2.4-S01]', () => {
    const server = peer(128)
    expect(server.receive('CON [0001] GET (aa) /status')).toEqual(['request 1 CON GET /status'])
    expect(withoutTag(server.respond(1, Code.content, body(300)))).toEqual([
      '> ACK [0001] 2.05 (aa) ETag 2:0/1/128 Size2=300 <128>'
    ])
    expect(withoutTag(server.receive('CON [0002] GET (ab) /status 2:1/0/128'))).toEqual([
      '> ACK [0002] 2.05 (ab) ETag 2:1/1/128 <128>'
    ])
    expect(withoutTag(server.receive('CON [0003] GET (ac) /status 2:2/0/128'))[0]).toMatch(
      /^> ACK \[0003\] 2.05 \(ac\) ETag 2:2\/0\/128 "/
    )
    const tags = server.sent.map(
      (bytes) =>
        Buffer.from(bytes)
          .toString('hex')
          .match(/48([0-9a-f]{16})/)?.[1]
    )
    expect(new Set(tags).size).toBe(1)
  })

  test('figure 3: the size that the client proposes [RFC7959-2.4-M02] [RFC7959-2.4-M05]', () => {
    const server = peer(128)
    server.receive('CON [0001] GET (aa) /status 2:0/0/64')
    expect(withoutTag(server.respond(1, Code.content, body(130)))[0]).toContain('2:0/1/64 Size2=130 <64>')
    expect(server.receive('CON [0002] GET (aa) /status 2:1/0/64')[0]).toContain('2:1/1/64 <64>')
    const greedy = peer(128)
    greedy.receive('CON [0001] GET (aa) /status 2:0/0/1024')
    expect(withoutTag(greedy.respond(1, Code.content, body(300)))[0]).toContain('2:0/1/128 Size2=300 <128>')
  })

  test('figure 4: late negotiation', () => {
    const server = peer(128)
    server.receive('CON [0001] GET (aa) /status')
    server.respond(1, Code.content, body(300))
    expect(server.receive('CON [0002] GET (aa) /status 2:2/0/64')[0]).toContain('2:2/1/64 <64>')
    expect(server.receive('CON [0003] GET (aa) /status 2:4/0/64')[0]).toContain('2:4/0/64 "')
  })

  test('figure 6: a copy gets the same answer', () => {
    const server = peer(128)
    server.receive('CON [0001] GET (aa) /status')
    server.respond(1, Code.content, body(300))
    const first = server.receive('CON [0002] GET (aa) /status 2:2/0/64')
    expect(server.receive('CON [0002] GET (aa) /status 2:2/0/64')).toEqual(first)
  })

  test('figure 7: an atomic PUT is handed up when its last block is there', () => {
    const server = peer(128)
    expect(server.receive('CON [0001] PUT (aa) /options 1:0/1/128 <128>')).toEqual([
      '> ACK [0001] 2.31 (aa) 1:0/1/128'
    ])
    expect(server.receive('CON [0002] PUT (ab) /options 1:1/1/128 <128>')).toEqual([
      '> ACK [0002] 2.31 (ab) 1:1/1/128'
    ])
    expect(server.receive('CON [0003] PUT (ac) /options 1:2/0/128 "end"')).toEqual([
      'request 3 CON PUT /options'
    ])
    expect(server.requests[0]?.payload.length).toBe(259)
    expect(server.respond(3, Code.changed)).toEqual(['> ACK [0003] 2.04 (ac) 1:2/0/128'])
  })

  test('figure 9: the server wants smaller blocks', () => {
    const server = peer(32)
    expect(server.receive('CON [0001] PUT (aa) /options 1:0/1/128 <128>')).toEqual([
      '> ACK [0001] 2.31 (aa) 1:0/1/32'
    ])
    expect(server.receive('CON [0002] PUT (aa) /options 1:4/1/32 <32>')).toEqual([
      '> ACK [0002] 2.31 (aa) 1:4/1/32'
    ])
    expect(server.receive('CON [0003] PUT (aa) /options 1:5/0/32 "x"')).toEqual([
      'request 3 CON PUT /options'
    ])
    expect(server.requests[0]?.payload.length).toBe(161)
  })

  test('figures 10 and 11: POST in blocks, answer in blocks of the proposed size', () => {
    const server = peer(128)
    server.receive('CON [0001] POST (aa) /soap 1:0/1/128 <128>')
    server.receive('CON [0002] POST (ab) /soap 1:1/0/128 2:0/0/64 "end"')
    expect(server.respond(2, Code.changed, body(130))).toEqual([
      '> ACK [0002] 2.04 (ab) 2:0/1/64 1:1/0/128 Size2=130 <64>'
    ])
    expect(server.receive('CON [0003] POST (ac) /soap 2:1/0/64')).toEqual([
      '> ACK [0003] 2.04 (ac) 2:1/1/64 <64>'
    ])
    expect(server.receive('CON [0004] POST (ad) /soap 2:2/0/64')[0]).toContain('2.04 (ad) 2:2/0/64 "')
  })

  test('figures 12 and 13: a notification is its first block, in the size of the registration [RFC7959-2.6-S01]', () => {
    const server = peer(128)
    server.receive('CON [1636] GET (fb) /status-icon Observe=0 2:0/0/64')
    expect(withoutTag(server.respond(1, Code.content, body(309), { observe: 0 }))).toEqual([
      '> ACK [1636] 2.05 (fb) ETag Observe=1 2:0/1/64 Size2=309 <64>'
    ])
    const changed = body(310).fill(0x7a, 300)
    expect(withoutTag(server.notify(1, changed, true))).toEqual([
      '> CON [1234] 2.05 (fb) ETag Observe=2 2:0/1/64 Size2=310 <64>'
    ])
    server.receive('ACK [1234]')
    expect(withoutTag(server.receive('CON [1637] GET (fc) /status-icon 2:1/0/64'))).toEqual([
      '> ACK [1637] 2.05 (fc) ETag 2:1/1/64 <64>'
    ])
    expect(server.receive('CON [1638] GET (fc) /status-icon 2:4/0/64')[0]).toMatch(/2:4\/0\/64 ".*z{10}"$/)
  })
})
