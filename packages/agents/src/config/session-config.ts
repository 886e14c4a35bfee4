import { ACCEPTABLE_SESSION_PARAMETERS, DEFAULT_SESSION_PARAMETERS } from '@breakwater/dots'
import type { SessionParameters } from '@breakwater/dots'
import { decimal, optional, section, whole } from './option.ts'

/** A parameter of the session with the range that RFC 9132 finds acceptable. */
function parameter(key: keyof SessionParameters, description: string, source: string) {
  const { minimum, maximum } = ACCEPTABLE_SESSION_PARAMETERS[key]
  return optional(whole(minimum, maximum, { description, default: DEFAULT_SESSION_PARAMETERS[key], source }))
}

/** Heartbeats and retransmission, for every session of the server. */
export const sessionParameters = section(
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
        default: DEFAULT_SESSION_PARAMETERS.ackRandomFactor,
        source: 'RFC 7252 §4.8'
      })
    )
  },
  { description: 'Parameters of signal sessions.', default: {} }
)
