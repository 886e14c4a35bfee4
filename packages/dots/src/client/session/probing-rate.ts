import { Milliseconds, Seconds, after } from '@breakwater/core'
import type { Duration, Instant } from '@breakwater/core'

/**
 * What an average is taken over at least: the longest time in which copies of one message are sent (MAX_TRANSMIT_SPAN,
 * RFC 7252 §4.8.2, with the parameters of RFC 9132 §4.5.2).
 */
const SHORTEST_SPAN: Duration = Seconds(21)

/** What was sent since the server was last heard. */
interface Unanswered {
  readonly since: Instant
  readonly bytes: number
  /** All of it would have been sent by now at the very rate, had nothing gone before its time. */
  readonly paidAt: Instant
}

/**
 * How much may be sent to a server that does not respond: probing-rate on average since it was last heard (RFC 7252 §4.7,
 * RFC 9132 §4.5.2). What the rate had room for while nothing was asked is not made up for later: a server that has been
 * silent for an hour gets no more at once than one that has just fallen silent. Mitigation requests neither wait for it
 * nor count (RFC 9132 §4.4).
 */
export class ProbingRate {
  /** As negotiated. */
  bytesPerSecond: number
  #unanswered: Unanswered | undefined

  constructor(bytesPerSecond: number) {
    this.bytesPerSecond = bytesPerSecond
  }

  /** When a message of this size may go; undefined: at once. */
  nextAt(bytes: number): Instant | undefined {
    if (this.#unanswered === undefined) return undefined
    const { since, bytes: before, paidAt } = this.#unanswered
    const average = this.#spanOf(before + bytes)
    const onAverage = average > SHORTEST_SPAN ? after(since, average) : since
    const atOnce = after(paidAt, Milliseconds(this.#spanOf(bytes) - SHORTEST_SPAN))
    const next = onAverage > atOnce ? onAverage : atOnce
    return next > since ? next : undefined
  }

  allows(bytes: number, now: Instant): boolean {
    const next = this.nextAt(bytes)
    return next === undefined || next <= now
  }

  sent(bytes: number, now: Instant): void {
    const { since, bytes: before, paidAt } = this.#unanswered ?? { since: now, bytes: 0, paidAt: now }
    const paid = after(paidAt > now ? paidAt : now, this.#spanOf(bytes))
    this.#unanswered = { since, bytes: before + bytes, paidAt: paid }
  }

  /** Anything came from the server. */
  heard(): void {
    this.#unanswered = undefined
  }

  #spanOf(bytes: number): Duration {
    return Milliseconds(Math.ceil(Seconds(bytes / this.bytesPerSecond)))
  }
}
