import {
  after,
  DecodeError,
  type Duration,
  earlier,
  type Entropy,
  type Instant,
  InternalError
} from '@breakwater/core'
import { isSuccess } from '../code.ts'
import { observedResource } from '../observe/observed-resource.ts'
import { withoutObserve } from '../observe/observe-option.ts'
import { checkOptions } from '../option-check.ts'
import { findOption, uintOption } from '../option-value.ts'
import { formatOptionNumber, OptionNumber } from '../option.ts'
import type { CoapRequest, CoapResponse, ExchangeFailure, OutgoingExchange } from '../session.ts'
import { checkRequest, payloadOf } from '../request/sendable.ts'
import { newToken, readToken, type Token, tokenBytes } from '../request/tokens.ts'
import type { StreamLink } from './stream-link.ts'
import type { StreamMessage } from './stream-message.ts'

/**
 * Where a request of ours stands:
 *
 * | phase | on a response | on `cancel` |
 * |---|---|---|
 * | `unanswered` | `observing`, or the end | `leaving` where it asked to observe, else the end |
 * | `observing` | stays, or the end where the Observe option is missing | `leaving` |
 * | `leaving`: the caller has forgotten it, the peer has still to deregister it (RFC 8323 §7.4) | stays while the Observe option is there | – |
 */
type Phase = 'unanswered' | 'observing' | 'leaving'

interface OutgoingRequest {
  readonly exchange: OutgoingExchange
  readonly token: Token
  readonly request: CoapRequest
  readonly observed: string | undefined
  phase: Phase
  /** Undefined: it has no end of its own. */
  until: Instant | undefined
}

/** Requests of ours on a stream, and what comes back. Tokens are scoped to the connection (RFC 8323 §3.3). */
export class StreamRequester {
  readonly #link: StreamLink
  readonly #entropy: Entropy
  readonly #understood: ReadonlySet<number>
  readonly #limit: number
  readonly #byExchange = new Map<OutgoingExchange, OutgoingRequest>()
  readonly #byToken = new Map<Token, OutgoingRequest>()

  constructor(link: StreamLink, entropy: Entropy, understood: ReadonlySet<number>, limit: number) {
    this.#link = link
    this.#entropy = entropy
    this.#understood = understood
    this.#limit = limit
  }

