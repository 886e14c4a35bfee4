import { ConfigError, Seconds, after } from '@breakwater/core'
import type { ConfigProblem, Instant } from '@breakwater/core'

/** How often a session over TCP looks whether UDP works by now. */
export interface MigrationRule {
  /** RFC 9132 §4.3: SHOULD NOT be below 24 hours, MUST NOT be below 5 minutes. Default 24 hours. */
  readonly udpProbeSeconds: number
}

/** RFC 9132 §4.3. */
export const DEFAULT_MIGRATION: MigrationRule = { udpProbeSeconds: 24 * 3600 }

/** RFC 9132 §4.3, MUST NOT. */
export const LEAST_UDP_PROBE_SECONDS = 300

/** A rule with the defaults for what is missing; throws a ConfigError when it probes more often than the RFC allows. */
export function migrationRule(given: Partial<MigrationRule> = {}): MigrationRule {
  const rule = { ...DEFAULT_MIGRATION, ...given }
  const problems: ConfigProblem[] = []
  if (!(rule.udpProbeSeconds >= LEAST_UDP_PROBE_SECONDS))
    problems.push({
      path: 'udpProbeSeconds',
      message: `${rule.udpProbeSeconds} is below ${LEAST_UDP_PROBE_SECONDS} (RFC 9132 §4.3)`
    })
  if (problems.length > 0)
    throw new ConfigError('DOTS_CLIENT_MIGRATION_INVALID', 'the migration rule is unusable', problems)
  return rule
}

/** When a session over TCP may look for UDP again: counts from the last time that anything was tried over UDP. */
export class Migration {
  readonly #rule: MigrationRule
  #triedAt: Instant | undefined

  constructor(rule: MigrationRule) {
    this.#rule = rule
  }

  /** An attempt over UDP starts, whatever for. */
  tried(now: Instant): void {
    this.#triedAt = now
  }

  /** When the next probe may start, of a session that has been established over TCP at `since`. */
  nextAt(since: Instant): Instant {
    return after(this.#triedAt ?? since, Seconds(this.#rule.udpProbeSeconds))
  }
}
