import {
  after,
  DecodeError,
  type Duration,
  earlier,
  type Entropy,
  type Instant,
  InternalError
} from '@breakwater/core'
import type { Exchanges } from '../blockwise/blockwise-layer.ts'
import { Code, isRequest } from '../code.ts'
import { deriveTimes, type DerivedTimes } from '../message/parameters.ts'
import type { SessionLoad } from '../session-load.ts'
import type {
  CoapSessionInput,
  CoapSessionOutput,
  OutgoingExchange,
  TransmissionParameters
} from '../session.ts'
import { newToken, readToken, type Token, tokenBytes } from '../request/tokens.ts'
import type { Framing, MessageReader } from './framing.ts'
import { FruitlessBudget } from './fruitless-budget.ts'
import {
  type Capabilities,
  composeAbort,
  composeCsm,
  composePing,
  composePong,
  composeRelease,
  criticalOption,
  hasCustody,
  readCsm,
  readDiagnostic,
  readRelease,
  type Release
} from './signal.ts'
import { StreamLink } from './stream-link.ts'
import { isSignal, SignalCode, type StreamMessage } from './stream-message.ts'
import { StreamRequester } from './stream-requester.ts'
import { StreamResponder } from './stream-responder.ts'

/** What a connection does besides exchanges. */
export type LinkEvent =
  /** RFC 8323 §5.5: the peer wants to end it; `close` follows when all its requests have been answered. */
  | { readonly kind: 'released'; readonly release: Release }
  /** Close the connection now. Nothing more comes of this session. */
  | { readonly kind: 'close'; readonly reason: CloseReason; readonly diagnostic: string }

/** `protocol`: the peer broke a rule, `flood`: it said too much of no use; it was told so by an Abort. */
export type CloseReason = 'released' | 'aborted' | 'aborted-by-peer' | 'protocol' | 'flood' | 'closed-by-peer'

/**
 * Life of a connection:
 *
 * | state | on CSM | on Release, either way | on Abort, a fault, or its end |
 * |---|---|---|---|
 * | `opening`: the peer's CSM has to come until `until` | `open` | sent: `ending` | `closed` |
 * | `open` | stays | `ending` | `closed` |
 * | `ending`: no new requests of ours, until all is answered, or `until` | stays | stays | `closed` |
 */
type LinkState =
  | { readonly kind: 'opening'; readonly until: Instant }
  | { readonly kind: 'open' }
  | { readonly kind: 'ending'; readonly by: 'us' | 'peer'; readonly until: Instant }
  | { readonly kind: 'closed' }

export interface StreamSessionSettings {
  readonly parameters: TransmissionParameters
  readonly entropy: Entropy
  readonly understoodOptions: ReadonlySet<number>
  readonly maxExchanges: number
  readonly maxUnanswered: number
  readonly maxObservers: number
  readonly methods: ReadonlySet<number> | undefined
  readonly own: Capabilities
  readonly framing: Framing
  readonly serves: boolean
  readonly openedAt: Instant
  readonly csmPatience: Duration
  /** How long a message may take from its first byte to its last. */
  readonly messagePatience: Duration
}

interface DelayedPong {
  readonly token: Uint8Array
  readonly lastRequest: number
}

/** Pings with Custody that may wait at one time; beyond, they are answered at once and without Custody. */
const MOST_DELAYED_PONGS = 16

/** The exchanges of one connection: signaling, requests both ways, Observe both ways (RFC 8323). */
export class StreamSession implements Exchanges {
  readonly #settings: StreamSessionSettings
  readonly #reader: MessageReader
  readonly #link: StreamLink
  readonly #requester: StreamRequester
  readonly #responder: StreamResponder
  readonly #events: LinkEvent[] = []
  #times: DerivedTimes
  #state: LinkState
  #pings = new Map<Token, { readonly exchange: OutgoingExchange; readonly until: Instant }>()
  #delayedPongs: DelayedPong[] = []
  readonly #fruitless: FruitlessBudget
  /** When the message has to be whole that has begun. */
  #wholeUntil: Instant | undefined

