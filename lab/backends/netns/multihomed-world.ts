import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

import { socketTransport } from '@breakwater/cli'
import { ControlClient } from '@breakwater/control'

import { type AgentProcess, untilReady } from '../../agents/agent-process.ts'
import { type PacingReport, auditedDots, readPacing } from '../../agents/audited-agent.ts'
import {
  type MultihomedFiles,
  readHeard,
  rewriteClient,
  writeMultihomedFiles
} from '../../agents/multihomed-agents.ts'
import { WrongClock } from '../../agents/wrong-clock.ts'
import { agreedProbingRate } from '../../multihomed/client-site.ts'
import { type ProviderPlan, type Topology, providerOf } from '../../multihomed/topology.ts'
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
import { AccessLinks } from './access-links.ts'
import { makeServersLate } from './late-servers.ts'
import { MultihomedNetwork } from './multihomed-network.ts'
import { NameService } from './name-service.ts'

/** How often a condition is looked at. */
const LOOK_EVERY_MILLISECONDS = 50

/** A multihomed site in namespaces of this machine: the agents as processes, the kernel's routing and filters. */
export async function openNetnsMultihomed(
  topology: Topology,
  { missing }: WorldOptions
): Promise<MultihomedWorld> {
  const folder = await mkdtemp(join(tmpdir(), 'breakwater-lab-'))
  const network = await MultihomedNetwork.build(topology).catch(async (error: unknown) => {
    await rm(folder, { recursive: true, force: true })
    throw error
  })
  try {
    const files = await writeMultihomedFiles(folder, topology)
    const world = new NetnsMultihomed(topology, network, files, folder, missing)
    await world.start()
    return world
  } catch (error) {
    await network.destroy()
    await rm(folder, { recursive: true, force: true })
    throw error
  }
}

class NetnsMultihomed implements MultihomedWorld {
  readonly backend = 'netns'
  readonly #topology: Topology
  readonly #network: MultihomedNetwork
  readonly #links: AccessLinks
  readonly #files: MultihomedFiles
  readonly #folder: string
  readonly #missing: MissingParts | undefined
  readonly #agents = new Map<string, AgentProcess>()
  readonly #nameServices = new Map<string, NameService>()
  #clock: WrongClock | undefined

  constructor(
    topology: Topology,
    network: MultihomedNetwork,
    files: MultihomedFiles,
    folder: string,
    missing: MissingParts | undefined
  ) {
    this.#topology = topology
    this.#network = network
    this.#links = new AccessLinks(topology, network)
    this.#files = files
    this.#folder = folder
    this.#missing = missing
  }

