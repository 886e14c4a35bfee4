import { Code, Method } from '@breakwater/coap'
import type { CoapOption, CoapRequest } from '@breakwater/coap'
import type { Counter, Instant } from '@breakwater/core'
import { parseHeartbeat } from '../../signal/heartbeat-message.ts'
import { isHeartbeatPath, parseResource } from '../../signal/resource.ts'
import type { SignalResource } from '../../signal/resource.ts'
import type { Principal } from './authorization.ts'
import type { ConfigResource } from '../sessions/config-resource.ts'
import type { MitigationRequests } from './mitigation-requests.ts'
import { conditionNotOffered, isConditional } from './precondition.ts'
import { redirected, redirectionOf } from '../redirection.ts'
import { RequestRate } from './request-rate.ts'
import { checkAccept, checkContentFormat, reply } from './request.ts'
import type { ServerRequest } from './request.ts'
import { HEARTBEAT_ANSWER, limited, methodNotAllowed, refusal } from './response.ts'
import type { Answer } from './response.ts'
import type { ServerState } from '../server-state.ts'

/** Takes each request to whoever answers it, after the checks that all have in common (RFC 9132 §4.2, §9). */
export class RequestRouter {
  readonly #state: ServerState
  readonly #mitigations: MitigationRequests
  readonly #config: ConfigResource
  readonly #rate: RequestRate
  readonly #heartbeats: Counter
  /** Of the last heartbeat. Mostly the next one has the very same list, as messages that say the same share it. */
  #heartbeatOptions: readonly CoapOption[] | undefined

  constructor(state: ServerState, mitigations: MitigationRequests, config: ConfigResource) {
    this.#state = state
    this.#mitigations = mitigations
    this.#config = config
    this.#rate = new RequestRate(state.policy.limits)
    this.#heartbeats = state.counters.counter('dots_server_heartbeats_received_total')
  }

  route(request: ServerRequest, now: Instant): void {
    const { coap, session } = request
    if (session.principal !== undefined && this.#isHeartbeat(coap)) {
      this.#heartbeat(request, now)
      return
    }
    const answer = this.#answer(request, session.principal, now)
    if (answer !== undefined) reply(this.#state, request, answer, now)
  }

  #isHeartbeat(coap: CoapRequest): boolean {
    const { method, options } = coap
    if (method !== Method.put) return false
    if (options === this.#heartbeatOptions) return true
    if (isConditional(coap) || !isHeartbeatPath(options)) return false
    this.#heartbeatOptions = options
    return true
  }

  /** The request that comes most often: answered without more objects than it takes. */
  #heartbeat(request: ServerRequest, now: Instant): void {
    const { session, coap, exchange } = request
    const format = checkContentFormat(coap)
    const status = parseHeartbeat(coap.payload)
    if (format !== undefined || !status.ok) {
      const problem = format ?? (status.ok ? undefined : status.problem)
      if (problem !== undefined) reply(this.#state, request, refusal(problem), now)
      return
    }
    this.#heartbeats.add()
    session.respond(exchange, HEARTBEAT_ANSWER, now)
    session.peerHeartbeat(status.value, now)
  }

  /** The answer, if there is one at once. */
  #answer(request: ServerRequest, principal: Principal | undefined, now: Instant): Answer | undefined {
    // RFC 9132 §9: 4.01 for whom we do not serve, before anything is said of what there is.
    if (principal === undefined) return unauthorized()
    const waitSeconds = this.#rate.take(principal.owner, now)
    if (waitSeconds > 0) {
      const refused = limited(waitSeconds)
      return this.#rate.mayRefuse(principal.owner, now) ? refused : { ...refused, response: undefined }
    }
    const { coap } = request
    const resource = parseResource(coap.options)
    if (!resource.ok) return refusal(resource.problem)
    if (isConditional(coap) && !(resource.value.kind === 'mitigate' && coap.method === Method.put))
      return conditionNotOffered(request.confirmable)
    const elsewhere = this.#redirection(resource.value, principal, coap.method)
    if (elsewhere !== undefined) return elsewhere
    const unacceptable = checkAccept(coap)
    if (unacceptable !== undefined) return refusal(unacceptable)
    switch (resource.value.kind) {
      case 'heartbeat':
        return methodNotAllowed(coap.method, 'hb', 'PUT')
      case 'config':
        return this.#config.answer(request, resource.value.sid, now)
      case 'mitigate':
        return this.#mitigate(request, resource.value, principal, now)
    }
  }

  #mitigate(
    request: ServerRequest,
    { cuid, mitigationId, cdid }: Extract<SignalResource, { kind: 'mitigate' }>,
    peer: Principal,
    now: Instant
  ): Answer | undefined {
    const { authorization } = this.#state
    const client = cdid === undefined ? peer : authorization.principalBehind(peer, cdid)
    if (client === undefined) return unauthorized()
    // A client behind a gateway has a rate of its own, so that it does not use up that of the others.
    if (client !== peer && this.#rate.take(client.owner, now) > 0) return limited(1)
    return this.#mitigations.answer(request, cuid, mitigationId, client, now)
  }

  /** RFC 9132 §4.6. Withdrawals are taken: what there is to withdraw is here. */
  #redirection(resource: SignalResource, principal: Principal, method: number): Answer | undefined {
    if (resource.kind === 'heartbeat' || method === Method.delete) return undefined
    const redirection = redirectionOf(this.#state, principal)
    return redirection === undefined ? undefined : redirected(redirection)
  }
}

function unauthorized(): Answer {
  return refusal({
    code: 'DOTS_SERVER_CLIENT_UNKNOWN',
    answer: Code.unauthorized,
    diagnostic: 'this server serves no client of this identity'
  })
}
