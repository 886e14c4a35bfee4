import { Code } from '@breakwater/coap'
import type { RequestedTarget } from '../../domain/requested-target.ts'
import type { Principal } from './authorization.ts'
import { limitReached, refusal, unavailable } from './response.ts'
import type { Answer } from './response.ts'
import type { ServerState } from '../server-state.ts'

/** Seconds after which a server that is full may be asked again. */
const FULL_RETRY_SECONDS = 60

/** A cuid is free when nothing is left of it, which takes the grace period of what was withdrawn. */
const CUID_RETRY_SECONDS = 120

/** Of all mitigations that a server takes, so many, in percent, are left to clients that have fewer than their share. */
const RESERVED_PERCENT = 10

/** Why there is no room for one more mitigation; undefined: there is. */
export function fullness(state: ServerState, { owner }: Principal): Answer | undefined {
  const { limits } = state.policy
  const own = state.mitigations.of(owner)
  // RFC 9132 §4.4.1.3: a server near its capacity may refuse.
  if (own >= limits.mitigationsPerClient)
    return unavailable(
      'DOTS_SERVER_CLIENT_FULL',
      `you have ${limits.mitigationsPerClient} mitigations, which is the limit`,
      FULL_RETRY_SECONDS
    )
  if (state.mitigations.total >= limits.mitigations)
    return unavailable(
      'DOTS_SERVER_FULL',
      'the server has as many mitigations as it takes',
      FULL_RETRY_SECONDS
    )
  const reserved = Math.floor((limits.mitigations * RESERVED_PERCENT) / 100)
  const isNearlyFull = state.mitigations.total >= limits.mitigations - reserved
  if (!isNearlyFull || own < state.mitigations.total / Math.max(1, state.mitigations.kinds)) return undefined
  return unavailable(
    'DOTS_SERVER_NEARLY_FULL',
    'the server has little room left, which is for clients with fewer mitigations',
    FULL_RETRY_SECONDS
  )
}

/** A request that names more than one request may. */
export function tooManyTargets(
  state: ServerState,
  { prefixes, names, uris }: RequestedTarget
): Answer | undefined {
  const count = prefixes.length + names.length + uris.length
  const most = state.policy.limits.targetsPerRequest
  if (count <= most) return undefined
  return refusal({
    code: 'DOTS_SERVER_TOO_MANY_TARGETS',
    answer: Code.requestEntityTooLarge,
    diagnostic: `${count} targets, which is more than ${most}; ask for them in several requests (scope[0])`
  })
}

/** A client that takes ever new cuids (RFC 9132 §4.4.1.1) would bind all there are. */
export function tooManyCuids(state: ServerState, { owner }: Principal): Answer | undefined {
  const most = state.policy.limits.cuidsPerClient
  if (state.clients.countOf(owner) < most) return undefined
  return limitReached(
    'DOTS_SERVER_TOO_MANY_CUIDS',
    `you use ${most} cuids, which is the limit`,
    CUID_RETRY_SECONDS
  )
}
