import type { Entropy } from '@breakwater/core'
import type { Cuid } from '../domain/identifier.ts'
import type { DotsServer } from '../domain/site.ts'
import type { LegalPaths } from '../multihoming/legal-path.ts'
import type { SessionParameters } from '../signal/defaults.ts'
import type { Coordination } from './requests/coordination.ts'
import type { Calendar } from './memory/calendar.ts'
import type { SessionLoads } from '../signal/session-loads.ts'
import type { RedirectionOptions } from './redirection/redirection.ts'
import type { WantedConfiguration } from './session/session-negotiation.ts'
import type { PathPool } from './paths/path-pool.ts'
import type { SessionRules } from './connection/session-keeper.ts'
import type { ConnectionId } from './connection/session-state.ts'

/** What an `Association` is made of. */
export interface AssociationOptions {
  readonly server: DotsServer
  readonly paths: LegalPaths
  readonly cuid: Cuid
  /** Of the servers that share what they are asked (RFC 9284 §5.4). Undefined: this one does with nobody. */
  readonly coordination?: Coordination | undefined
  readonly calendar: Calendar
  readonly entropy: Entropy
  readonly rules: SessionRules
  /** What sessions start with, and what holds for all that is not negotiated. */
  readonly parameters: SessionParameters
  /** Undefined: nothing is negotiated. */
  readonly configuration?: WantedConfiguration | undefined
  readonly redirection: RedirectionOptions
  readonly newConnection: () => ConnectionId
  /** What all sessions of this client learn of paths. */
  readonly pathPool: PathPool
  /** Is told what sessions that are over have lost. */
  readonly loads: SessionLoads
}
