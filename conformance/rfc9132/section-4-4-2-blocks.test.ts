import {
  Method,
  OptionNumber,
  blockOption,
  findOption,
  readBlock,
  readUint,
  stringOption,
  uintOption
} from '@breakwater/coap'
import type { CoapOption } from '@breakwater/coap'
import { Seconds, concatBytes, toHex } from '@breakwater/core'
import { decodeSignal } from '@breakwater/model'
import { mitigatePath } from '@breakwater/dots'
import { describe, expect, it } from 'vitest'
import { CUID, ServerBed, certificate, only } from '../../packages/dots/test/server/server-bed.ts'
import type { Peer, Seen } from '../../packages/dots/test/server/server-bed.ts'

const MANY = 120

/** A client with so many mitigations that a list of them takes several blocks. */
function manyAsked(peer: Peer): void {
  for (let id = 1; id <= MANY; id++) peer.put(id, { targetPrefix: [`192.0.2.${id}/32`], lifetime: 3600 })
}

function blockOf(seen: Seen): ReturnType<typeof readBlock> {
  return readBlock(seen.response.options, OptionNumber.block2)
}

function tagOf(seen: Seen): string {
  const tag = findOption(seen.response.options, OptionNumber.etag)
  return tag === undefined ? '' : toHex(tag.value)
}

function list(peer: Peer, ...options: readonly CoapOption[]): Seen {
  const all = [...mitigatePath(CUID), ...options].toSorted((a, b) => a.number - b.number)
  return only(peer.request(Method.get, all))
}

/** Asks for block after block as RFC 9132 §4.4.2 wants it, with the ETag of the first one. */
function rest(peer: Peer, first: Seen, ...options: readonly CoapOption[]): Seen[] {
  const seen = [first]
  const etag = findOption(first.response.options, OptionNumber.etag)
  for (let last = blockOf(first); last?.more === true; last = blockOf(seen.at(-1) ?? first)) {
    const next = blockOption(OptionNumber.block2, { ...last, number: last.number + 1, more: false })
    seen.push(list(peer, ...options, ...(etag === undefined ? [] : [etag]), next))
  }
  return seen
}

describe('RFC 9132 §4.4.2: a list that does not fit one datagram', () => {
  it('is answered by its first block, in a Block2 option with NUM 0 [RFC9132-4.4.2-M03]', () => {
    const peer = new ServerBed().establish()
    manyAsked(peer)
    const first = list(peer)
    expect(first.code).toBe('2.05')
    expect(blockOf(first)).toEqual({ number: 0, more: true, sizeExponent: 6 })
    expect(first.response.payload).toHaveLength(1024)
    // RFC 9132 §7.3: the datagram fits a path MTU of 1280, with the headers of IPv6, UDP and DTLS.
    expect(Math.max(...peer.received.map(({ length }) => length))).toBeLessThanOrEqual(1280 - 40 - 8 - 37)
  })

  it('is whole when all blocks have been asked for, and its size was announced', () => {
    const peer = new ServerBed().establish()
    manyAsked(peer)
    const seen = rest(peer, list(peer))
    const body = concatBytes(seen.map(({ response }) => response.payload))
    expect(readUint(seen[0]!.response.options, OptionNumber.size2)).toBe(body.length)
    const scope = decodeSignal(body).mitigationScope?.scope ?? []
    expect(scope.map(({ mid }) => mid)).toEqual(Array.from({ length: MANY }, (_, index) => index + 1))
  })

  it.each(['', 'c=a', 'c=n', 'c=c'])(
    'has an ETag, the same in every block, when asked for with the query "%s" [RFC9132-4.4.2-M05]',
    (query) => {
      const peer = new ServerBed().establish()
      manyAsked(peer)
      const options = query === '' ? [] : [stringOption(OptionNumber.uriQuery, query)]
      const seen = rest(peer, list(peer, ...options), ...options)
      expect(seen.length).toBeGreaterThan(1)
      expect(tagOf(seen[0]!)).not.toBe('')
      expect(new Set(seen.map((each) => tagOf(each))).size).toBe(1)
    }
  )

  it('comes in the blocks that the client asks for, where they are smaller', () => {
    const peer = new ServerBed().establish()
    manyAsked(peer)
    const small = blockOption(OptionNumber.block2, { number: 0, more: false, sizeExponent: 2 })
    expect(blockOf(list(peer, small))).toEqual({ number: 0, more: true, sizeExponent: 2 })
  })

  it('stays the version that it was while its blocks are asked for, whatever happens meanwhile', () => {
    const bed = new ServerBed()
    const peer = bed.establish()
    manyAsked(peer)
    const first = list(peer)
    peer.delete(1)
    bed.advance(Seconds(2))
    const body = concatBytes(rest(peer, first).map(({ response }) => response.payload))
    expect(decodeSignal(body).mitigationScope?.scope).toHaveLength(MANY)
  })

  it('has no Block2 option when it fits', () => {
    const peer = new ServerBed().establish()
    peer.put(1, { targetPrefix: ['192.0.2.1/32'], lifetime: 3600 })
    expect(blockOf(list(peer))).toBeUndefined()
  })

  it('is notified of by its first block, and the observation goes on (RFC 7959 §2.6)', () => {
    const bed = new ServerBed()
    const peer = bed.establish()
    peer.put(1, { targetPrefix: ['192.0.2.1/32'], lifetime: 3600 })
    list(peer, uintOption(OptionNumber.observe, 0))
    for (let id = 2; id <= MANY; id++) peer.put(id, { targetPrefix: [`192.0.2.${id}/32`], lifetime: 3600 })
    bed.advance(Seconds(4))
    const notification = peer.notifications.at(-1)!
    expect(blockOf(notification)).toEqual({ number: 0, more: true, sizeExponent: 6 })
    const body = concatBytes(rest(peer, notification).map(({ response }) => response.payload))
    expect(decodeSignal(body).mitigationScope?.scope).toHaveLength(MANY)
    const before = peer.notifications.length
    bed.advance(Seconds(40))
    expect(peer.notifications.length).toBeGreaterThan(before)
  })

  it('goes over TCP in messages as long as the client takes (RFC 8323 §6)', () => {
    const bed = new ServerBed()
    const peer = bed.establish(certificate('client.example.net'), 'tcp')
    manyAsked(peer)
    const answer = list(peer)
    expect(answer.body?.mitigationScope?.scope).toHaveLength(MANY)
  })
})
