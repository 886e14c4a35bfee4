import { DEFAULT_SESSION_PARAMETERS, leastProbingRate } from '@breakwater/dots'
import type { SessionConfiguration, SessionParameters, WantedConfiguration } from '@breakwater/dots'
import type { Course } from '../scenario.ts'

/** As quick as the ranges of RFC 9132 §4.5.2 allow. */
const QUICK: SessionParameters = {
  ...DEFAULT_SESSION_PARAMETERS,
  heartbeatIntervalSeconds: 15,
  missingHeartbeatsAllowed: 3
}

/** Seldom while nothing happens, often during an attack. */
const BY_ACTIVITY: SessionConfiguration = {
  idle: withHeartbeats(60, 5),
  mitigating: withHeartbeats(15, 4)
}

/** What both sides go by where nothing else was agreed. */
export function commonParameters({ heartbeats }: Course): SessionParameters {
  return heartbeats === 'quick' ? QUICK : DEFAULT_SESSION_PARAMETERS
}

/** What clients want of their sessions (RFC 9132 §4.5); undefined: they do not ask. */
export function wantedConfiguration({ negotiates }: Course): WantedConfiguration | undefined {
  if (negotiates === 'nothing') return undefined
  return negotiates === 'defaults' ? 'defaults' : BY_ACTIVITY
}

/** What sessions have to come to, whatever happened to them. */
export function agreedConfiguration(scenario: Course): SessionConfiguration {
  const wanted = wantedConfiguration(scenario)
  const common = commonParameters(scenario)
  return wanted === undefined || wanted === 'defaults' ? { idle: common, mitigating: common } : wanted
}

/** What a session may go by at one time or another. */
export function possibleParameters(scenario: Course): readonly SessionParameters[] {
  const { idle, mitigating } = agreedConfiguration(scenario)
  return [commonParameters(scenario), idle, mitigating]
}

function withHeartbeats(intervalSeconds: number, missingAllowed: number): SessionParameters {
  const { probingRateBytesPerSecond } = DEFAULT_SESSION_PARAMETERS
  return {
    ...DEFAULT_SESSION_PARAMETERS,
    heartbeatIntervalSeconds: intervalSeconds,
    missingHeartbeatsAllowed: missingAllowed,
    // RFC 9132 §4.5.2: no heartbeat waits for probing-rate.
    probingRateBytesPerSecond: Math.max(probingRateBytesPerSecond, leastProbingRate(intervalSeconds))
  }
}
