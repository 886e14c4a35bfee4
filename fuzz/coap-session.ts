import {
  Code,
  CoapSession,
  decodeMessage,
  defaultParameters,
  Method,
  uintOption,
  uriPath
} from '@breakwater/coap'
import type { CoapSessionInput, IncomingExchange, OutgoingExchange } from '@breakwater/coap'
import { after, Instant, Milliseconds } from '@breakwater/core'
import { seededEntropy } from '@breakwater/testing'

import type { FuzzTarget } from './target.ts'

/**
 * A conversation: the input is a script of steps, each one byte of what to do and one of how. The peer's datagrams are
 * raw bytes of the script, or answers to what the session really sent, so that mutation gets past the first check.
 * Bugs: a throw, an unsendable datagram, two ends of one exchange, outputs without cause, a session without rest.
 */
export const target: FuzzTarget = {
  name: 'coap-session',
  run(bytes) {
    new Conversation().play(bytes)
  },
  seeds: [
    Uint8Array.of(0, 1, 8, 0, 6, 40, 8, 1, 6, 200),
    Uint8Array.of(1, 1, 9, 3, 9, 3, 9, 4, 6, 90, 2, 0),
    Uint8Array.of(10, 2, 3, 1, 4, 1, 4, 1, 8, 0, 4, 0, 4, 2, 8, 2, 6, 250, 6, 250, 6, 250, 11, 0),
    Uint8Array.of(0, 0, 9, 6, 9, 10, 9, 14, 12, 0, 6, 255, 9, 5, 2, 0, 9, 4),
    Uint8Array.of(5, 0, 8, 3, 7, 3, 0x40, 0, 1, 10, 8, 12, 1, 3, 1)
  ]
}

const mostSteps = 200

/** None, register, deregister, an unknown critical option, an unknown elective one, a Proxy-Uri. */
const requestOptions: readonly (readonly number[])[] = [
  [],
  [0x60],
  [0x61, 1],
  [0x60],
  [0x11, 1, 0x80],
  [0x60, 0xb0],
  [0xd1, 22, 0x61]
]

/** None, sequence numbers near and far, an unknown critical option. */
const responseOptions: readonly (readonly number[])[] = [
  [],
  [0x61, 7],
  [0x61, 9],
  [0x63, 0xff, 0xff, 0xfe],
  [0x63, 0x7f, 0, 0],
  [0x90]
]

