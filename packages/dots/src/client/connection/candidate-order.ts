import type { LegalPath } from '../../multihoming/legal-path.ts'
import type { AttemptOutcome } from './attempt-outcome.ts'
import type { Candidate } from './happy-eyeballs.ts'

/**
 * The turn in which the paths to a server are tried: UDP before TCP, and IPv6 before IPv4 (RFC 9132 §4.3); where there are
 * several of a kind, the families take turns (RFC 8305 §4), so that a broken family of many addresses delays nobody.
 * @param paths As `legalPaths` orders them.
 */
export function inTurn(paths: readonly LegalPath[]): readonly LegalPath[] {
  return (['udp', 'tcp'] as const).flatMap((transport) => {
    const ofFamily = (family: 4 | 6): readonly LegalPath[] =>
      paths.filter((path) => path.transport === transport && path.remote.address.family === family)
    return interleave(ofFamily(6), ofFamily(4))
  })
}

function interleave(first: readonly LegalPath[], second: readonly LegalPath[]): readonly LegalPath[] {
  return Array.from({ length: Math.max(first.length, second.length) }, (_, index) => [
    ...first.slice(index, index + 1),
    ...second.slice(index, index + 1)
  ]).flat()
}

/**
 * The candidates of a run, in the light of what the last one taught (RFC 9132 §4.3): the one that won comes first, those
 * that did badly come last and late, and the others keep their turn.
 * @param outcomeOf What came of a path last time, where that is known.
 */
export function candidatesOf(
  paths: readonly LegalPath[],
  outcomeOf: (path: LegalPath) => AttemptOutcome | undefined
): readonly Candidate<LegalPath>[] {
  const known = inTurn(paths).map((path) => ({ path, outcome: outcomeOf(path) }))
  const winner = known.find(({ outcome }) => outcome?.kind === 'won')
  const took = winner?.outcome?.kind === 'won' ? winner.outcome.took : Infinity
  const isBad = (outcome: AttemptOutcome | undefined): boolean => didBadly(outcome, took)
  const others = known.filter((each) => each !== winner)
  return [
    ...(winner === undefined ? [] : [{ path: winner.path, isHeldBack: false }]),
    ...others.filter(({ outcome }) => !isBad(outcome)).map(({ path }) => ({ path, isHeldBack: false })),
    ...others.filter(({ outcome }) => isBad(outcome)).map(({ path }) => ({ path, isHeldBack: true }))
  ]
}

/** What had longer than the winner needed did badly. What sent nothing burdened no network, and may try again. */
function didBadly(outcome: AttemptOutcome | undefined, winnerTook: number): boolean {
  switch (outcome?.kind) {
    case 'failed':
      return outcome.reason !== 'local'
    case 'outrun':
      return outcome.waited > winnerTook
    case 'won':
    case 'untried':
    case undefined:
      return false
  }
}
