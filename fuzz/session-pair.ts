import {
  Code,
  CoapSession,
  CoapStreamSession,
  defaultParameters,
  Method,
  OptionNumber,
  uintOption,
  uriPath
} from '@breakwater/coap'
import type {
  CoapSessionInput,
  CoapStreamInput,
  CoapStreamOutput,
  IncomingExchange,
  OutgoingExchange,
  SessionLoad
} from '@breakwater/coap'
import { after, Instant, Milliseconds } from '@breakwater/core'
import type { Machine } from '@breakwater/core'
import { seededEntropy } from '@breakwater/testing'

import type { FuzzTarget } from './target.ts'

/**
 * Two sessions that talk with each other over a network that loses, copies, swaps and damages (datagrams) or cuts into
 * pieces (streams). The input is a script: each step is a byte of what is done by whom, and one of how.
 *
 * Bugs: a throw, an exchange that ends twice or after its end, a table above its limit; and, when the network has healed and all is withdrawn, a session that never rests, or holds anything when it does.
 */
export const targets: readonly FuzzTarget[] = [
  { name: 'session-pair', run: (bytes) => new Pair(false).play(bytes), seeds: seeds() },
  { name: 'stream-pair', run: (bytes) => new Pair(true).play(bytes), seeds: seeds() }
]

const limits = { maxExchanges: 6, maxUnanswered: 4, maxObservers: 3, maxRemembered: 16 }
const maxTransfers = 2
const blockwise = { maximumBodyBytes: 4096, preferredSize: 256, maxTransfers }

/** Most datagrams underway, and most bytes of a stream. */
const MOST_UNDERWAY = 64
const MOST_STEPS = 150
const MOST_WAKE_UPS = 3000

type Session = Machine<CoapStreamInput, CoapStreamOutput> & { load(): SessionLoad }

/** One session, its application, and what it has sent that has not arrived. */
class End {
  readonly open = new Set<OutgoingExchange>()
  asked: IncomingExchange[] = []
  served: IncomingExchange[] = []
  underway: Uint8Array[] = []
  isClosed = false
  readonly trace = new Set<string>()
  readonly #session: Session
  #exchanges = 0
  #lastAsked = 0

  constructor(isStream: boolean, seed: number) {
    const common = { parameters: defaultParameters, entropy: seededEntropy(seed), ...limits, blockwise }
    this.#session = isStream
      ? new CoapStreamSession({ ...common, openedAt: Instant(0), maxMessageBytes: 2304 })
      : new DatagramEnd(
          new CoapSession({ ...common, notificationSpacingSeconds: 3, probingRateBytesPerSecond: 50 })
        )
    this.drain()
  }

  newExchange(): OutgoingExchange {
    const exchange = ++this.#exchanges as OutgoingExchange
    this.open.add(exchange)
    return exchange
  }

  feed(input: CoapStreamInput, now: Instant): void {
    this.#session.handle(input, now)
    this.drain()
    this.#checkLoad()
  }

  /** Whoever has ever asked. */
  forgetAllObservers(now: Instant): void {
    for (let exchange = 1; exchange <= this.#lastAsked; exchange++)
      this.feed({ kind: 'forget-observer', exchange: exchange as IncomingExchange }, now)
  }

  nextTimeout(): Instant | undefined {
    return this.#session.nextTimeout()
  }

  wake(now: Instant): void {
    this.#session.handleTimeout(now)
    this.drain()
    this.#checkLoad()
  }

  get load(): SessionLoad {
    return this.#session.load()
  }

  drain(): void {
    for (let output = this.#session.poll(); output !== undefined; output = this.#session.poll()) {
      if (this.isClosed && output.kind !== 'failed') throw new Error(`${output.kind} after the end`)
      this.trace.add(traceOf(output))
      this.#take(output)
    }
  }

  #take(output: CoapStreamOutput): void {
    switch (output.kind) {
      case 'send':
        this.underway = [...this.underway, output.bytes].slice(-MOST_UNDERWAY)
        return
      case 'request':
        this.#lastAsked = output.exchange
        this.asked = [...this.asked, output.exchange].slice(-8)
        return
      case 'response':
        if (!this.open.has(output.exchange)) throw new Error('a response to an exchange that has ended')
        if (output.final) this.open.delete(output.exchange)
        return
      case 'failed':
      case 'pong':
        if (!this.open.delete(output.exchange)) throw new Error('an exchange ended twice')
        return
      case 'close':
        this.isClosed = true
        return
      case 'observer-gone':
      case 'malformed':
      case 'released':
    }
  }

