import {
  Milliseconds,
  Minutes,
  Seconds,
  UnavailableError,
  WallTime,
  formatIpPrefix,
  parseIpPrefix,
  silentLog
} from '@breakwater/core'
import type {
  IpPrefix,
  SecureEndpoint,
  SecureEndpointHandlers,
  SecureEndpointOptions,
  SocketAddress
} from '@breakwater/core'
import { DomainName, ProtectionId, hostDotsClient, hostDotsServer, parseCuid } from '@breakwater/dots'
import type { ClientHost, ClientPorts, Cuid, ServerEvent, ServerHost, Site } from '@breakwater/dots'
import { dryRunMitigator } from '@breakwater/mitigators'
import { memoryStore } from '@breakwater/store'
import {
  PacingAuditor,
  SimulatedNameService,
  SimulatedNetwork,
  VirtualClock,
  auditedEndpoints,
  derivedSeed,
  seededEntropy,
  simulatedCertificate
} from '@breakwater/testing'
import type { SimulatedHost } from '@breakwater/testing'

import type { PacingReport } from '../../agents/audited-agent.ts'
import { addressOf } from '../../agents/flooded-link-agents.ts'
import {
  type AccessLink,
  type ClientPlan,
  type ProviderPlan,
  type Topology,
  entitledTo,
  hostAddressIn,
  linksOf,
  providerOf
} from '../../multihomed/topology.ts'
import { clientSite } from '../../multihomed/client-site.ts'
import type {
  HeardQuestion,
  HeardRequest,
  LinkWeather,
  MissingParts,
  MultihomedWorld,
  ResolverWords,
  Standing,
  StartPart,
  WorldOptions
} from '../../multihomed/world.ts'
// Past the public door, which has none but whole agents.
import { siteOfConfig } from '../../../packages/agents/src/config/site-of-config.ts'

const PORT = 4646
/** The world begins in 2026. */
const NOT_AFTER = WallTime(Date.UTC(2028, 0))
/** One way over an access link: of the nth link n times as long, so that one provider is slower than the other. */
const LATENCY_MILLISECONDS = 10
/** See `flooded-link`: a question may follow the first copy. */
const REPETITION_SLACK_MILLISECONDS = 1050

/** By a calendar that is wrong by so much, no certificate is valid. */
const WRONG_BY_MINUTES = 60 * 24 * 365 * 10

export async function openSimulatedMultihomed(
  topology: Topology,
  options: WorldOptions
): Promise<MultihomedWorld> {
  const world = new SimulatedMultihomed(topology, options)
  await world.start()
  return world
}

type Open<Endpoint extends SecureEndpoint> = (
  options: SecureEndpointOptions,
  handlers: SecureEndpointHandlers
) => Promise<Endpoint>

/** An interface of a client's host: an access link, or the way over the internal network to one. */
interface Exit {
  readonly name: string
  readonly address: string
  readonly link: AccessLink
}

/**
 * The same machines in virtual time. The simulated network knows no routers: a client on an internal host has an interface
 * for each access link, as its CPEs would forward by its source address.
 */
