import { describe, expect, test } from 'vitest'
import { Code, Method } from '../../src/index.ts'
import { openStream, type StreamLockstep } from '../stream-lockstep.ts'

const token = '(12340000)'

/** Max-Message-Size and Block-Wise-Transfer of a peer that takes BERT blocks of so many KiB. */
function csmFor(kibibytes: number): string {
  return `CSM #2=${(kibibytes * 1024 + 256).toString(16).padStart(6, '0')} #4=`
}

function bertStream(kibibytes: number): StreamLockstep {
  const blockwise = { maximumBodyBytes: 100_000, preferredSize: 1024 }
  return openStream({ blockwise, maxMessageBytes: 20_000 }, csmFor(kibibytes))
}

describe('RFC 8323 figures', () => {
  test('figure 13, as the client: BERT blocks of any size; the number counts 1024 bytes', () => {
    const client = bertStream(8)
    expect(client.get(1, 'status')).toEqual([`> GET ${token} /status`])
    expect(client.receive(`2.05 ${token} 2:0/1/BERT <3072>`)).toEqual([`> GET ${token} /status 2:3/0/BERT`])
    expect(client.receive(`2.05 ${token} 2:3/1/BERT <5120>`)).toEqual([`> GET ${token} /status 2:8/0/BERT`])
    expect(client.receive(`2.05 ${token} 2:8/0/BERT <4711>`)).toEqual(['response 1 2.05 <12903> final'])
  })

  test('figure 13, as the server: as many blocks as fit the peer’s Max-Message-Size', () => {
    const server = bertStream(3)
    server.receive('GET (aa) /status')
    expect(server.respond(1, Code.changed, new Uint8Array(7000))).toEqual([
      '> 2.04 (aa) 2:0/1/BERT Size2=7000 <3072>'
    ])
    expect(server.receive('GET (ab) /status 2:3/0/BERT')).toEqual(['> 2.04 (ab) 2:3/1/BERT <3072>'])
    expect(server.receive('GET (ac) /status 2:6/0/BERT')).toEqual(['> 2.04 (ac) 2:6/0/BERT <856>'])
    expect(server.receive('GET (ad) /status 2:6/0/1024')).toEqual(['> 2.04 (ad) 2:6/0/1024 <856>'])
  })

  test('figure 14, as the client', () => {
    const client = bertStream(8)
    expect(client.request(1, Method.put, 'options', { payload: new Uint8Array(22_067) })).toEqual([
      `> PUT ${token} /options 1:0/1/BERT Size1=22067 <8192>`
    ])
    expect(client.receive(`2.31 ${token} 1:0/1/BERT`)).toEqual([`> PUT ${token} /options 1:8/1/BERT <8192>`])
    expect(client.receive(`2.31 ${token} 1:8/1/BERT`)).toEqual([`> PUT ${token} /options 1:16/0/BERT <5683>`])
    expect(client.receive(`2.04 ${token} 1:16/0/BERT`)).toEqual(['response 1 2.04 final'])
  })

  test('figure 14, as the server', () => {
    const server = bertStream(8)
    expect(server.receive('PUT (aa) /options 1:0/1/BERT <8192>')).toEqual(['> 2.31 (aa) 1:0/1/BERT'])
    expect(server.receive('PUT (ab) /options 1:8/1/BERT <16384>')).toEqual(['> 2.31 (ab) 1:8/1/BERT'])
    expect(server.receive('PUT (ac) /options 1:24/0/BERT <5683>')).toEqual(['request 3 PUT /options'])
    expect(server.requests[0]?.payload.length).toBe(30_259)
    expect(server.respond(3, Code.changed)).toEqual(['> 2.04 (ac) 1:24/0/BERT'])
  })

  test('a BERT block that is not the last is a multiple of 1024 bytes', () => {
    expect(bertStream(8).receive('PUT (aa) /options 1:0/1/BERT <1025>')[0]).toContain('> 4.00 (aa)')
    expect(bertStream(8).receive('PUT (aa) /options 1:0/1/BERT')[0]).toContain('> 4.00 (aa)')
  })

  test('a peer that takes no BERT gets ordinary blocks, one that takes less gets smaller ones', () => {
    const blockwise = { maximumBodyBytes: 100_000, preferredSize: 1024 }
    const plain = openStream({ blockwise }, 'CSM #4=')
    expect(plain.request(1, Method.put, 'x', { payload: new Uint8Array(1025) })).toEqual([
      `> PUT ${token} /x 1:0/1/1024 Size1=1025 <1024>`
    ])
    const tiny = openStream({ blockwise }, 'CSM #2=0100 #4=')
    expect(tiny.request(1, Method.put, 'x', { payload: new Uint8Array(200) })).toEqual([
      `> PUT ${token} /x 1:0/1/128 Size1=200 <128>`
    ])
  })

  test('a body that fits the peer’s Max-Message-Size leaves in one piece', () => {
    const client = bertStream(8)
    expect(client.request(1, Method.put, 'x', { payload: new Uint8Array(8000) })).toEqual([
      `> PUT ${token} /x <8000>`
    ])
  })
})
