import { after, DecodeError, earlier, type Instant, InternalError } from '@breakwater/core'
import { encodeMessage } from '../codec/encode.ts'
import { Code, isSuccess } from '../code.ts'
import { Confirmable, type ConfirmableOwner } from '../message/confirmables.ts'
import type { MessageLayer } from '../message/message-layer.ts'
import { SentIds } from '../message/sent-ids.ts'
import { stamp } from '../message/stamp.ts'
import type { CoapMessage, CoapOption } from '../message.ts'
import { deregistrationOf } from '../observe/deregistration.ts'
import { type Freshness, isFresher } from '../observe/freshness.ts'
import { observedResource } from '../observe/observed-resource.ts'
import { observeValue } from '../observe/observe-option.ts'
import { checkOptions } from '../option-check.ts'
import { formatOptionNumber } from '../option.ts'
import type { CoapRequest, ExchangeFailure, OutgoingExchange } from '../session.ts'
import { checkRequest, payloadOf } from './sendable.ts'
import { newToken, readToken, type Token, tokenBytes } from './tokens.ts'

/**
 * Where a request of ours stands:
 *
 * | phase | on a response | on another event |
 * |---|---|---|
 * | `unanswered`: on its way, or acknowledged and to be answered separately by `until` | `observing` or the end | Reset, timeout: the end |
 * | `observing`: answered with an Observe option | stays, or the end where the option is missing | Reset of a renewal, its timeout: the end |
 */
type Phase =
  | { readonly kind: 'unanswered'; readonly until: Instant | undefined }
  | { readonly kind: 'observing'; readonly freshest: Freshness }

interface OutgoingRequest {
  readonly exchange: OutgoingExchange
  readonly token: Token
  readonly confirmable: boolean
  /** What it asks to observe: one registration per resource (RFC 7641 §3.1). */
  readonly observed: string | undefined
  /** As encoded; the Message ID in it means nothing. */
  readonly bytes: Uint8Array
  phase: Phase
  /** The Confirmable message that carries it, until acknowledged. */
  transmission: Confirmable | undefined
}

/** Requests of ours and what comes back: matching by token (RFC 7252 §5.3.2), observations (RFC 7641 §3). */
export class Requester {
  readonly #layer: MessageLayer
  readonly #understood: ReadonlySet<number>
  readonly #limit: number
  readonly #byExchange = new Map<OutgoingExchange, OutgoingRequest>()
  readonly #byToken = new Map<Token, OutgoingRequest>()
  readonly #sentIds = new SentIds<OutgoingRequest>()
  /** Non-confirmable requests that wait for PROBING_RATE. */
  readonly #held = new Set<OutgoingRequest>()
  /** No `until` lies before this. */
  #nextDeadline: Instant | undefined

  constructor(layer: MessageLayer, understood: ReadonlySet<number>, limit: number) {
    this.#layer = layer
    this.#understood = understood
    this.#limit = limit
  }

  /** Requests and observations that are open. */
  get size(): number {
    return this.#byExchange.size
  }

