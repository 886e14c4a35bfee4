import type { Instant } from '@breakwater/core'
import type { Target } from '../../domain/target.ts'
import { targetKey } from '../../multihoming/compiler.ts'
import type { CompiledRequest, Want } from '../../multihoming/compiler.ts'
import { divide } from '../../multihoming/division.ts'
import { OverlapIndex } from '../../multihoming/overlap-index.ts'

/**
 * What every path carries in one packet, in bytes (RFC 9132 §7.3), to the server that is asked, which may be one that stands in
 * (§4.6): for what is wanted from now on.
 */
export interface PathMtu {
  /** As the site plan has it. */
  planned(): number
  /** As others say at a moment, which nobody has proved: no more than planned, and for what is not in force yet. */
  said(now: Instant): number
}

/** What a compiled request is measured by. */
export interface Fit {
  readonly wants: readonly Want[]
  /** Requests in force: they have gone over the path already, and nobody's unproved word changes them. */
  readonly inForce: readonly Target[]
  /** What the server may know of. */
  readonly known: readonly Target[]
  /** What the paths are said to carry, in bytes: less than what the requests were compiled for. */
  readonly carriedBytes: number
}

/** Divides what is not in force yet, so that it fits what a path is said to carry (RFC 9132 §7.3). */
export function fitToPath(
  requests: readonly CompiledRequest[],
  { wants, inForce, known, carriedBytes }: Fit
): readonly CompiledRequest[] {
  const staying = new Set(inForce.map(targetKey))
  const wanting = new OverlapIndex(wants)
  const standing = new OverlapIndex(known.map((target) => ({ target })))
  return requests.flatMap((request) => {
    if (staying.has(targetKey(request.target))) return [request]
    const overlapping = standing.overlapping(request.target).map(({ target }) => target)
    return divide(request.target, overlapping, carriedBytes).map((target) => {
      const served = new Set(wanting.overlapping(target).map(({ protection }) => protection))
      return { target, protections: request.protections.filter((protection) => served.has(protection)) }
    })
  })
}
