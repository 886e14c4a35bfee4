import { Milliseconds, addressBits, formatIpAddress, prefixOf } from '@breakwater/core'
import type { IpAddress, IpPrefix } from '@breakwater/core'
import { PortTranslation } from '@breakwater/testing'
import type {
  SimulatedHost,
  SimulatedInterface,
  SimulatedNetwork,
  SimulatedRouter
} from '@breakwater/testing'
import type { ClientPlan } from '../layout.ts'
import type { Course } from '../scenario.ts'

/** The host of a client, and the CPE that it is behind; undefined: the host has the links itself. */
export interface HomeNetwork {
  readonly host: SimulatedHost
  readonly router: SimulatedRouter | undefined
}

/** Connects a client: by a link to each of its providers, with a translator of ports on it, or by a router with these links. */
export function joinNetwork(
  plan: ClientPlan,
  { latencyMilliseconds }: Course,
  network: SimulatedNetwork
): HomeNetwork {
  const conditions = { latency: Milliseconds(latencyMilliseconds) }
  // With a plain default route, only what is bound to its interface gets past another provider's ingress filter.
  const routing = 'first-interface'
  const name = `site-${plan.number}`
  if (plan.router === undefined) {
    const links = plan.attachments.map((each) => ({
      name: each.interface,
      addresses: each.addresses,
      conditions
    }))
    const host = network.addHost(name, { routing, interfaces: links })
    for (const { link } of host.interfaces) link.translation = new PortTranslation()
    return { host, router: undefined }
  }
  const router = network.addRouter(`cpe-${plan.number}`, {
    routing: plan.router,
    uplinks: plan.attachments.map(({ domain, addresses }) => ({
      name: uplinkName(domain),
      addresses: [],
      routedPrefixes: addresses.map(hostPrefix),
      conditions
    }))
  })
  const [first] = plan.attachments
  const addresses = plan.attachments.flatMap((each) => each.addresses)
  const lan = { name: first?.interface ?? 'lan0', addresses, behind: router }
  return { host: network.addHost(name, { routing, interfaces: [lan] }), router }
}

/**
 * Changes the addresses of all links.
 * @param keepsOthers What a link has now it keeps besides. `routed`: only its provider still takes and brings that, for what
 *   is on its way through a router.
 */
export function readdress(
  plan: ClientPlan,
  { host, router }: HomeNetwork,
  addressesOf: (domain: number) => readonly IpAddress[],
  keepsOthers: 'all' | 'routed' | 'none'
): void {
  const all = new Map<SimulatedInterface, IpAddress[]>()
  for (const { domain, interface: name } of plan.attachments) {
    const link = host.interface(name)
    const uplink = router?.uplink(uplinkName(domain))
    const routed = uplink?.routedPrefixes.map(({ address }) => address) ?? link.addresses
    const now = addressesOf(domain)
    uplink?.route(withOthers(now, keepsOthers === 'none' ? [] : routed).map(hostPrefix))
    all.set(link, [...(all.get(link) ?? []), ...withOthers(now, keepsOthers === 'all' ? routed : [])])
  }
  for (const [link, addresses] of all) link.renumber(addresses)
}

function withOthers(addresses: readonly IpAddress[], others: readonly IpAddress[]): IpAddress[] {
  return [...new Map([...addresses, ...others].map((each) => [formatIpAddress(each), each])).values()]
}

function hostPrefix(address: IpAddress): IpPrefix {
  return prefixOf(address, addressBits(address.family))
}

export function uplinkName(domain: number): string {
  return `uplink-${domain}`
}
