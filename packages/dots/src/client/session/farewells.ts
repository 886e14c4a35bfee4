import type { OutgoingExchange } from '@breakwater/coap'

interface Farewell {
  readonly exchange: OutgoingExchange
  /** What saying so takes. */
  readonly bytes: number
  /** Its last request got no answer. */
  readonly isUnanswered: boolean
}

/**
 * Observations that nobody needs any more and that the server does not know to be over. It is told by an explicit
 * deregistration, which RFC 9132 §4.4.2.1 recommends over the Reset of the next notification, as soon as nothing else
 * wants to be sent; once, for where that is lost, the Reset is still there.
 */
export class Farewells {
  readonly #waiting = new Map<string, Farewell>()

  add(key: string, farewell: Farewell): void {
    this.#waiting.set(key, farewell)
  }

  /** The one that goes next. */
  get next(): Farewell | undefined {
    for (const farewell of this.#waiting.values()) return farewell
    return undefined
  }

  take(): Farewell | undefined {
    for (const [key, farewell] of this.#waiting) {
      this.#waiting.delete(key)
      return farewell
    }
    return undefined
  }

  /** It is wanted again: what is left of the old observation. */
  recall(key: string): OutgoingExchange | undefined {
    const farewell = this.#waiting.get(key)
    this.#waiting.delete(key)
    return farewell?.exchange
  }
}
