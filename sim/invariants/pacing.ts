import { PacingAuditor } from '@breakwater/testing'
import type { PacingViolation } from '@breakwater/testing'
import { possibleParameters } from '../world/session-parameters.ts'
import type { MakeInvariant } from './invariant.ts'

/**
 * The pacing rules of RFC 9132 §4.4 and the probing rate are kept between each two agents over UDP, whatever happens to
 * them.
 */
export const pacing: MakeInvariant = ({ customers, scenario }) => {
  let found: PacingViolation | undefined
  const auditor = new PacingAuditor({
    probingRate: Math.max(...possibleParameters(scenario).map((each) => each.probingRateBytesPerSecond)),
    report: (violation) => (found ??= violation)
  })
  /** In which life of its client each session began. */
  const lives = new Map<string, number>()
  return {
    name: 'pacing',
    traffic({ site, provider, when, direction, entry, session, bytes, audited }, report) {
      if (entry.transport === 'tcp') return
      // Another life of the client knows nothing of what the one before it measured, and leaves its sessions behind.
      const life = lives.get(session) ?? customers[site]?.life ?? 0
      lives.set(session, life)
      const pair = `${site} ${provider} ${life}`
      auditor.take({ at: entry.at, when, direction, pair, session, bytes, message: audited })
      if (found !== undefined) report(`site ${site} and provider ${provider}: ${found.text}`)
      found = undefined
    }
  }
}
