import { later } from '@breakwater/core'
import type { Instant } from '@breakwater/core'
import type { Association } from '../association.ts'
import type { LiveSession } from '../connection/session-state.ts'
import type { PathPool } from '../paths/path-pool.ts'
import { usedPath } from '../paths/used-path.ts'

/** So many answers that are missing in a row make a server silent, if another one is there that answers. */
const MISSING_UNTIL_SILENT = 2

/**
 * How one of several servers that stand in for one another does.
 *
 * | | |
 * |---|---|
 * | `absent` | there is no session, and none will be for a while |
 * | `connecting` | there may be one at once |
 * | `silent` | answers are missing, by every session with it |
 * | `answering` | no answer is missing, or one that may still come |
 */
export type ServerHealth =
  | { readonly state: 'absent' | 'connecting' }
  /** `since`: when the first of what has no answer was sent; undefined: there is no carrier. */
  | { readonly state: 'silent'; readonly since: Instant | undefined; readonly because: string }
  | {
      readonly state: 'answering'
      /** Since when nothing was bad. */
      readonly goodSince: Instant
      readonly answeredAt: Instant
      /** An answer is missing: of what was sent then. */
      readonly waitsSince: Instant | undefined
    }

/** How a server does by the best of its sessions. */
export function healthOf(association: Association | undefined, pool: PathPool): ServerHealth {
  if (association === undefined) return { state: 'absent' }
  const found = association.live.map((session) => healthBy(session, pool))
  const best = found.find((each) => each.state === 'answering') ?? found[0]
  return best ?? { state: association.state.kind === 'connecting' ? 'connecting' : 'absent' }
}

function healthBy({ path, since }: LiveSession, pool: PathPool): ServerHealth {
  const used = usedPath(path)
  if (pool.isLinkDown(used))
    return { state: 'silent', since: undefined, because: `${used.via} has no carrier` }
  const record = pool.record(used)
  if (record === undefined)
    return { state: 'answering', goodSince: since, answeredAt: since, waitsSince: undefined }
  const { unansweredSince, timeouts, state, lastGood, lastBad } = record
  if (unansweredSince !== undefined && (timeouts >= MISSING_UNTIL_SILENT || state === 'down'))
    return { state: 'silent', since: unansweredSince, because: record.because }
  return {
    state: 'answering',
    goodSince: later(since, lastBad),
    answeredAt: later(since, lastGood),
    waitsSince: unansweredSince
  }
}
