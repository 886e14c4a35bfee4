import { Code, OptionNumber, uintOption } from '@breakwater/coap'
import type { CoapOption } from '@breakwater/coap'
import { sessionConfigurationBody } from '../../signal/session-configuration.ts'
import { dotsResponse, refusal } from '../requests/response.ts'
import type { Answer } from '../requests/response.ts'
import type { ServerSession } from './server-session.ts'

/**
 * The configuration of a session as GET and notifications show it (RFC 9132 §4.5.1), with its validity (§4.5.3).
 * @param sid Undefined: whatever is agreed; otherwise 4.04 unless it is this one.
 */
export function configRepresentation(
  session: ServerSession,
  sid: number | undefined,
  maxAgeSeconds: number,
  options: readonly CoapOption[] = []
): Answer {
  if (sid !== undefined && session.negotiated?.sid !== sid)
    return refusal({
      code: 'DOTS_SERVER_SID_UNKNOWN',
      answer: Code.notFound,
      diagnostic: `this session has no configuration with sid ${sid}`
    })
  const maxAge = uintOption(OptionNumber.maxAge, maxAgeSeconds)
  return {
    response: dotsResponse(Code.content, sessionConfigurationBody(session.configuration), [
      maxAge,
      ...options
    ]),
    outcome: 'answered'
  }
}
