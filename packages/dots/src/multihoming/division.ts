import { commonPrefixes, mergePrefixes, otherPrefixes, prefixesOverlap } from '@breakwater/core'
import type { IpPrefix } from '@breakwater/core'
import type { Target } from '../domain/target.ts'
import { overlapGroups } from './overlap.ts'
import { splitToFit } from './split-to-fit.ts'

/**
 * Divides what is wanted so that each part fits one datagram.
 *
 * RFC 9132 §4.4.1.3: a part that shares an address with a standing request deletes all of it. So where there are several
 * parts, each standing request has one heir, with all of it that is still wanted; what stands nowhere is asked for apart.
 * Were parts to cross its borders, the first of them would take away what only the second brings back.
 */
export function divide(whole: Target, standing: readonly Target[], pathMtu?: number): Target[] {
  const parts = splitToFit(whole, pathMtu)
  if (parts.length <= 1 || standing.length === 0) return parts
  // While one takes the place of another, the server has the one or the other: they have a common heir.
  const heaps = overlapGroups(standing.map((target) => ({ target })))
  const heirs = heaps.flatMap((heap) =>
    heirsOf(
      heap.map(({ target }) => target),
      whole,
      pathMtu
    )
  )
  const taken = mergePrefixes(heirs.flatMap((heir) => heir.prefixes))
  return [...heirs, ...splitToFit({ ...whole, prefixes: otherPrefixes(whole.prefixes, taken) }, pathMtu)]
}

/** One, wherever one can hold what is still wanted of the standing requests. */
function heirsOf(standing: readonly Target[], whole: Target, pathMtu: number | undefined): readonly Target[] {
  const prefixes = mergePrefixes(standing.flatMap((target) => target.prefixes))
  const kept = commonPrefixes(whole.prefixes, prefixes)
  const narrow = splitToFit({ ...whole, prefixes: kept }, pathMtu)
  if (narrow.length <= 1) return narrow
  const anyPort = splitToFit({ prefixes: kept, ports: [], protocols: [] }, pathMtu)
  if (anyPort.length <= 1) return anyPort
  // More of it is protected than is wanted, but no more than was.
  const wide = splitToFit({ prefixes: stillUseful(prefixes, kept), ports: [], protocols: [] }, pathMtu)
  return wide.length <= 1 ? wide : narrow
}

function stillUseful(prefixes: readonly IpPrefix[], wanted: readonly IpPrefix[]): IpPrefix[] {
  return prefixes.filter((prefix) => wanted.some((other) => prefixesOverlap(prefix, other)))
}
