import { Code } from '@breakwater/coap'
import { equalBytes, formatIpPrefix } from '@breakwater/core'
import type { Instant } from '@breakwater/core'
import { checkAddresses } from '../../signal/request-check.ts'
import type { MitigationRequest } from '../../signal/request-check.ts'
import { effectiveTarget, hostNames } from '../../domain/requested-target.ts'
import type { ClientState } from '../client-state.ts'
import { foreignTarget } from '../requests/mitigation-requests.ts'
import type { NameResolution, NamesResolved } from './name-resolution.ts'
import type { ResolvedRequest } from '../requests/put-mitigation.ts'
import type { ServerRequest } from '../requests/request.ts'
import { limitReached, refusal, unavailable } from '../requests/response.ts'
import type { Answer } from '../requests/response.ts'
import type { ServerState } from '../server-state.ts'

type Done = (result: ResolvedRequest | Answer, now: Instant) => void

interface Pending {
  readonly payload: Uint8Array
  readonly mid: number | undefined
  readonly waiting: Done[]
}

/** Requests of one client that wait for the name service at a time. */
const WAITING_PER_CLIENT = 16

/** Seconds after which a request may come again whose names nobody could resolve. */
const RETRY_SECONDS = 5

/** Requests that wait until it is known what their names mean. Requests without names pass them by. */
export class PendingNames {
  readonly #state: ServerState
  readonly #resolution: NameResolution
  readonly #pending = new Map<ClientState, Pending[]>()

  constructor(state: ServerState, resolution: NameResolution) {
    this.#state = state
    this.#resolution = resolution
  }

  /** @param done Told what to decide on, or what to answer. */
  resolve(
    { coap, mitigationId }: ServerRequest,
    client: ClientState,
    checked: MitigationRequest,
    now: Instant,
    done: Done
  ): void {
    const ofClient = this.#pending.get(client) ?? []
    const same = ofClient.find(
      ({ mid, payload }) => mid === mitigationId && equalBytes(payload, coap.payload)
    )
    if (same !== undefined) {
      // The client repeats what it got no answer to yet (RFC 9132 §4.4).
      this.#state.counters.count('dots_server_requests_repeated_total')
      same.waiting.push(done)
      return
    }
    if (ofClient.length >= WAITING_PER_CLIENT) {
      done(limitReached('DOTS_SERVER_TOO_MANY_NAMES', 'too many requests wait for names', RETRY_SECONDS), now)
      return
    }
    const pending: Pending = { payload: coap.payload.slice(), mid: mitigationId, waiting: [done] }
    this.#pending.set(client, [...ofClient, pending])
    client.resolving++
    const take = (resolved: NamesResolved, at: Instant): void =>
      this.#resolved(client, pending, this.#check(client, checked, resolved), at)
    this.#resolution.resolve(hostNames(checked.target), take, now)
  }

  #resolved(client: ClientState, pending: Pending, result: ResolvedRequest | Answer, now: Instant): void {
    const left = (this.#pending.get(client) ?? []).filter((each) => each !== pending)
    if (left.length === 0) this.#pending.delete(client)
    else this.#pending.set(client, left)
    for (const done of pending.waiting) done(result, now)
    client.resolving--
    this.#state.clients.release(client)
  }

  /** RFC 9132 §4.4.1.1: "the same validation checks as those for 'target-prefix'". */
  #check(
    { principal }: ClientState,
    checked: MitigationRequest,
    resolved: NamesResolved
  ): ResolvedRequest | Answer {
    if (resolved.kind !== 'resolved') return unresolved(resolved)
    const wrong = checkAddresses(resolved.prefixes, 'target-fqdn')
    if (wrong !== undefined) return refusal(wrong.problem)
    const foreign = this.#state.authorization.firstForeign(principal.domain, resolved.prefixes)
    if (foreign !== undefined) return foreignTarget(formatIpPrefix(foreign), 'target-fqdn')
    const addressed = effectiveTarget(checked.target, resolved.prefixes)
    return { ...checked, addressed, ttlSeconds: resolved.ttlSeconds }
  }
}

function unresolved(result: Exclude<NamesResolved, { kind: 'resolved' }>): Answer {
  const { name } = result
  if (result.kind === 'no-such-name')
    return refusal({
      code: 'DOTS_SERVER_NAME_UNKNOWN',
      answer: Code.badRequest,
      diagnostic: `${name} has no address (scope[0].target-fqdn)`
    })
  const { code, message, retryable } = result.failure
  return retryable
    ? unavailable('DOTS_SERVER_NAME_UNRESOLVED', `${name} could not be resolved: ${message}`, RETRY_SECONDS)
    : refusal({ code, answer: Code.badRequest, diagnostic: `${message}; ask for prefixes (scope[0])` })
}
