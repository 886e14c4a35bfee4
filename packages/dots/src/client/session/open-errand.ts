import type { CoapRequest, OutgoingExchange } from '@breakwater/coap'
import { between } from '@breakwater/core'
import type { Duration, Instant } from '@breakwater/core'
import { errandPriority, isAboutSession } from './errand.ts'
import type { Errand } from './errand.ts'

export interface OpenErrand {
  readonly errand: Errand
  readonly request: CoapRequest
  exchange: OutgoingExchange
  /** When it wants to be sent next; it may have to wait for its turn after that. Undefined: all was said. */
  dueAt: Instant | undefined
  sentAt: Instant | undefined
  /** Since the last answer. */
  sendings: number
  /** Asked anew within the same exchange: what comes may be a notification that was on its way already. */
  isRenewal: boolean
}

/** Whose turn is first. */
export function isBefore(x: OpenErrand, y: OpenErrand): boolean {
  const difference = errandPriority(x.errand, x.sendings) - errandPriority(y.errand, y.sendings)
  return difference < 0 || (difference === 0 && (x.dueAt ?? 0) < (y.dueAt ?? 0))
}

/**
 * What an answer at `now` tells of the round trip: nothing where there were copies, whoever sent them (RFC 6298 §3).
 * @param copiedAt When CoAP last sent something Confirmable by itself: a copy, or what had to wait for another.
 */
export function roundTripOf(
  open: OpenErrand,
  now: Instant,
  copiedAt: Instant | undefined
): Duration | undefined {
  const { errand, sentAt, sendings, isRenewal } = open
  if (sentAt === undefined || sendings !== 1 || isRenewal) return undefined
  const mayHaveCopies = isAboutSession(errand) && copiedAt !== undefined && copiedAt > sentAt
  return mayHaveCopies ? undefined : between(sentAt, now)
}
