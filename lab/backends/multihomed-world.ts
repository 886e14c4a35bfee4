import type { Topology } from '../multihomed/topology.ts'
import type { MultihomedWorld, WorldOptions } from '../multihomed/world.ts'
import type { Backend } from '../scenario.ts'
import { openNetnsMultihomed } from './netns/multihomed-world.ts'
import { openSimulatedMultihomed } from './sim/multihomed-world.ts'

/** Builds a site on a backend and starts its agents. */
export function openMultihomedWorld(
  backend: Backend,
  topology: Topology,
  options: WorldOptions
): Promise<MultihomedWorld> {
  if (backend === 'loopback') throw new RangeError('a multihomed site needs links')
  return backend === 'sim'
    ? openSimulatedMultihomed(topology, options)
    : openNetnsMultihomed(topology, options)
}
