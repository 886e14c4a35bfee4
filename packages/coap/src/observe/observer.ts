import type { Instant, OutgoingBatch, PeerId } from '@breakwater/core'
import type { Confirmable } from '../message/confirmables.ts'
import { type PackedToken, packToken } from '../message/packed-token.ts'
import { RecentIds } from '../message/recent-ids.ts'
import type { CoapResponse, IncomingExchange, ObserverHandle } from '../session.ts'
import { contentFormatOf, type OfOneFormat } from './observed-format.ts'
import type { Observers } from './observers.ts'

/**
 * One entry of the list of observers (RFC 7641 §4.1). Token, format and the Message IDs of its Non-confirmable notifications (a
 * Reset names nothing else, RFC 7252 §4.4) are numbers within it: to tell ten thousand is to fetch their objects from memory.
 */
export class Observer extends RecentIds implements ObserverHandle, PackedToken, OfOneFormat {
  readonly exchange: IncomingExchange
  readonly tokenLength: number
  readonly tokenHead: number
  readonly tokenTail: number
  contentFormat: number | undefined
  /** Non-confirmable notifications since `confirmedAt`. */
  unconfirmed = 0
  /** The Confirmable message underway; what comes meanwhile supersedes it. */
  transmission: Confirmable | undefined
  /** Type of the notification that waits as its successor. */
  successorConfirmable = false
  /** Whether it is still on the list; what tells of the end of an observation leaves when it is not. */
  listed = true
  /** When it last showed that it is interested. */
  confirmedAt: Instant
  readonly #list: Observers

  constructor(
    list: Observers,
    exchange: IncomingExchange,
    token: Uint8Array,
    first: CoapResponse,
    now: Instant
  ) {
    super()
    this.#list = list
    this.exchange = exchange
    const { tokenLength, tokenHead, tokenTail } = packToken(token)
    this.tokenLength = tokenLength
    this.tokenHead = tokenHead
    this.tokenTail = tokenTail
    this.contentFormat = contentFormatOf(first)
    this.confirmedAt = now
  }

  notify(response: CoapResponse, peer: PeerId, batch: OutgoingBatch, now: Instant): boolean {
    return this.#list.notifyPlainly(this, response, peer, batch, now)
  }
}