  #checkLoad(): void {
    const { requests, pings, unanswered, observers, confirmables, remembered, transfers } = this.load
    const bounds = [
      ['requests', requests, limits.maxExchanges + limits.maxExchanges],
      ['pings', pings, limits.maxExchanges],
      ['unanswered', unanswered, limits.maxUnanswered],
      ['observers', observers, limits.maxObservers],
      ['confirmables', confirmables, 64],
      ['remembered', remembered, limits.maxRemembered],
      ['transfers', transfers, 2 * maxTransfers]
    ] as const
    for (const [table, size, most] of bounds)
      if (size > most) throw new Error(`${size} ${table}, where ${most} are allowed`)
  }
}

/** A `CoapSession` with the face of a session on a stream. */
class DatagramEnd implements Session {
  readonly #session: CoapSession

  constructor(session: CoapSession) {
    this.#session = session
  }

  handle(input: CoapStreamInput, now: Instant): void {
    if (isOfStreams(input)) return
    this.#session.handle(input, now)
  }

  poll(): CoapStreamOutput | undefined {
    return this.#session.poll()
  }

  nextTimeout(): Instant | undefined {
    return this.#session.nextTimeout()
  }

  handleTimeout(now: Instant): void {
    this.#session.handleTimeout(now)
  }

  load(): SessionLoad {
    return this.#session.load()
  }
}

function isOfStreams(input: CoapStreamInput): input is Exclude<CoapStreamInput, CoapSessionInput> {
  return input.kind === 'release' || input.kind === 'abort' || input.kind === 'closed'
}

class Pair {
  readonly #isStream: boolean
  readonly #ends: readonly [End, End]
  #now = Instant(0)

  constructor(isStream: boolean) {
    this.#isStream = isStream
    this.#ends = [new End(isStream, 1), new End(isStream, 2)]
  }

  /** @returns what happened, so that a campaign keeps scripts that do something new. */
  play(script: Uint8Array): string {
    for (let at = 0; at + 1 < script.length && at < 2 * MOST_STEPS; at += 2)
      this.#step(script[at] ?? 0, script[at + 1] ?? 0)
    this.#heal()
    return this.#ends.map(({ trace }) => [...trace].toSorted().join(' ')).join(' | ')
  }

