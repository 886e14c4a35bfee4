import { isDeepStrictEqual } from 'node:util'

import {
  Code,
  CoapStreamSession,
  defaultParameters,
  encodeFrame,
  FrameReader,
  Method,
  SignalCode,
  uintOption,
  uriPath
} from '@breakwater/coap'
import type {
  CoapStreamInput,
  CoapStreamOutput,
  IncomingExchange,
  OutgoingExchange,
  StreamMessage
} from '@breakwater/coap'
import { after, DecodeError, Instant, Milliseconds } from '@breakwater/core'
import { seededEntropy } from '@breakwater/testing'

import type { FuzzTarget } from './target.ts'

const nothing = new Uint8Array(0)
const maxMessageBytes = 2304

/**
 * A connection with a stranger, with block-wise transfer and observations of ours open; the input comes in one piece, and
 * byte by byte. Bugs: a throw, other messages when the pieces are others, a frame that cannot be read, an exchange that
 * ends twice, anything after `close`, a buffer above the limit, a session without rest.
 */
export const target: FuzzTarget = {
  name: 'coap-stream',
  run(bytes) {
    const whole = read(bytes, Math.max(1, bytes.length))
    for (const step of [1, 7])
      if (!isDeepStrictEqual(read(bytes, step), whole)) throw new Error(`other messages in pieces of ${step}`)
    for (const step of [1, Math.max(1, bytes.length)]) new Conversation().play(bytes, step)
    return whole.map((message) => (typeof message === 'string' ? message : message.code)).join(' ')
  },
  seeds: seeds()
}

/** The messages of a stream, and the code of what is wrong in the end. */
function read(bytes: Uint8Array, step: number): (StreamMessage | string)[] {
  const reader = new FrameReader(maxMessageBytes)
  const messages: (StreamMessage | string)[] = []
  try {
    for (let at = 0; at < bytes.length; at += step) {
      reader.feed(bytes.subarray(at, at + step))
      for (let next = reader.next(); next !== undefined; next = reader.next()) messages.push(next)
      if (reader.waiting > maxMessageBytes) throw new Error('more is kept than one message')
    }
  } catch (error) {
    if (!(error instanceof DecodeError) || !error.code.startsWith('COAP_')) throw error
    messages.push(error.code)
  }
  return messages
}

