import { after, between, DecodeError, earlier, type Instant, Seconds } from '@breakwater/core'
import type { Exchanges } from './blockwise/blockwise-layer.ts'
import { Code, isRequest } from './code.ts'
import { decodeMessage } from './codec/decode.ts'
import { HEADER_BYTES } from './codec/limit.ts'
import type { CoapMessage } from './message.ts'
import { aged } from './message/max-age.ts'
import { MessageLayer } from './message/message-layer.ts'
import { Probing } from './message/probing.ts'
import { basicOptions } from './option-check.ts'
import { LONGEST_UNCONFIRMED, type ObserverLimits } from './observe/observers.ts'
import { Pings } from './request/ping.ts'
import { rejectUnknown, Requester } from './request/requester.ts'
import { Responder } from './request/responder.ts'
import type { CoapSessionOptions } from './coap-session.ts'
import type { SessionLoad } from './session-load.ts'
import type { CoapSessionInput, CoapSessionOutput, IncomingExchange, ObserverHandle } from './session.ts'

/**
 * The exchanges of one session over datagrams: message layer, requests both ways, Observe both ways, ping (RFC 7252,
 * RFC 7641). What `CoapSession` promises, but for block-wise transfer.
 */
export class DatagramSession implements Exchanges {
  readonly #options: CoapSessionOptions
  readonly #layer: MessageLayer
  #requester: Requester | undefined
  #pings: Pings | undefined
  #responder: Responder | undefined
  /** When to look for what has expired; one moment for the whole session. */
  #sweepAt: Instant | undefined
  /** Requests that found no room. */
  #dropped = 0

  constructor(options: CoapSessionOptions) {
    this.#options = options
    const { parameters, entropy, maxRemembered = 512, probingRateBytesPerSecond: rate } = options
    const probing = rate === undefined ? undefined : new Probing(rate)
    this.#layer = new MessageLayer(parameters, entropy, maxRemembered, probing)
  }

  handle(input: CoapSessionInput, now: Instant): void {
    switch (input.kind) {
      case 'datagram':
        this.#receive(input.bytes, now)
        return
      case 'request':
        this.#requesterOrNew().start(input.exchange, input.request, input.confirmable, now)
        return
      case 'repeat':
        this.#requester?.repeat(input.exchange, now)
        return
      case 'cancel':
        this.#requester?.cancel(input.exchange, input.deregister === true, now)
        this.#pings?.cancel(input.exchange, now)
        return
      case 'respond':
        this.#responder?.respond(input.exchange, input.response, now)
        return
      case 'ignore':
        this.#responder?.ignore(input.exchange)
        return
      case 'notify':
        this.#responder?.notify(input.exchange, input.response, input.confirmable, now)
        return
      case 'forget-observer':
        this.#responder?.forgetObserver(input.exchange, now)
        return
      case 'ping':
        this.#pings ??= new Pings(this.#layer, this.#maxExchanges())
        this.#pings.start(input.exchange, now)
        return
      case 'parameters':
        this.#layer.changeParameters(input.parameters, now)
    }
  }

  poll(): CoapSessionOutput | undefined {
    return this.#layer.poll()
  }

  observer(exchange: IncomingExchange): ObserverHandle | undefined {
    return this.#responder?.observer(exchange)
  }

  limitPlain(payloadBytes: number): void {
    this.#responder?.limitPlain(payloadBytes)
  }

  load(): SessionLoad {
    return {
      requests: this.#requester?.size ?? 0,
      pings: this.#pings?.size ?? 0,
      unanswered: this.#responder?.unanswered ?? 0,
      observers: this.#responder?.observers ?? 0,
      confirmables: this.#layer.confirmables,
      remembered: this.#layer.remembered,
      transfers: 0,
      dropped: this.#dropped + this.#layer.unidentified,
      evicted: this.#layer.evicted
    }
  }

