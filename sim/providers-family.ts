import { CANARIES } from './canary.ts'
import type { Family } from './family.ts'
import { layoutOf } from './providers-layout.ts'
import { randomScenario } from './random-scenario.ts'
import type { Scenario } from './scenario.ts'

/** One to three sites at two to four providers that are alike: what goes wrong is what counts. */
export const PROVIDERS: Family<Scenario> = {
  name: 'providers',
  randomScenario,
  layoutOf,
  canaries: CANARIES
}
