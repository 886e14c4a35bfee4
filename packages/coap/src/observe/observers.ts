import {
  after,
  between,
  type Duration,
  type Instant,
  Minutes,
  type OutgoingBatch,
  type PeerId,
  toHex
} from '@breakwater/core'
import { Code } from '../code.ts'
import { MAXIMUM_MESSAGE_BYTES } from '../codec/limit.ts'
import { Confirmable, type ConfirmableOwner } from '../message/confirmables.ts'
import { aged } from '../message/max-age.ts'
import type { MessageIds } from '../message/message-ids.ts'
import type { MessageLayer } from '../message/message-layer.ts'
import { unpackToken } from '../message/packed-token.ts'
import { stamp } from '../message/stamp.ts'
import type { CoapResponse, IncomingExchange } from '../session.ts'
import { notificationForm } from './notification-form.ts'
import { keepsFormat, takesFormat } from './observed-format.ts'
import { Observer } from './observer.ts'

/** RFC 7641 §4.5: at least once in this time a notification is Confirmable. */
export const LONGEST_UNCONFIRMED: Duration = Minutes(24 * 60)

export interface ObserverLimits {
  readonly observers: number
  /** Longest time without a Confirmable notification; infinite: there is none unasked. */
  readonly longestUnconfirmed: Duration
  /** Most notifications without a Confirmable one among them. */
  readonly mostUnconfirmed: number
  /** Least time between two Non-confirmable notifications to the peer; 0: the caller paces them. */
  readonly spacing: Duration
}

/**
 * The peer's observations of our resources (RFC 7641 §4): tokens, sequence numbers, superseding, removal.
 * One notification at a time is Confirmable; the others leave at once, or at the pace that `spacing` allows.
 */
export class Observers {
  readonly #layer: MessageLayer
  readonly #messageIds: MessageIds
  readonly #limits: ObserverLimits
  readonly #byExchange = new Map<IncomingExchange, Observer>()
  readonly #byToken = new Map<string, Observer>()
  /** One for all: stays strictly increasing also for a token that registers anew (RFC 7641 §4.4). */
  #sequence = 0
  /** Non-confirmable messages so far. */
  #sent = 0
  /** Non-confirmable notifications that wait for their turn; a newer state takes the place of an older one. */
  readonly #held = new Map<Observer, { readonly bytes: Uint8Array; readonly composedAt: Instant }>()
  /** When the next Non-confirmable notification may leave. */
  #mayNotifyAt: Instant | undefined
  /** No notification has to wait or to be Confirmable unless the caller says so. */
  readonly #isUnbounded: boolean
  /** Notifications with payloads up to this length, in bytes, concern nobody above; negative: all of them do. */
  longestPlain: number = MAXIMUM_MESSAGE_BYTES

  constructor(layer: MessageLayer, limits: ObserverLimits) {
    this.#layer = layer
    this.#messageIds = layer.messageIds
    this.#limits = limits
    const { longestUnconfirmed, mostUnconfirmed, spacing } = limits
    this.#isUnbounded = longestUnconfirmed === Infinity && mostUnconfirmed === Infinity && spacing === 0
  }

  get size(): number {
    return this.#byExchange.size
  }

