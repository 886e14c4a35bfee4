import {
  after,
  type Duration,
  DecodeError,
  earlier,
  encodeUtf8,
  type Instant,
  Milliseconds
} from '@breakwater/core'
import { encodeMessage } from '../codec/encode.ts'
import { hasInvalidHopLimit, invalidHopLimit } from '../hop-limit.ts'
import { Code, isSuccess } from '../code.ts'
import { Confirmable } from '../message/confirmables.ts'
import { ExchangeTable } from '../exchange-table.ts'
import type { MessageLayer } from '../message/message-layer.ts'
import type { CoapMessage } from '../message.ts'
import { observeAction, withoutObserve, withSequence } from '../observe/observe-option.ts'
import type { Observer } from '../observe/observer.ts'
import { type ObserverLimits, Observers } from '../observe/observers.ts'
import { checkOptions } from '../option-check.ts'
import { checkResponse, payloadOf, withoutDefaults } from './sendable.ts'
import { formatOptionNumber, OptionNumber } from '../option.ts'
import type { CoapResponse, IncomingExchange, ObserverHandle } from '../session.ts'

/**
 * How the peer's request is to be answered:
 *
 * | carrier | answer goes | next |
 * |---|---|---|
 * | `piggyback` | in the Acknowledgement, until the acknowledgement delay is over or a copy comes | `separate` |
 * | `separate` | in a Confirmable message, as an Empty Acknowledgement has left | – |
 * | `non-confirmable` | in a Non-confirmable message (RFC 7252 §5.2.3) | – |
 */
type Carrier = 'piggyback' | 'separate' | 'non-confirmable'

interface IncomingRequest {
  readonly exchange: IncomingExchange
  readonly token: Uint8Array
  readonly registers: boolean
  readonly messageId: number
  /** Nobody waits for an answer any more then. */
  readonly expiresAt: Instant
  readonly acknowledgeAt: Instant
  carrier: Carrier
  answered: boolean
}

export interface ResponderLimits {
  readonly unanswered: number
  readonly observing: ObserverLimits
  /** Methods that the application serves; undefined: it says so itself. */
  readonly methods: ReadonlySet<number> | undefined
  /** Undefined: half of ACK_TIMEOUT. */
  readonly acknowledgementDelay: Duration | undefined
}

/** The peer's requests and our answers (RFC 7252 §5.2). */
export class Responder {
  readonly #layer: MessageLayer
  readonly #understood: ReadonlySet<number>
  readonly #limits: ResponderLimits
  readonly #unanswered = new ExchangeTable<IncomingRequest>()
  /** Requests that may need an Empty Acknowledgement, in order of arrival; answered ones are dropped lazily. */
  readonly #toAcknowledge: IncomingRequest[] = []
  #observers: Observers | undefined
  #lastExchange = 0

  constructor(layer: MessageLayer, understood: ReadonlySet<number>, limits: ResponderLimits) {
    this.#layer = layer
    this.#understood = understood
    this.#limits = limits
  }

  /** Requests that the application has not answered. */
  get unanswered(): number {
    return this.#unanswered.size
  }

  /** Observations of the peer's. */
  get observers(): number {
    return this.#observers?.size ?? 0
  }

  /** Whether one more request can be taken. What has been left unanswered for its lifetime makes room. */
  hasRoom(now: Instant): boolean {
    if (this.#unanswered.size < this.#limits.unanswered) return true
    this.expire(now)
    return this.#unanswered.size < this.#limits.unanswered
  }

  /** A request that has not been seen before. @param expiresAt When a copy of it is not known as such any more. */
  receive(message: CoapMessage, expiresAt: Instant, now: Instant): void {
    const { options, unsupported } = checkOptions(message.options, this.#understood, message.code)
    if (unsupported !== undefined) {
      this.#refuse(message, unsupported, now)
      return
    }
    const action = observeAction(message.code, options)
    if (action !== undefined) this.#observers?.release(message.token, now)
    const incoming = this.#open(message, action === 'register', expiresAt, now)
    const refusal = this.#refusalOf(message)
    if (refusal !== undefined) {
      this.respond(incoming.exchange, refusal, now)
      return
    }
    this.#layer.emit({
      kind: 'request',
      exchange: incoming.exchange,
      request: { method: message.code, options, payload: payloadOf(message) },
      confirmable: incoming.carrier === 'piggyback'
    })
  }

