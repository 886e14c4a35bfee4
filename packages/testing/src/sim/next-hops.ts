import { formatIpAddress, prefixContainsAddress } from '@breakwater/core'
import type { IpAddress, IpPrefix } from '@breakwater/core'
import type { NextHop, NextHopQuestion, NextHops } from '@breakwater/dots'

/** The next hops of a simulated host: whatever a test says, by source. */
export class SimulatedNextHops implements NextHops {
  readonly #onLink: readonly IpPrefix[]
  readonly #routes = new Map<string, NextHop>()

  /** @param onLink Where no router is needed. */
  constructor(onLink: readonly IpPrefix[] = []) {
    this.#onLink = onLink
  }

  /** What leaves from this source goes by this router from now on. */
  route(source: IpAddress, router: NextHop): void {
    this.#routes.set(formatIpAddress(source), router)
  }

  async of({ destination, source }: NextHopQuestion): Promise<NextHop | undefined> {
    // One turn later, as a real one.
    await Promise.resolve()
    if (this.#onLink.some((prefix) => prefixContainsAddress(prefix, destination))) return undefined
    return this.#routes.get(formatIpAddress(source))
  }
}
