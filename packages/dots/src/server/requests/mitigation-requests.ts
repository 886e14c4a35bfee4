import { Code, Method } from '@breakwater/coap'
import { formatIpPrefix } from '@breakwater/core'
import type { Instant, IpPrefix } from '@breakwater/core'
import type { Cuid, MitigationId } from '../../domain/identifier.ts'
import { checkEfficacyUpdate } from '../../signal/efficacy-update.ts'
import { requestedTexts } from '../../signal/mapper.ts'
import { checkMitigationRequest } from '../../signal/request-check.ts'
import type { MitigationRequest } from '../../signal/request-check.ts'
import { effectiveTarget, hostNames, sameRequestedTarget } from '../../domain/requested-target.ts'
import type { Principal } from './authorization.ts'
import { tooManyCuids, tooManyTargets } from './capacity.ts'
import type { ClientState } from '../client-state.ts'
import { cuidCollision } from './conflict.ts'
import { decideDelete } from './delete-mitigation.ts'
import type { GetMitigation } from './get-mitigation.ts'
import type { Lifecycle } from '../mitigations/lifecycle.ts'
import { isLive, mitigationKey } from '../mitigations/mitigation.ts'
import type { MutationQueue } from './mutation-queue.ts'
import type { PendingNames } from '../names/pending-names.ts'
import { isConditional, unmetCondition } from './precondition.ts'
import type { PutMitigation, ResolvedRequest } from './put-mitigation.ts'
import type { RefreshMitigation } from './refresh-mitigation.ts'
import { answered } from './granted.ts'
import { checkContentFormat, readBody, reply } from './request.ts'
import type { ServerRequest } from './request.ts'
import { DELETED, IGNORED, methodNotAllowed, missing, refusal } from './response.ts'
import type { Answer } from './response.ts'
import type { ServerState } from '../server-state.ts'

/** Cuids that one session keeps bound; a client has one, or a few (RFC 9132 §4.4.1.1). */
const BOUND_CUIDS = 8

interface Addressed {
  readonly cuid: Cuid
  readonly id: MitigationId
}

/** What decides, once a request is right in itself. */
export interface Deciders {
  readonly queue: MutationQueue
  readonly lifecycle: Lifecycle
  readonly put: PutMitigation
  readonly refresh: RefreshMitigation
  readonly get: GetMitigation
  readonly names: PendingNames
}

/** Requests on `/mitigate` (RFC 9132 §4.4): what is said of them before anything is decided. */
export class MitigationRequests {
  readonly #state: ServerState
  readonly #deciders: Deciders

  constructor(state: ServerState, deciders: Deciders) {
    this.#state = state
    this.#deciders = deciders
  }

  /** The answer, if there is one at once. */
  answer(
    request: ServerRequest,
    cuid: Cuid | undefined,
    id: MitigationId | undefined,
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
    if (method === Method.get) return this.#deciders.get.answer(request, own, id, now)
    if (id === undefined) return missing('mid')
    if (method === Method.delete) return this.#delete(request, { cuid, id }, known, principal, now)
    return isConditional(request.coap)
      ? this.#updateEfficacy(request, { cuid, id }, own, now)
      : this.#put(request, { cuid, id }, known, principal, now)
  }

