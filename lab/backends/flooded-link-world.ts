import type { Backend } from '../scenario.ts'
import type { FloodedLinkWorld } from '../scenarios/flooded-link-world.ts'

/** Builds the world of `flooded-link` on a backend; the other backend's code is not even loaded. */
export async function openFloodedLink(backend: Backend, seed: number): Promise<FloodedLinkWorld> {
  if (backend !== 'sim') throw new Error(`flooded-link does not run on ${backend}`)
  const { SimulatedFloodedLink } = await import('./sim/flooded-link-world.ts')
  return new SimulatedFloodedLink(seed)
}
