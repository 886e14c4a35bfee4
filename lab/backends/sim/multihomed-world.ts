import {
  Milliseconds,
  Minutes,
  Seconds,
  type SecureEndpoint,
  type SecureEndpointHandlers,
  type SecureEndpointOptions,
  UnavailableError,
  formatIpPrefix,
  silentLog
} from '@breakwater/core'
import { type ClientHost, type ClientPorts, DomainName, ProtectionId, hostDotsClient } from '@breakwater/dots'
import {
  PacingAuditor,
  SimulatedNetwork,
  VirtualClock,
  auditedEndpoints,
  derivedSeed,
  seededEntropy
} from '@breakwater/testing'

import type { PacingReport } from '../../agents/audited-agent.ts'
import { agreedProbingRate, clientSessions } from '../../multihomed/client-site.ts'
import { prefixOf } from '../../multihomed/prefix.ts'
import { type ClientPlan, type Topology, ownerOf, providerOf, renumbered } from '../../multihomed/topology.ts'
import type {
  AttackStatus,
  CapturedSource,
  HeardQuestion,
  HeardRequest,
  LinkWeather,
  ListedPath,
  MissingParts,
  MultihomedWorld,
  ResolverWords,
  Standing,
  StartPart,
  WorldOptions
} from '../../multihomed/world.ts'
import { NOT_AFTER, certificateOf, clientName, cuidOf } from './multihomed-identities.ts'
import { SimulatedLinks } from './multihomed-links.ts'
import { SimulatedProviders } from './multihomed-providers.ts'
// Past the public door, which has none but whole agents.
import { configurationOf } from '../../../packages/agents/src/client/client-ports.ts'

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

/** The same machines in virtual time. */
class SimulatedMultihomed implements MultihomedWorld {
  readonly backend = 'sim'
  readonly #topology: Topology
  readonly #seed: number
  readonly #missing: MissingParts | undefined
  readonly #clock = new VirtualClock({ microtaskTurns: 24 })
  readonly #links: SimulatedLinks
  readonly #providers: SimulatedProviders
  readonly #clients = new Map<string, ClientHost>()
  readonly #violations: string[] = []
  readonly #auditor: PacingAuditor
  #protections = 0