  #refusalOf(message: CoapMessage): CoapResponse | undefined {
    // RFC 7252 §5.8.
    if (this.#limits.methods?.has(message.code) === false) return methodNotAllowed
    return this.#understood.has(OptionNumber.hopLimit) && hasInvalidHopLimit(message.options)
      ? invalidHopLimit
      : undefined
  }

  #open(message: CoapMessage, registers: boolean, expiresAt: Instant, now: Instant): IncomingRequest {
    this.#lastExchange++
    const incoming: IncomingRequest = {
      exchange: this.#lastExchange as IncomingExchange,
      token: message.token,
      registers,
      messageId: message.messageId,
      expiresAt,
      acknowledgeAt: after(now, this.#acknowledgementDelay()),
      carrier: message.type === 'confirmable' ? 'piggyback' : 'non-confirmable',
      answered: false
    }
    this.#unanswered.add(incoming.exchange, incoming)
    if (incoming.carrier === 'piggyback') this.#toAcknowledge.push(incoming)
    return incoming
  }

  /** Half of ACK_TIMEOUT leaves the other half for the way: the peer does not retransmit in vain (RFC 7252 §5.2.2). */
  #acknowledgementDelay(): Duration {
    return this.#limits.acknowledgementDelay ?? Milliseconds(this.#layer.times.ackTimeout / 2)
  }

  /** RFC 7252 §5.4.1: 4.02 to a Confirmable request; a Non-confirmable one is rejected. */
  #refuse(message: CoapMessage, option: number, now: Instant): void {
    const what = `${formatOptionNumber(option)} is critical and not supported here`
    this.#layer.malformed(new DecodeError('COAP_OPTION_UNSUPPORTED', what))
    if (message.type !== 'confirmable') {
      this.#layer.reject(message.messageId, now)
      return
    }
    const code = isForProxies(option) ? Code.proxyingNotSupported : Code.badOption
    this.#piggyback(message, { code, options: [], payload: encodeUtf8(what) }, now)
  }

  #piggyback(
    { messageId, token }: { readonly messageId: number; readonly token: Uint8Array },
    { code, options, payload }: CoapResponse,
    now: Instant
  ): void {
    const bytes = encodeMessage({ type: 'acknowledgement', code, messageId, token, options, payload })
    this.#layer.reply(messageId, bytes, now)
  }

  /** A copy of a Confirmable request came before its answer: the peer waits for an Acknowledgement. */
  acknowledgeNow(messageId: number, now: Instant): void {
    for (const incoming of this.#toAcknowledge)
      if (incoming.messageId === messageId) this.#acknowledge(incoming, now)
  }

  #acknowledge(incoming: IncomingRequest, now: Instant): void {
    if (incoming.answered || incoming.carrier !== 'piggyback') return
    // RFC 7252 §5.2.2: after this, the response must be a separate one.
    incoming.carrier = 'separate'
    this.#layer.acknowledge(incoming.messageId, now)
  }

  respond(exchange: IncomingExchange, response: CoapResponse, now: Instant): void {
    const incoming = this.#unanswered.get(exchange)
    if (incoming === undefined) return
    checkResponse(response)
    const observer = this.#register(incoming, response, now)
    const options =
      observer === undefined
        ? withoutDefaults(withoutObserve(response.options))
        : withSequence(response.options, this.#observersOrNew().nextSequence())
    try {
      this.#answer(incoming, { code: response.code, options, payload: response.payload }, observer, now)
    } catch (error) {
      if (observer !== undefined) this.#observers?.forget(exchange, now)
      throw error
    }
    this.#unanswered.delete(exchange)
    incoming.answered = true
  }

  /** No answer will come, and no Acknowledgement: neither for this message nor for its copies. */
  ignore(exchange: IncomingExchange): void {
    const incoming = this.#unanswered.get(exchange)
    if (incoming === undefined) return
    this.#unanswered.delete(exchange)
    incoming.answered = true
  }

  #answer(
    incoming: IncomingRequest,
    response: CoapResponse,
    observer: Observer | undefined,
    now: Instant
  ): void {
    switch (incoming.carrier) {
      case 'piggyback':
        this.#piggyback(incoming, response, now)
        return
      case 'separate':
        this.#sendSeparately(incoming, response, observer, now)
        return
      case 'non-confirmable':
        this.#sendNonConfirmable(incoming, response, observer, now)
    }
  }

  #sendSeparately(
    incoming: IncomingRequest,
    response: CoapResponse,
    observer: Observer | undefined,
    now: Instant
  ): void {
    const bytes = encodeMessage({ type: 'confirmable', messageId: 0, token: incoming.token, ...response })
    if (observer !== undefined) this.#observersOrNew().sendFirst(observer, bytes, now)
    else this.#submitResponse(bytes, now)
  }

  /** RFC 7252 §5.2.2: any Acknowledgement or Reset ends the retransmission, whatever it carries. */
  #submitResponse(bytes: Uint8Array, now: Instant): void {
    const transmission: Confirmable = new Confirmable(
      {
        acknowledged: (_message, at) => this.#layer.finish(transmission, at),
        rejected: () => undefined,
        timedOut: () => undefined
      },
      bytes,
      now
    )
    this.#layer.submit(transmission, now)
  }

  #sendNonConfirmable(
    incoming: IncomingRequest,
    response: CoapResponse,
    observer: Observer | undefined,
    now: Instant
  ): void {
    const { code, options, payload } = response
    const messageId = this.#layer.allocateId(now)
    // RFC 7252 §4.4: no id is free, so the response is lost as it might be on the way.
    if (messageId === undefined) return
    this.#layer.transmit(
      encodeMessage({ type: 'non-confirmable', code, messageId, token: incoming.token, options, payload })
    )
    if (observer !== undefined) this.#observersOrNew().sentFirst(observer, messageId)
  }

  /** RFC 7641 §4.1: an entry where peer and application want it and there is room. */
  #register(incoming: IncomingRequest, response: CoapResponse, now: Instant): Observer | undefined {
    if (!incoming.registers || !isSuccess(response.code)) return undefined
    if (withoutObserve(response.options) === response.options) return undefined
    const observer = this.#observersOrNew().add(incoming.exchange, incoming.token, response, now)
    if (observer === undefined) this.#layer.emit({ kind: 'observer-gone', exchange: incoming.exchange })
    return observer
  }

  #observersOrNew(): Observers {
    this.#observers ??= new Observers(this.#layer, this.#limits.observing)
    return this.#observers
  }

  notify(exchange: IncomingExchange, response: CoapResponse, confirmable: boolean, now: Instant): void {
    this.#observers?.notify(exchange, response, confirmable, now)
  }

  observer(exchange: IncomingExchange): ObserverHandle | undefined {
    return this.#observers?.find(exchange)
  }

  /** Up to which length of their payloads, in bytes, notifications concern nobody above. */
  limitPlain(payloadBytes: number): void {
    if (this.#observers !== undefined) this.#observers.longestPlain = payloadBytes
  }

  forgetObserver(exchange: IncomingExchange, now: Instant): void {
    this.#observers?.forget(exchange, now)
  }

  reset(messageId: number, now: Instant): void {
    this.#observers?.reset(messageId, now)
  }

  /** Drops what the application has left unanswered for the lifetime of its message. */
  expire(now: Instant): void {
    const isOver = ({ expiresAt }: IncomingRequest): boolean => expiresAt <= now
    for (
      let incoming = this.#unanswered.takeOldest(isOver);
      incoming !== undefined;
      incoming = this.#unanswered.takeOldest(isOver)
    )
      incoming.answered = true
  }

  nextTimeout(): Instant | undefined {
    const acknowledgeAt = this.#oldestToAcknowledge()?.acknowledgeAt
    return this.#observers === undefined
      ? acknowledgeAt
      : earlier(acknowledgeAt, this.#observers.nextTimeout())
  }

  handleTimeout(now: Instant): void {
    for (
      let incoming = this.#oldestToAcknowledge();
      incoming !== undefined && incoming.acknowledgeAt <= now;
      incoming = this.#oldestToAcknowledge()
    )
      this.#acknowledge(incoming, now)
    this.#observers?.handleTimeout(now)
  }

  #oldestToAcknowledge(): IncomingRequest | undefined {
    for (let oldest = this.#toAcknowledge[0]; oldest !== undefined; oldest = this.#toAcknowledge[0]) {
      if (!oldest.answered && oldest.carrier === 'piggyback') return oldest
      this.#toAcknowledge.shift()
    }
    return undefined
  }
}

const methodNotAllowed: CoapResponse = {
  code: Code.methodNotAllowed,
  options: [],
  payload: new Uint8Array(0)
}

/** RFC 7252 §5.10.2: who is no forward-proxy says so. */
function isForProxies(option: number): boolean {
  return option === OptionNumber.proxyUri || option === OptionNumber.proxyScheme
}
