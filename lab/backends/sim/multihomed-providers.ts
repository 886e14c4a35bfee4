import { type SocketAddress, silentLog } from '@breakwater/core'
import { type ServerEvent, type ServerHost, hostDotsServer } from '@breakwater/dots'
import { dryRunMitigator } from '@breakwater/mitigators'
import { memoryStore } from '@breakwater/store'
import {
  type SimulatedHost,
  SimulatedNameService,
  SimulatedSharedStore,
  type SimulatedNetwork,
  type VirtualClock,
  derivedSeed,
  seededEntropy
} from '@breakwater/testing'

import { addressOf } from '../../agents/flooded-link-agents.ts'
import { prefixOf } from '../../multihomed/prefix.ts'
import { type ProviderPlan, type Topology, entitledTo, providerOf } from '../../multihomed/topology.ts'
import type { HeardQuestion, HeardRequest, ResolverWords } from '../../multihomed/world.ts'
import { certificateOf, clientName } from './multihomed-identities.ts'

export const DOTS_PORT = 4646

/** The providers' side of a simulated site: DOTS servers with their transcripts, and name servers. */
export class SimulatedProviders {
  readonly #topology: Topology
  readonly #seed: number
  readonly #clock: VirtualClock
  readonly #network: SimulatedNetwork
  readonly #servers = new Map<string, ServerHost>()
  readonly #hosts = new Map<string, SimulatedHost>()
  readonly #nameServices = new Map<string, SimulatedNameService>()
  readonly #heard: HeardRequest[] = []
  /** Where the servers of a provider keep what they know together. */
  readonly #places = new Map<string, SimulatedSharedStore>()

  constructor(topology: Topology, seed: number, clock: VirtualClock, network: SimulatedNetwork) {
    this.#topology = topology
    this.#seed = seed
    this.#clock = clock
    this.#network = network
  }

  async startServers(provider: ProviderPlan): Promise<void> {
    for (const [name, address] of Object.entries(provider.servers))
      this.#servers.set(name, await this.#startServer(provider, name, address))
  }

  startNameService({ name, resolver }: ProviderPlan, words = resolver?.firstWords): void {
    if (words === undefined) return
    this.#nameServices.set(name, new SimulatedNameService(this.#clock))
    this.say(name, words)
  }

  /** What the name server of a provider says from now on. */
  say(provider: string, words: ResolverWords): void {
    const service = this.nameService(provider)
    if (service === undefined) throw new RangeError(`${provider} has no resolver`)
    service.isDead = words === 'silence'
    for (const [server, address] of Object.entries(providerOf(this.#topology, provider).servers)) {
      const said = typeof words === 'object' ? words.lie : address
      service.names.set(server, { kind: 'addresses', addresses: [addressOf(said)], ttlSeconds: 1 })
    }
  }

  nameService(provider: string): SimulatedNameService | undefined {
    return this.#nameServices.get(provider)
  }

  questions(): readonly HeardQuestion[] {
    return [...this.#nameServices].flatMap(([provider, { asked }]) =>
      asked.map((name) => ({ provider, name }))
    )
  }

  /** Cuts the servers of a provider off from everybody, or not. */
  cutServers(provider: string, isCut: boolean): void {
    for (const server of Object.keys(providerOf(this.#topology, provider).servers)) {
      const link = this.#hosts.get(server)?.link('eth0')
      if (isCut) link?.cut()
      else link?.mend()
    }
  }

  heard(): readonly HeardRequest[] {
    return this.#heard
  }

  /** By name. */
  get servers(): ReadonlyMap<string, ServerHost> {
    return this.#servers
  }

  async stop(): Promise<void> {
    for (const server of this.#servers.values()) await server.stop()
  }

  #startServer(provider: ProviderPlan, name: string, address: string): Promise<ServerHost> {
    const host = this.#network.addHost(name, {
      interfaces: [{ name: 'eth0', addresses: [addressOf(address)] }]
    })
    this.#hosts.set(name, host)
    const { clients } = this.#topology
    const shared = provider.sharesStore === true ? this.#placeOf(provider.name).open() : undefined
    return hostDotsServer({
      clock: this.#clock,
      entropy: seededEntropy(derivedSeed(this.#seed, name)),
      open: host.openSecureEndpoint,
      openStream: host.openSecureStream,
      listen: (['udp', 'tcp'] as const).map((transport) => ({
        transport,
        local: dotsAt(address),
        certificate: certificateOf(provider.name, name)
      })),
      ...(shared === undefined ? { store: memoryStore() } : { store: shared, sharing: shared }),
      mitigator: dryRunMitigator(silentLog),
      domains: [
        {
          name: 'site',
          dnsNames: clients.map((client) => clientName(client.name, provider.name)),
          pskIdentities: [],
          prefixes: entitledTo(this.#topology, provider).map(prefixOf)
        }
      ],
      log: silentLog,
      onEvent: (event) => this.#hear(name, event)
    })
  }

  #placeOf(provider: string): SimulatedSharedStore {
    const place = this.#places.get(provider) ?? new SimulatedSharedStore(() => this.#clock.now())
    this.#places.set(provider, place)
    return place
  }

  #hear(server: string, event: ServerEvent): void {
    if (event.kind !== 'request' || (event.method !== 'PUT' && event.method !== 'DELETE')) return
    if (event.mitigationId === undefined) return
    const { method, outcome, targets } = event
    this.#heard.push({ provider: server, method, outcome, targets, atMs: this.#clock.now() })
  }
}

/** Where a DOTS agent is. */
export function dotsAt(address: string): SocketAddress {
  return { address: addressOf(address), port: DOTS_PORT }
}