class Conversation {
  readonly #session = new CoapStreamSession({
    parameters: defaultParameters,
    entropy: seededEntropy(1),
    openedAt: Instant(0),
    maxMessageBytes,
    maxExchanges: 8,
    maxUnanswered: 4,
    maxObservers: 2,
    blockwise: { maximumBodyBytes: 8192, preferredSize: 1024, maxTransfers: 2 }
  })
  #now = Instant(0)
  readonly #open = new Set<OutgoingExchange>()
  readonly #asked: IncomingExchange[] = []
  #closed = false

  play(bytes: Uint8Array, step: number): void {
    this.#ask(1, Method.get, 0, true)
    this.#ask(2, Method.put, 3000, false)
    this.#ask(3, Method.get, 0, false)
    for (let at = 0; at < bytes.length; at += step)
      this.#feed({ kind: 'datagram', bytes: bytes.subarray(at, at + step) })
    this.#feed({ kind: 'cancel', exchange: 1 as OutgoingExchange })
    this.#open.delete(1 as OutgoingExchange)
    for (const [index, exchange] of this.#asked.entries()) this.#answer(index, exchange)
    this.#rest()
    this.#feed({ kind: 'closed' })
    if (this.#open.size > 0) throw new Error('an exchange survived its connection')
  }

  #ask(number: number, method: number, bodyBytes: number, observes: boolean): void {
    const exchange = number as OutgoingExchange
    this.#open.add(exchange)
    const options = observes ? [uintOption(6, 0), ...uriPath('x')] : uriPath(`y${number}`)
    const request = { method, options, payload: new Uint8Array(bodyBytes) }
    this.#feed({ kind: 'request', exchange, request, confirmable: true })
  }

  #answer(index: number, exchange: IncomingExchange): void {
    const code = index % 3 === 2 ? Code.notFound : Code.content
    const options = index % 2 === 0 ? [uintOption(6, 0)] : []
    const response = { code, options, payload: new Uint8Array((index % 4) * 1500) }
    this.#feed({ kind: 'respond', exchange, response })
    this.#feed({ kind: 'notify', exchange, response, confirmable: true })
  }

  #feed(input: CoapStreamInput): void {
    this.#session.handle(input, this.#now)
    this.#drain()
  }

  #drain(): void {
    for (let output = this.#session.poll(); output !== undefined; output = this.#session.poll()) {
      if (this.#closed && output.kind !== 'failed') throw new Error(`${output.kind} after the end`)
      this.#take(output)
    }
  }

  #take(output: CoapStreamOutput): void {
    switch (output.kind) {
      case 'send':
        this.#check(output.bytes)
        return
      case 'request':
        this.#asked.push(output.exchange)
        return
      case 'response':
        if (!this.#open.has(output.exchange)) throw new Error('a response to an exchange that has ended')
        if (output.final) this.#open.delete(output.exchange)
        return
      case 'failed':
        if (!this.#open.delete(output.exchange)) throw new Error('an exchange ended twice')
        return
      case 'close':
        this.#closed = true
        return
      case 'pong':
      case 'observer-gone':
      case 'malformed':
      case 'released':
        return
    }
  }

  #check(bytes: Uint8Array): void {
    const reader = new FrameReader(1_000_000)
    reader.feed(bytes)
    if (reader.next() === undefined || reader.waiting > 0) throw new Error('what was sent is not one frame')
  }

  #rest(): void {
    for (let wakeUps = 0; this.#session.nextTimeout() !== undefined; wakeUps++) {
      if (wakeUps > 500) throw new Error('the session never comes to rest')
      const next = this.#session.nextTimeout() ?? this.#now
      this.#now = after(this.#now, Milliseconds(Math.max(0, next - this.#now)))
      this.#session.handleTimeout(this.#now)
      this.#drain()
    }
  }
}

function seeds(): Uint8Array[] {
  const csm = encodeFrame({
    code: SignalCode.csm,
    token: nothing,
    options: [uintOption(2, 3000), uintOption(4, 0)],
    payload: nothing
  })
  const first = firstTokens()
  const token = Uint8Array.of(1)
  const path = uriPath('x')
  const messages = [
    { code: Method.get, token, options: [uintOption(6, 0), ...path], payload: nothing },
    { code: Method.put, token, options: [...path, uintOption(27, 0x0f)], payload: new Uint8Array(1024) },
    { code: Method.get, token, options: [...path, uintOption(23, 0x16)], payload: nothing },
    { code: SignalCode.ping, token, options: [uintOption(2, 0)], payload: nothing },
    { code: SignalCode.release, token: nothing, options: [uintOption(4, 9)], payload: Uint8Array.of(0x78) },
    { code: SignalCode.abort, token: nothing, options: [], payload: Uint8Array.of(0x78) },
    { code: Code.content, token: first[0] ?? token, options: [uintOption(6, 7)], payload: token },
    {
      code: Code.content,
      token: first[0] ?? token,
      options: [uintOption(6, 0), uintOption(23, 0x0e)],
      payload: new Uint8Array(1024)
    },
    { code: Code.continue, token: first[1] ?? token, options: [uintOption(27, 0x0e)], payload: nothing },
    {
      code: Code.content,
      token: first[2] ?? token,
      options: [uintOption(23, 0x0f)],
      payload: new Uint8Array(2048)
    }
  ].map((message) => encodeFrame(message))
  return [...messages.map((message) => concat([csm, message])), concat([csm, ...messages]), csm]
}

/** The tokens that a conversation begins with: the same entropy draws the same ones. */
function firstTokens(): Uint8Array[] {
  const entropy = seededEntropy(1)
  return [1, 2, 3].map(() => {
    const draw = entropy.uint32()
    return Uint8Array.of(draw >>> 24, draw >> 16, draw >> 8, draw)
  })
}

function concat(parts: readonly Uint8Array[]): Uint8Array {
  return Uint8Array.from(parts.flatMap((part) => [...part]))
}