  start(exchange: OutgoingExchange, request: CoapRequest, confirmable: boolean, now: Instant): void {
    if (this.#byExchange.has(exchange))
      throw new InternalError('COAP_EXCHANGE_IN_USE', `outgoing exchange ${exchange} is in use`)
    checkRequest(request)
    const outgoing = this.#compose(exchange, request, confirmable)
    if (outgoing.observed !== undefined && this.#observes(outgoing.observed)) {
      this.#layer.emit({ kind: 'failed', exchange, reason: 'already-observing' })
      return
    }
    if (this.#byExchange.size >= this.#limit) {
      this.#layer.emit({ kind: 'failed', exchange, reason: 'session-full' })
      return
    }
    this.#byExchange.set(exchange, outgoing)
    this.#byToken.set(outgoing.token, outgoing)
    this.#send(outgoing, now)
  }

  #compose(exchange: OutgoingExchange, request: CoapRequest, confirmable: boolean): OutgoingRequest {
    const token = newToken(this.#layer.entropy, (taken) => this.#byToken.has(taken))
    const bytes = encodeMessage({
      type: confirmable ? 'confirmable' : 'non-confirmable',
      code: request.method,
      messageId: 0,
      token: tokenBytes(token),
      options: request.options,
      payload: request.payload
    })
    return {
      exchange,
      token,
      confirmable,
      observed: observedResource(request),
      bytes,
      phase: { kind: 'unanswered', until: undefined },
      transmission: undefined
    }
  }

  #observes(resource: string): boolean {
    for (const { observed } of this.#byExchange.values()) if (observed === resource) return true
    return false
  }

  #send(outgoing: OutgoingRequest, now: Instant): void {
    // Copies: what has been handed out for sending is not ours to change any more.
    const bytes = outgoing.bytes.slice()
    if (outgoing.confirmable) {
      outgoing.transmission = new Confirmable(this.#ownerOf(outgoing), bytes, now)
      this.#layer.submit(outgoing.transmission, now)
      return
    }
    const { probing } = this.#layer
    if (probing?.isBlocked(now) === true) {
      this.#held.add(outgoing)
      return
    }
    const messageId = this.#layer.allocateId(now)
    if (messageId === undefined) {
      this.#fail(outgoing, 'session-full', now)
      return
    }
    stamp(bytes, 'non-confirmable', messageId)
    this.#sentIds.add(messageId, outgoing)
    probing?.sent(bytes.length, now)
    this.#layer.transmit(bytes)
  }

  /** What waited for PROBING_RATE, as far as it may go now. */
  sendHeld(now: Instant): void {
    for (const outgoing of this.#held) {
      if (this.#layer.probing?.isBlocked(now) === true) return
      this.#held.delete(outgoing)
      this.#send(outgoing, now)
    }
  }

  /** Once more: a Non-confirmable request, or the renewal of an observation (RFC 7641 §3.3.1). */
  repeat(exchange: OutgoingExchange, now: Instant): void {
    const outgoing = this.#byExchange.get(exchange)
    if (outgoing === undefined || outgoing.transmission !== undefined) return
    if (outgoing.confirmable && outgoing.phase.kind !== 'observing') return
    this.#send(outgoing, now)
  }

  /** What still comes for it finds no token, and gets a Reset (RFC 7641 §3.6). */
  cancel(exchange: OutgoingExchange, tellsPeer: boolean, now: Instant): void {
    const outgoing = this.#byExchange.get(exchange)
    if (outgoing === undefined) return
    this.#end(outgoing, now)
    if (tellsPeer && outgoing.observed !== undefined) this.#deregister(outgoing, now)
  }

  /** Whatever comes back means nothing: where this is lost, the Reset of the next notification does it. */
  #deregister({ bytes, confirmable }: OutgoingRequest, now: Instant): void {
    const farewell = deregistrationOf(bytes)
    if (confirmable) {
      const transmission: Confirmable = new Confirmable(
        { acknowledged: (_, at) => this.#layer.finish(transmission, at), rejected: ignore, timedOut: ignore },
        farewell,
        now
      )
      this.#layer.submit(transmission, now)
      return
    }
    const messageId = this.#layer.allocateId(now)
    if (messageId === undefined || this.#layer.probing?.isBlocked(now) === true) return
    stamp(farewell, 'non-confirmable', messageId)
    this.#layer.probing?.sent(farewell.length, now)
    this.#layer.transmit(farewell)
  }

  #ownerOf(outgoing: OutgoingRequest): ConfirmableOwner {
    return {
      acknowledged: (message, now) => this.#acknowledged(outgoing, message, now),
      rejected: (now) => this.#fail(outgoing, 'reset', now),
      timedOut: (now) => this.#fail(outgoing, 'timeout', now)
    }
  }

  #acknowledged(outgoing: OutgoingRequest, message: CoapMessage, now: Instant): void {
    if (message.code === Code.empty) {
      this.#stopTransmission(outgoing, now)
      if (outgoing.phase.kind === 'unanswered') this.#awaitSeparateResponse(outgoing, now)
      return
    }
    // RFC 7252 §5.3.2: piggybacked, both Message ID and token must match.
    if (readToken(message.token) === outgoing.token) this.#answered(outgoing, message, now)
  }

  /** RFC 7252 §5.2.2 leaves open how long to wait; after EXCHANGE_LIFETIME nothing of this exchange is underway. */
  #awaitSeparateResponse(outgoing: OutgoingRequest, now: Instant): void {
    const until = after(now, this.#layer.times.exchangeLifetime)
    outgoing.phase = { kind: 'unanswered', until }
    this.#nextDeadline = earlier(this.#nextDeadline, until)
  }

  /** A response that came in a message of its own. */
  receive(message: CoapMessage, now: Instant): void {
    const token = readToken(message.token)
    const outgoing = token === undefined ? undefined : this.#byToken.get(token)
    if (outgoing === undefined) rejectUnknown(this.#layer, message, now)
    else this.#answered(outgoing, message, now)
  }

  #answered(outgoing: OutgoingRequest, message: CoapMessage, now: Instant): void {
    const { options, unsupported } = checkOptions(message.options, this.#understood, message.code)
    if (unsupported !== undefined) {
      this.#refuse(outgoing, message, unsupported, now)
      return
    }
    if (message.type === 'confirmable') this.#layer.acknowledge(message.messageId, now)
    // RFC 7252 §4.2: a response stands for the acknowledgement that may have been lost.
    this.#stopTransmission(outgoing, now)
    this.#deliver(outgoing, message, options, now)
  }

  /** RFC 7252 §5.4.1: a response with a critical option that is not understood is rejected. */
  #refuse(outgoing: OutgoingRequest, message: CoapMessage, option: number, now: Instant): void {
    // RFC 7252 §4.2: a piggybacked one is rejected by silence.
    if (message.type !== 'acknowledgement') this.#layer.reject(message.messageId, now)
    this.#layer.malformed(
      new DecodeError(
        'COAP_OPTION_UNSUPPORTED',
        `a response with ${formatOptionNumber(option)}, which is critical`
      )
    )
    this.#fail(outgoing, 'unsupported-critical-option', now)
  }

