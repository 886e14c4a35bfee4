import { after, type Instant, InternalError, Seconds } from '@breakwater/core'

/**
 * PROBING_RATE (RFC 7252 §4.7): how much may be sent to a peer that does not respond. After each message so much time
 * passes as its bytes are worth; whatever comes from the peer lifts the limit.
 */
export class Probing {
  readonly #bytesPerSecond: number
  #mayAt: Instant | undefined

  /** @throws InternalError `COAP_PARAMETERS_INVALID`. */
  constructor(bytesPerSecond: number) {
    if (!(bytesPerSecond > 0))
      throw new InternalError('COAP_PARAMETERS_INVALID', `probingRateBytesPerSecond ${bytesPerSecond}`)
    this.#bytesPerSecond = bytesPerSecond
  }

  /** When the next message may leave, or might have; undefined: at any time. */
  get mayAt(): Instant | undefined {
    return this.#mayAt
  }

  isBlocked(now: Instant): boolean {
    return this.#mayAt !== undefined && now < this.#mayAt
  }

  sent(bytes: number, now: Instant): void {
    const start = this.#mayAt !== undefined && this.#mayAt > now ? this.#mayAt : now
    this.#mayAt = after(start, Seconds(bytes / this.#bytesPerSecond))
  }

  /** Something came. */
  heard(): void {
    this.#mayAt = undefined
  }
}
