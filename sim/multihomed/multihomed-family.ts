import type { Family } from '../family.ts'
import { MULTIHOMED_CANARIES } from './multihomed-canaries.ts'
import { multihomedLayout } from './multihomed-layout.ts'
import type { MultihomedScenario } from './multihomed-scenario.ts'
import { randomMultihomedScenario } from './random-multihomed-scenario.ts'

/** One network with everything that RFC 9284 speaks of: whom a target is for is what counts. */
export const MULTIHOMED: Family<MultihomedScenario> = {
  name: 'multihomed',
  randomScenario: randomMultihomedScenario,
  layoutOf: multihomedLayout,
  canaries: MULTIHOMED_CANARIES
}
