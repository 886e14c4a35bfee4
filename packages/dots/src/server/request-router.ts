import { Code, Method } from '@breakwater/coap'
import { formatIpPrefix } from '@breakwater/core'
import type { Instant } from '@breakwater/core'
import type { Cuid, MitigationId } from '../domain/identifier.ts'
import { checkEfficacyUpdate } from '../signal/efficacy-update.ts'
import { parseHeartbeat } from '../signal/heartbeat-message.ts'
import { targetTexts } from '../signal/mapper.ts'
import { checkMitigationRequest } from '../signal/request-check.ts'
import { isHeartbeatPath, parseResource } from '../signal/resource.ts'
import type { SignalResource } from '../signal/resource.ts'
import type { Principal } from './authorization.ts'
import type { ClientState } from './client-state.ts'
import type { ConfigResource } from './config-resource.ts'
import { decideDelete } from './delete-mitigation.ts'
import type { GetMitigation } from './get-mitigation.ts'
import type { Lifecycle } from './lifecycle.ts'
import { mitigationKey } from './mitigation.ts'
import type { MutationQueue } from './mutation-queue.ts'
import { cuidCollision } from './conflict.ts'
import { conditionNotOffered, isConditional, unmetCondition } from './precondition.ts'
import type { PutMitigation } from './put-mitigation.ts'
import { RequestRate } from './request-rate.ts'
import { checkAccept, checkContentFormat, readBody, reply } from './request.ts'
import type { ServerRequest } from './request.ts'
import {
  DELETED,
  HEARTBEAT_ANSWER,
  IGNORED,
  limited,
  methodNotAllowed,
  missing,
  refusal
} from './response.ts'
import type { Answer } from './response.ts'
import type { ServerState } from './server-state.ts'

/** Cuids that one session keeps bound; a client has one, or a few (RFC 9132 §4.4.1.1). */
const BOUND_CUIDS = 8

interface Addressed {
  readonly cuid: Cuid
  readonly id: MitigationId
}

type MitigateResource = Extract<SignalResource, { kind: 'mitigate' }>

/** Takes each request to whoever answers it, after the checks that all have in common (RFC 9132 §4.2, §9). */
export class RequestRouter {
  readonly #state: ServerState
  readonly #queue: MutationQueue
  readonly #lifecycle: Lifecycle
  readonly #put: PutMitigation
  readonly #get: GetMitigation
  readonly #config: ConfigResource
  readonly #rate: RequestRate

  constructor(
    state: ServerState,
    queue: MutationQueue,
    lifecycle: Lifecycle,
    put: PutMitigation,
    get: GetMitigation,
    config: ConfigResource
  ) {
    this.#state = state
    this.#queue = queue
    this.#lifecycle = lifecycle
    this.#put = put
    this.#get = get
    this.#config = config
    this.#rate = new RequestRate(state.policy.limits)
  }

  route(request: ServerRequest, now: Instant): void {
    const { coap, session } = request
    if (
      session.principal !== undefined &&
      coap.method === Method.put &&
      !isConditional(coap) &&
      isHeartbeatPath(coap.options)
    ) {
      this.#heartbeat(request, now)
      return
    }
    const answer = this.#answer(request, session.principal, now)
    if (answer !== undefined) reply(this.#state, request, answer, now)
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
    this.#state.counters.count('dots_server_heartbeats_received_total')
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
    { cuid, mitigationId: id }: MitigateResource,
    principal: Principal,
    now: Instant
  ): Answer | undefined {
    const { method } = request.coap
    if (method !== Method.get && method !== Method.put && method !== Method.delete)
      return methodNotAllowed(method, 'mitigate', 'GET, PUT and DELETE')
    if (cuid === undefined) return missing('cuid')
    request.cuid = cuid
    if (id !== undefined) request.mitigationId = id
    const known = this.#state.clients.get(cuid)
    const own = known?.principal.owner === principal.owner ? known : undefined
    if (method === Method.get) return this.#get.answer(request, own, id, now)
    if (id === undefined) return missing('mid')
    if (method === Method.delete) return this.#deleteMitigation(request, { cuid, id }, known, principal, now)
    return isConditional(request.coap)
      ? this.#updateEfficacy(request, { cuid, id }, own, now)
      : this.#putMitigation(request, { cuid, id }, known, principal, now)
  }

  #putMitigation(
    request: ServerRequest,
    { cuid, id }: Addressed,
    known: ClientState | undefined,
    principal: Principal,
    now: Instant
  ): Answer | undefined {
    const format = checkContentFormat(request.coap)
    if (format !== undefined) return refusal(format)
    const body = readBody(request.coap)
    if (!body.ok) return refusal(body.problem)
    request.targets =
      body.value.mitigationScope?.scope?.flatMap(({ targetPrefix }) => targetPrefix ?? []) ?? []
    const checked = checkMitigationRequest(body.value)
    if (!checked.ok) return refusal(checked.problem)
    request.targets = targetTexts(checked.value.target)
    const foreign = this.#state.authorization.firstForeign(principal.domain, checked.value.target.prefixes)
    if (foreign !== undefined) return foreignTarget(formatIpPrefix(foreign))
    if (known !== undefined && known.principal.owner !== principal.owner) return cuidCollision()
    const client = known ?? this.#state.clients.ensure(cuid, principal)
    bind(request, client)
    const decide = (at: Instant): ReturnType<PutMitigation['decide']> =>
      this.#put.decide(client, id, checked.value, at)
    this.#submit(request, client, mitigationKey(cuid, id), decide, now)
    return undefined
  }