  #deliver(
    outgoing: OutgoingRequest,
    message: CoapMessage,
    options: readonly CoapOption[],
    now: Instant
  ): void {
    const { code } = message
    const payload = payloadOf(message)
    const response = { code, options, payload }
    const sequence = outgoing.observed !== undefined && isSuccess(code) ? observeValue(options) : undefined
    if (sequence === undefined) {
      this.#end(outgoing, now)
      this.#layer.emit({ kind: 'response', exchange: outgoing.exchange, response, final: true })
      return
    }
    const { phase } = outgoing
    if (phase.kind === 'observing' && !isFresher(phase.freshest, sequence, now)) return
    // A Reset of the registration means nothing any more.
    this.#sentIds.forget(outgoing)
    outgoing.phase = { kind: 'observing', freshest: { sequence, at: now } }
    this.#layer.emit({ kind: 'response', exchange: outgoing.exchange, response, final: false })
  }

  /** A Reset that no Confirmable message waits for. */
  reset(messageId: number, now: Instant): void {
    const outgoing = this.#sentIds.find(messageId)
    if (outgoing !== undefined) this.#fail(outgoing, 'reset', now)
  }

  #fail(outgoing: OutgoingRequest, reason: ExchangeFailure, now: Instant): void {
    this.#end(outgoing, now)
    this.#layer.emit({ kind: 'failed', exchange: outgoing.exchange, reason })
  }

  #end(outgoing: OutgoingRequest, now: Instant): void {
    this.#byExchange.delete(outgoing.exchange)
    this.#byToken.delete(outgoing.token)
    this.#held.delete(outgoing)
    this.#sentIds.forget(outgoing)
    this.#stopTransmission(outgoing, now)
    if (this.#byExchange.size === 0) this.#nextDeadline = undefined
  }

  #stopTransmission(outgoing: OutgoingRequest, now: Instant): void {
    const { transmission } = outgoing
    if (transmission === undefined) return
    outgoing.transmission = undefined
    this.#layer.finish(transmission, now)
  }

  nextTimeout(): Instant | undefined {
    return this.#held.size === 0
      ? this.#nextDeadline
      : earlier(this.#nextDeadline, this.#layer.probing?.mayAt)
  }

  handleTimeout(now: Instant): void {
    this.sendHeld(now)
    if (this.#nextDeadline === undefined || now < this.#nextDeadline) return
    this.#nextDeadline = undefined
    for (const outgoing of this.#byExchange.values()) {
      const until = outgoing.phase.kind === 'unanswered' ? outgoing.phase.until : undefined
      if (until === undefined) continue
      if (until <= now) this.#fail(outgoing, 'timeout', now)
      else this.#nextDeadline = earlier(this.#nextDeadline, until)
    }
  }
}

function ignore(): void {
  // The observation is over for us, whatever the peer makes of that.
}

/**
 * A response to nothing that we asked: rejected when Confirmable, and when it is a notification, so that the sender stops
 * (RFC 7641 §3.5). Another Non-confirmable one is most likely the answer to a copy, and gets silence.
 */
export function rejectUnknown(layer: MessageLayer, message: CoapMessage, now: Instant): void {
  if (message.type === 'confirmable' || observeValue(message.options) !== undefined)
    layer.reject(message.messageId, now)
}