  constructor(topology: Topology, { seed, missing }: WorldOptions) {
    this.#topology = topology
    this.#seed = seed
    this.#missing = missing
    this.#auditor = new PacingAuditor({
      ...agreedProbingRate(topology),
      repetitionSlack: REPETITION_SLACK_MILLISECONDS,
      report: ({ pair, text }) => this.#violations.push(`${pair}: ${text}`)
    })
    const network = new SimulatedNetwork({ clock: this.#clock, seed: derivedSeed(seed, 'network') })
    this.#links = new SimulatedLinks(topology, network)
    this.#providers = new SimulatedProviders(topology, seed, this.#clock, network)
  }

  async start(): Promise<void> {
    const { providers, clients } = this.#topology
    for (const provider of providers)
      if (!this.#isMissing('server', provider.name)) await this.#providers.startServers(provider)
    if (this.#isMissing('clock')) this.#clock.stepWallClock(Minutes(WRONG_BY_MINUTES))
    const hosts = clients.map((plan) => ({ plan, host: this.#links.addHost(plan) }))
    if (this.#isMissing('uplink')) await this.setLinks(this.#missing?.provider ?? '', 'cut')
    for (const provider of providers)
      if (provider.resolver !== undefined)
        this.#providers.startNameService(
          provider,
          this.#isMissing('dns', provider.name) ? 'silence' : provider.resolver.firstWords
        )
    for (const { plan, host } of hosts) this.#startClient(plan, host)
  }

  async heal(part: StartPart): Promise<void> {
    const { provider } = this.#missing ?? { provider: '' }
    if (part === 'uplink') await this.setLinks(provider, 'clear')
    if (part === 'dns') await this.setResolver(provider, 'truth')
    if (part === 'server') await this.#providers.startServers(providerOf(this.#topology, provider))
    if (part === 'clock') this.#clock.stepWallClock(Minutes(-WRONG_BY_MINUTES))
  }

  setResolver(name: string, words: ResolverWords): Promise<void> {
    this.#providers.say(name, words)
    return Promise.resolve()
  }

  questions(): readonly HeardQuestion[] {
    return this.#providers.questions()
  }

  reasons(client: string): Promise<readonly string[]> {
    const { sessions } = this.#client(client).status()
    return Promise.resolve(sessions.flatMap(({ state, text }) => (state === 'established' ? [] : [text])))
  }

  redraw(client: string, topology: Topology): Promise<void> {
    const plan = topology.clients.find(({ name }) => name === client)
    if (plan === undefined) throw new RangeError(`the drawing has no client ${client}`)
    this.#client(client).updateSite(this.#sitePorts(topology, plan))
    return Promise.resolve()
  }

  renumber(provider: string): Promise<void> {
    this.#links.renumber(renumbered(this.#topology, provider))
    return Promise.resolve()
  }

  holdings(client: string): Promise<readonly string[]> {
    const { sessions, requests } = this.#client(client).status()
    return Promise.resolve([
      ...sessions.map(({ server, state }) => `${server} ${state}`),
      ...requests.map(({ server, mitigationId, target, state }) => {
        return `${server} ${mitigationId} ${target.prefixes.map(formatIpPrefix).join(' ')} ${state}`
      }),
      ...[...this.#providers.servers].flatMap(([name, server]) => [
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

  sessions(client: string): Promise<readonly string[]> {
    const { sessions } = this.#client(client).status()
    return Promise.resolve(sessions.map(({ state }) => state))
  }

  paths(client: string): Promise<readonly ListedPath[]> {
    const { paths } = this.#client(client).paths()
    return Promise.resolve(
      paths.map(({ path, use, roundTripMilliseconds }) => ({
        interface: path.interface,
        use,
        roundTripMilliseconds
      }))
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

  reportAttack(client: string, protection: string, status: AttackStatus): Promise<void> {
    this.#client(client).updateEfficacy(ProtectionId(protection), status)
    return Promise.resolve()
  }

  standing(client: string, protection: string): Promise<Standing> {
    const found = this.#client(client)
      .status()
      .protections.find(({ id }) => id === protection)
    return Promise.resolve({ state: found?.state ?? 'ended', requests: found?.servers ?? [] })
  }

  setLinks(provider: string, weather: LinkWeather, interfaceName?: string): Promise<void> {
    this.#links.setWeather(provider, weather, interfaceName)
    return Promise.resolve()
  }

  setProvider(provider: string, weather: 'cut' | 'clear'): Promise<void> {
    this.#links.setWeather(provider, weather === 'cut' ? 'silent' : 'clear')
    this.#providers.cutServers(provider, weather === 'cut')
    return Promise.resolve()
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
    return this.#providers.heard()
  }

  foreignSourceDrops(): Promise<number> {
    return Promise.resolve(this.#links.foreignSourceDrops())
  }

  captured(): Promise<readonly CapturedSource[]> {
    return Promise.resolve(this.#links.captured())
  }

  stray(cpe: string): Promise<void> {
    this.#links.stray(cpe)
    return Promise.resolve()
  }

  pacing(): PacingReport {
    return { judged: this.#auditor.judged, violations: this.#violations }
  }

  async destroy(): Promise<void> {
    for (const client of this.#clients.values()) await client.close()
    await this.#providers.stop()
  }

  #client(name: string): ClientHost {
    const client = this.#clients.get(name)
    if (client === undefined) throw new RangeError(`the drawing has no client ${name}`)
    return client
  }

  #startClient(plan: ClientPlan, host: ReturnType<SimulatedLinks['addHost']>): void {
    const { name } = plan
    const audited = auditedEndpoints(host.openSecureEndpoint, {
      clock: this.#clock,
      role: 'client',
      pairOf: ({ path }) => `${name} with ${JSON.stringify(path.remote)}`,
      take: (datagram) => this.#auditor.take(datagram)
    })
    const client = hostDotsClient({
      clock: this.#clock,
      entropy: seededEntropy(derivedSeed(this.#seed, name)),
      open: this.#unlessVain(name, audited),
      openStream: this.#unlessVain(name, host.openSecureStream),
      ...this.#sitePorts(this.#topology, plan),
      ...this.#sessionPorts(plan),
      reconnection: { retrySeconds: 60 },
      log: silentLog
    })
    this.#clients.set(name, client)
  }

  /** What `VainAttempts` does for a real client. */
  #unlessVain<Endpoint extends SecureEndpoint>(client: string, open: Open<Endpoint>): Open<Endpoint> {
    return async (options, handlers) => {
      if (this.#links.isUnplugged(client, options.interface) || this.#clock.wallClock() > NOT_AFTER)
        throw new UnavailableError('LAB_ATTEMPT_VAIN', 'nothing can come of it', true)
      return open(options, handlers)
    }
  }

  #sitePorts(
    topology: Topology,
    plan: ClientPlan
  ): Pick<ClientPorts, 'site' | 'credentials' | 'cuids' | 'resolvers'> {
    const site = this.#links.siteOf(topology, plan)
    const owners = site.domains.map(({ name }) => [name, ownerOf(topology, name).name] as const)
    return {
      site,
      credentials: new Map(
        owners.map(([domain, name]) => [domain, certificateOf(name, clientName(plan.name, name))])
      ),
      cuids: new Map(owners.map(([domain, name]) => [domain, cuidOf(plan.name, name)])),
      resolvers: new Map(
        plan.providers
          .map((name) => DomainName(name))
          .flatMap((name) => {
            const service = this.#providers.nameService(name)
            return service === undefined ? [] : [[name, service.resolver(Seconds(8))] as const]
          })
      )
    }
  }

  #sessionPorts(plan: ClientPlan): Pick<ClientPorts, 'warmStandby' | 'configuration'> {
    const { session, pathPool } = clientSessions(plan)
    const configuration = configurationOf(session === undefined ? {} : { session })
    return pathPool?.warmStandby === undefined
      ? { configuration }
      : { configuration, warmStandby: pathPool.warmStandby }
  }
}