  /** A new entry; undefined when the list is full. */
  add(
    exchange: IncomingExchange,
    token: Uint8Array,
    response: CoapResponse,
    now: Instant
  ): Observer | undefined {
    // Another request with this token may have been answered meanwhile: one entry per token (RFC 7641 §4.1).
    this.release(token, now)
    if (this.#byExchange.size >= this.#limits.observers) return undefined
    const observer = new Observer(this, exchange, token, response, now)
    this.#byExchange.set(exchange, observer)
    this.#byToken.set(toHex(token), observer)
    return observer
  }

  /** A registration or deregistration came with this token: the entry that it had is gone (RFC 7641 §4.1). */
  release(token: Uint8Array, now: Instant): void {
    const observer = this.#byToken.get(toHex(token))
    if (observer === undefined) return
    this.forget(observer.exchange, now)
    this.#layer.emit({ kind: 'observer-gone', exchange: observer.exchange })
  }

  /** Removes an entry and stops what is underway to it. */
  forget(exchange: IncomingExchange, now: Instant): void {
    const observer = this.#byExchange.get(exchange)
    if (observer === undefined) return
    this.#remove(observer)
    if (observer.transmission !== undefined) this.#layer.finish(observer.transmission, now)
    observer.transmission = undefined
  }

  #remove(observer: Observer): void {
    observer.listed = false
    this.#byExchange.delete(observer.exchange)
    const key = toHex(unpackToken(observer))
    if (this.#byToken.get(key) === observer) this.#byToken.delete(key)
    this.#held.delete(observer)
  }

  /** The next sequence number, for a response or notification that is composed now. */
  nextSequence(): number {
    this.#sequence = (this.#sequence + 1) & 0xff_ffff
    return this.#sequence
  }

  /** The first response left as a Confirmable message of its own. */
  sendFirst(observer: Observer, bytes: Uint8Array, now: Instant): void {
    this.#submit(observer, bytes, now)
  }

  /** The first response left as a Non-confirmable message: a Reset of it counts like that of a notification. */
  sentFirst(observer: Observer, messageId: number): void {
    this.#remember(observer, messageId)
  }

  notify(exchange: IncomingExchange, response: CoapResponse, confirmable: boolean, now: Instant): void {
    const observer = this.#byExchange.get(exchange)
    if (observer === undefined) return
    if (keepsFormat(observer, response)) {
      this.#notify(observer, response, confirmable, now)
      return
    }
    // RFC 7641 §4.2: an observation keeps its Content-Format, or ends.
    const end = { code: Code.notAcceptable, options: [], payload: new Uint8Array(0) }
    this.#notify(observer, end, confirmable, now)
    this.#layer.emit({ kind: 'observer-gone', exchange })
  }

  find(exchange: IncomingExchange): Observer | undefined {
    return this.#byExchange.get(exchange)
  }

  /** See `ObserverHandle`: what `notify` does where nothing is in the way, with a tenth of the objects. */
  notifyPlainly(
    observer: Observer,
    response: CoapResponse,
    peer: PeerId,
    batch: OutgoingBatch,
    now: Instant
  ): boolean {
    // A body of many blocks is no message, and has no form.
    if (response.payload.length > this.longestPlain) return false
    const form = notificationForm(response)
    if (!this.#isUnbounded || !observer.listed || observer.transmission !== undefined) return false
    if (!form.isSuccess) return false
    if (!takesFormat(observer, form.contentFormat)) return false
    const messageId =
      this.#messageIds.take() ?? this.#messageIds.allocate(now, this.#layer.times.exchangeLifetime)
    if (messageId === undefined) return false
    const sequence = this.nextSequence()
    const at = batch.add(peer, form.lengthFor(observer, sequence))
    form.write(observer, sequence, batch.memory, at)
    stamp(batch.memory, 'non-confirmable', messageId, at)
    this.#remember(observer, messageId)
    return true
  }

  #notify(observer: Observer, response: CoapResponse, confirmable: boolean, now: Instant): void {
    const form = notificationForm(response)
    const bytes = form.fill(observer, form.isSuccess ? this.nextSequence() : 0)
    // RFC 7641 §4.2: after a notification that is not 2.xx the entry is gone, though it still has to arrive.
    if (!form.isSuccess) this.#remove(observer)
    if (observer.transmission !== undefined)
      this.#supersede(observer, observer.transmission, bytes, confirmable, now)
    else this.#send(observer, bytes, confirmable, now)
  }

  /** RFC 7641 §4.5.2: intermediate states are skipped; what has not left yet is replaced at once. */
  #supersede(
    observer: Observer,
    transmission: Confirmable,
    bytes: Uint8Array,
    confirmable: boolean,
    now: Instant
  ): void {
    if (transmission.underway === undefined) {
      transmission.bytes = bytes
      transmission.composedAt = now
      return
    }
    transmission.successor = bytes
    transmission.succeededAt = now
    observer.successorConfirmable = confirmable
  }

