import { formatIpAddress } from '@breakwater/core'
import type { LegalPath } from '../multihoming/legal-path.ts'
import { describeOutcome } from './attempt-outcome.ts'
import type { CandidateOutcome } from './happy-eyeballs.ts'

/** `udp 192.0.2.1` */
export function pathName({ transport, remote }: LegalPath): string {
  return `${transport} ${formatIpAddress(remote.address)}`
}

/** Why a run came to nothing, path by path. */
export function describeRun(outcomes: readonly CandidateOutcome<LegalPath>[]): string {
  return outcomes.map(({ path, outcome }) => `${pathName(path)} ${describeOutcome(outcome)}`).join('; ')
}