  /** Starts the agents, servers first, without what is to be missing. */
  async start(): Promise<void> {
    const { provider = '', parts = [] } = this.#missing ?? {}
    const isThere = (name: string): boolean => name !== provider || !parts.includes('server')
    const providers = this.#topology.providers.filter(({ name }) => isThere(name))
    await Promise.all(providers.map((each) => this.#startServers(each)))
    const { roundTripMilliseconds } = this.#topology
    if (roundTripMilliseconds !== undefined) await this.#delay(roundTripMilliseconds)
    await this.#startNameServices(parts.includes('dns') ? provider : undefined)
    if (parts.includes('clock')) this.#clock = await WrongClock.make(this.#folder)
    if (parts.includes('uplink')) await this.setLinks(provider, 'cut')
    await Promise.all(
      this.#topology.clients.map(({ name, on }) =>
        this.#start(on, 'client', name, this.#files.clients.get(name))
      )
    )
  }

  async heal(part: StartPart): Promise<void> {
    const { provider = '' } = this.#missing ?? {}
    if (part === 'uplink') await this.setLinks(provider, 'clear')
    if (part === 'dns') await this.setResolver(provider, 'truth')
    if (part === 'server') await this.#startServers(providerOf(this.#topology, provider))
    if (part === 'clock') this.#clock?.putRight()
  }

  /** @param silent The provider whose resolver is missing. */
  async #startNameServices(silent: string | undefined): Promise<void> {
    for (const provider of this.#topology.providers) {
      const { name, resolver } = provider
      if (resolver === undefined) continue
      const service = new NameService(this.#network.namespace(name), provider, resolver.address, this.#folder)
      this.#nameServices.set(name, service)
      await service.say(name === silent ? 'silence' : resolver.firstWords)
    }
  }

  async setResolver(provider: string, words: ResolverWords): Promise<void> {
    const service = this.#nameServices.get(provider)
    if (service === undefined) throw new RangeError(`${provider} has no resolver`)
    await service.say(words)
  }

  questions(): readonly HeardQuestion[] {
    return [...this.#nameServices.values()].flatMap((service) => service.questions())
  }

  async reasons(client: string): Promise<readonly string[]> {
    const sessions = await this.#control(client).sessions()
    return sessions.flatMap(({ state, text = '' }) => (state === 'established' ? [] : [text]))
  }

  redraw(client: string, topology: Topology): Promise<void> {
    const plan = topology.clients.find(({ name }) => name === client)
    if (plan === undefined) throw new RangeError(`the drawing has no client ${client}`)
    rewriteClient(this.#folder, topology, plan)
    this.#agents.get(client)?.child.kill('SIGHUP')
    return Promise.resolve()
  }

  renumber(provider: string): Promise<void> {
    return this.#network.renumber(provider)
  }

  async holdings(client: string): Promise<readonly string[]> {
    const sessions = await this.#control(client).sessions()
    const servers = [...this.#files.servers].map(async ([name, { socket }]) => {
      const control = new ControlClient(socketTransport(socket))
      const mitigations = (await control.mitigations()).map(({ mitigationId, target, state }) => {
        return `${name} mitigates ${mitigationId} ${target.prefixes.join(' ')} ${state}`
      })
      return [`${name} has ${(await control.sessions()).length} sessions`, ...mitigations]
    })
    return [
      ...sessions.map((session) => `${session.peer} ${session.state}`),
      ...(await Promise.all(servers)).flat()
    ]
  }

  async #startServers({ name, servers }: ProviderPlan): Promise<void> {
    const started = Object.keys(servers).map((server) =>
      this.#start(name, 'server', server, this.#files.servers.get(server))
    )
    await Promise.all(started)
  }

  async #delay(milliseconds: number): Promise<void> {
    for (const provider of this.#topology.providers)
      await makeServersLate(this.#network.namespace(provider.name), provider, milliseconds)
  }

  async #start(
    host: string,
    role: 'server' | 'client',
    name: string,
    files: { readonly config: string; readonly pacing: string } | undefined
  ): Promise<void> {
    if (files === undefined) throw new RangeError(`${name} has no configuration`)
    const audit = { file: files.pacing, ...agreedProbingRate(this.#topology) }
    const plain = auditedDots(audit, role, '--config', files.config)
    const command = role === 'client' ? (this.#clock?.before(plain) ?? plain) : plain
    this.#agents.set(name, await untilReady(name, this.#network.namespace(host).start(command)))
  }

  async sessions(client: string): Promise<readonly string[]> {
    return (await this.#control(client).sessions()).map(({ state }) => state)
  }

  async paths(client: string): Promise<readonly ListedPath[]> {
    return (await this.#control(client).paths()).paths
  }

  async protect(client: string, prefixes: readonly string[]): Promise<string | undefined> {
    const answer = await this.#control(client).protect({ prefixes: [...prefixes] })
    return answer.accepted ? answer.protection.id : undefined
  }

  async release(client: string, protection: string): Promise<void> {
    await this.#control(client).release(protection)
  }

  async reportAttack(client: string, protection: string, attackStatus: AttackStatus): Promise<void> {
    await this.#control(client).updateEfficacy(protection, { attackStatus })
  }

  standing(client: string, protection: string): Promise<Standing> {
    return this.#control(client).protection(protection)
  }

  setLinks(provider: string, weather: LinkWeather, interfaceName?: string): Promise<void> {
    return this.#links.setWeather(provider, weather, interfaceName)
  }

  setProvider(provider: string, weather: 'cut' | 'clear'): Promise<void> {
    return this.#links.setProvider(provider, weather)
  }

  async runUntil(condition: () => Promise<boolean>, limitSeconds: number): Promise<boolean> {
    const end = performance.now() + limitSeconds * 1000
    while (!(await condition())) {
      if (performance.now() > end) return false
      await wait(LOOK_EVERY_MILLISECONDS)
    }
    return true
  }

  pass(seconds: number): Promise<void> {
    return wait(seconds * 1000)
  }

  now(): number {
    return Date.now()
  }

  heard(): readonly HeardRequest[] {
    return [...this.#files.servers].flatMap(([server, { transcript }]) => readHeard(server, transcript))
  }

  foreignSourceDrops(): Promise<number> {
    return this.#links.foreignSourceDrops()
  }

  captured(): Promise<readonly CapturedSource[]> {
    return this.#links.captured()
  }

  stray(cpe: string): Promise<void> {
    return this.#links.stray(cpe)
  }

  pacing(): PacingReport {
    const agents = [...this.#files.clients.values(), ...this.#files.servers.values()]
    return readPacing(agents.map(({ pacing }) => pacing))
  }

  async destroy(): Promise<void> {
    await this.#network.destroy()
    await rm(this.#folder, { recursive: true, force: true })
  }

  #control(client: string): ControlClient {
    const files = this.#files.clients.get(client)
    if (files === undefined) throw new RangeError(`the drawing has no client ${client}`)
    return new ControlClient(socketTransport(files.socket))
  }
}

function wait(milliseconds: number): Promise<void> {
  return new Promise((resolve) => {
    setTimeout(resolve, milliseconds)
  })
}
