import type { Instant } from '@breakwater/core'
import { leastMtu } from '../../multihoming/legal-path.ts'
import type { LegalPaths } from '../../multihoming/legal-path.ts'
import type { PathMtu } from '../requests/fit-to-path.ts'
import { leavingOf } from './next-hop.ts'
import type { KnownNextHops } from './next-hop.ts'
import { PathMtus } from './path-mtu.ts'
import { PathRecord } from './path-record.ts'
import type { DirectionState } from './path-record.ts'
import type { LinkEvidence, PathEvidence } from './path-evidence.ts'
import { PathScore } from './path-score.ts'
import { elementsOf } from './used-path.ts'
import type { UsedPath } from './used-path.ts'

/** Below this, a path that was not used lately is doubted because of a part of it: a failure counts for half a minute. */
const DOUBTED_BELOW = -0.25

/** So many paths are remembered at most: resolvers report paths that no site plan bounds. */
const MOST_RECORDS = 4096

interface ScoredElement {
  readonly name: string
  readonly score: number
}

/** How a path stands at a moment. */
export interface PathStanding {
  readonly state: DirectionState
  /** Its own where it was used lately, else the worst of its elements. */
  readonly score: number
  /** `via wan-a`, where that is what the score comes from; undefined: it is its own. */
  readonly inheritedFrom: string | undefined
  readonly because: string
}

/**
 * What everybody who uses paths has learnt of them, shared by all sessions of a client (CELP), each of which chooses for
 * itself (TLC-FM). Evidence about a path is evidence about its destination, its next hop and its source, too, so that a path
 * that nobody has tried is doubted when its next hop failed others. It puts paths in an order and filters nothing: which paths
 * there are, the site plan says, and nothing here can add one.
 */
export class PathPool {
  /** What the paths carry. */
  readonly mtus: PathMtus = new PathMtus()
  /** By which routers paths lead, as far as anybody knows: no more than a name for a part that paths share. */
  nextHops: KnownNextHops = new Map()
  readonly #records = new Map<string, PathRecord>()
  readonly #scores = new Map<string, PathScore>()
  readonly #linksDown = new Set<string>()

  /** What these ways carry, which may be others at another moment. */
  mtuOf(ways: () => LegalPaths): PathMtu {
    return {
      planned: () => leastMtu(ways()),
      said: (now) => this.mtus.least(ways().paths, now)
    }
  }

