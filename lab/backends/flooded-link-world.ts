import type { Backend } from '../scenario.ts'
import type { FloodedLinkWorld } from '../scenarios/flooded-link-world.ts'

/** Builds the world of `flooded-link` on a backend; the other backend's code is not even loaded. */
export async function openFloodedLink(
  backend: Backend,
  { seed, print }: { readonly seed: number; readonly print: (line: string) => void }
): Promise<FloodedLinkWorld> {
  switch (backend) {
    case 'netns': {
      const { NetnsFloodedLink } = await import('./netns/flooded-link-world.ts')
      return new NetnsFloodedLink(print)
    }
    case 'sim': {
      const { SimulatedFloodedLink } = await import('./sim/flooded-link-world.ts')
      return new SimulatedFloodedLink(seed)
    }
    case 'loopback':
      throw new Error('flooded-link does not run on loopback')
  }
}
