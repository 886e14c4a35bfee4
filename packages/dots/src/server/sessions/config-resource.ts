import { Code, Method, OptionNumber, readUint } from '@breakwater/coap'
import type { Instant } from '@breakwater/core'
import { checkSessionConfiguration } from '../../signal/session-configuration-check.ts'
import { configRepresentation } from './config-representation.ts'
import { OBSERVE } from '../observation/observation.ts'
import type { Observations } from '../observation/observation.ts'
import { checkContentFormat, readBody } from '../requests/request.ts'
import type { ServerRequest } from '../requests/request.ts'
import { CHANGED, CREATED, DELETED, methodNotAllowed, missing, refusal } from '../requests/response.ts'
import type { Answer } from '../requests/response.ts'
import { freshnessTimer } from './server-session.ts'
import type { ServerSession } from './server-session.ts'
import type { ServerState } from '../server-state.ts'

/**
 * `/config`: the configuration of one session, which lives and ends with it (RFC 9132 §4.5). Nothing of it is stored: a
 * client that comes back after a restart of ours has a new session, and with it the defaults.
 */
export class ConfigResource {
  readonly #state: ServerState
  readonly #observations: Observations

  constructor(state: ServerState, observations: Observations) {
    this.#state = state
    this.#observations = observations
  }

  answer(request: ServerRequest, sid: number | undefined, now: Instant): Answer {
    switch (request.coap.method) {
      case Method.get:
        return this.#get(request, sid, now)
      case Method.put:
        return this.#put(request, sid, now)
      case Method.delete:
        return this.#delete(request, sid, now)
      default:
        return methodNotAllowed(request.coap.method, 'config', 'GET, PUT and DELETE')
    }
  }

  /**
   * Timer `freshness:<peer>`: the client did not refresh a configuration of its own in time. It may be cut off then, but
   * never while an attack goes on, when it must not refresh (RFC 9132 §4.5.3).
   */
  stale(session: ServerSession, now: Instant): void {
    if (session.mitigating) {
      session.expectRefresh(now)
      return
    }
    const closed = this.#state.policy.staleConfiguration === 'close'
    const { peer, identityText: identity } = session
    this.#state.counters.count('dots_server_configurations_stale_total')
    this.#state.report({ kind: 'configuration-stale', peer, identity, closed })
    if (closed) this.#state.emit({ kind: 'close', peer })
  }

  #get({ session, exchange, coap }: ServerRequest, sid: number | undefined, now: Instant): Answer {
    const { configurationMaxAgeSeconds } = this.#state.policy
    const plain = configRepresentation(session, sid, configurationMaxAgeSeconds)
    if (plain.problem !== undefined) return plain
    // RFC 9132 §4.5.3: refreshes name a sid, so nothing is expected of who has none.
    if (session.negotiated !== undefined) session.expectRefresh(now)
    const observe =
      readUint(coap.options, OptionNumber.observe) === 0 &&
      this.#observations.addConfiguration(session, exchange, sid)
    return observe ? configRepresentation(session, sid, configurationMaxAgeSeconds, [OBSERVE]) : plain
  }

  #put({ session, coap }: ServerRequest, sid: number | undefined, now: Instant): Answer {
    if (sid === undefined) return missing('sid')
    const format = checkContentFormat(coap)
    if (format !== undefined) return refusal(format)
    const body = readBody(coap)
    if (!body.ok) return refusal(body.problem)
    const checked = checkSessionConfiguration(body.value, this.#state.policy.session)
    if (!checked.ok) return refusal(checked.problem)
    const before = session.negotiated?.sid
    if (before !== undefined && sid < before) return staleSid(sid, before)
    session.configure({ sid, ...checked.value }, now)
    this.#observations.configurationChanged(session, now)
    return { response: sid === before ? CHANGED : CREATED, outcome: 'configured' }
  }

  /** RFC 9132 §4.5.4; without a sid, of whatever there is. Of one that was overridden, nothing is left to delete. */
  #delete({ session }: ServerRequest, sid: number | undefined, now: Instant): Answer {
    const { negotiated } = session
    if (negotiated === undefined || (sid !== undefined && sid !== negotiated.sid))
      return { response: DELETED, outcome: 'unchanged' }
    session.configure(undefined, now)
    this.#state.timers.cancel(freshnessTimer(session.peer))
    this.#observations.configurationChanged(session, now)
    return { response: DELETED, outcome: 'configured' }
  }
}

/** RFC 9132 §4.5.2: sids only rise. A lower one comes late and conflicts with what came before it (§9). */
function staleSid(sid: number, current: number): Answer {
  return refusal({
    code: 'DOTS_SERVER_SID_STALE',
    answer: Code.conflict,
    diagnostic: `sid ${sid} is below ${current}, which is in force (Uri-Path)`
  })
}