  /** Requests and observations that are open, and observations that are being ended. */
  get size(): number {
    return Math.max(this.#byToken.size, this.#byExchange.size)
  }

  /** Whether a response is still awaited, notifications apart. */
  get awaitsResponses(): boolean {
    for (const { phase } of this.#byExchange.values()) if (phase === 'unanswered') return true
    return false
  }

  /** @param patience How long a response may take; undefined: for ever, as for a Non-confirmable request. */
  start(
    exchange: OutgoingExchange,
    request: CoapRequest,
    patience: Duration | undefined,
    now: Instant
  ): void {
    if (this.#byExchange.has(exchange))
      throw new InternalError('COAP_EXCHANGE_IN_USE', `outgoing exchange ${exchange} is in use`)
    checkRequest(request)
    const observed = observedResource(request)
    if (observed !== undefined && this.#observes(observed)) {
      this.#link.emit({ kind: 'failed', exchange, reason: 'already-observing' })
      return
    }
    if (this.#byToken.size >= this.#limit) {
      this.#link.emit({ kind: 'failed', exchange, reason: 'session-full' })
      return
    }
    const token = newToken(this.#entropy, (taken) => this.#byToken.has(taken))
    if (!this.#transmit(token, request)) {
      this.#link.emit({ kind: 'failed', exchange, reason: 'message-too-large' })
      return
    }
    const until = patience === undefined ? undefined : after(now, patience)
    const outgoing: OutgoingRequest = { exchange, token, request, observed, phase: 'unanswered', until }
    this.#byExchange.set(exchange, outgoing)
    this.#byToken.set(token, outgoing)
  }

  /** RFC 7641 §3.1; a registration that is being cancelled is none. */
  #observes(resource: string): boolean {
    for (const { observed } of this.#byExchange.values()) if (observed === resource) return true
    return false
  }

  #transmit(token: Token, request: CoapRequest): boolean {
    const { method, options, payload } = request
    return this.#link.transmit({ code: method, token: tokenBytes(token), options, payload })
  }

  /** @param patience How long the peer has to deregister; what comes after that finds no token. */
  cancel(exchange: OutgoingExchange, patience: Duration, now: Instant): void {
    const outgoing = this.#byExchange.get(exchange)
    if (outgoing === undefined) return
    this.#byExchange.delete(exchange)
    if (outgoing.observed !== undefined) this.#leave(outgoing, patience, now)
    else this.#byToken.delete(outgoing.token)
  }

  /** RFC 8323 §7.4: the same request with the same token and an Observe option of 1. */
  #leave(outgoing: OutgoingRequest, patience: Duration, now: Instant): void {
    const { method, options, payload } = outgoing.request
    outgoing.phase = 'leaving'
    outgoing.until = after(now, patience)
    const deregister = [...withoutObserve(options), uintOption(OptionNumber.observe, 1)]
    this.#transmit(outgoing.token, { method, options: deregister, payload })
  }

  /** @returns whether anybody waits for it. */
  receive(message: StreamMessage, patience: Duration, now: Instant): boolean {
    const token = readToken(message.token)
    const outgoing = token === undefined ? undefined : this.#byToken.get(token)
    // Most likely the answer to a request that was cancelled. RFC 8323 §7.2 would allow to abort.
    if (outgoing === undefined) return false
    const { options, unsupported } = checkOptions(message.options, this.#understood, message.code)
    if (unsupported !== undefined) {
      this.#refuse(outgoing, unsupported, patience, now)
      return true
    }
    this.#deliver(outgoing, { code: message.code, options, payload: payloadOf(message) })
    return true
  }

  /** RFC 7252 §5.4.1: the response is rejected; there is no Reset on a stream that could say so. */
  #refuse(outgoing: OutgoingRequest, option: number, patience: Duration, now: Instant): void {
    const what = `a response with ${formatOptionNumber(option)}, which is critical`
    this.#link.malformed(new DecodeError('COAP_OPTION_UNSUPPORTED', what))
    if (outgoing.phase === 'leaving') return
    const { exchange } = outgoing
    this.cancel(exchange, patience, now)
    this.#link.emit({ kind: 'failed', exchange, reason: 'unsupported-critical-option' })
  }

  #deliver(outgoing: OutgoingRequest, response: CoapResponse): void {
    const { exchange, phase } = outgoing
    // RFC 8323 §7.1: that the option is there counts, its value does not: the stream keeps the order.
    const observes =
      outgoing.observed !== undefined &&
      isSuccess(response.code) &&
      findOption(response.options, OptionNumber.observe) !== undefined
    if (!observes) this.#forget(outgoing)
    if (phase === 'leaving') return
    if (observes) {
      outgoing.phase = 'observing'
      outgoing.until = undefined
    }
    this.#link.emit({ kind: 'response', exchange, response, final: !observes })
  }

  #forget(outgoing: OutgoingRequest): void {
    // While it is leaving, its number may be in use for another.
    if (outgoing.phase !== 'leaving') this.#byExchange.delete(outgoing.exchange)
    this.#byToken.delete(outgoing.token)
  }

  /** The connection is gone, and with it all that was open (RFC 8323 §3.4). */
  close(): void {
    const open = [...this.#byExchange.keys()]
    this.#byExchange.clear()
    this.#byToken.clear()
    for (const exchange of open) this.#fail(exchange, 'closed')
  }

  #fail(exchange: OutgoingExchange, reason: ExchangeFailure): void {
    this.#link.emit({ kind: 'failed', exchange, reason })
  }

  nextTimeout(): Instant | undefined {
    let next: Instant | undefined
    for (const { until } of this.#byToken.values()) next = earlier(next, until)
    return next
  }

  handleTimeout(now: Instant): void {
    for (const outgoing of this.#byToken.values()) {
      if (outgoing.until === undefined || now < outgoing.until) continue
      this.#byToken.delete(outgoing.token)
      // A number that was in use once may be in use again by now.
      if (this.#byExchange.get(outgoing.exchange) !== outgoing) continue
      this.#byExchange.delete(outgoing.exchange)
      this.#fail(outgoing.exchange, 'timeout')
    }
  }
}