  #put(
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
    const { target } = checked.value
    request.targets = requestedTexts(target)
    const literal = effectiveTarget(target, []).prefixes
    const problem = tooManyTargets(this.#state, target) ?? this.#foreign(principal, literal)
    if (problem !== undefined) return problem
    if (known !== undefined && known.principal.owner !== principal.owner) return cuidCollision()
    const crowded = known === undefined ? tooManyCuids(this.#state, principal) : undefined
    if (crowded !== undefined) return crowded
    const client = known ?? this.#state.clients.ensure(cuid, principal)
    bind(request, client)
    if (hostNames(target).length === 0 || isRefresh(client, id, checked.value))
      this.#submitPut(request, client, id, withoutNames(client, id, checked.value), now)
    else this.#resolveFirst(request, client, id, checked.value, now)
    return undefined
  }

  /** RFC 9132 §4.4.1.1: what a name means is checked like a prefix, so it has to be known first. */
  #resolveFirst(
    request: ServerRequest,
    client: ClientState,
    id: MitigationId,
    checked: MitigationRequest,
    now: Instant
  ): void {
    this.#deciders.names.resolve(request, client, checked, now, (result, at) => {
      if ('response' in result) reply(this.#state, request, result, at)
      else this.#submitPut(request, client, id, result, at)
    })
  }

  #submitPut(
    request: ServerRequest,
    client: ClientState,
    id: MitigationId,
    resolved: ResolvedRequest,
    now: Instant
  ): void {
    const decide = (at: Instant): ReturnType<PutMitigation['decide']> =>
      this.#deciders.put.decide(client, id, resolved, at)
    this.#submit(request, client, mitigationKey(client.cuid, id), decide, now)
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
    request.targets = requestedTexts(checked.value.target)
    request.attackStatus = checked.value.attackStatus
    const unmet = unmetCondition(request.coap)
    if (unmet !== undefined) return unmet
    if (own === undefined) return IGNORED
    bind(request, own)
    const decide = (at: Instant): ReturnType<RefreshMitigation['decideEfficacy']> =>
      this.#deciders.refresh.decideEfficacy(own, id, checked.value, at)
    this.#submit(request, own, mitigationKey(cuid, id), decide, now)
    return undefined
  }

  #delete(
    request: ServerRequest,
    { cuid, id }: Addressed,
    known: ClientState | undefined,
    principal: Principal,
    now: Instant
  ): Answer | undefined {
    // Of a client that is not known here, another server that shares the store may know something.
    if (known === undefined && this.#state.sharing === undefined)
      return { response: DELETED, outcome: 'unchanged' }
    if (known !== undefined && known.principal.owner !== principal.owner) return cuidCollision()
    const crowded = known === undefined ? tooManyCuids(this.#state, principal) : undefined
    if (crowded !== undefined) return crowded
    const client = known ?? this.#state.clients.ensure(cuid, principal)
    const decide = (at: Instant): ReturnType<typeof decideDelete> =>
      decideDelete(this.#deciders.lifecycle, client, id, at)
    this.#submit(request, client, mitigationKey(cuid, id), decide, now)
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
    this.#deciders.queue.submit(
      client,
      {
        method,
        key,
        payload,
        // Its cuid may have become somebody else's at another server while this waited.
        decide: (at) =>
          this.#state.clients.get(client.cuid) === client ? decide(at) : answered(cuidCollision()),
        reply: (answer, at) => reply(this.#state, request, answer, at)
      },
      now
    )
  }

  #foreign({ domain }: Principal, prefixes: readonly IpPrefix[]): Answer | undefined {
    const foreign = this.#state.authorization.firstForeign(domain, prefixes)
    return foreign === undefined ? undefined : foreignTarget(formatIpPrefix(foreign))
  }
}

/** A request that repeats one in being needs nobody to resolve its names: these are looked after. */
function isRefresh(client: ClientState, id: MitigationId, { target }: MitigationRequest): boolean {
  const existing = client.mitigations.get(id)
  return existing !== undefined && isLive(existing) && sameRequestedTarget(existing.requested, target)
}

function withoutNames(client: ClientState, id: MitigationId, request: MitigationRequest): ResolvedRequest {
  const addressed = hostNames(request.target).length === 0 ? undefined : client.mitigations.get(id)?.target
  return { ...request, addressed: addressed ?? effectiveTarget(request.target, []), ttlSeconds: 0 }
}

/** A cuid stays bound to its owner as long as a session that used it is open. */
function bind({ session }: ServerRequest, client: ClientState): void {
  if (session.clients.has(client) || session.clients.size >= BOUND_CUIDS) return
  session.clients.add(client)
  client.sessions++
}

/** RFC 9132 §4.4.1.1, §11: a prefix outside the client's domain is an invalid value, which is 4.00 (§4.4.1.3). */
export function foreignTarget(prefix: string, attribute = 'target-prefix'): Answer {
  const problem = {
    code: 'DOTS_SERVER_TARGET_FOREIGN',
    answer: Code.badRequest,
    diagnostic: `${prefix} does not belong to your domain (scope[0].${attribute})`
  }
  return refusal(problem, 'foreign-target')
}
