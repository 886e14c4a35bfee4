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
import type { Target } from '../domain/target.ts'
import { parseLifetime } from './lifetime.ts'
import type { Lifetime } from './lifetime.ts'
import { parseTarget } from './mapper.ts'
import { accepted, refused } from './problem.ts'
import type { Checked } from './problem.ts'

/** A mitigation request that is right in itself; who asks, and what else is asked for, is not looked at. */
export interface MitigationRequest {
  readonly target: Target
  readonly lifetime: Lifetime
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
  return target.ok ? accepted({ target: target.value, lifetime: lifetime.value }) : target
}

/** @internal What is there that must not be, and what is not there that must. */
export function checkForm(scope: MitigationScopeEntry): Refusal {
  return checkAttributes(scope) ?? checkEmptyValues(scope) ?? checkTargetKinds(scope) ?? checkOffered(scope)
}

/** @internal The target of a scope that is right in its form. */
export function checkTarget(scope: MitigationScopeEntry): Checked<Target> {
  const target = parseTarget(scope)
  return target.ok ? (checkAddresses(target.value.prefixes) ?? target) : target
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

/** What the RFC allows and this server does not do: refused by name, so that nobody waits for it. */
function checkOffered(scope: MitigationScopeEntry): Refusal {
  for (const field of ['targetFqdn', 'targetUri', 'aliasName'] as const)
    if (scope[field] !== undefined) return notOffered(TARGET_LISTS[field])
  // Taking it would mean to act too early or never.
  return scope.triggerMitigation === false ? notOffered('trigger-mitigation', ' false') : undefined
}

function notOffered(name: string, value = ''): Refusal {
  return bad('DOTS_SIGNAL_NOT_OFFERED', `${name}${value} is not offered by this server (scope[0].${name})`)
}

const NO_TARGETS: readonly (readonly [string, readonly IpPrefix[]])[] = [
  ['loopback', LOOPBACK_PREFIXES],
  ['multicast', MULTICAST_PREFIXES],
  ['broadcast', BROADCAST_PREFIXES],
  ['unspecified', UNSPECIFIED_PREFIXES]
]

/** RFC 9132 §4.4.1.1: broadcast, loopback and multicast addresses are invalid; "unspecified" is a check of ours. */
function checkAddresses(prefixes: readonly IpPrefix[]): Refusal {
  for (const [index, prefix] of prefixes.entries())
    for (const [name, addresses] of NO_TARGETS)
      if (overlapsAny(prefix, addresses))
        return bad(
          'DOTS_SIGNAL_TARGET_NOT_UNICAST',
          `${formatIpPrefix(prefix)} has ${name} addresses (scope[0].target-prefix[${index}])`
        )
  return undefined
}

function bad(code: string, diagnostic: string): ReturnType<typeof refused> {
  return refused(code, Code.badRequest, diagnostic)
}
