import { type Instant, InternalError } from '@breakwater/core'
import { Confirmable } from '../message/confirmables.ts'
import type { MessageLayer } from '../message/message-layer.ts'
import { emptyMessage } from '../message/stamp.ts'
import type { ExchangeFailure, OutgoingExchange } from '../session.ts'

/** CoAP pings: an Empty Confirmable message, answered by a Reset (RFC 7252 §4.3). */
export class Pings {
  readonly #layer: MessageLayer
  readonly #limit: number
  readonly #underway = new Map<OutgoingExchange, Confirmable>()

  constructor(layer: MessageLayer, limit: number) {
    this.#layer = layer
    this.#limit = limit
  }

  get size(): number {
    return this.#underway.size
  }

  start(exchange: OutgoingExchange, now: Instant): void {
    if (this.#underway.has(exchange))
      throw new InternalError('COAP_EXCHANGE_IN_USE', `outgoing exchange ${exchange} is in use`)
    if (this.#underway.size >= this.#limit) {
      this.#layer.emit({ kind: 'failed', exchange, reason: 'session-full' })
      return
    }
    const ping = new Confirmable(
      {
        // Not what the RFC has a peer do, but a sign of life like the other.
        acknowledged: (_message, at) => this.#pong(exchange, at),
        rejected: (at) => this.#pong(exchange, at),
        timedOut: () => this.#fail(exchange, 'timeout')
      },
      emptyMessage('confirmable', 0),
      now
    )
    this.#underway.set(exchange, ping)
    this.#layer.submit(ping, now)
  }

  cancel(exchange: OutgoingExchange, now: Instant): void {
    const ping = this.#underway.get(exchange)
    if (ping === undefined) return
    this.#underway.delete(exchange)
    this.#layer.finish(ping, now)
  }

  #pong(exchange: OutgoingExchange, now: Instant): void {
    this.cancel(exchange, now)
    this.#layer.emit({ kind: 'pong', exchange })
  }

  #fail(exchange: OutgoingExchange, reason: ExchangeFailure): void {
    this.#underway.delete(exchange)
    this.#layer.emit({ kind: 'failed', exchange, reason })
  }
}
