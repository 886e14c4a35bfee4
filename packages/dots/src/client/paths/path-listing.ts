import { between, inSeconds } from '@breakwater/core'
import type { Instant } from '@breakwater/core'
import type { DomainName, ServerName } from '../../domain/identifier.ts'
import { describeIllegal } from '../../multihoming/legal-path.ts'
import type { LegalPath } from '../../multihoming/legal-path.ts'
import type { Association } from '../association.ts'
import { isSamePath } from '../connection/outcome-memory.ts'
import { liveSessions } from '../connection/session-state.ts'
import { pathReport } from '../path-report.ts'
import type { PathReport } from '../path-report.ts'
import type { MtuSource } from './path-mtu.ts'
import type { PathPool } from './path-pool.ts'
import type { DirectionState, PathCondition } from './path-record.ts'
import { usedPath } from './used-path.ts'

/**
 * What a path is used for: `parallel` beside another one, because of doubts about one of the two. `stand-by`: by a second session
 * with a server, or by that with a server that stands by for another one.
 */
export type PathUse = 'session' | 'parallel' | 'stand-by' | 'unused'

/** One legal path, and what is known of it. */
export interface ListedPath {
  readonly server: ServerName
  readonly domain: DomainName
  readonly path: PathReport
  /** The router that it leads by, in words; undefined: nobody knows, or there is none. */
  readonly nextHop: string | undefined
  readonly use: PathUse
  readonly state: DirectionState
  /** `unknown` when nothing was learnt of it lately. */
  readonly outward: DirectionState
  readonly inward: DirectionState
  /** Undefined: nothing is the matter, or nothing is known. */
  readonly condition: PathCondition | undefined
  /** From -1, everything failed lately, to 1. */
  readonly score: number
  /** The part of the path that the score comes from; undefined: it is its own. */
  readonly inheritedFrom: string | undefined
  readonly because: string
  /** Bytes that it carries in one packet, IP and UDP headers included. */
  readonly mtuBytes: number
  readonly mtuSource: MtuSource
  readonly roundTripMilliseconds: number | undefined
  readonly roundTripVariationMilliseconds: number | undefined
  /** Time-outs in a row. */
  readonly timeouts: number
  readonly goodSecondsAgo: number | undefined
  readonly badSecondsAgo: number | undefined
}

/** What might be taken for a path and is none. */
export interface IllegalListing {
  readonly server: ServerName
  readonly domain: DomainName
  readonly because: string
}

/** All paths of the servers, and what would be one if it were legal. */
export interface PathListing {
  readonly paths: readonly ListedPath[]
  readonly illegal: readonly IllegalListing[]
}

/** Every path that the servers of a site may be reached by, in the order of preference, and what is none and why. */
export function listPaths(
  associations: readonly Association[],
  standsBy: (server: ServerName) => boolean,
  pool: PathPool,
  now: Instant
): PathListing {
  return {
    paths: associations.flatMap((association) => {
      const { name } = association.server
      const usual = standsBy(name) ? 'stand-by' : 'session'
      return association.paths.paths.map((path) => listed(association, path, usual, pool, now))
    }),
    illegal: associations.flatMap(({ server, paths }) =>
      paths.illegal.map((reason) => {
        return { server: server.name, domain: server.domain, because: describeIllegal(reason) }
      })
    )
  }
}

function listed(
  association: Association,
  path: LegalPath,
  usual: 'session' | 'stand-by',
  pool: PathPool,
  now: Instant
): ListedPath {
  const used = usedPath(path)
  const record = pool.record(used)
  const { state, score, inheritedFrom, because } = pool.standing(used, now)
  const isFresh = record?.isFresh(now) === true
  const mtu = pool.mtus.of(path, now)
  const { smoothed, variation } = record?.roundTrip ?? {}
  return {
    server: association.server.name,
    domain: association.server.domain,
    path: pathReport(path),
    nextHop: pool.nextHop(used),
    use: useOf(association, path, usual),
    state,
    outward: isFresh ? record.outward : 'unknown',
    inward: isFresh ? record.inward : 'unknown',
    condition: isFresh && record.condition !== 'clear' ? record.condition : undefined,
    score,
    inheritedFrom,
    because,
    mtuBytes: mtu.bytes,
    mtuSource: mtu.source,
    roundTripMilliseconds: smoothed,
    roundTripVariationMilliseconds: smoothed === undefined ? undefined : variation,
    timeouts: record?.timeouts ?? 0,
    goodSecondsAgo: ago(record?.lastGood, now),
    badSecondsAgo: ago(record?.lastBad, now)
  }
}

function useOf({ state, standingBy }: Association, path: LegalPath, usual: 'session' | 'stand-by'): PathUse {
  const isParallel = standingBy !== undefined && standingBy.mode !== 'warm'
  if (standingBy !== undefined && isSamePath(standingBy.session.path, path))
    return isParallel ? 'parallel' : 'stand-by'
  const live = liveSessions(state)
  if (live.some((session) => isSamePath(session.path, path))) return live.length > 1 ? 'parallel' : usual
  return 'unused'
}

function ago(moment: Instant | undefined, now: Instant): number | undefined {
  return moment === undefined ? undefined : inSeconds(between(moment, now))
}
