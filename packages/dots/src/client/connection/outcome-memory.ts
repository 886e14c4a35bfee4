import { Minutes, between, equalIpAddresses, formatIpAddress } from '@breakwater/core'
import type { Duration, WallTime } from '@breakwater/core'
import type { LegalPath } from '../../multihoming/legal-path.ts'
import type { AttemptOutcome } from './attempt-outcome.ts'
import { candidatesOf } from './candidate-order.ts'
import type { Candidate, CandidateOutcome } from './happy-eyeballs.ts'

/** RFC 9132 §4.3: "on the order of few minutes (e.g., 10 min)". */
export const DEFAULT_OUTCOME_AGE: Duration = Minutes(10)

/** What the last successful run with one server taught. Plain data: it may be stored and given back after a restart. */
export interface RememberedOutcomes {
  /** The local addresses and interfaces of that time: see `situationOf`. */
  readonly situation: string
  readonly outcomes: readonly RememberedOutcome[]
}

/** What the last attempt by one path came to. */
export interface RememberedOutcome {
  readonly at: WallTime
  /** See `pathKey`. */
  readonly path: string
  readonly outcome: AttemptOutcome
}

/** Names a path in what is remembered: `udp 2001:db8::1 wan-a > 2001:db8:ffff::1 4646`. */
export function pathKey(path: LegalPath): string {
  const { transport, source, remote } = path
  const [from, to] = [source, remote.address].map(formatIpAddress)
  return `${transport} ${from} ${path.interface ?? 'any'} > ${to} ${remote.port}`
}

/** Whether two paths lead the same way to the same host; of one path, each site has an object of its own. */
export function isSamePath(x: LegalPath, y: LegalPath): boolean {
  return (
    x === y ||
    (x.referenceName === y.referenceName &&
      x.transport === y.transport &&
      x.interface === y.interface &&
      x.remote.port === y.remote.port &&
      equalIpAddresses(x.remote.address, y.remote.address) &&
      equalIpAddresses(x.source, y.source))
  )
}

/** RFC 8305 §4: what was learnt in one network MUST NOT be used in another. Which one it is, its local addresses tell. */
export function situationOf(paths: readonly LegalPath[]): string {
  const local = paths.map(({ source, interface: via }) => `${formatIpAddress(source)} ${via ?? 'any'}`)
  return [...new Set(local)].toSorted().join(', ')
}

/** The outcomes of the attempts at one server, for as long as they tell something (RFC 9132 §4.3). */
export class OutcomeMemory {
  readonly #age: Duration
  #remembered: RememberedOutcomes | undefined

  constructor(age: Duration) {
    this.#age = age
  }

  /** What is known at `now` of the network that these paths lead through; undefined: nothing. */
  recall(paths: readonly LegalPath[], now: WallTime): RememberedOutcomes | undefined {
    const { situation, outcomes = [] } = this.#remembered ?? {}
    const fresh = outcomes.filter(({ at }) => this.#isFresh(between(at, now)))
    if (fresh.length === 0 || situation !== situationOf(paths)) this.#remembered = undefined
    else if (fresh.length < outcomes.length) this.#remembered = { situation, outcomes: fresh }
    return this.#remembered
  }

  /** Not before its own time either: the calendar was set back, and nobody knows how old it is. */
  #isFresh(age: Duration): boolean {
    return age >= 0 && age <= this.#age
  }

  /** What a run over `paths` is to try, and in which order. */
  candidates(paths: readonly LegalPath[], now: WallTime): readonly Candidate<LegalPath>[] {
    const known = new Map(this.recall(paths, now)?.outcomes.map(({ path, outcome }) => [path, outcome]))
    return candidatesOf(paths, (path) => known.get(pathKey(path)))
  }

  /** A run came to an end that says something; of paths that took no part in it, what was known before is kept. */
  learn(
    paths: readonly LegalPath[],
    outcomes: readonly CandidateOutcome<LegalPath>[],
    now: WallTime
  ): RememberedOutcomes {
    const before = this.recall(paths, now)?.outcomes ?? []
    const fresh = outcomes.map(({ path, outcome }) => ({ at: now, path: pathKey(path), outcome }))
    const isWon = fresh.some(({ outcome }) => outcome.kind === 'won')
    const kept = before
      .filter(({ path }) => fresh.every((each) => each.path !== path))
      .filter(({ outcome }) => !isWon || outcome.kind !== 'won')
    this.#remembered = { situation: situationOf(paths), outcomes: [...fresh, ...kept] }
    return this.#remembered
  }

  /** Nothing works any more: what worked then tells nothing now. */
  forget(): void {
    this.#remembered = undefined
  }

  restore(remembered: RememberedOutcomes): void {
    this.#remembered = remembered
  }
}
