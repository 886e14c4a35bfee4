import type { Instant } from '@breakwater/core'
import type { LegalPath } from '../../multihoming/legal-path.ts'
import type { Candidate } from '../connection/happy-eyeballs.ts'
import type { PathPool } from './path-pool.ts'
import { usedPath } from './used-path.ts'

/**
 * The candidates of a run in the light of what everybody learnt lately: doubted paths come last, and late as long as there is
 * a better one (RFC 9132 §4.3: lest subsequent attempts thrash the network). Among equals the order stays.
 */
export function orderCandidates(
  pool: PathPool,
  candidates: readonly Candidate<LegalPath>[],
  now: Instant
): readonly Candidate<LegalPath>[] {
  const doubts = new Map(candidates.map((each) => [each, pool.doubt(usedPath(each.path), now)]))
  const doubtOf = (candidate: Candidate<LegalPath>): number => doubts.get(candidate) ?? 0
  const least = Math.min(...doubts.values())
  return candidates
    .toSorted((one, other) => doubtOf(one) - doubtOf(other))
    .map((each) => ({ path: each.path, isHeldBack: each.isHeldBack || doubtOf(each) > least }))
}
