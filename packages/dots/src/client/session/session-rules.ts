import { Seconds } from '@breakwater/core'
import { attemptRule } from '../connection/happy-eyeballs.ts'
import type { AttemptRule } from '../connection/happy-eyeballs.ts'
import { migrationRule } from '../connection/migration.ts'
import type { MigrationRule } from '../connection/migration.ts'
import { DEFAULT_OUTCOME_AGE } from '../connection/outcome-memory.ts'
import { reconnectionRule } from '../connection/reconnection.ts'
import type { ReconnectionRule } from '../connection/reconnection.ts'
import type { WarmStandby } from '../paths/path-distance.ts'
import type { SessionRules } from '../connection/session-keeper.ts'

export const DEFAULT_WARM_STANDBY: WarmStandby = 'off'

/** What may be said about when sessions are tried; the rest is as the RFCs recommend. */
export interface SessionRuleOptions {
  readonly reconnection?: Partial<ReconnectionRule>
  readonly happyEyeballs?: Partial<HappyEyeballsRule>
  /** Whether a second session is kept with each server, and by which paths. Default: `off`. */
  readonly warmStandby?: WarmStandby
}

/** Everything about Happy Eyeballs that can be configured. */
export interface HappyEyeballsRule extends AttemptRule, MigrationRule {
  /** For how long the outcomes of a run guide the next one (RFC 9132 §4.3). Default 600. */
  readonly outcomeAgeSeconds: number
}

/** All rules; throws a ConfigError when one asks for more than its RFC allows. */
export function sessionRules({
  reconnection,
  happyEyeballs = {},
  warmStandby = DEFAULT_WARM_STANDBY
}: SessionRuleOptions): SessionRules {
  const { outcomeAgeSeconds } = happyEyeballs
  return {
    reconnection: reconnectionRule(reconnection),
    warmStandby,
    attempts: attemptRule(happyEyeballs),
    migration: migrationRule(happyEyeballs),
    outcomeAge: outcomeAgeSeconds === undefined ? DEFAULT_OUTCOME_AGE : Seconds(outcomeAgeSeconds)
  }
}
