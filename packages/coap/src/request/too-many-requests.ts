import { after, type Duration, encodeUtf8, type Instant, Seconds, toHex } from '@breakwater/core'
import { Code } from '../code.ts'
import { readUint, uintOption } from '../option-value.ts'
import { OptionNumber } from '../option.ts'
import type { CoapRequest, CoapResponse } from '../session.ts'

/** RFC 7252 §5.10.5: what a response without the option means. */
export const DEFAULT_MAX_AGE_SECONDS = 60

/**
 * A 4.29: this client asks more often than it is served (RFC 8516 §3).
 * @param retryAfterSeconds When it may ask again; goes into Max-Age.
 */
export function tooManyRequests(retryAfterSeconds: number, diagnostic = ''): CoapResponse {
  return {
    code: Code.tooManyRequests,
    options: [uintOption(OptionNumber.maxAge, retryAfterSeconds)],
    payload: encodeUtf8(diagnostic)
  }
}

/** How long a 4.29 (RFC 8516 §4) or 5.03 (RFC 7252 §5.9.3.4) asks to wait; undefined for any other response. */
export function retryAfter(response: CoapResponse): Duration | undefined {
  if (response.code !== Code.tooManyRequests && response.code !== Code.serviceUnavailable) return undefined
  return Seconds(readUint(response.options, OptionNumber.maxAge) ?? DEFAULT_MAX_AGE_SECONDS)
}

/**
 * The client's memory of 4.29 answers: a request that is similar to one that was refused so waits until its Max-Age is
 * over (RFC 8516 §4). Similar are requests of one method and one URI, unless the application knows better.
 */
export class BackOff {
  readonly #limit: number
  readonly #until = new Map<string, Instant>()

  /** @param limit Requests that are remembered at most; beyond, the oldest are forgotten. */
  constructor(limit = 256) {
    this.#limit = limit
  }

  /** Notes what came back for a request. */
  answered(request: CoapRequest, response: CoapResponse, now: Instant): void {
    if (response.code !== Code.tooManyRequests) return
    const key = similarity(request)
    this.#until.delete(key)
    this.#until.set(key, after(now, retryAfter(response) ?? Seconds(DEFAULT_MAX_AGE_SECONDS)))
    if (this.#until.size <= this.#limit) return
    for (const oldest of this.#until.keys()) {
      this.#until.delete(oldest)
      return
    }
  }

  /** When a request like this one may go; undefined: now. */
  heldUntil(request: CoapRequest, now: Instant): Instant | undefined {
    const key = similarity(request)
    const until = this.#until.get(key)
    if (until !== undefined && now < until) return until
    this.#until.delete(key)
    return undefined
  }
}

const ofUri: ReadonlySet<number> = new Set([
  OptionNumber.uriHost,
  OptionNumber.uriPort,
  OptionNumber.uriPath,
  OptionNumber.uriQuery,
  OptionNumber.proxyUri,
  OptionNumber.proxyScheme
])

function similarity(request: CoapRequest): string {
  let key = String(request.method)
  for (const { number, value } of request.options) if (ofUri.has(number)) key += ` ${number}:${toHex(value)}`
  return key
}
