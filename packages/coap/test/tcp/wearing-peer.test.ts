import { Seconds } from '@breakwater/core'
import { describe, expect, it } from 'vitest'
import { Code } from '../../src/index.ts'
import { openStream } from '../stream-lockstep.ts'

describe('a message that has begun', () => {
  const start = Uint8Array.of(0xe0, 0x10, 0, 0x03)

  it('has 247 s to become whole, however many of its bytes come meanwhile', () => {
    const stream = openStream()
    stream.receive(start)
    for (let second = 0; second < 246; second++)
      expect([...stream.receive(Uint8Array.of(0)), ...stream.advance(Seconds(1))]).toEqual([])
    expect(stream.advance(Seconds(1))).toEqual([
      'malformed COAP_MESSAGE_UNFINISHED',
      '> ABORT "the rest of a message did not come in time"',
      'close protocol "the rest of a message did not come in time"'
    ])
  })

  it('gives the next one as long again when it is whole', () => {
    const stream = openStream({ messageTimeoutSeconds: 10 })
    const [first = 0, ...rest] = Uint8Array.of(0x01, 0xe2, 0xaa)
    for (let round = 0; round < 20; round++) {
      expect(stream.receive(Uint8Array.of(first))).toEqual([])
      expect(stream.advance(Seconds(9))).toEqual([])
      expect(stream.receive(Uint8Array.from(rest))).toEqual(['> PONG (aa)'])
    }
    expect(stream.advance(Seconds(3600))).toEqual([])
  })
})

describe('messages of which no exchange comes', () => {
  it('are borne 100 a second on average, and 1,000 at once', () => {
    const stream = openStream()
    const pings = (count: number): string[] => stream.receive(...Array.from({ length: count }, () => 'PING'))
    expect(pings(900)).toHaveLength(900)
    for (let second = 0; second < 60; second++) {
      stream.advance(Seconds(1))
      expect(pings(100)).toHaveLength(100)
    }
    expect(pings(1000).slice(-2)).toEqual([
      '> ABORT "too many messages that ask for nothing"',
      'close flood "too many messages that ask for nothing"'
    ])
  })

  it('are not the requests that are handed up, nor the answers that are awaited', () => {
    const stream = openStream()
    for (let round = 1; round <= 3000; round++) {
      expect(stream.receive('GET (aa) /x')).toEqual([`request ${round} GET /x`])
      expect(stream.respond(round, Code.content)).toEqual(['> 2.05 (aa)'])
    }
  })
})
