import { between, formatIpAddress, inSeconds } from '@breakwater/core'
import type { Instant, WallTime } from '@breakwater/core'
import type { LegalPath } from '../../multihoming/legal-path.ts'
import { describeOutcome } from './attempt-outcome.ts'
import type { CandidateOutcome, HappyEyeballs } from './happy-eyeballs.ts'
import { pathKey } from './outcome-memory.ts'
import type { RememberedOutcomes } from './outcome-memory.ts'
import type { Race } from './session-state.ts'

/** `udp 192.0.2.1` */
export function pathName({ transport, remote }: LegalPath): string {
  return `${transport} ${formatIpAddress(remote.address)}`
}

/** Why a run came to nothing, path by path. */
export function describeRun(outcomes: readonly CandidateOutcome<LegalPath>[]): string {
  return outcomes.map(({ path, outcome }) => `${pathName(path)} ${describeOutcome(outcome)}`).join('; ')
}

/** How one way to a server fares, for people. */
export interface CandidateReport {
  /** See `pathKey`. */
  readonly path: string
  /** `under way for 320 ms`, `failed: timeout, 3 min ago`. */
  readonly text: string
}

/** The run under way, path by path in its order; without one, what the last one left behind. */
export function reportCandidates(
  race: Race | undefined,
  remembered: RememberedOutcomes | undefined,
  now: { readonly monotonic: Instant; readonly wallClock: WallTime }
): readonly CandidateReport[] {
  if (race !== undefined) return reportRace(race.run, now.monotonic)
  if (remembered === undefined) return []
  return remembered.outcomes.map(({ at, path, outcome }) => {
    const age = Math.max(0, Math.round(inSeconds(between(at, now.wallClock))))
    return { path, text: `${describeOutcome(outcome)}, ${age} s ago` }
  })
}

function reportRace(run: HappyEyeballs<LegalPath>, now: Instant): readonly CandidateReport[] {
  return [
    ...run.outcomes.map(({ path, outcome }) => ({ path: pathKey(path), text: describeOutcome(outcome) })),
    ...run.running.map(({ path, since }) => {
      return { path: pathKey(path), text: `under way for ${Math.round(between(since, now))} ms` }
    }),
    ...run.waiting.map(({ path, isHeldBack }) => {
      const text = isHeldBack ? 'held back: it did badly a short while ago' : 'waits for its turn'
      return { path: pathKey(path), text }
    })
  ]
}
