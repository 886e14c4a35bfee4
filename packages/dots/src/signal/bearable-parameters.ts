import {
  ACCEPTABLE_SESSION_PARAMETERS,
  DEFAULT_SESSION_PARAMETERS,
  SESSION_PARAMETER_NAMES
} from './defaults.ts'
import type { SessionParameters } from './defaults.ts'

/** RFC 8085 §3.1.2, as RFC 9132 §4.5.2 cites it: heartbeats are no more frequent than this; 0 switches them off. */
const LEAST_HEARTBEAT_INTERVAL = ACCEPTABLE_SESSION_PARAMETERS.heartbeatIntervalSeconds.minimum

type Rule = (value: number) => number

const within =
  (name: 'ackTimeoutSeconds' | 'ackRandomFactor' | 'maxRetransmit'): Rule =>
  (value) => {
    const { minimum, maximum } = ACCEPTABLE_SESSION_PARAMETERS[name]
    return Math.min(maximum, Math.max(minimum, value))
  }

/**
 * RFC 7252 §4.8.1: an ACK_TIMEOUT below 1 s violates what keeps the Internet from congestion, and an ACK_RANDOM_FACTOR must
 * be above 1.0. Above, so large a value would have requests wait for hours. The others may be what they like, short of
 * what takes the session's life: no question could ever be asked at 0 bytes/s, and 0 heartbeats may be missing nowhere.
 */
const RULES: Readonly<Record<keyof SessionParameters, Rule>> = {
  heartbeatIntervalSeconds: (value) => (value === 0 ? 0 : Math.max(LEAST_HEARTBEAT_INTERVAL, value)),
  missingHeartbeatsAllowed: (value) => Math.max(1, value),
  probingRateBytesPerSecond: (value) => Math.max(1, value),
  maxRetransmit: within('maxRetransmit'),
  ackTimeoutSeconds: within('ackTimeoutSeconds'),
  ackRandomFactor: within('ackRandomFactor')
}

const NAMES: Readonly<Record<keyof SessionParameters, string>> = {
  heartbeatIntervalSeconds: 'heartbeat-interval',
  missingHeartbeatsAllowed: 'missing-hb-allowed',
  probingRateBytesPerSecond: 'probing-rate',
  maxRetransmit: 'max-retransmit',
  ackTimeoutSeconds: 'ack-timeout',
  ackRandomFactor: 'ack-random-factor'
}

/** What a session may go by, whatever its peer says: the same, or the nearest that RFC 7252 §4.8.1 allows. */
export function bearable(parameters: SessionParameters): SessionParameters {
  return { ...DEFAULT_SESSION_PARAMETERS, ...Object.fromEntries(named(parameters)) }
}

/** For the operator: what `bearable` changes; empty: nothing. */
export function unbearable(parameters: SessionParameters): string {
  return named(parameters)
    .filter(([name, value]) => value !== parameters[name])
    .map(
      ([name, value]) => `${NAMES[name]} ${parameters[name]} is not safe; ${value} is used (RFC 7252 §4.8.1)`
    )
    .join('; ')
}

function named(parameters: SessionParameters): (readonly [keyof SessionParameters, number])[] {
  return SESSION_PARAMETER_NAMES.map((name) => [name, RULES[name](parameters[name])])
}
