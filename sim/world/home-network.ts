import { Milliseconds, addressBits, prefixOf } from '@breakwater/core'
import { PortTranslation } from '@breakwater/testing'
import type { SimulatedHost, SimulatedNetwork, SimulatedRouter } from '@breakwater/testing'
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
      routedPrefixes: addresses.map((each) => prefixOf(each, addressBits(each.family))),
      conditions
    }))
  })
  const [first] = plan.attachments
  const addresses = plan.attachments.flatMap((each) => each.addresses)
  const lan = { name: first?.interface ?? 'lan0', addresses, behind: router }
  return { host: network.addHost(name, { routing, interfaces: [lan] }), router }
}

export function uplinkName(domain: number): string {
  return `uplink-${domain}`
}
