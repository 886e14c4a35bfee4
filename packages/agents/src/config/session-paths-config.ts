import { inSeconds } from '@breakwater/core'
import {
  ATTEMPT_DELAY_MILLISECONDS,
  DEFAULT_ATTEMPT_RULE,
  DEFAULT_MIGRATION,
  DEFAULT_OUTCOME_AGE,
  DEFAULT_RECONNECTION,
  DEFAULT_WARM_STANDBY,
  LEAST_UDP_PROBE_SECONDS,
  WARM_STANDBY
} from '@breakwater/dots'
import { choice, optional, section, whole } from './option.ts'

/** When a session is tried again. */
export const reconnection = section(
  {
    firstRetrySeconds: optional(
      whole(60, 300, {
        description: 'From the start of an attempt that comes to nothing to that of the next.',
        default: DEFAULT_RECONNECTION.firstRetrySeconds,
        source: 'RFC 9132 §4.7'
      })
    ),
    retrySeconds: optional(
      whole(60, 3600, {
        description: 'That time is doubled with every failure up to this.',
        default: DEFAULT_RECONNECTION.retrySeconds,
        source: 'RFC 9132 §4.7'
      })
    ),
    localRetrySeconds: optional(
      whole(1, 60, {
        description: 'Until the next try after one that sent nothing, for want of an interface or address.',
        default: DEFAULT_RECONNECTION.localRetrySeconds
      })
    )
  },
  { description: 'How soon sessions are tried again.', default: {} }
)

/** In which order and how soon paths are tried. */
export const happyEyeballs = section(
  {
    attemptDelayMilliseconds: optional(
      whole(ATTEMPT_DELAY_MILLISECONDS.minimum, ATTEMPT_DELAY_MILLISECONDS.maximum, {
        description: 'Until the next path to a server is tried beside the one before.',
        default: DEFAULT_ATTEMPT_RULE.attemptDelayMilliseconds,
        source: 'RFC 8305 §5'
      })
    ),
    attackAttemptDelayMilliseconds: optional(
      whole(ATTEMPT_DELAY_MILLISECONDS.minimum, ATTEMPT_DELAY_MILLISECONDS.maximum, {
        description: 'The same during an attack.',
        default: DEFAULT_ATTEMPT_RULE.attackAttemptDelayMilliseconds,
        source: 'RFC 9132 §4.3'
      })
    ),
    outcomeAgeSeconds: optional(
      whole(0, 3600, {
        description: 'For how long the outcomes of attempts decide in which order paths are tried.',
        default: inSeconds(DEFAULT_OUTCOME_AGE),
        source: 'RFC 9132 §4.3'
      })
    ),
    udpProbeSeconds: optional(
      whole(LEAST_UDP_PROBE_SECONDS, 2_592_000, {
        description:
          'How often a session over TCP looks whether UDP works. Below a day against a SHOULD NOT.',
        default: DEFAULT_MIGRATION.udpProbeSeconds,
        source: 'RFC 9132 §4.3'
      })
    )
  },
  { description: 'How the paths to a server are tried.', default: {} }
)

/** What stands by. */
export const pathPool = section(
  {
    warmStandby: optional(
      choice(WARM_STANDBY, {
        description:
          'Whether a second session is kept with each server, so that what is asked need not wait for a handshake when a path fails. `apart`: on a path with another address of the server, interface or source, where there is one. `any`: also on one that differs by its transport alone, as TCP beside UDP. `off`: none.',
        default: DEFAULT_WARM_STANDBY
      })
    )
  },
  { description: 'What is made of what is known of paths.', default: {} }
)
