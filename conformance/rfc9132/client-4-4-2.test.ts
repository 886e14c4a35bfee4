import {
  Code,
  OptionNumber,
  blockOption,
  decodeMessage,
  findOption,
  readBlock,
  readUint,
  uintOption
} from '@breakwater/coap'
import { Milliseconds, Seconds } from '@breakwater/core'
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
    // No sooner than probing-rate allows a second question without an answer (RFC 7252 §4.7).
    server.pass(Milliseconds(40_000))
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

/** A client that observes a mitigation in force, as its server answers it. */
function observing(): { readonly server: ScriptedServer; readonly registration: Heard } {
  const server = new ScriptedServer()
  server.connect()
  server.want(want('web', target('198.51.100.7/32')))
  const put = server.grant(3600)
  server.pass(Milliseconds(30))
  const registration = server.last('GET /.well-known/dots/mitigate/cuid=dz6pHjaADkaFTbjr0JGBpw/mid=')
  server.notify(registration, 1, { mid: put.mitigationId!, lifetime: 3600, status: 2 })
  server.pass(Milliseconds(30))
  return { server, registration }
}

const observeOf = ({ message }: Heard): number | undefined => readUint(message.options, OptionNumber.observe)

describe('RFC 9132 §4.4.2.1: a client that is not interested any more', () => {
  it('says so by a GET with Observe 1 and the token of the observation, after the DELETE [RFC9132-4.4.2.1-S01]', () => {
    const { server, registration } = observing()
    const before = server.heard.length
    server.want()
    server.answer(server.last('DELETE'), Code.deleted)
    server.pass(Seconds(1))
    const [withdrawal, farewell, ...others] = server.heard.slice(before)
    expect(withdrawal!.text).toMatch(/^DELETE/)
    expect(others).toEqual([])
    expect(farewell!.text).toBe(registration.text)
    expect(observeOf(registration)).toBe(0)
    expect(observeOf(farewell!)).toBe(1)
    expect(farewell!.message.token).toEqual(registration.message.token)
    expect(farewell!.message.options.length).toBe(registration.message.options.length)
    // RFC 9132 §4.4: a round trip lies between them.
    expect(farewell!.at - withdrawal!.at).toBeGreaterThanOrEqual(20)
  })

  it('says it once, and not before what is asked for protection', () => {
    const { server } = observing()
    const before = server.heard.length
    server.want(want('dns', target('198.51.100.53/32')))
    server.pass(Seconds(120))
    const since = server.heard.slice(before)
    expect(since.slice(0, 2).map(({ text }) => text.slice(0, 3))).toEqual(['PUT', 'DEL'])
    expect(since.filter((each) => observeOf(each) === 1)).toEqual([since[2]])
  })

  it('rejects what is notified all the same, lest the server has not heard it', () => {
    const { server, registration } = observing()
    server.want()
    server.answer(server.last('DELETE'), Code.deleted)
    server.pass(Seconds(1))
    const sent = server.outputs.length
    server.notify(registration, 9, { mid: registration.mitigationId!, lifetime: 0, status: 6 })
    const reset = server.outputs.slice(sent).find((output) => output.kind === 'send')
    expect(reset?.kind === 'send' && decodeMessage(reset.bytes).type).toBe('reset')
  })
})
