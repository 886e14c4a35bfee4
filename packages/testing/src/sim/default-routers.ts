import { UnavailableError, equalIpAddresses } from '@breakwater/core'
import type { DefaultRouter, DefaultRouters } from '@breakwater/dots'

/** The default routers of a simulated host: whatever a test says. */
export class SimulatedDefaultRouters implements DefaultRouters {
  /** While set, the system does not tell. */
  isBroken = false
  #known: readonly (readonly [router: DefaultRouter, metric: number])[] = []
  #reads = 0

  /** How often somebody looked. */
  get reads(): number {
    return this.#reads
  }

  add(router: DefaultRouter, metric = 0): void {
    this.remove(router)
    this.#known = [...this.#known, [router, metric]]
  }

  remove(router: DefaultRouter): void {
    this.#known = this.#known.filter(([other]) => !isSame(other, router))
  }

  async read(): Promise<readonly DefaultRouter[]> {
    this.#reads++
    // One turn later, as a real one.
    await Promise.resolve()
    if (this.isBroken) throw new UnavailableError('TESTING_ROUTES_UNREADABLE', 'no routes today', true)
    return this.#known.toSorted(([, x], [, y]) => x - y).map(([router]) => router)
  }
}

function isSame(x: DefaultRouter, y: DefaultRouter): boolean {
  return x.interface === y.interface && equalIpAddresses(x.address, y.address)
}
