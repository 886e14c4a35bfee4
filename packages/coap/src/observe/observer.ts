import type { Instant } from '@breakwater/core'
import type { Confirmable } from '../message/confirmables.ts'
import { RecentIds } from '../message/recent-ids.ts'
import type { CoapResponse, IncomingExchange, ObserverHandle } from '../session.ts'
import { FormatOfObservation } from './observed-format.ts'
import type { Observers } from './observers.ts'

/** One entry of the list of observers (RFC 7641 §4.1). */
export class Observer implements ObserverHandle {
  readonly exchange: IncomingExchange
  readonly token: Uint8Array
  readonly format: FormatOfObservation
  /** Non-confirmable notifications since `confirmedAt`. */
  unconfirmed = 0
  /** The Confirmable message underway; what comes meanwhile supersedes it. */
  transmission: Confirmable | undefined
  /** Type of the notification that waits as its successor. */
  successorConfirmable = false
  /** Message IDs of its Non-confirmable notifications: a Reset names nothing else (RFC 7252 §4.4). */
  readonly sentIds: RecentIds = new RecentIds()
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
    this.#list = list
    this.exchange = exchange
    // A copy: with a view, the whole request would be kept.
    this.token = token.slice()
    this.format = new FormatOfObservation(first)
    this.transmission = undefined
    this.confirmedAt = now
  }

  notification(response: CoapResponse, now: Instant): Uint8Array | undefined {
    return this.#list.plainNotification(this, response, now)
  }
}
