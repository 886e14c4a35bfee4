import type { Backend } from '../scenario.ts'
import type { Phases } from '../scenarios/phases.ts'
import type { TwoProviderWorld } from '../scenarios/two-providers-world.ts'

/** Builds the world of `two-providers` on a backend; the other backend's code is not even loaded. */
export async function openWorld(backend: Backend, phases: Phases): Promise<TwoProviderWorld> {
  switch (backend) {
    case 'netns':
      return (await import('./netns/two-provider-world.ts')).openNetnsWorld(phases)
    case 'loopback':
      return (await import('./loopback/two-provider-world.ts')).openLoopbackWorld(phases)
    case 'sim':
      throw new Error('two-providers does not run on sim')
  }
}
