import { after, DecodeError, type Duration, encodeUtf8, type Instant, toHex } from '@breakwater/core'
import { Code, isSuccess } from '../code.ts'
import { hasInvalidHopLimit, invalidHopLimit } from '../hop-limit.ts'
import { contentFormatOf, keepsFormat, type OfOneFormat } from '../observe/observed-format.ts'
import { observeAction, withoutObserve } from '../observe/observe-option.ts'
import { checkOptions } from '../option-check.ts'
import { emptyOption, findOption } from '../option-value.ts'
import { formatOptionNumber, OptionNumber } from '../option.ts'
import { checkResponse, payloadOf, withoutDefaults } from '../request/sendable.ts'
import { tooManyRequests } from '../request/too-many-requests.ts'
import type { CoapResponse, IncomingExchange } from '../session.ts'
import type { StreamLink } from './stream-link.ts'
import type { StreamMessage } from './stream-message.ts'

interface IncomingRequest {
  readonly token: Uint8Array
  readonly registers: boolean
  readonly expiresAt: Instant
}

interface Observer extends OfOneFormat {
  readonly exchange: IncomingExchange
  readonly token: Uint8Array
}

export interface StreamResponderLimits {
  readonly unanswered: number
  readonly observers: number
  /** Methods that the application serves; undefined: it says so itself. */
  readonly methods: ReadonlySet<number> | undefined
}

/** After this many seconds a peer that has too many requests open may come again. */
const BUSY_SECONDS = 5

/** The peer's requests on a stream and our answers; its observations (RFC 8323 §7). */
export class StreamResponder {
  readonly #link: StreamLink
  readonly #understood: ReadonlySet<number>
  readonly #limits: StreamResponderLimits
  /** In order of arrival. */
  readonly #unanswered = new Map<IncomingExchange, IncomingRequest>()
  readonly #observers = new Map<IncomingExchange, Observer>()
  readonly #byToken = new Map<string, Observer>()
  #lastExchange = 0

  constructor(link: StreamLink, understood: ReadonlySet<number>, limits: StreamResponderLimits) {
    this.#link = link
    this.#understood = understood
    this.#limits = limits
  }

  /** Requests that the application has not answered. */
  get unanswered(): number {
    return this.#unanswered.size
  }

  /** Observations of the peer's. */
  get observers(): number {
    return this.#observers.size
  }

  /** The last request that came. */
  get last(): number {
    return this.#lastExchange
  }

  /** Whether every request up to this one has been answered (RFC 8323 §5.4.1). */
  hasAnswered(exchange: number): boolean {
    for (const oldest of this.#unanswered.keys()) return oldest > exchange
    return true
  }

  /**
   * @param lifetime How long the application has for its answer.
   * @returns whether the application has been asked.
   */
  receive(message: StreamMessage, lifetime: Duration, now: Instant): boolean {
    const { options, unsupported } = checkOptions(message.options, this.#understood, message.code)
    if (unsupported !== undefined) {
      this.#refuse(message.token, unsupported)
      return false
    }
    // Nothing may be dropped on a stream: who has too much open is told so (RFC 8516 §3).
    if (this.#unanswered.size >= this.#limits.unanswered) {
      this.#transmit(message.token, tooManyRequests(BUSY_SECONDS))
      return false
    }
    const action = observeAction(message.code, options)
    if (action !== undefined) this.#release(message.token)
    this.#lastExchange++
    const exchange = this.#lastExchange as IncomingExchange
    this.#unanswered.set(exchange, {
      token: message.token,
      registers: action === 'register',
      expiresAt: after(now, lifetime)
    })
    const refusal = this.#refusalOf(message)
    if (refusal !== undefined) {
      this.respond(exchange, refusal)
      return false
    }
    const request = { method: message.code, options, payload: payloadOf(message) }
    this.#link.emit({ kind: 'request', exchange, request, confirmable: true })
    return true
  }

  #refusalOf(message: StreamMessage): CoapResponse | undefined {
    // RFC 7252 §5.8.
    if (this.#limits.methods?.has(message.code) === false)
      return { code: Code.methodNotAllowed, options: [], payload: new Uint8Array(0) }
    return this.#understood.has(OptionNumber.hopLimit) && hasInvalidHopLimit(message.options)
      ? invalidHopLimit
      : undefined
  }

  /** RFC 8323 §3.3: who serves nothing says so. */
  refuseToServe(message: StreamMessage): void {
    this.#transmit(message.token, { code: Code.notImplemented, options: [], payload: new Uint8Array(0) })
  }

