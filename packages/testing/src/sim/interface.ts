import { equalIpAddresses, prefixContainsAddress } from '@breakwater/core'
import type { IpAddress, IpFamily, IpPrefix } from '@breakwater/core'
import type { Link } from './link.ts'
import type { SimulatedRouter } from './router.ts'

/** One interface of a simulated host. */
export class SimulatedInterface {
  readonly name: string
  readonly link: Link
  /** What leads on from this link; undefined: it is the network's own. */
  readonly router: SimulatedRouter | undefined
  #addresses: readonly IpAddress[]
  #routedPrefixes: readonly IpPrefix[]

  constructor(
    name: string,
    link: Link,
    addresses: readonly IpAddress[],
    routedPrefixes: readonly IpPrefix[],
    router?: SimulatedRouter
  ) {
    this.name = name
    this.link = link
    this.#addresses = addresses
    this.#routedPrefixes = routedPrefixes
    this.router = router
  }

  get addresses(): readonly IpAddress[] {
    return this.#addresses
  }

  /** Provider-independent prefixes that the network accepts from this link and brings to it. */
  get routedPrefixes(): readonly IpPrefix[] {
    return this.#routedPrefixes
  }

  /** Changes what the network accepts from this link and brings to it. */
  route(prefixes: readonly IpPrefix[]): void {
    this.#routedPrefixes = prefixes
  }

  /** Renumbers the interface. Sockets that are bound to an address that is gone hear nothing any more. */
  renumber(addresses: readonly IpAddress[]): void {
    this.#addresses = addresses
  }

  has(address: IpAddress): boolean {
    return this.#addresses.some((own) => equalIpAddresses(own, address))
  }

  /** The first address of a family. */
  addressOf(family: IpFamily): IpAddress | undefined {
    return this.#addresses.find((own) => own.family === family)
  }

  /** Whether the network takes `source` from this link. */
  mayUse(source: IpAddress): boolean {
    return this.has(source) || this.routedPrefixes.some((prefix) => prefixContainsAddress(prefix, source))
  }
}