  nextTimeout(): Instant | undefined {
    let next = this.#layer.nextTimeout()
    if (this.#responder !== undefined) next = earlier(next, this.#responder.nextTimeout())
    if (this.#requester !== undefined) next = earlier(next, this.#requester.nextTimeout())
    return earlier(next, this.#sweepAt)
  }

  handleTimeout(now: Instant): void {
    this.#layer.handleTimeout(now)
    this.#responder?.handleTimeout(now)
    this.#requester?.handleTimeout(now)
    if (this.#sweepAt !== undefined && this.#sweepAt <= now) this.#sweep(now)
  }

  #receive(bytes: Uint8Array, now: Instant): void {
    let message: CoapMessage
    try {
      message = decodeMessage(bytes)
    } catch (error) {
      if (!(error instanceof DecodeError)) throw error
      this.#rejectMalformed(bytes, error)
      return
    }
    this.#layer.probing?.heard()
    this.#receiveByType(message, now)
    this.#requester?.sendHeld(now)
  }

  #receiveByType(message: CoapMessage, now: Instant): void {
    switch (message.type) {
      case 'acknowledgement':
        this.#layer.findConfirmable(message.messageId)?.owner.acknowledged(message, now)
        return
      case 'reset':
        this.#receiveReset(message.messageId, now)
        return
      case 'confirmable':
      case 'non-confirmable':
        this.#receiveMessage(message, now)
    }
  }

  /** RFC 7252 §4.2, §4.3: a Reset for a Confirmable message, silence for all else and for other versions (§3). */
  #rejectMalformed(bytes: Uint8Array, error: DecodeError): void {
    this.#layer.malformed(error)
    const [first = 0, , high = 0, low = 0] = bytes
    // Version 1, Confirmable.
    if (bytes.length >= HEADER_BYTES && first >> 4 === 0b0100) this.#layer.rejectId((high << 8) | low)
  }

  #receiveReset(messageId: number, now: Instant): void {
    const confirmable = this.#layer.findConfirmable(messageId)
    if (confirmable !== undefined) {
      this.#layer.finish(confirmable, now)
      confirmable.owner.rejected(now)
      return
    }
    this.#requester?.reset(messageId, now)
    this.#responder?.reset(messageId, now)
  }

  #receiveMessage(message: CoapMessage, now: Instant): void {
    if (message.code === Code.empty) {
      // RFC 7252 §4.3: a ping.
      this.#layer.rejectId(message.messageId)
      return
    }
    if (this.#layer.hasSeen(message.messageId, now)) this.#receiveCopy(message, now)
    else if (isRequest(message.code)) this.#receiveRequest(message, now)
    else this.#receiveResponse(message, now)
  }

  /** RFC 7252 §4.5. */
  #receiveCopy({ type, messageId }: CoapMessage, now: Instant): void {
    if (type !== 'confirmable') return
    const reply = this.#layer.replyTo(messageId)
    if (reply !== undefined) this.#layer.transmit(aged(reply.bytes, between(reply.composedAt, now)))
    else this.#responder?.acknowledgeNow(messageId, now)
  }

  #receiveRequest(message: CoapMessage, now: Instant): void {
    this.#responder ??= new Responder(this.#layer, this.#understood(), {
      unanswered: this.#options.maxUnanswered ?? 256,
      observing: this.#observerLimits(),
      methods: this.#options.methods,
      acknowledgementDelay:
        this.#options.acknowledgementDelaySeconds === undefined
          ? undefined
          : Seconds(this.#options.acknowledgementDelaySeconds)
    })
    // Not remembered, so that the peer's next copy of it has another chance.
    if (!this.#responder.hasRoom(now)) {
      this.#dropped++
      return
    }
    this.#responder.receive(message, this.#remember(message, now), now)
  }

  #observerLimits(): ObserverLimits {
    const { maxObservers, longestUnconfirmedSeconds, mostUnconfirmed, notificationSpacingSeconds } =
      this.#options
    return {
      observers: maxObservers ?? 64,
      longestUnconfirmed:
        longestUnconfirmedSeconds === undefined ? LONGEST_UNCONFIRMED : Seconds(longestUnconfirmedSeconds),
      mostUnconfirmed: mostUnconfirmed ?? Infinity,
      spacing: Seconds(notificationSpacingSeconds ?? 0)
    }
  }

  #receiveResponse(message: CoapMessage, now: Instant): void {
    this.#remember(message, now)
    if (this.#requester === undefined) rejectUnknown(this.#layer, message, now)
    else this.#requester.receive(message, now)
  }

  #remember(message: CoapMessage, now: Instant): Instant {
    this.#sweepAt ??= after(now, this.#layer.times.exchangeLifetime)
    return this.#layer.remember(message, now)
  }

  /** Once in EXCHANGE_LIFETIME, so that an idle session ends up holding nothing; no message has a timer of its own. */
  #sweep(now: Instant): void {
    this.#layer.expireRemembered(now)
    this.#responder?.expire(now)
    if (this.#requester?.size === 0) this.#requester = undefined
    if (this.#pings?.size === 0) this.#pings = undefined
    const busy = this.#layer.remembered > 0 || (this.#responder?.unanswered ?? 0) > 0
    this.#sweepAt = busy ? after(now, this.#layer.times.exchangeLifetime) : undefined
  }

  #requesterOrNew(): Requester {
    this.#requester ??= new Requester(this.#layer, this.#understood(), this.#maxExchanges())
    return this.#requester
  }

  #understood(): ReadonlySet<number> {
    return this.#options.understoodOptions ?? basicOptions
  }

  #maxExchanges(): number {
    return this.#options.maxExchanges ?? 256
  }
}
