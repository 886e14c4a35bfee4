import { Seconds } from '@breakwater/core'
import type { Duration } from '@breakwater/core'

/**
 * What RFC 9132 recommends where nothing else was negotiated or configured (RFC 9132 Appendix C, unless another source
 * stands at the value).
 */

/** RFC 9132 §3, Appendix C. */
export const DEFAULT_PORT = 4646

/** `application/dots+cbor` (RFC 9132 §10.4). */
export const CONTENT_FORMAT_DOTS_CBOR = 271

/** `lifetime` that a client asks for (RFC 9132 §4.4.1.1). */
export const DEFAULT_LIFETIME: Duration = Seconds(3600)

/** How long a filter stays after its client withdrew it (RFC 9132 §4.4.4). */
export const ACTIVE_BUT_TERMINATING: Duration = Seconds(120)

/** RFC 9132 §4.4.4: as far as the period may be doubled. */
export const MAXIMUM_ACTIVE_BUT_TERMINATING: Duration = Seconds(300)

/** Without an RTT estimate: at most one Non-confirmable request or notification in this time (RFC 9132 §4.4, §4.4.2.1). */
export const PACING_WITHOUT_RTT: Duration = Seconds(3)

/** Heartbeats are never closer than this, whatever the interval (RFC 8085 §3.5, cited by RFC 9132 §4.5.2). */
export const MINIMUM_HEARTBEAT_SPACING: Duration = Seconds(15)

/** One of `mitigating-config` and `idle-config` (RFC 9132 §4.5.1). */
export interface SessionParameters {
  /** Seconds between two heartbeats; 0 switches them off. */
  readonly heartbeatIntervalSeconds: number
  /** Heartbeats without response before the session counts as disconnected. */
  readonly missingHeartbeatsAllowed: number
  /** Bytes per second to a peer that does not respond. */
  readonly probingRateBytesPerSecond: number
  readonly maxRetransmit: number
  readonly ackTimeoutSeconds: number
  readonly ackRandomFactor: number
}

/** All that can be negotiated, in the order of RFC 9132 §4.5.1. */
export const SESSION_PARAMETER_NAMES: readonly (keyof SessionParameters)[] = [
  'heartbeatIntervalSeconds',
  'missingHeartbeatsAllowed',
  'probingRateBytesPerSecond',
  'maxRetransmit',
  'ackTimeoutSeconds',
  'ackRandomFactor'
]

/** RFC 9132 §4.5.2, Appendix C. */
export const DEFAULT_SESSION_PARAMETERS: SessionParameters = {
  heartbeatIntervalSeconds: 30,
  missingHeartbeatsAllowed: 15,
  probingRateBytesPerSecond: 5,
  maxRetransmit: 3,
  ackTimeoutSeconds: 2,
  ackRandomFactor: 1.5
}

/**
 * Acceptable ranges: the heartbeat's are recommended by RFC 9132 §4.5.2; the others are those of the example of
 * RFC 9132 §4.5.1 (Figure 20), which are the only ones that the RFC names.
 */
export const ACCEPTABLE_SESSION_PARAMETERS: Readonly<
  Record<keyof SessionParameters, { readonly minimum: number; readonly maximum: number }>
> = {
  heartbeatIntervalSeconds: { minimum: 15, maximum: 240 },
  missingHeartbeatsAllowed: { minimum: 3, maximum: 20 },
  probingRateBytesPerSecond: { minimum: 5, maximum: 20 },
  maxRetransmit: { minimum: 2, maximum: 15 },
  ackTimeoutSeconds: { minimum: 1, maximum: 30 },
  ackRandomFactor: { minimum: 1.1, maximum: 4 }
}