  /** @returns whether it counts. What does not is a reason to look: anybody may have said so. */
  take(evidence: PathEvidence, now: Instant): boolean {
    const { path, reporter, verdict, direction, tooBig } = evidence
    if (tooBig !== undefined) this.mtus.tooBig(tooBig.path, tooBig.saidBytes, now)
    if (!this.#recordOf(path.name, now).take(evidence, now)) return false
    // What a peer says of one direction is no failure of anything that others use.
    if (direction !== undefined) return true
    for (const name of [path.name, ...this.#elementsOf(path)])
      this.#scoreOf(name).vote(reporter, verdict === 'good', now)
    return true
  }

  /** A carrier is lost, or there again. That it is there says nothing of what lies behind it. */
  link({ interface: name, isUp }: LinkEvidence): void {
    if (isUp) this.#linksDown.delete(name)
    else this.#linksDown.add(name)
  }

  isLinkDown(path: UsedPath): boolean {
    return path.via !== undefined && this.#linksDown.has(path.via)
  }

  /** What was learnt of one path; undefined: nothing. */
  record(path: UsedPath): PathRecord | undefined {
    return this.#records.get(path.name)
  }

  standing(path: UsedPath, now: Instant): PathStanding {
    if (this.isLinkDown(path))
      return {
        state: 'down',
        score: -1,
        inheritedFrom: `via ${path.via}`,
        because: `${path.via} has no carrier`
      }
    const record = this.#records.get(path.name)
    const worst = this.#worstElement(path, now)
    if (record?.isFresh(now) === true && !this.#isOvertaken(record, worst)) {
      const { state, because } = record
      return { state, score: this.#score(path.name, now), inheritedFrom: undefined, because }
    }
    return inherited(worst, record)
  }

  /** The paths again, those that are doubted after those that are not. */
  order<Item>(items: readonly Item[], pathOf: (item: Item) => UsedPath, now: Instant): readonly Item[] {
    return items
      .map((item) => ({ item, doubt: this.doubt(pathOf(item), now) }))
      .toSorted((one, other) => one.doubt - other.doubt)
      .map(({ item }) => item)
  }

  /**
   * 0: none. To 3: so many parts of it failed lately. 4: it failed, and others do well by all its parts. 5: no carrier.
   * A failure is a failure of all parts as long as nobody does well by one of them: that UDP gets no answer says nothing for TCP
   * by the same path.
   */
  doubt(path: UsedPath, now: Instant): number {
    if (this.isLinkDown(path)) return 5
    const { state, inheritedFrom } = this.standing(path, now)
    if (state === 'up' || state === 'unknown') return 0
    const doubted = this.#elementsOf(path).filter((name) => this.#score(name, now) < DOUBTED_BELOW).length
    return inheritedFrom === undefined && doubted === 0 ? 4 : inheritedFrom === undefined ? 3 : doubted
  }

  /** The router that this path leads by, in words; undefined: nobody knows, or there is none. */
  nextHop(path: UsedPath): string | undefined {
    return this.nextHops.get(leavingOf(path))
  }

  #elementsOf(path: UsedPath): readonly string[] {
    return elementsOf(path, this.nextHop(path))
  }

  /** Others failed by a part of the path after it was last good itself. */
  #isOvertaken(record: PathRecord, worst: ScoredElement | undefined): boolean {
    if (record.state !== 'up' || record.lastGood === undefined || worst === undefined) return false
    return worst.score < DOUBTED_BELOW && this.#scoreOf(worst.name).failedAfter(record.lastGood)
  }

  #worstElement(path: UsedPath, now: Instant): ScoredElement | undefined {
    const elements = this.#elementsOf(path).map((name) => ({ name, score: this.#score(name, now) }))
    return elements.toSorted((one, other) => one.score - other.score)[0]
  }

  #score(name: string, now: Instant): number {
    return this.#scores.get(name)?.at(now) ?? 0
  }

  #scoreOf(name: string): PathScore {
    const known = this.#scores.get(name) ?? new PathScore()
    this.#scores.set(name, known)
    return known
  }

  #recordOf(name: string, now: Instant): PathRecord {
    const known = this.#records.get(name)
    if (known !== undefined) return known
    if (this.#records.size >= MOST_RECORDS) this.#forget(now)
    const record = new PathRecord()
    this.#records.set(name, record)
    return record
  }

  /** What is not fresh goes; where all is, what was learnt first. */
  #forget(now: Instant): void {
    for (const [name, record] of this.#records) if (!record.isFresh(now)) this.#drop(name)
    for (const name of this.#records.keys()) {
      if (this.#records.size < MOST_RECORDS) break
      this.#drop(name)
    }
    for (const [name, score] of this.#scores) if (Math.abs(score.at(now)) < 0.01) this.#scores.delete(name)
  }

  #drop(name: string): void {
    this.#records.delete(name)
    this.#scores.delete(name)
  }
}

/** An unknown path is as good as the worst of its parts. */
function inherited(worst: ScoredElement | undefined, record: PathRecord | undefined): PathStanding {
  const { name, score } = worst ?? { name: undefined, score: 0 }
  if (name === undefined || score >= DOUBTED_BELOW)
    return {
      state: 'unknown',
      score,
      inheritedFrom: score === 0 ? undefined : name,
      because: record === undefined ? 'never used' : 'not used lately'
    }
  return { state: 'suspect', score, inheritedFrom: name, because: `others failed ${name}` }
}
