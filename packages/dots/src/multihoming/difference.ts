import type { MitigationId } from '../domain/identifier.ts'
import type { Target } from '../domain/target.ts'
import { targetKey } from './compiler.ts'
import type { CompiledRequest } from './compiler.ts'
import { OverlapIndex } from './overlap-index.ts'

/** A request that stands at a server, or was asked of it. */
export interface CurrentRequest {
  readonly mitigationId: MitigationId
  readonly target: Target
}

/** What turns the requests that stand into those that are wanted. */
export interface Difference {
  /** Same target as before: nothing to send; the protections that it serves may be others. */
  readonly kept: readonly { readonly mitigationId: MitigationId; readonly request: CompiledRequest }[]
  /** To be asked under new mitigation ids, before anything is withdrawn. */
  readonly added: readonly CompiledRequest[]
  /** No longer wanted. */
  readonly retired: readonly RetiredRequest[]
}

/** A request that stands and is no longer wanted. */
export interface RetiredRequest {
  readonly mitigationId: MitigationId
  /**
   * Those of the wanted requests that share addresses with it. RFC 9132 §4.4.1.3: when the server accepts one that is
   * newer, it deletes this request by itself. Until then it must stay: it protects what they are to protect.
   */
  readonly replacedBy: readonly CompiledRequest[]
}

/** Compares what stands with what is wanted. What is wanted is free of overlaps. */
export function difference(
  current: readonly CurrentRequest[],
  wanted: readonly CompiledRequest[]
): Difference {
  const standing = new Map(current.map((request) => [targetKey(request.target), request]))
  const kept: { mitigationId: MitigationId; request: CompiledRequest }[] = []
  const added: CompiledRequest[] = []
  for (const request of wanted) {
    const key = targetKey(request.target)
    const same = standing.get(key)
    standing.delete(key)
    if (same === undefined) added.push(request)
    else kept.push({ mitigationId: same.mitigationId, request })
  }
  const index = new OverlapIndex(wanted)
  const retired = [...standing.values()].map(({ mitigationId, target }) => {
    return { mitigationId, replacedBy: index.overlapping(target) }
  })
  return { kept, added, retired }
}