  #send(observer: Observer, bytes: Uint8Array, confirmable: boolean, now: Instant): void {
    if (confirmable || this.#isOverdue(observer, now)) {
      this.#submit(observer, bytes, now)
      return
    }
    if (this.#mustWait(observer, now)) {
      this.#held.set(observer, { bytes, composedAt: now })
      return
    }
    const messageId = this.#layer.allocateId(now)
    if (messageId === undefined) {
      // A Confirmable message waits for an id, so that the latest state arrives some time.
      if (this.#limits.longestUnconfirmed !== Infinity) this.#submit(observer, bytes, now)
      return
    }
    stamp(bytes, 'non-confirmable', messageId)
    if (observer.listed) this.#remember(observer, messageId)
    observer.unconfirmed++
    if (this.#limits.spacing > 0) this.#mayNotifyAt = after(now, this.#limits.spacing)
    this.#layer.transmit(bytes)
  }

  /** RFC 7641 §4.5, §7: now and then the peer has to say that it is still interested. */
  #isOverdue(observer: Observer, now: Instant): boolean {
    const { longestUnconfirmed, mostUnconfirmed } = this.#limits
    return observer.unconfirmed >= mostUnconfirmed || between(observer.confirmedAt, now) >= longestUnconfirmed
  }

  /** RFC 7641 §4.5.1; what ends an observation is said at once. */
  #mustWait(observer: Observer, now: Instant): boolean {
    return observer.listed && this.#mayNotifyAt !== undefined && now < this.#mayNotifyAt
  }

  #remember(observer: Observer, messageId: number): void {
    this.#sent++
    observer.add(messageId, this.#sent)
  }

  nextTimeout(): Instant | undefined {
    return this.#held.size > 0 ? this.#mayNotifyAt : undefined
  }

  handleTimeout(now: Instant): void {
    if (this.#mayNotifyAt === undefined || now < this.#mayNotifyAt) return
    for (const [observer, { bytes, composedAt }] of this.#held) {
      this.#held.delete(observer)
      this.#send(observer, aged(bytes, between(composedAt, now)), false, now)
      return
    }
  }

  #submit(observer: Observer, bytes: Uint8Array, now: Instant): void {
    this.#held.delete(observer)
    observer.transmission = new Confirmable(this.#ownerOf(observer), bytes, now)
    this.#layer.submit(observer.transmission, now)
  }

  #ownerOf(observer: Observer): ConfirmableOwner {
    return {
      acknowledged: (message, now) => this.#acknowledged(observer, message.messageId, now),
      rejected: () => this.#lose(observer),
      timedOut: () => this.#lose(observer)
    }
  }

  #acknowledged(observer: Observer, messageId: number, now: Instant): void {
    const { transmission } = observer
    if (transmission === undefined) return
    observer.confirmedAt = now
    observer.unconfirmed = 0
    if (messageId !== transmission.messageIds.at(-1)) {
      this.#layer.refresh(transmission, now)
      return
    }
    observer.transmission = undefined
    this.#layer.finish(transmission, now)
    const { successor, succeededAt = now } = transmission
    if (successor !== undefined)
      this.#send(observer, aged(successor, between(succeededAt, now)), observer.successorConfirmable, now)
  }

  /** RFC 7641 §4.5: rejected, or never acknowledged: not interested any more. */
  #lose(observer: Observer): void {
    observer.transmission = undefined
    if (!observer.listed) return
    this.#remove(observer)
    this.#layer.emit({ kind: 'observer-gone', exchange: observer.exchange })
  }

  /** A Reset that no Confirmable message waits for. */
  reset(messageId: number, now: Instant): void {
    const observer = this.#senderOf(messageId)
    if (observer === undefined) return
    if (observer.transmission !== undefined) this.#layer.finish(observer.transmission, now)
    this.#lose(observer)
  }

  #senderOf(messageId: number): Observer | undefined {
    let sender: Observer | undefined
    let last = 0
    for (const observer of this.#byExchange.values()) {
      const ordinal = observer.ordinalOf(messageId)
      if (ordinal > last) [sender, last] = [observer, ordinal]
    }
    return sender
  }
}
