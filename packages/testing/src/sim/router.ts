import { InternalError, formatIpAddress } from '@breakwater/core'
import type { IpAddress } from '@breakwater/core'
import type { SimulatedInterface } from './interface.ts'
import type { InterfaceOptions } from './network.ts'

/**
 * By which uplink a router sends a packet on: the one to whose provider its source belongs (RFC 8043), or always the first
 * one, as with a plain default route.
 */
export type RouterRouting = 'by-source' | 'first-uplink'

export interface RouterOptions {
  /** Links to providers. What a provider routes to the site, its uplink has in `routedPrefixes`. */
  readonly uplinks: readonly InterfaceOptions[]
  /** Default `by-source`. */
  readonly routing?: RouterRouting
}

/**
 * A router between hosts of a site and its providers (the CPE of RFC 9284 §5.2, Figures 4, 7 and 8). It forwards and does
 * nothing else: that a packet leaves by a link whose provider filters it is the fault of who chose the source. Made by
 * `SimulatedNetwork.addRouter`.
 */
export class SimulatedRouter {
  readonly name: string
  readonly uplinks: readonly SimulatedInterface[]
  /** May change while packets are under way. */
  routing: RouterRouting
  readonly #first: SimulatedInterface

  constructor(name: string, uplinks: readonly SimulatedInterface[], routing: RouterRouting) {
    const [first] = uplinks
    if (first === undefined) throw new InternalError('TESTING_ROUTER_UPLINKS', `router ${name} has no uplink`)
    this.name = name
    this.uplinks = uplinks
    this.routing = routing
    this.#first = first
  }

  /** The uplink of that name. */
  uplink(name: string): SimulatedInterface {
    const found = this.uplinks.find((one) => one.name === name)
    if (found === undefined)
      throw new InternalError('TESTING_ROUTER_UPLINKS', `${this.name} has no uplink ${name}`)
    return found
  }

  /** By which uplink a packet from this source leaves. */
  exitFor(source: IpAddress): SimulatedInterface {
    if (this.routing === 'first-uplink') return this.#first
    return this.uplinks.find((one) => one.mayUse(source)) ?? this.#first
  }

  /** By which uplink a packet to this address of a host behind it comes. */
  entryFor(destination: IpAddress): SimulatedInterface {
    const found = this.uplinks.find((one) => one.mayUse(destination))
    if (found !== undefined) return found
    throw new InternalError(
      'TESTING_ROUTER_UPLINKS',
      `no uplink of ${this.name} leads to ${formatIpAddress(destination)}`
    )
  }
}
