import { between, inSeconds } from '@breakwater/core'
import type { Instant } from '@breakwater/core'
import type { LiveSession } from '../connection/session-state.ts'
import { pathWords } from '../path-report.ts'
import type { PathPool } from './path-pool.ts'
import type { PathRecord } from './path-record.ts'
import { usedPath } from './used-path.ts'

/** What was decided about the paths to a server, with what was known then: see `dots why`. */
export interface PathDecision {
  readonly decision: string
  readonly because: string
  /** The paths that it is about, in words. */
  readonly paths: readonly string[]
  readonly inputs: Readonly<Record<string, string>>
}

/** Puts a decision about the first session and the one that stands by into words. */
export function pathDecision(
  decision: string,
  because: string,
  [first, second]: readonly [LiveSession, LiveSession],
  pool: PathPool,
  now: Instant
): PathDecision {
  const sessions = [first, second]
  const inputs = sessions.map(({ path }) => [pathWords(path), knownOf(pool, path, now)] as const)
  return { decision, because, paths: inputs.map(([name]) => name), inputs: Object.fromEntries(inputs) }
}

/** What it met itself: what is inherited orders paths, and decides nothing here. */
function knownOf(pool: PathPool, path: LiveSession['path'], now: Instant): string {
  const used = usedPath(path)
  const record = pool.record(used)
  const known = record === undefined ? ['never used'] : facts(record, now)
  return [...(pool.isLinkDown(used) ? [`${used.via} has no carrier`] : []), ...known].join(', ')
}

function facts(
  { state, because, timeouts, unansweredSince, lastGood, lastBad }: PathRecord,
  now: Instant
): string[] {
  const ago = (moment: Instant): string => `${inSeconds(between(moment, now)).toFixed(1)} s`
  return [
    state,
    because,
    ...(unansweredSince === undefined ? [] : [`${timeouts} missing in ${ago(unansweredSince)}`]),
    ...(lastGood === undefined ? [] : [`good ${ago(lastGood)} ago`]),
    ...(lastBad === undefined ? [] : [`bad ${ago(lastBad)} ago`])
  ]
}
