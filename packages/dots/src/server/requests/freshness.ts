import { OptionNumber, uintOption } from '@breakwater/coap'
import type { CoapOption } from '@breakwater/coap'
import type { SessionParameters } from '../../signal/defaults.ts'

/** A mitigation's counters and lifetime change by the second: nobody is to keep them (RFC 7252 §5.6.1). */
export const NOT_TO_BE_KEPT: CoapOption = uintOption(OptionNumber.maxAge, 0)

/** Where heartbeats are switched off, nothing else says that the session is gone. */
const WITHOUT_HEARTBEATS_SECONDS = 3600

/**
 * How long an observer may hold what it was told last for true (RFC 7641 §4.3.1): a change is told within seconds, unless the
 * session is gone, which heartbeats show after this time (RFC 9132 §4.7).
 */
export function observedMaxAge(parameters: SessionParameters): CoapOption {
  const { heartbeatIntervalSeconds, missingHeartbeatsAllowed } = parameters
  const seconds = heartbeatIntervalSeconds * missingHeartbeatsAllowed
  return uintOption(OptionNumber.maxAge, seconds > 0 ? seconds : WITHOUT_HEARTBEATS_SECONDS)
}
