import { formatIpPrefix, mergePrefixes, subtractPrefixes } from '@breakwater/core'
import type { ProtectionId } from '../domain/identifier.ts'
import type { Target } from '../domain/target.ts'
import { overlapGroups } from './overlap.ts'
import { OverlapIndex } from './overlap-index.ts'
import { coversScope, scopeKey, unionOfScopes } from './scope.ts'
import { divide } from './division.ts'

/**
 * RFC 9132 §4.4.1.3: of two requests of ours at one server that share a prefix, the one with the higher `mid` deletes
 * the other as a whole; ports do not count. So all that is wanted of one server is compiled into requests of which no
 * two overlap, and each standing request is followed by one that protects all of it that is still wanted: there is no
 * moment in which a target that a live protection needs is in no request.
 */

/** What one protection wants of one server. */
export interface Want {
  readonly protection: ProtectionId
  readonly target: Target
}

/** One mitigation request to be. It serves several protections where their prefixes overlap. */
export interface CompiledRequest {
  readonly target: Target
  readonly protections: readonly ProtectionId[]
}

/** A want, or a request that stands and so ties together the wants that it serves. */
type Tied =
  | { readonly kind: 'want'; readonly target: Target; readonly protection: ProtectionId }
  | { readonly kind: 'standing'; readonly target: Target }

/**
 * Compiles the wants of all live protections at one server. Every wanted address is in exactly one request, with ports
 * and protocols at least as wide as wanted. Wants that overlap share a request, whose ports and protocols are the union
 * of theirs: wider than each asked, because the protocol cannot tell overlapping prefixes apart by ports.
 * @param standing Targets of the requests that stand at the server.
 * @param pathMtu See `splitToFit`.
 */
export function compileRequests(
  wants: readonly Want[],
  standing: readonly Target[] = [],
  pathMtu?: number
): CompiledRequest[] {
  const tied: Tied[] = [
    ...wants.map((want): Tied => ({ kind: 'want', ...want })),
    ...standing.map((target): Tied => ({ kind: 'standing', target }))
  ]
  return overlapGroups(tied).flatMap((group) => compileGroup(group, pathMtu))
}

function compileGroup(group: readonly Tied[], pathMtu: number | undefined): CompiledRequest[] {
  const wants = group.filter((each) => each.kind === 'want')
  const standing = group.filter((each) => each.kind === 'standing').map(({ target }) => target)
  const prefixes = mergePrefixes(wants.flatMap((want) => want.target.prefixes))
  const scope = unionOfScopes(wants.map((want) => want.target))
  const index = new OverlapIndex(wants)
  return divide({ prefixes, ...scope }, standing, pathMtu).map((target) => {
    const served = index.overlapping(target)
    const protections = [...new Set(served.map((want) => want.protection))].sort()
    return { target, protections }
  })
}

/** Equal for targets that are the same request on the wire. */
export function targetKey(target: Target): string {
  return `${target.prefixes.map((prefix) => formatIpPrefix(prefix)).join(' ')} ${scopeKey(target)}`
}

/** Whether `requests` together protect all of `target`. */
export function coversTarget(requests: readonly Target[], target: Target): boolean {
  const useful = requests.filter((request) => coversScope(request, target))
  const covered = useful.flatMap((request) => request.prefixes)
  return target.prefixes.every((prefix) => subtractPrefixes(prefix, covered).length === 0)
}