  /** RFC 7252 §5.4.1: on a stream every request is as good as Confirmable. */
  #refuse(token: Uint8Array, option: number): void {
    const what = `${formatOptionNumber(option)} is critical and not supported here`
    this.#link.malformed(new DecodeError('COAP_OPTION_UNSUPPORTED', what))
    const isForProxies = option === OptionNumber.proxyUri || option === OptionNumber.proxyScheme
    const code = isForProxies ? Code.proxyingNotSupported : Code.badOption
    this.#transmit(token, { code, options: [], payload: encodeUtf8(what) })
  }

  respond(exchange: IncomingExchange, response: CoapResponse): void {
    const incoming = this.#unanswered.get(exchange)
    if (incoming === undefined) return
    checkResponse(response)
    const registers =
      incoming.registers &&
      isSuccess(response.code) &&
      findOption(response.options, OptionNumber.observe) !== undefined
    const isObserver = registers && this.#register(exchange, incoming.token, response)
    const options = isObserver
      ? withEmptyObserve(response.options)
      : withoutDefaults(withoutObserve(response.options))
    const isSent = this.#transmit(incoming.token, { ...response, options })
    this.#unanswered.delete(exchange)
    if (registers && !(isObserver && isSent)) this.#lose(exchange)
  }

  /** No answer will come. */
  ignore(exchange: IncomingExchange): void {
    this.#unanswered.delete(exchange)
  }

  /** RFC 7641 §4.1: one entry per token, as far as there is room. */
  #register(exchange: IncomingExchange, token: Uint8Array, response: CoapResponse): boolean {
    this.#release(token)
    if (this.#observers.size >= this.#limits.observers) return false
    const observer = { exchange, token, contentFormat: contentFormatOf(response) }
    this.#observers.set(exchange, observer)
    this.#byToken.set(toHex(token), observer)
    return true
  }

  /** @returns whether what was asked for has been sent; a body that the peer cannot take becomes a 5.00. */
  #transmit(token: Uint8Array, response: CoapResponse): boolean {
    const { code, options, payload } = response
    if (this.#link.transmit({ code, token, options, payload })) return true
    this.#link.transmit({ code: Code.internalServerError, token, options: [], payload: new Uint8Array(0) })
    return false
  }

  notify(exchange: IncomingExchange, response: CoapResponse): void {
    const observer = this.#observers.get(exchange)
    if (observer === undefined) return
    checkResponse(response)
    if (!keepsFormat(observer, response)) {
      // RFC 7641 §4.2: an observation keeps its Content-Format, or ends.
      this.#transmit(observer.token, { code: Code.notAcceptable, options: [], payload: new Uint8Array(0) })
      this.#lose(exchange)
      return
    }
    const goesOn = isSuccess(response.code)
    const options = goesOn ? withEmptyObserve(response.options) : withoutObserve(response.options)
    if (!goesOn) this.forgetObserver(exchange)
    // What could not be sent as it was is a 5.00 now, and ends the observation (RFC 7641 §4.2).
    if (!this.#transmit(observer.token, { ...response, options }) && goesOn) this.#lose(exchange)
  }

  forgetObserver(exchange: IncomingExchange): void {
    const observer = this.#observers.get(exchange)
    if (observer === undefined) return
    this.#observers.delete(exchange)
    this.#byToken.delete(toHex(observer.token))
  }

  /** A registration or deregistration came with this token (RFC 7641 §4.1). */
  #release(token: Uint8Array): void {
    const observer = this.#byToken.get(toHex(token))
    if (observer !== undefined) this.#lose(observer.exchange)
  }

  #lose(exchange: IncomingExchange): void {
    this.forgetObserver(exchange)
    this.#link.emit({ kind: 'observer-gone', exchange })
  }

  /** RFC 8323 §7.4: no observation outlives its connection. */
  close(): void {
    this.#unanswered.clear()
    for (const exchange of this.#observers.keys()) this.#lose(exchange)
  }

  /** When the application has had its time for the oldest request. */
  nextTimeout(): Instant | undefined {
    for (const { expiresAt } of this.#unanswered.values()) return expiresAt
    return undefined
  }

  handleTimeout(now: Instant): void {
    for (const [exchange, { expiresAt }] of this.#unanswered) {
      if (now < expiresAt) return
      this.#unanswered.delete(exchange)
    }
  }
}

/** RFC 8323 §7.1: a sequence number is not needed where nothing changes places. */
function withEmptyObserve(options: CoapResponse['options']): CoapResponse['options'] {
  return [...withoutObserve(options), emptyOption(OptionNumber.observe)]
}
