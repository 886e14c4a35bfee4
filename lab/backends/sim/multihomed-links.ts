import { type Duration, Milliseconds, formatIpAddress } from '@breakwater/core'
import type { Site } from '@breakwater/dots'
import type { SimulatedHost, SimulatedNetwork, TraceEntry } from '@breakwater/testing'

import { addressOf } from '../../agents/flooded-link-agents.ts'
import { clientSite } from '../../multihomed/client-site.ts'
import {
  type AccessLink,
  type ClientPlan,
  type Topology,
  hostAddressIn,
  linksOf,
  ownerOf,
  providerOf
} from '../../multihomed/topology.ts'
import type { CapturedSource, LinkWeather } from '../../multihomed/world.ts'
import { DOTS_PORT, dotsAt } from './multihomed-providers.ts'
// Past the public door, which has none but whole agents.
import { siteOfConfig } from '../../../packages/agents/src/config/site-of-config.ts'

/** One way over an access link: of the nth link n times as long, so that one provider is slower than the other. */
const LATENCY_MILLISECONDS = 10

/** An interface of a client's host: an access link, or the way over the internal network to one. */
interface Exit {
  readonly name: string
  readonly address: string
  readonly link: AccessLink
}

interface ClientHost {
  readonly host: SimulatedHost
  readonly plan: ClientPlan
}

/**
 * The site's side: the hosts of the clients and their links. The simulated network knows no routers: a client on an internal
 * host has an interface for each access link, as its CPEs would forward by its source address.
 */
export class SimulatedLinks {
  readonly #topology: Topology
  readonly #network: SimulatedNetwork
  readonly #hosts = new Map<string, ClientHost>()
  /** Links without a carrier, by client and interface. */
  readonly #unplugged = new Set<string>()
  /** What was sent to DOTS ports over access links, by link and source. */
  readonly #captured = new Map<string, CapturedSource>()

  constructor(topology: Topology, network: SimulatedNetwork) {
    this.#topology = topology
    this.#network = network
    network.tap((entry) => this.#capture(entry))
  }

  addHost(plan: ClientPlan): SimulatedHost {
    const host = this.#network.addHost(plan.name, {
      interfaces: exitsOf(this.#topology, plan).map(({ name, address, link }) => ({
        name,
        addresses: [addressOf(address)],
        conditions: { latency: latencyOf(this.#topology, link) }
      }))
    })
    this.#hosts.set(plan.name, { host, plan })
    return host
  }

  setWeather(provider: string, weather: LinkWeather, interfaceName?: string): void {
    for (const { host, plan, exit } of this.#all()) {
      if (exit.link.provider !== provider) continue
      if (interfaceName !== undefined && exit.link.interface !== interfaceName) continue
      if (weather === 'clear') host.link(exit.name).mend()
      else host.link(exit.name).cut()
      if (weather === 'cut') this.#unplugged.add(`${plan.name} ${exit.name}`)
      else this.#unplugged.delete(`${plan.name} ${exit.name}`)
    }
  }

  isUnplugged(client: string, interfaceName: string | undefined): boolean {
    return this.#unplugged.has(`${client} ${interfaceName}`)
  }

  /** The interfaces have the addresses of another drawing from now on, and none of those before. */
  renumber(topology: Topology): void {
    for (const { host, plan } of this.#hosts.values())
      for (const { name, address } of exitsOf(topology, plan))
        host.interface(name).renumber([addressOf(address)])
  }

  captured(): readonly CapturedSource[] {
    return [...this.#captured.values()]
  }

  foreignSourceDrops(): number {
    const counts = this.#all().map(({ host, exit }) => host.link(exit.name).up.counts.filtered)
    return counts.reduce((sum, count) => sum + count, 0)
  }

  stray(cpe: string): void {
    const [wrong, own] = this.#all().filter(({ exit }) => exit.link.cpe === cpe)
    if (wrong === undefined || own === undefined) throw new RangeError(`${cpe} has one link only`)
    const { edge } = wrong.exit.link
    wrong.host.sendForged(wrong.exit.name, dotsAt(own.exit.address), dotsAt(edge), new Uint8Array([0]))
  }

  /** The site of a client, as it is configured for this drawing. */
  siteOf(topology: Topology, plan: ClientPlan): Site {
    const exits = exitsOf(topology, plan)
    const isOnCpe = topology.cpes.some(({ name }) => name === plan.on)
    const exitsTo = (provider: string): Exit[] => exits.filter(({ link }) => link.provider === provider)
    const configured = clientSite(topology, plan, (provider) => {
      const own = exitsTo(provider)
      return {
        interfaces: isOnCpe ? own.map(({ name }) => name) : [],
        sources: own.length > 1 ? [] : own.map(({ address }) => address)
      }
    })
    const { site } = siteOfConfig(configured)
    const exitsOfDomain = ({ name, kind, interfaces }: Site['domains'][number]): readonly Exit[] => {
      if (kind === 'service') return exits
      const own = exitsTo(ownerOf(topology, name).name)
      return interfaces.length === 0 ? own : own.filter((exit) => interfaces.includes(exit.name))
    }
    const domains = site.domains.map((domain) => ({
      ...domain,
      servers: domain.servers.map((server) => ({ ...server, port: DOTS_PORT })),
      localAddresses: exitsOfDomain(domain).map(({ name, address }) => ({
        address: addressOf(address),
        prefixLength: 30,
        interface: { name }
      }))
    }))
    return { ...site, domains }
  }

  #all(): readonly (ClientHost & { readonly exit: Exit })[] {
    return [...this.#hosts.values()].flatMap(({ host, plan }) =>
      exitsOf(this.#topology, plan).map((exit) => ({ host, plan, exit }))
    )
  }

  #capture({ fate, from, path }: TraceEntry): void {
    const plan = this.#hosts.get(from)?.plan
    if (plan === undefined || fate.kind !== 'sent' || path.remote.port !== DOTS_PORT) return
    const exit = exitsOf(this.#topology, plan).find(({ name }) => name === path.interface)
    if (exit === undefined) return
    const source = formatIpAddress(path.local.address)
    const { number, provider } = exit.link
    const key = `${number} ${source}`
    const packets = (this.#captured.get(key)?.packets ?? 0) + 1
    this.#captured.set(key, { link: number, provider, source, packets })
  }
}

function exitsOf(topology: Topology, { on, providers, laterProviders = [] }: ClientPlan): readonly Exit[] {
  const links = linksOf(topology)
  const own = links.filter(({ cpe }) => cpe === on)
  if (own.length > 0) return own.map((link) => ({ name: link.interface, address: link.cpeAddress, link }))
  return [...providers, ...laterProviders].flatMap((name) => {
    const link = links.find(({ provider }) => provider === name)
    const address = hostAddressIn(topology, providerOf(topology, name), on)
    return link === undefined ? [] : [{ name: `lan-${name}`, address, link }]
  })
}

/** One way. */
function latencyOf({ roundTripMilliseconds }: Topology, { number }: AccessLink): Duration {
  return Milliseconds(
    roundTripMilliseconds === undefined ? LATENCY_MILLISECONDS * number : roundTripMilliseconds / 2
  )
}
