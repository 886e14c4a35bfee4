import { ACCEPTABLE_SESSION_PARAMETERS } from '@breakwater/dots'
import type { SessionParameters } from '@breakwater/dots'
import { decimal, optional, section, whole } from './option.ts'

/**
 * Heartbeats and retransmission of sessions, with the ranges that RFC 9132 finds acceptable.
 * @param defaults What holds for a parameter that is left out; without one, another section says so.
 */
export function sessionParameters(description: string, defaults: Partial<SessionParameters>) {
  const defaultOf = (key: keyof SessionParameters): { readonly default?: number } => {
    const value = defaults[key]
    return value === undefined ? {} : { default: value }
  }
  const parameter = (key: keyof SessionParameters, about: string, source: string) => {
    const { minimum, maximum } = ACCEPTABLE_SESSION_PARAMETERS[key]
    return optional(whole(minimum, maximum, { description: about, ...defaultOf(key), source }))
  }
  return section(
    {
      heartbeatIntervalSeconds: parameter(
        'heartbeatIntervalSeconds',
        'Time between two heartbeats.',
        'RFC 9132 §4.5.2'
      ),
      missingHeartbeatsAllowed: parameter(
        'missingHeartbeatsAllowed',
        'Heartbeats without an answer before the session counts as disconnected.',
        'RFC 9132 §4.5.2'
      ),
      probingRateBytesPerSecond: parameter(
        'probingRateBytesPerSecond',
        'What may be sent to a peer that does not answer.',
        'RFC 9132 §4.5.2'
      ),
      maxRetransmit: parameter('maxRetransmit', 'Retransmissions of a confirmable message.', 'RFC 7252 §4.8'),
      ackTimeoutSeconds: parameter(
        'ackTimeoutSeconds',
        'Time until the first retransmission.',
        'RFC 7252 §4.8'
      ),
      ackRandomFactor: optional(
        decimal(ACCEPTABLE_SESSION_PARAMETERS.ackRandomFactor, {
          description: 'By how much that time is varied at random.',
          ...defaultOf('ackRandomFactor'),
          source: 'RFC 7252 §4.8'
        })
      )
    },
    { description, default: {} }
  )
}
