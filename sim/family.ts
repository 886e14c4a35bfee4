import type { Canary } from './canary.ts'
import type { Layout } from './layout.ts'
import type { Course } from './scenario.ts'

/** A kind of worlds: how a seed becomes a scenario, and a scenario a layout. All run on the same machinery. */
export interface Family<Scenario extends Course> {
  readonly name: FamilyName
  readonly randomScenario: (seed: number) => Scenario
  readonly layoutOf: (scenario: Scenario) => Layout
  /** Planted bugs that it must show. */
  readonly canaries: readonly Canary<Scenario>[]
}

export const FAMILIES = ['providers', 'multihomed'] as const

export type FamilyName = (typeof FAMILIES)[number]
