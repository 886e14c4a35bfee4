import { after, type Entropy, fraction, type Instant, Seconds } from '@breakwater/core'
import { readUint } from '../option-value.ts'
import { OptionNumber } from '../option.ts'
import { DEFAULT_MAX_AGE_SECONDS } from '../request/too-many-requests.ts'
import type { CoapResponse } from '../session.ts'

/** Until when a response or notification may be taken for the state of the resource (RFC 7252 §5.10.5, RFC 7641 §3.3.1). */
export function freshUntil(response: CoapResponse, receivedAt: Instant): Instant {
  return after(
    receivedAt,
    Seconds(readUint(response.options, OptionNumber.maxAge) ?? DEFAULT_MAX_AGE_SECONDS)
  )
}

/** When to `repeat` an observation that stays silent: 5 … 15 s after its latest state went stale (RFC 7641 §3.3.1). */
export function renewalAt(response: CoapResponse, receivedAt: Instant, entropy: Entropy): Instant {
  return after(freshUntil(response, receivedAt), Seconds(5 + 10 * fraction(entropy)))
}