  /**
   * RFC 9132 §4.4.3. Where there is no such mitigation of the client's, the update came behind a withdrawal and is silently
   * ignored: it must create nothing, not even a client.
   */
  #updateEfficacy(
    request: ServerRequest,
    { cuid, id }: Addressed,
    own: ClientState | undefined,
    now: Instant
  ): Answer | undefined {
    const format = checkContentFormat(request.coap)
    if (format !== undefined) return refusal(format)
    const body = readBody(request.coap)
    if (!body.ok) return refusal(body.problem)
    const checked = checkEfficacyUpdate(body.value)
    if (!checked.ok) return refusal(checked.problem)
    request.targets = targetTexts(checked.value.target)
    request.attackStatus = checked.value.attackStatus
    const unmet = unmetCondition(request.coap)
    if (unmet !== undefined) return unmet
    if (own === undefined) return IGNORED
    bind(request, own)
    const decide = (at: Instant): ReturnType<PutMitigation['decideEfficacy']> =>
      this.#put.decideEfficacy(own, id, checked.value, at)
    this.#submit(request, own, mitigationKey(cuid, id), decide, now)
    return undefined
  }

  #deleteMitigation(
    request: ServerRequest,
    { cuid, id }: Addressed,
    known: ClientState | undefined,
    principal: Principal,
    now: Instant
  ): Answer | undefined {
    if (known === undefined) return { response: DELETED, outcome: 'unchanged' }
    if (known.principal.owner !== principal.owner) return cuidCollision()
    const decide = (at: Instant): ReturnType<typeof decideDelete> =>
      decideDelete(this.#lifecycle, known, id, at)
    this.#submit(request, known, mitigationKey(cuid, id), decide, now)
    return undefined
  }

  #submit(
    request: ServerRequest,
    client: ClientState,
    key: string,
    decide: Parameters<MutationQueue['submit']>[1]['decide'],
    now: Instant
  ): void {
    const { method, payload } = request.coap
    this.#queue.submit(
      client,
      {
        method,
        key,
        payload,
        decide,
        reply: (answer, at) => reply(this.#state, request, answer, at)
      },
      now
    )
  }
}

/** A cuid stays bound to its owner as long as a session that used it is open. */
function bind({ session }: ServerRequest, client: ClientState): void {
  if (session.clients.has(client) || session.clients.size >= BOUND_CUIDS) return
  session.clients.add(client)
  client.sessions++
}

function unauthorized(): Answer {
  return refusal({
    code: 'DOTS_SERVER_CLIENT_UNKNOWN',
    answer: Code.unauthorized,
    diagnostic: 'this server serves no client of this identity'
  })
}

/** RFC 9132 §4.4.1.1, §11: a prefix outside the client's domain is an invalid value, which is 4.00 (§4.4.1.3). */
function foreignTarget(prefix: string): Answer {
  const problem = {
    code: 'DOTS_SERVER_TARGET_FOREIGN',
    answer: Code.badRequest,
    diagnostic: `${prefix} does not belong to your domain (scope[0].target-prefix)`
  }
  return refusal(problem, 'foreign-target')
}
