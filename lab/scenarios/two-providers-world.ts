import type { ControlClient } from '@breakwater/control'

import type { PacingReport } from '../agents/audited-agent.ts'
import type { SeenRequest } from '../agents/transcript.ts'
import type { Backend } from '../scenario.ts'
import type { Flood } from '../traffic/flood.ts'
import type { LegitimateTraffic } from '../traffic/legitimate.ts'

export type Provider = 'isp1' | 'isp2'

/** What the story `two-providers` needs of a backend. */
export interface TwoProviderWorld {
  readonly backend: Backend
  /** The site's DOTS client. */
  readonly client: ControlClient
  /** Starts legitimate traffic to the home's address of a provider; undefined where there is no traffic. */
  startLegitimate(provider: Provider, seconds: number): Promise<LegitimateTraffic | undefined>
  /** Starts a flood to the home's address of a provider; undefined where there is no traffic. */
  startFlood(provider: Provider, seconds: number): Promise<Flood | undefined>
  /**
   * Waits until a rule for the home's address comes into force at a provider, not before `sinceMs`; resolves with the time,
   * as `performance.now()`. Read from the device itself where there is one.
   */
  ruleAdded(provider: Provider, sinceMs: number): Promise<number>
  /** Packets that the provider's rules dropped so far; undefined when unknown. */
  dropped(provider: Provider): Promise<bigint | undefined>
  /** Datagrams that a provider's ingress filter dropped for a foreign source; undefined where there is no filter. */
  foreignSourceDrops(provider: Provider): Promise<bigint | undefined>
  transcripts(): readonly SeenRequest[]
  /** What the auditors of all agents say of their traffic. */
  pacing(): PacingReport
  /** How a person talks to the agents of this world. */
  readonly commandsToTry: readonly string[]
  destroy(): Promise<void>
}