class SimulatedMultihomed implements MultihomedWorld {
  readonly backend = 'sim'
  readonly #topology: Topology
  readonly #seed: number
  readonly #missing: MissingParts | undefined
  readonly #clock = new VirtualClock({ microtaskTurns: 24 })
  readonly #network: SimulatedNetwork
  readonly #clients = new Map<string, ClientHost>()
  readonly #servers = new Map<string, ServerHost>()
  readonly #serverHosts = new Map<string, SimulatedHost>()
  readonly #nameServices = new Map<string, SimulatedNameService>()
  readonly #exits: { readonly client: string; readonly host: SimulatedHost; readonly exit: Exit }[] = []
  /** Links without a carrier, by client and interface. */
  readonly #unplugged = new Set<string>()
  readonly #heard: HeardRequest[] = []
  readonly #violations: string[] = []
  readonly #auditor = new PacingAuditor({
    repetitionSlack: REPETITION_SLACK_MILLISECONDS,
    report: ({ pair, text }) => this.#violations.push(`${pair}: ${text}`)
  })
  #protections = 0

  constructor(topology: Topology, { seed, missing }: WorldOptions) {
    this.#topology = topology
    this.#seed = seed
    this.#missing = missing
    this.#network = new SimulatedNetwork({ clock: this.#clock, seed: derivedSeed(seed, 'network') })
  }

  async start(): Promise<void> {
    for (const provider of this.#topology.providers)
      if (!this.#isMissing('server', provider.name)) await this.#startServers(provider)
    if (this.#isMissing('clock')) this.#clock.stepWallClock(Minutes(WRONG_BY_MINUTES))
    for (const client of this.#topology.clients) this.#addHost(client)
    if (this.#isMissing('uplink')) await this.setLinks(this.#missing?.provider ?? '', 'cut')
    for (const provider of this.#topology.providers) this.#startNameService(provider)
    for (const client of this.#topology.clients) this.#startClient(client)
  }

  async heal(part: StartPart): Promise<void> {
    const { provider } = this.#missing ?? { provider: '' }
    if (part === 'uplink') await this.setLinks(provider, 'clear')
    if (part === 'dns') await this.setResolver(provider, 'truth')
    if (part === 'server') await this.#startServers(providerOf(this.#topology, provider))
    if (part === 'clock') this.#clock.stepWallClock(Minutes(-WRONG_BY_MINUTES))
  }

  setResolver(name: string, words: ResolverWords): Promise<void> {
    const service = this.#nameServices.get(name)
    if (service === undefined) throw new RangeError(`${name} has no resolver`)
    service.isDead = words === 'silence'
    for (const [server, address] of Object.entries(providerOf(this.#topology, name).servers)) {
      const said = typeof words === 'object' ? words.lie : address
      service.names.set(server, { kind: 'addresses', addresses: [addressOf(said)], ttlSeconds: 1 })
    }
    return Promise.resolve()
  }

  questions(): readonly HeardQuestion[] {
    return [...this.#nameServices].flatMap(([provider, { asked }]) =>
      asked.map((name) => ({ provider, name }))
    )
  }

  reasons(client: string): Promise<readonly string[]> {
    const { sessions } = this.#client(client).status()
    return Promise.resolve(sessions.flatMap(({ state, text }) => (state === 'established' ? [] : [text])))
  }

  #startNameService({ name, resolver }: ProviderPlan): void {
    if (resolver === undefined) return
    this.#nameServices.set(name, new SimulatedNameService(this.#clock))
    void this.setResolver(name, this.#isMissing('dns', name) ? 'silence' : resolver.firstWords)
  }

  redraw(client: string, topology: Topology): Promise<void> {
    const plan = topology.clients.find(({ name }) => name === client)
    if (plan === undefined) throw new RangeError(`the drawing has no client ${client}`)
    this.#client(client).updateSite(this.#sitePorts(topology, plan))
    return Promise.resolve()
  }

  holdings(client: string): Promise<readonly string[]> {
    const { sessions, requests } = this.#client(client).status()
    return Promise.resolve([
      ...sessions.map(({ server, state }) => `${server} ${state}`),
      ...requests.map(({ server, mitigationId, target, state }) => {
        return `${server} ${mitigationId} ${target.prefixes.map(formatIpPrefix).join(' ')} ${state}`
      }),
      ...[...this.#servers].flatMap(([name, server]) => [
        `${name} has ${server.sessions().length} sessions`,
        ...server.mitigations().map(({ mitigationId, target, state }) => {
          return `${name} mitigates ${mitigationId} ${target.prefixes.map(formatIpPrefix).join(' ')} ${state}`
        })
      ])
    ])
  }

  #isMissing(part: StartPart, provider = this.#missing?.provider): boolean {
    return this.#missing?.parts.includes(part) === true && provider === this.#missing.provider
  }

  async #startServers(provider: ProviderPlan): Promise<void> {
    for (const [name, address] of Object.entries(provider.servers))
      this.#servers.set(name, await this.#startServer(provider, name, address))
  }

  sessions(client: string): Promise<readonly string[]> {
    return Promise.resolve(
      this.#client(client)
        .status()
        .sessions.map(({ state }) => state)
    )
  }

  protect(client: string, prefixes: readonly string[]): Promise<string | undefined> {
    const id = ProtectionId(`p-${++this.#protections}`)
    const target = { prefixes: prefixes.map(prefixOf), ports: [], protocols: [] }
    const request = { id, target, lifetime: 3600, allowPartial: false, require: 'all' } as const
    const { state } = this.#client(client).protect(request)
    return Promise.resolve(state === 'refused' ? undefined : id)
  }

  release(client: string, protection: string): Promise<void> {
    this.#client(client).release(ProtectionId(protection))
    return Promise.resolve()
  }

  standing(client: string, protection: string): Promise<Standing> {
    const found = this.#client(client)
      .status()
      .protections.find(({ id }) => id === protection)
    return Promise.resolve({ state: found?.state ?? 'ended', requests: found?.servers ?? [] })
  }

  setLinks(provider: string, weather: LinkWeather): Promise<void> {
    for (const { client, host, exit } of this.#exits) {
      if (exit.link.provider !== provider) continue
      change(host, exit.name, weather !== 'clear')
      if (weather === 'cut') this.#unplugged.add(`${client} ${exit.name}`)
      else this.#unplugged.delete(`${client} ${exit.name}`)
    }
    return Promise.resolve()
  }

  async setProvider(provider: string, weather: 'cut' | 'clear'): Promise<void> {
    await this.setLinks(provider, weather === 'cut' ? 'silent' : 'clear')
    for (const server of Object.keys(providerOf(this.#topology, provider).servers)) {
      const host = this.#serverHosts.get(server)
      if (host !== undefined) change(host, 'eth0', weather === 'cut')
    }
  }

  async runUntil(condition: () => Promise<boolean>, limitSeconds: number): Promise<boolean> {
    const end = this.now() + limitSeconds * 1000
    while (!(await condition())) {
      if (this.now() >= end) return false
      await this.#clock.advance(Milliseconds(10))
    }
    return true
  }

  pass(seconds: number): Promise<void> {
    return this.#clock.advance(Seconds(seconds))
  }

  now(): number {
    return this.#clock.now()
  }

  heard(): readonly HeardRequest[] {
    return this.#heard
  }

  foreignSourceDrops(): Promise<number> {
    const counts = this.#exits.map(({ host, exit }) => host.link(exit.name).up.counts.filtered)
    return Promise.resolve(counts.reduce((sum, count) => sum + count, 0))
  }

  stray(cpe: string): Promise<void> {
    const [wrong, own] = this.#exits.filter(({ exit }) => exit.link.cpe === cpe)
    if (wrong === undefined || own === undefined) throw new RangeError(`${cpe} has one link only`)
    wrong.host.sendForged(
      wrong.exit.name,
      socketAt(own.exit.address),
      socketAt(wrong.exit.link.edge),
      new Uint8Array([0])
    )
    return Promise.resolve()
  }

  pacing(): PacingReport {
    return { judged: this.#auditor.judged, violations: this.#violations }
  }

  async destroy(): Promise<void> {
    for (const client of this.#clients.values()) await client.close()
    for (const server of this.#servers.values()) await server.stop()
  }

  #client(name: string): ClientHost {
    const client = this.#clients.get(name)
    if (client === undefined) throw new RangeError(`the drawing has no client ${name}`)
    return client
  }

  #startServer(provider: ProviderPlan, name: string, address: string): Promise<ServerHost> {
    const host = this.#network.addHost(name, {
      interfaces: [{ name: 'eth0', addresses: [addressOf(address)] }]
    })
    this.#serverHosts.set(name, host)
    const { clients } = this.#topology
    return hostDotsServer({
      clock: this.#clock,
      entropy: seededEntropy(derivedSeed(this.#seed, name)),
      open: host.openSecureEndpoint,
      openStream: host.openSecureStream,
      listen: (['udp', 'tcp'] as const).map((transport) => ({
        transport,
        local: { address: addressOf(address), port: PORT },
        certificate: certificateOf(provider.name, name)
      })),
      store: memoryStore(),
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

  #hear(server: string, event: ServerEvent): void {
    if (event.kind !== 'request' || (event.method !== 'PUT' && event.method !== 'DELETE')) return
    if (event.mitigationId === undefined) return
    const { method, outcome, targets } = event
    this.#heard.push({ provider: server, method, outcome, targets, atMs: this.now() })
  }

  #addHost(plan: ClientPlan): void {
    const exits = this.#exitsOf(plan)
    const host = this.#network.addHost(plan.name, {
      interfaces: exits.map(({ name, address, link }) => ({
        name,
        addresses: [addressOf(address)],
        conditions: { latency: Milliseconds(LATENCY_MILLISECONDS * link.number) }
      }))
    })
    this.#exits.push(...exits.map((exit) => ({ client: plan.name, host, exit })))
  }

  #startClient(plan: ClientPlan): void {
    const host = this.#exits.find(({ client }) => client === plan.name)?.host
    if (host === undefined) throw new RangeError(`${plan.name} has no link`)
    const client = hostDotsClient({
      clock: this.#clock,
      entropy: seededEntropy(derivedSeed(this.#seed, plan.name)),
      open: this.#unlessVain(
        plan.name,
        auditedEndpoints(host.openSecureEndpoint, {
          clock: this.#clock,
          role: 'client',
          pairOf: ({ path }) => `${plan.name} with ${JSON.stringify(path.remote)}`,
          take: (datagram) => this.#auditor.take(datagram)
        })
      ),
      openStream: this.#unlessVain(plan.name, host.openSecureStream),
      ...this.#sitePorts(this.#topology, plan),
      reconnection: { retrySeconds: 60 },
      log: silentLog
    })
    this.#clients.set(plan.name, client)
  }

  /** What `VainAttempts` does for a real client. */
  #unlessVain<Endpoint extends SecureEndpoint>(client: string, open: Open<Endpoint>): Open<Endpoint> {
    return async (options, handlers) => {
      if (this.#unplugged.has(`${client} ${options.interface}`) || this.#clock.wallClock() > NOT_AFTER)
        throw new UnavailableError('LAB_ATTEMPT_VAIN', 'nothing can come of it', true)
      return open(options, handlers)
    }
  }

  #sitePorts(
    topology: Topology,
    plan: ClientPlan
  ): Pick<ClientPorts, 'site' | 'credentials' | 'cuids' | 'resolvers'> {
    const domains = plan.providers.map((name) => DomainName(name))
    return {
      site: this.#site(topology, plan),
      credentials: new Map(domains.map((name) => [name, certificateOf(name, clientName(plan.name, name))])),
      cuids: new Map(domains.map((name) => [name, cuidOf(`${plan.name} at ${name}`)])),
      resolvers: new Map(
        domains.flatMap((name) => {
          const service = this.#nameServices.get(name)
          return service === undefined ? [] : [[name, service.resolver(Seconds(8))] as const]
        })
      )
    }
  }

  #exitsOf({ on, providers }: ClientPlan): readonly Exit[] {
    const links = linksOf(this.#topology)
    const own = links.filter(({ cpe }) => cpe === on)
    if (own.length > 0) return own.map((link) => ({ name: link.interface, address: link.cpeAddress, link }))
    return providers.flatMap((name) => {
      const link = links.find(({ provider }) => provider === name)
      const address = hostAddressIn(this.#topology, providerOf(this.#topology, name), on)
      return link === undefined ? [] : [{ name: `lan-${name}`, address, link }]
    })
  }

  #site(topology: Topology, plan: ClientPlan): Site {
    const exits = this.#exits.flatMap(({ client, exit }) => (client === plan.name ? [exit] : []))
    const isOnCpe = topology.cpes.some(({ name }) => name === plan.on)
    const exitsTo = (provider: string): Exit[] => exits.filter(({ link }) => link.provider === provider)
    const { site } = siteOfConfig(
      clientSite(topology, plan, (provider) => {
        const own = exitsTo(provider)
        return {
          interfaces: isOnCpe ? own.map(({ name }) => name) : [],
          sources: own.length > 1 ? [] : own.map(({ address }) => address)
        }
      })
    )
    const domains = site.domains.map((domain) => ({
      ...domain,
      servers: domain.servers.map((server) => ({ ...server, port: PORT })),
      localAddresses: (domain.kind === 'service' ? exits : exitsTo(domain.name)).map(({ name, address }) => ({
        address: addressOf(address),
        prefixLength: 30,
        interface: { name }
      }))
    }))
    return { ...site, domains }
  }
}

function change(host: SimulatedHost, name: string, isCut: boolean): void {
  if (isCut) host.link(name).cut()
  else host.link(name).mend()
}

function socketAt(address: string): SocketAddress {
  return { address: addressOf(address), port: PORT }
}

function certificateOf(provider: string, name: string): ReturnType<typeof simulatedCertificate> {
  return simulatedCertificate({ authority: provider, subject: name, dnsNames: [name], notAfter: NOT_AFTER })
}

function clientName(client: string, provider: string): string {
  return `${client}.${provider}.example`
}

function cuidOf(text: string): Cuid {
  const cuid = parseCuid(text.replaceAll(' ', '-'))
  if (cuid === undefined) throw new RangeError(`${text} is no cuid`)
  return cuid
}

function prefixOf(text: string): IpPrefix {
  const prefix = parseIpPrefix(text)
  if (prefix === undefined) throw new RangeError(`${text} is no prefix`)
  return prefix
}