class Conversation {
  readonly #session = new CoapSession({
    parameters: defaultParameters,
    entropy: seededEntropy(1),
    maxExchanges: 4,
    maxUnanswered: 4,
    maxObservers: 2,
    maxRemembered: 8
  })
  #now = Instant(0)
  #exchanges = 0
  readonly #open = new Set<OutgoingExchange>()
  #asked: IncomingExchange[] = []
  /** The last datagrams of the session's, newest first. */
  #sent: Uint8Array[] = []
  #peerMessageId = 0

  play(script: Uint8Array): void {
    for (let at = 0; at + 1 < script.length && at < 2 * mostSteps; at += 2)
      at += this.#step(script[at] ?? 0, script[at + 1] ?? 0, script.subarray(at + 2))
    this.#rest()
  }

  /** Does one step; answers how many more bytes of the script it took. */
  #step(what: number, how: number, rest: Uint8Array): number {
    switch (what % 13) {
      case 0:
      case 1:
        this.#request(what % 13 === 0, how % 2 === 0)
        return 0
      case 2:
        this.#feed({ kind: 'cancel', exchange: this.#outgoing(how) })
        this.#open.delete(this.#outgoing(how))
        return 0
      case 3:
        this.#respond(how)
        return 0
      case 4:
        this.#notify(how)
        return 0
      case 5:
        this.#ping()
        return 0
      case 6:
        this.#wake(how * 500)
        return 0
      case 7: {
        const length = how % 32
        this.#feed({ kind: 'datagram', bytes: rest.slice(0, length) })
        return Math.min(length, rest.length)
      }
      case 8:
      case 9:
        this.#answer(what % 13 === 9, how)
        return 0
      case 10:
        this.#ask(how)
        return 0
      case 11:
        this.#forget(how)
        return 0
      default:
        this.#feed(
          how % 2 === 0
            ? { kind: 'repeat', exchange: this.#outgoing(how) }
            : { kind: 'parameters', parameters: { ...defaultParameters, nstart: 1 + (how % 3) } }
        )
        return 0
    }
  }

  #outgoing(how: number): OutgoingExchange {
    return (1 + (how % Math.max(1, this.#exchanges))) as OutgoingExchange
  }

  #request(confirmable: boolean, observe: boolean): void {
    const exchange = ++this.#exchanges as OutgoingExchange
    this.#open.add(exchange)
    const options = [...(observe ? [uintOption(6, 0)] : []), ...uriPath('x')]
    const request = { method: Method.get, options, payload: new Uint8Array(0) }
    this.#feed({ kind: 'request', exchange, request, confirmable })
  }

  #ping(): void {
    const exchange = ++this.#exchanges as OutgoingExchange
    this.#open.add(exchange)
    this.#feed({ kind: 'ping', exchange })
  }

  #respond(how: number): void {
    const exchange = this.#asked[how % Math.max(1, this.#asked.length)]
    if (exchange !== undefined) this.#feed({ kind: 'respond', exchange, response: response(how) })
  }

  #notify(how: number): void {
    const exchange = this.#asked[how % Math.max(1, this.#asked.length)]
    if (exchange === undefined) return
    const confirmable = how % 2 === 0
    this.#feed({ kind: 'notify', exchange, response: response(how), confirmable })
  }

  #forget(how: number): void {
    const exchange = this.#asked[how % Math.max(1, this.#asked.length)]
    if (exchange !== undefined) this.#feed({ kind: 'forget-observer', exchange })
  }

  /** The peer answers something that the session sent: acknowledges, resets, responds in a message or on top. */
  #answer(withToken: boolean, how: number): void {
    const sent = this.#sent[(how >> 4) % Math.max(1, this.#sent.length)]
    if (sent === undefined) return
    const [first = 0, , high = 0, low = 0] = sent
    const type = how % 4
    const id = type < 2 ? [0, ++this.#peerMessageId & 0xff] : [high, low]
    const token = withToken ? sent.slice(4, 4 + (first & 0x0f)) : []
    const code = withToken ? [Code.content, Code.notFound, Code.content][(how >> 2) % 3] : Code.empty
    const options = withToken ? (responseOptions[(how >> 2) % responseOptions.length] ?? []) : []
    const head = [0x40 | (type << 4) | token.length, code ?? 0, ...id]
    this.#feed({ kind: 'datagram', bytes: Uint8Array.of(...head, ...token, ...options) })
  }

  /** The peer asks: GET, with one of a few tokens and Message IDs, so that copies and renewals occur. */
  #ask(how: number): void {
    const options = requestOptions[(how >> 1) % requestOptions.length] ?? []
    this.#feed({
      kind: 'datagram',
      bytes: Uint8Array.of(0x41 | ((how & 1) << 4), 1, 0, how >> 2, how & 3, ...options)
    })
  }

  #feed(input: CoapSessionInput): void {
    this.#session.handle(input, this.#now)
    this.#drain()
  }

  #wake(milliseconds: number): void {
    this.#now = after(this.#now, Milliseconds(milliseconds))
    this.#session.handleTimeout(this.#now)
    this.#drain()
  }

  #drain(): void {
    for (let output = this.#session.poll(); output !== undefined; output = this.#session.poll())
      switch (output.kind) {
        case 'send':
          decodeMessage(output.bytes)
          this.#sent = [output.bytes, ...this.#sent.slice(0, 7)]
          break
        case 'request':
          this.#asked = [output.exchange, ...this.#asked.slice(0, 7)]
          break
        case 'response':
          if (!this.#open.has(output.exchange)) throw new Error('a response to an exchange that has ended')
          if (output.final) this.#open.delete(output.exchange)
          break
        case 'failed':
        case 'pong':
          if (!this.#open.delete(output.exchange)) throw new Error('an exchange ended twice')
          break
        case 'observer-gone':
        case 'malformed':
          break
      }
  }

  /** With nobody left to talk to, all timers run out. */
  #rest(): void {
    for (let wakeUps = 0; this.#session.nextTimeout() !== undefined; wakeUps++) {
      if (wakeUps > 500) throw new Error('the session never comes to rest')
      const next = this.#session.nextTimeout() ?? this.#now
      this.#wake(Math.max(0, next - this.#now))
    }
  }
}

function response(how: number): { code: number; options: ReturnType<typeof uriPath>; payload: Uint8Array } {
  const code = how % 5 === 0 ? Code.notFound : Code.content
  return { code, options: how % 3 === 0 ? [] : [uintOption(6, 0)], payload: Uint8Array.of(how) }
}
