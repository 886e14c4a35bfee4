import { Code } from '@breakwater/coap'
import {
  BROADCAST_PREFIXES,
  LOOPBACK_PREFIXES,
  MULTICAST_PREFIXES,
  UNSPECIFIED_PREFIXES,
  formatIpPrefix,
  overlapsAny
} from '@breakwater/core'
import type { IpPrefix } from '@breakwater/core'
import type { MitigationScopeEntry, SignalMessage } from '@breakwater/model'
import { parseLifetime } from './lifetime.ts'
import type { Lifetime } from './lifetime.ts'
import { parseRequestedTarget } from './mapper.ts'
import { accepted, refused } from './problem.ts'
import type { Checked } from './problem.ts'
import type { RequestedTarget } from '../domain/requested-target.ts'

/** A mitigation request that is right in itself; who asks, and what else is asked for, is not looked at. */
export interface MitigationRequest {
  readonly target: RequestedTarget
  readonly lifetime: Lifetime
  /** RFC 9132 §4.4.1.1: `signal-loss` where `trigger-mitigation` is false. */
  readonly trigger: 'immediate' | 'signal-loss'
}

/** Checks the body of a PUT on `/mitigate` (RFC 9132 §4.4.1.1, §4.4.1.3): the first problem, or the request. */
export function checkMitigationRequest(message: SignalMessage): Checked<MitigationRequest> {
  const entry = singleScope(message)
  if (!entry.ok) return entry
  const scope = entry.value
  const problem = checkForm(scope)
  if (problem !== undefined) return problem
  if (scope.attackStatus !== undefined)
    return bad(
      'DOTS_SIGNAL_ATTACK_STATUS_UNCONDITIONAL',
      'attack-status belongs to efficacy updates, which carry an empty If-Match (scope[0].attack-status)'
    )
  if (scope.lifetime === undefined)
    return bad('DOTS_SIGNAL_LIFETIME_MISSING', 'lifetime is missing (scope[0].lifetime)')
  const lifetime = parseLifetime(scope.lifetime)
  if (!lifetime.ok) return lifetime
  const target = checkTarget(scope)
  if (!target.ok) return target
  const trigger = scope.triggerMitigation === false ? 'signal-loss' : 'immediate'
  return accepted({ target: target.value, lifetime: lifetime.value, trigger })
}

/** @internal What is there that must not be, and what is not there that must. */
export function checkForm(scope: MitigationScopeEntry): Refusal {
  return checkAttributes(scope) ?? checkEmptyValues(scope) ?? checkTargetKinds(scope) ?? checkAliases(scope)
}

/** @internal The target of a scope that is right in its form. */
export function checkTarget(scope: MitigationScopeEntry): Checked<RequestedTarget> {
  const target = parseRequestedTarget(scope)
  if (!target.ok) return target
  const { prefixes, uris } = target.value
  const literal = uris.flatMap(({ host }) => (host.kind === 'address' ? [host.prefix] : []))
  return checkAddresses(prefixes, 'target-prefix') ?? checkAddresses(literal, 'target-uri') ?? target
}

/** @internal RFC 9132 §4.4.1.1: one scope in a request, no more. */
export function singleScope(message: SignalMessage): Checked<MitigationScopeEntry> {
  const scopes = message.mitigationScope?.scope
  const [scope] = scopes ?? []
  if (scopes === undefined || scope === undefined)
    return bad('DOTS_SIGNAL_SCOPE_MISSING', 'the body has no mitigation-scope with a scope')
  if (scopes.length > 1)
    return bad('DOTS_SIGNAL_SCOPE_MULTIPLE', `${scopes.length} scopes; one request carries one (scope)`)
  return accepted(scope)
}

/** YANG names of what has no place in a request, by our names (RFC 9132 §4.4.1.1, §5.1 "server-to-client-only"). */
const NOT_IN_REQUESTS = {
  cdid: 'cdid',
  cuid: 'cuid',
  mid: 'mid',
  mitigationStart: 'mitigation-start',
  status: 'status',
  conflictInformation: 'conflict-information',
  bytesDropped: 'bytes-dropped',
  bpsDropped: 'bps-dropped',
  pktsDropped: 'pkts-dropped',
  ppsDropped: 'pps-dropped'
} as const

type Refusal = ReturnType<typeof refused> | undefined

function checkAttributes(scope: MitigationScopeEntry): Refusal {
  for (const [field, name] of Object.entries(NOT_IN_REQUESTS))
    if (field in scope)
      return bad(
        'DOTS_SIGNAL_ATTRIBUTE_NOT_IN_REQUEST',
        `${name} has no place in a request (scope[0].${name})`
      )
  return undefined
}

const TARGET_LISTS = {
  targetPrefix: 'target-prefix',
  targetPortRange: 'target-port-range',
  targetProtocol: 'target-protocol',
  targetFqdn: 'target-fqdn',
  targetUri: 'target-uri',
  aliasName: 'alias-name'
} as const

/** RFC 9132 §4.4.1.1: an empty value makes the whole request invalid. */
function checkEmptyValues(scope: MitigationScopeEntry): Refusal {
  for (const field of [
    'targetPrefix',
    'targetPortRange',
    'targetProtocol',
    'targetFqdn',
    'targetUri',
    'aliasName'
  ] as const) {
    const values: readonly unknown[] | undefined = scope[field]
    if (values !== undefined && (values.length === 0 || values.includes('')))
      return bad(
        'DOTS_SIGNAL_VALUE_EMPTY',
        `${TARGET_LISTS[field]} is empty (scope[0].${TARGET_LISTS[field]})`
      )
  }
  return undefined
}

/** RFC 9132 §4.4.1.1: something must be named. */
function checkTargetKinds(scope: MitigationScopeEntry): Refusal {
  const { targetPrefix, targetFqdn, targetUri, aliasName } = scope
  if (targetPrefix ?? targetFqdn ?? targetUri ?? aliasName) return undefined
  return bad(
    'DOTS_SIGNAL_TARGET_MISSING',
    'none of target-prefix, target-fqdn, target-uri and alias-name is there (scope[0])'
  )
}

/** RFC 9132 §4.4.1.3: an alias that this client did not create is none. Nobody can create any as long as there is no data channel. */
function checkAliases({ aliasName: [alias] = [] }: MitigationScopeEntry): Refusal {
  if (alias === undefined) return undefined
  return bad(
    'DOTS_SIGNAL_ALIAS_UNKNOWN',
    `you have no alias ${JSON.stringify(alias.slice(0, 64))} (scope[0].alias-name)`
  )
}

const NO_TARGETS: readonly (readonly [string, readonly IpPrefix[]])[] = [
  ['loopback', LOOPBACK_PREFIXES],
  ['multicast', MULTICAST_PREFIXES],
  ['broadcast', BROADCAST_PREFIXES],
  ['unspecified', UNSPECIFIED_PREFIXES]
]

/**
 * @internal RFC 9132 §4.4.1.1: broadcast, loopback and multicast addresses are invalid; "unspecified" is a check of ours.
 * @param attribute Where they come from.
 */
export function checkAddresses(prefixes: readonly IpPrefix[], attribute: string): Refusal {
  for (const prefix of prefixes)
    for (const [name, addresses] of NO_TARGETS)
      if (overlapsAny(prefix, addresses))
        return bad(
          'DOTS_SIGNAL_TARGET_NOT_UNICAST',
          `${formatIpPrefix(prefix)} has ${name} addresses (scope[0].${attribute})`
        )
  return undefined
}

function bad(code: string, diagnostic: string): ReturnType<typeof refused> {
  return refused(code, Code.badRequest, diagnostic)
}
