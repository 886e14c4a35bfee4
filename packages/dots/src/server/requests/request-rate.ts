import { between, inSeconds } from '@breakwater/core'
import type { Instant } from '@breakwater/core'
import type { ServerLimits } from '../policy.ts'

interface Bucket {
  tokens: number
  filledAt: Instant
}

/**
 * How fast each client may ask (RFC 9132 §11): a token bucket for each identity that DTLS proved, whatever cuids and
 * however many sessions it uses. There are no more buckets than identities that the operator lists.
 */
export class RequestRate {
  readonly #perSecond: number
  readonly #burst: number
  readonly #buckets = new Map<string, Bucket>()
  readonly #refusals = new Map<string, Bucket>()

  constructor({ requestsPerClientPerSecond, requestBurstPerClient }: ServerLimits) {
    this.#perSecond = requestsPerClientPerSecond
    this.#burst = requestBurstPerClient
  }

  /**
   * Takes a request of this owner into account.
   * @returns 0 when it may pass, otherwise the whole seconds, 1 or more, after which one will. Asking in vain costs nothing.
   */
  take(owner: string, now: Instant): number {
    const bucket = this.#filled(this.#buckets, owner, now)
    if (bucket.tokens < 1) return Math.max(1, Math.ceil((1 - bucket.tokens) / this.#perSecond))
    bucket.tokens--
    return 0
  }

  /**
   * Whether a refusal may be said: what we send is limited, too (RFC 7252 §4.7), so that who goes on regardless hears
   * nothing in the end.
   */
  mayRefuse(owner: string, now: Instant): boolean {
    const bucket = this.#filled(this.#refusals, owner, now)
    if (bucket.tokens < 1) return false
    bucket.tokens--
    return true
  }

  #filled(buckets: Map<string, Bucket>, owner: string, now: Instant): Bucket {
    const bucket = buckets.get(owner)
    if (bucket === undefined) {
      const full = { tokens: this.#burst, filledAt: now }
      buckets.set(owner, full)
      return full
    }
    const fresh = inSeconds(between(bucket.filledAt, now)) * this.#perSecond
    bucket.tokens = Math.min(this.#burst, bucket.tokens + fresh)
    bucket.filledAt = now
    return bucket
  }
}