  constructor(settings: StreamSessionSettings) {
    const { entropy, understoodOptions, maxExchanges, maxUnanswered, maxObservers, own } = settings
    this.#settings = settings
    this.#times = deriveTimes(settings.parameters)
    this.#fruitless = new FruitlessBudget(settings.openedAt)
    this.#reader = settings.framing.reader(own.maxMessageBytes)
    this.#link = new StreamLink(settings.framing)
    this.#requester = new StreamRequester(this.#link, entropy, understoodOptions, maxExchanges)
    this.#responder = new StreamResponder(this.#link, understoodOptions, {
      unanswered: maxUnanswered,
      observers: maxObservers,
      methods: settings.methods
    })
    this.#state = { kind: 'opening', until: after(settings.openedAt, settings.csmPatience) }
    // RFC 8323 §3.3: the first message, and without waiting for the peer's, so that nobody waits for ever.
    this.#link.signal(composeCsm(own))
  }

  /** What the peer has said of itself. */
  get peer(): Capabilities {
    return this.#link.peer
  }

  handle(input: CoapSessionInput, now: Instant): void {
    if (this.#state.kind === 'closed') {
      this.#refuseClosed(input)
      return
    }
    switch (input.kind) {
      case 'datagram':
        this.#receive(input.bytes, now)
        break
      case 'request':
        this.#request(input, now)
        break
      case 'repeat':
        // RFC 8323 §3.2, §7.3: the stream repeats what is lost, and one ping tells whether all observations live.
        break
      case 'cancel':
        this.#requester.cancel(input.exchange, this.#times.exchangeLifetime, now)
        this.#cancelPing(input.exchange)
        break
      case 'respond':
        this.#responder.respond(input.exchange, input.response)
        break
      case 'ignore':
        this.#responder.ignore(input.exchange)
        break
      case 'notify':
        this.#responder.notify(input.exchange, input.response)
        break
      case 'forget-observer':
        this.#responder.forgetObserver(input.exchange)
        break
      case 'ping':
        this.#ping(input.exchange, input.custody ?? false, now)
        break
      case 'parameters':
        this.#times = deriveTimes(input.parameters)
    }
    this.#settle()
  }

  #refuseClosed(input: CoapSessionInput): void {
    if (input.kind === 'request' || input.kind === 'ping')
      this.#link.emit({ kind: 'failed', exchange: input.exchange, reason: 'closed' })
  }

  #request(input: CoapSessionInput & { kind: 'request' }, now: Instant): void {
    // RFC 8323 §5.5: whoever said or heard Release asks nothing more.
    if (this.#state.kind === 'ending') {
      this.#refuseClosed(input)
      return
    }
    const patience = input.confirmable ? this.#times.exchangeLifetime : undefined
    this.#requester.start(input.exchange, input.request, patience, now)
  }

  #ping(exchange: OutgoingExchange, custody: boolean, now: Instant): void {
    for (const ping of this.#pings.values())
      if (ping.exchange === exchange)
        throw new InternalError('COAP_EXCHANGE_IN_USE', `outgoing exchange ${exchange} is in use`)
    if (this.#pings.size >= this.#settings.maxExchanges) {
      this.#link.emit({ kind: 'failed', exchange, reason: 'session-full' })
      return
    }
    const token = newToken(this.#settings.entropy, (taken) => this.#pings.has(taken))
    this.#pings.set(token, { exchange, until: after(now, this.#times.maxTransmitWait) })
    this.#link.signal(composePing(tokenBytes(token), custody))
  }

  #cancelPing(exchange: OutgoingExchange): void {
    for (const [token, ping] of this.#pings) if (ping.exchange === exchange) this.#pings.delete(token)
  }

  #receive(bytes: Uint8Array, now: Instant): void {
    this.#reader.feed(bytes)
    try {
      for (let message = this.#reader.next(); message !== undefined; message = this.#reader.next()) {
        this.#wholeUntil = undefined
        const isOfUse = this.#receiveMessage(message, now)
        if (this.#isClosed()) return
        if (isOfUse || this.#fruitless.take(now)) continue
        this.#abort('flood', 'too many messages that ask for nothing')
        return
      }
      if (this.#reader.waiting > 0) this.#wholeUntil ??= after(now, this.#settings.messagePatience)
    } catch (error) {
      if (!(error instanceof DecodeError)) throw error
      // RFC 8323 §5.6: what would be a Reset on datagrams is an Abort here.
      this.#link.malformed(error)
      this.#abort('protocol', error.message)
    }
  }

  #isClosed(): boolean {
    return this.#state.kind === 'closed'
  }

  /** @returns whether it belongs to an exchange. */
  #receiveMessage(message: StreamMessage, now: Instant): boolean {
    if (this.#state.kind === 'opening' && message.code !== SignalCode.csm) {
      // RFC 8323 §3.3.
      this.#fault('COAP_CSM_MISSING', 'the first message is no CSM')
      return false
    }
    if (message.code === Code.empty) return false
    if (isSignal(message.code)) {
      this.#receiveSignal(message, now)
      return false
    }
    const lifetime = this.#times.exchangeLifetime
    if (!isRequest(message.code)) return this.#requester.receive(message, lifetime, now)
    if (this.#settings.serves) return this.#responder.receive(message, lifetime, now)
    this.#responder.refuseToServe(message)
    return false
  }

  #receiveSignal(message: StreamMessage, now: Instant): void {
    if (message.code === SignalCode.csm) {
      this.#receiveCsm(message)
      return
    }
    const critical = criticalOption(message)
    if (critical !== undefined) {
      this.#fault('COAP_SIGNAL_INVALID', `signaling option ${critical} is not known here`)
      return
    }
    switch (message.code) {
      case SignalCode.ping:
        this.#answerPing(message)
        return
      case SignalCode.pong:
        this.#receivePong(message)
        return
      case SignalCode.release:
        this.#events.push({ kind: 'released', release: readRelease(message) })
        this.#end('peer', now)
        return
      case SignalCode.abort:
        this.#close('aborted-by-peer', readDiagnostic(message))
        return
      default:
      // Not registered: nothing critical in it, nothing to do.
    }
  }

  #receiveCsm(message: StreamMessage): void {
    const read = readCsm(message, this.#link.peer)
    if ('text' in read) {
      this.#fault('COAP_SIGNAL_INVALID', read.text, read.option)
      return
    }
    this.#link.peer = read
    if (this.#state.kind === 'opening') this.#state = { kind: 'open' }
  }

  /** RFC 8323 §5.4: at once, or, with Custody, when everything before has been processed. */
  #answerPing(message: StreamMessage): void {
    if (!hasCustody(message) || this.#delayedPongs.length >= MOST_DELAYED_PONGS) {
      this.#link.signal(composePong(message.token, false))
      return
    }
    this.#delayedPongs.push({ token: message.token, lastRequest: this.#responder.last })
  }

  #receivePong(message: StreamMessage): void {
    const token = readToken(message.token)
    const ping = token === undefined ? undefined : this.#pings.get(token)
    if (token === undefined || ping === undefined) return
    this.#pings.delete(token)
    this.#link.emit({ kind: 'pong', exchange: ping.exchange, custody: hasCustody(message) })
  }

  /** Tells the peer to come to an end; it closes the connection (RFC 8323 §5.5). */
  release(release: Release, now: Instant): void {
    if (this.#state.kind !== 'opening' && this.#state.kind !== 'open') return
    this.#link.signal(composeRelease(release))
    this.#end('us', now)
    this.#settle()
  }

  #end(by: 'us' | 'peer', now: Instant): void {
    this.#state = { kind: 'ending', by, until: after(now, this.#times.exchangeLifetime) }
  }

  /** Ends the connection at once, for a reason of the caller's. */
  abort(diagnostic: string): void {
    if (!this.#isClosed()) this.#abort('aborted', diagnostic)
  }

  /** The connection ended under our hands. */
  closed(): void {
    if (!this.#isClosed()) this.#close('closed-by-peer', '')
  }

  #fault(
    code: 'COAP_CSM_MISSING' | 'COAP_SIGNAL_INVALID' | 'COAP_MESSAGE_UNFINISHED',
    text: string,
    csmOption?: number
  ): void {
    this.#link.malformed(new DecodeError(code, text))
    this.#abort('protocol', text, csmOption)
  }

  #abort(reason: CloseReason, diagnostic: string, csmOption?: number): void {
    this.#link.signal(composeAbort(diagnostic, csmOption))
    this.#close(reason, diagnostic)
  }

  #close(reason: CloseReason, diagnostic: string): void {
    this.#state = { kind: 'closed' }
    this.#requester.close()
    this.#responder.close()
    for (const { exchange } of this.#pings.values())
      this.#link.emit({ kind: 'failed', exchange, reason: 'closed' })
    this.#pings.clear()
    this.#delayedPongs = []
    this.#events.push({ kind: 'close', reason, diagnostic })
  }

  /** What is due as soon as enough has been answered. */
  #settle(): void {
    if (this.#isClosed()) return
    while (
      this.#delayedPongs[0] !== undefined &&
      this.#responder.hasAnswered(this.#delayedPongs[0].lastRequest)
    ) {
      const pong = this.#delayedPongs.shift()
      if (pong !== undefined) this.#link.signal(composePong(pong.token, true))
    }
    const { kind } = this.#state
    if (kind !== 'ending' || this.#state.by !== 'peer') return
    // RFC 8323 §5.5: first all answers to the peer, then ours.
    if (this.#responder.unanswered === 0 && !this.#requester.awaitsResponses) this.#close('released', '')
  }

  poll(): CoapSessionOutput | undefined {
    return this.#link.poll()
  }

  /** What the connection wants; to be asked after `poll` has said undefined. */
  pollEvent(): LinkEvent | undefined {
    return this.#events.shift()
  }

  load(): SessionLoad {
    return {
      requests: this.#requester.size,
      pings: this.#pings.size,
      unanswered: this.#responder.unanswered,
      observers: this.#responder.observers,
      // RFC 8323 §3.2: the stream repeats and deduplicates; what is too much is refused by 4.29.
      confirmables: 0,
      remembered: 0,
      transfers: 0,
      dropped: 0,
      evicted: 0
    }
  }

  nextTimeout(): Instant | undefined {
    if (this.#isClosed()) return undefined
    let next = earlier(this.#requester.nextTimeout(), this.#responder.nextTimeout())
    for (const { until } of this.#pings.values()) next = earlier(next, until)
    next = earlier(next, this.#wholeUntil)
    return 'until' in this.#state ? earlier(next, this.#state.until) : next
  }

  handleTimeout(now: Instant): void {
    if (this.#isClosed()) return
    this.#requester.handleTimeout(now)
    this.#responder.handleTimeout(now)
    for (const [token, { exchange, until }] of this.#pings) {
      if (now < until) continue
      this.#pings.delete(token)
      this.#link.emit({ kind: 'failed', exchange, reason: 'timeout' })
    }
    if ('until' in this.#state && this.#state.until <= now) this.#runOut()
    else if (this.#wholeUntil !== undefined && this.#wholeUntil <= now)
      this.#fault('COAP_MESSAGE_UNFINISHED', 'the rest of a message did not come in time')
    this.#settle()
  }

  #runOut(): void {
    // RFC 8323 §3.3: a CSM that never comes is a fault, too.
    if (this.#state.kind === 'opening') this.#fault('COAP_CSM_MISSING', 'no CSM came in time')
    else this.#close('released', 'not all was answered in time')
  }
}
