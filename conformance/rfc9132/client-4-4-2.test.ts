import { Code, OptionNumber, blockOption, findOption, readBlock, uintOption } from '@breakwater/coap'
import { Milliseconds } from '@breakwater/core'
import { encodeSignal } from '@breakwater/model'
import { describe, expect, it } from 'vitest'
import { ScriptedServer, want } from '../../packages/dots/test/client/scripted-server.ts'
import type { Heard } from '../../packages/dots/test/client/scripted-server.ts'
import { target } from '../../packages/dots/test/multihoming/sites.ts'

const body = encodeSignal({
  mitigationScope: {
    scope: Array.from({ length: 40 }, (_, index) => ({ mid: index + 1, lifetime: 3600, status: 2 }))
  }
})
const ETAG = { number: OptionNumber.etag, value: Uint8Array.of(0xca, 0xfe) }

/** Answers with block `number` of the list, in blocks of 64 bytes. */
function answerBlock(server: ScriptedServer, request: Heard, number: number, options = [ETAG]): void {
  const piece = body.subarray(number * 64, number * 64 + 64)
  const more = (number + 1) * 64 < body.length
  server.reply(request, Code.content, piece, [
    ...options,
    uintOption(OptionNumber.contentFormat, 271),
    blockOption(OptionNumber.block2, { number, more, sizeExponent: 2 })
  ])
}

/** A client whose first question, for all its mitigations, was answered by the first block. */
function asked(): ScriptedServer {
  const server = new ScriptedServer()
  server.feed({ kind: 'start' })
  server.pass(Milliseconds(20))
  server.feed({ kind: 'established', connection: server.connection })
  server.pass(Milliseconds(30))
  answerBlock(server, server.last('GET'), 0)
  server.pass(Milliseconds(30))
  return server
}

describe('RFC 9132 §4.4.2: a client that is answered block by block', () => {
  it('asks for the rest in blocks of the size that the server chose [RFC9132-4.4.2-M04]', () => {
    const server = asked()
    for (let number = 1; number * 64 < body.length; number++) {
      const further = server.last('GET')
      expect(readBlock(further.message.options, OptionNumber.block2)).toEqual({
        number,
        more: false,
        sizeExponent: 2
      })
      answerBlock(server, further, number)
      server.pass(Milliseconds(30))
    }
    expect(body.length).toBeGreaterThan(3 * 64)
  })

  it('repeats the ETag of the answer in every further request [RFC9132-4.4.2-M06]', () => {
    const server = asked()
    for (let number = 1; number <= 2; number++) {
      const further = server.last('GET')
      expect(findOption(further.message.options, OptionNumber.etag)).toEqual(ETAG)
      answerBlock(server, further, number)
      server.pass(Milliseconds(30))
    }
  })

  it('repeats a request for a block whose answer was lost, with the same block and ETag', () => {
    const server = asked()
    const before = server.requests('GET').length
    server.pass(Milliseconds(3100))
    const again = server.requests('GET').slice(before)
    expect(again.length).toBeGreaterThan(0)
    expect(readBlock(again[0]!.message.options, OptionNumber.block2)?.number).toBe(1)
    expect(findOption(again[0]!.message.options, OptionNumber.etag)).toEqual(ETAG)
  })

  it('waits with the next block for its turn, when something else was just asked (RFC 9132 §4.4)', () => {
    const server = asked()
    const further = server.last('GET')
    server.feed({ kind: 'want', wants: [want('web', target('198.51.100.7/32'))] })
    server.pass(Milliseconds(1))
    const put = server.last('PUT')
    answerBlock(server, further, 1)
    server.pass(Milliseconds(5000))
    const next = server.last('GET')
    expect(readBlock(next.message.options, OptionNumber.block2)?.number).toBe(2)
    const since = server.heard.slice(server.heard.indexOf(put))
    const gaps = since.slice(1).map(({ at }, index) => at - since[index]!.at)
    expect(Math.min(...gaps)).toBeGreaterThanOrEqual(20)
  })
})
