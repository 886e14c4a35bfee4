import { Milliseconds, Seconds, after } from '@breakwater/core'
import type { Duration, Instant } from '@breakwater/core'

/**
 * What an average is taken over at least: the longest time in which copies of one message are sent (MAX_TRANSMIT_SPAN,
 * RFC 7252 §4.8.2, with the parameters of RFC 9132 §4.5.2).
 */
const SHORTEST_SPAN: Duration = Seconds(21)

/**
 * How much may be sent to a server that does not respond: probing-rate on average since it was last heard (RFC 7252 §4.7,
 * RFC 9132 §4.5.2). Mitigation requests neither wait for it nor count (RFC 9132 §4.4).
 */
export class ProbingRate {
  /** As negotiated. */
  bytesPerSecond: number
  /** What was sent since the server was last heard. */
  #unanswered: { readonly since: Instant; readonly bytes: number } | undefined

  constructor(bytesPerSecond: number) {
    this.bytesPerSecond = bytesPerSecond
  }

  /** When a message of this size may go; undefined: at once. */
  nextAt(bytes: number): Instant | undefined {
    if (this.#unanswered === undefined) return undefined
    const { since, bytes: before } = this.#unanswered
    const span = Seconds((before + bytes) / this.bytesPerSecond)
    return span <= SHORTEST_SPAN ? undefined : after(since, Milliseconds(Math.ceil(span)))
  }

  allows(bytes: number, now: Instant): boolean {
    const next = this.nextAt(bytes)
    return next === undefined || next <= now
  }

  sent(bytes: number, now: Instant): void {
    const { since, bytes: before } = this.#unanswered ?? { since: now, bytes: 0 }
    this.#unanswered = { since, bytes: before + bytes }
  }

  /** Anything came from the server. */
  heard(): void {
    this.#unanswered = undefined
  }
}