  #step(what: number, how: number): void {
    const [one, other] = (what & 1) === 0 ? this.#ends : [this.#ends[1], this.#ends[0]]
    switch ((what >> 1) % 15) {
      case 0:
      case 1:
        this.#ask(one, how, (what >> 1) % 15 === 0)
        return
      case 2:
        one.feed({ kind: 'repeat', exchange: outgoing(one, how) }, this.#now)
        return
      case 3:
        this.#cancel(one, outgoing(one, how))
        return
      case 4:
      case 5:
        this.#answer(one, how)
        return
      case 6:
        this.#notify(one, how)
        return
      case 7:
        one.feed({ kind: 'forget-observer', exchange: incoming(one.served, how) }, this.#now)
        return
      case 8:
        one.feed({ kind: 'ping', exchange: one.newExchange(), custody: how % 2 === 0 }, this.#now)
        return
      case 9:
        one.feed({ kind: 'ignore', exchange: incoming(one.asked, how) }, this.#now)
        return
      case 10:
      case 11:
        this.#deliver(one, other, how)
        return
      case 12:
        this.#weather(one, other, how)
        return
      case 13:
        this.#pass(how * how * 8)
        return
      case 14:
        this.#turn(one, how)
    }
  }

  #ask(end: End, how: number, confirmable: boolean): void {
    const observes = how % 3 === 0
    const hasBody = !observes && how % 4 === 1
    const options = [...(observes ? [uintOption(OptionNumber.observe, 0)] : []), ...uriPath(`r${how % 5}`)]
    const payload = new Uint8Array(hasBody ? how * 20 : 0).fill(how)
    const request = { method: hasBody ? Method.put : Method.get, options, payload }
    end.feed({ kind: 'request', exchange: end.newExchange(), request, confirmable }, this.#now)
  }

  #cancel(end: End, exchange: OutgoingExchange): void {
    end.open.delete(exchange)
    end.feed({ kind: 'cancel', exchange }, this.#now)
  }

  #answer(end: End, how: number): void {
    const exchange = incoming(end.asked, how)
    end.served = [...end.served, exchange].slice(-8)
    end.feed({ kind: 'respond', exchange, response: representation(how) }, this.#now)
  }

  #notify(end: End, how: number): void {
    const exchange = incoming(end.served, how)
    end.feed(
      { kind: 'notify', exchange, response: representation(how), confirmable: how % 2 === 0 },
      this.#now
    )
  }

  #deliver(from: End, to: End, how: number): void {
    if (!this.#isStream) {
      const bytes = from.underway.shift()
      if (bytes !== undefined) to.feed({ kind: 'datagram', bytes }, this.#now)
      return
    }
    const all = Uint8Array.from(from.underway.flatMap((bytes) => [...bytes]))
    const some = how === 0 ? all.length : Math.min(all.length, how * 8)
    from.underway = some < all.length ? [all.subarray(some)] : []
    if (some > 0) to.feed({ kind: 'datagram', bytes: all.subarray(0, some) }, this.#now)
  }

  /** What a network does to datagrams; a stream only breaks. */
  #weather(from: End, to: End, how: number): void {
    const [first] = from.underway
    if (this.#isStream || first === undefined) return
    switch (how % 4) {
      case 0:
        from.underway.shift()
        return
      case 1:
        to.feed({ kind: 'datagram', bytes: first }, this.#now)
        return
      case 2:
        from.underway.reverse()
        return
      case 3: {
        const damaged = first.slice()
        damaged[how % damaged.length] = (damaged[how % damaged.length] ?? 0) ^ (1 << (how & 7))
        to.feed({ kind: 'datagram', bytes: damaged }, this.#now)
      }
    }
  }

  #turn(end: End, how: number): void {
    const ackTimeoutSeconds = 1 + (how % 5)
    const parameters = { ...defaultParameters, ackTimeoutSeconds, nstart: 1 + (how % 3) }
    if (how < 250) end.feed({ kind: 'parameters', parameters }, this.#now)
    else if (how < 253) end.feed({ kind: 'release', release: { holdOffSeconds: how } }, this.#now)
    else if (how < 255) end.feed({ kind: 'abort', diagnostic: 'enough' }, this.#now)
    else end.feed({ kind: 'closed' }, this.#now)
  }

  #pass(milliseconds: number): void {
    const end = after(this.#now, Milliseconds(milliseconds))
    for (let next = this.#next(); next !== undefined && next <= end; next = this.#next()) this.#wakeAt(next)
    this.#now = end
  }

  #next(): Instant | undefined {
    const moments = this.#ends.map((end) => end.nextTimeout()).filter((moment) => moment !== undefined)
    return moments.length === 0 ? undefined : Instant(Math.max(this.#now, Math.min(...moments)))
  }

  #wakeAt(moment: Instant): void {
    this.#now = moment
    for (const end of this.#ends) end.wake(moment)
  }

  /** Nothing is lost any more, everybody answers at once, and then nobody wants anything. */
  #heal(): void {
    const [a, b] = this.#ends
    this.#exchangeAll()
    for (const end of this.#ends) {
      for (const exchange of end.open) this.#cancel(end, exchange)
      end.forgetAllObservers(this.#now)
    }
    for (let wakeUps = 0; ; wakeUps++) {
      this.#exchangeAll()
      const next = this.#next()
      if (next === undefined) break
      if (wakeUps > MOST_WAKE_UPS) throw new Error('the sessions never come to rest')
      this.#wakeAt(next)
    }
    for (const end of [a, b]) expectEmpty(end)
  }

  #exchangeAll(): void {
    const [a, b] = this.#ends
    for (let turn = 0; a.underway.length + b.underway.length > 0; turn++) {
      if (turn > MOST_WAKE_UPS) throw new Error('the sessions never stop talking')
      this.#deliver(a, b, 0)
      this.#deliver(b, a, 0)
      for (const end of this.#ends)
        for (const exchange of end.asked.splice(0)) {
          const response = { code: Code.content, options: [], payload: new Uint8Array(0) }
          end.feed({ kind: 'respond', exchange, response }, this.#now)
        }
    }
  }
}

function expectEmpty({ load }: End): void {
  const { dropped: _, evicted: __, ...held } = load
  for (const [table, size] of Object.entries(held)) if (size > 0) throw new Error(`${size} ${table} at rest`)
}

function representation(how: number): {
  code: number
  options: ReturnType<typeof uriPath>
  payload: Uint8Array
} {
  const observe = how % 5 === 0 ? [] : [uintOption(OptionNumber.observe, 0)]
  const options = [...observe, ...(how % 7 === 0 ? [uintOption(OptionNumber.maxAge, how)] : [])]
  if (how % 11 === 10) return { code: Code.notFound, options: [], payload: new Uint8Array(0) }
  return { code: Code.content, options, payload: new Uint8Array(how % 2 === 0 ? 10 : how * 17).fill(how) }
}

/** One that was begun, open or not. */
function outgoing(end: End, how: number): OutgoingExchange {
  const open = [...end.open]
  return open[how % Math.max(1, open.length)] ?? ((how + 1_000_000) as OutgoingExchange)
}

function incoming(known: readonly IncomingExchange[], how: number): IncomingExchange {
  return known[how % Math.max(1, known.length)] ?? ((how + 1_000_000) as IncomingExchange)
}

function traceOf(output: CoapStreamOutput): string {
  switch (output.kind) {
    case 'send':
      return `send:${output.bytes[1]}`
    case 'failed':
      return `failed:${output.reason}`
    case 'malformed':
      return output.error.code
    case 'response':
      return `response:${output.response.code}:${output.final}`
    case 'close':
      return `close:${output.reason}`
    case 'request':
    case 'pong':
    case 'observer-gone':
    case 'released':
      return output.kind
  }
}

/** Scripts: `0x14 0` and `0x15 0` deliver for the one and for the other. */
function seeds(): Uint8Array[] {
  const [deliver, back] = [
    [0x14, 0],
    [0x15, 0]
  ] as const
  return [
    scriptOf([0, 1], deliver, [9, 2], back, deliver),
    scriptOf([0, 3], deliver, back, [9, 4], back, [13, 6], back, deliver, [13, 7], back, deliver, [6, 0]),
    scriptOf(
      [0, 253],
      deliver,
      back,
      deliver,
      back,
      deliver,
      back,
      deliver,
      [9, 251],
      back,
      deliver,
      back,
      deliver
    ),
    scriptOf([2, 0], deliver, [9, 3], back, [13, 8], [26, 40], back, [24, 0], [26, 200]),
    scriptOf([0, 1], [24, 0], [26, 30], deliver, [9, 2], [25, 0], [26, 60], deliver, back),
    scriptOf([16, 0], [17, 1], deliver, back, [28, 3], [28, 251], deliver, back),
    scriptOf(
      ...[0, 3, 6, 9, 12].flatMap((how, index) => [[0, how], deliver, [9, [1, 3, 2, 3, 4][index] ?? 1], back])
    ),
    scriptOf([0, 0], [2, 1], [4, 0], [6, 0], deliver, deliver, [19, 0], [9, 2], back)
  ]
}

function scriptOf(...steps: readonly (readonly number[])[]): Uint8Array {
  return Uint8Array.from(steps.flat())
}
