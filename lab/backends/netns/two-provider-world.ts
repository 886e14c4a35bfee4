import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

import { socketTransport } from '@breakwater/cli'
import { ControlClient } from '@breakwater/control'

import { untilReady } from '../../agents/agent-process.ts'
import { type PacingReport, auditedDots, readPacing } from '../../agents/audited-agent.ts'
import { type SeenRequest, readTranscript } from '../../agents/transcript.ts'
import { type TwoProviderFiles, writeTwoProviderFiles } from '../../agents/two-provider-agents.ts'
import type { Phases } from '../../scenarios/phases.ts'
import { twoProviders as plan } from '../../scenarios/two-providers-addresses.ts'
import type { Provider, TwoProviderWorld } from '../../scenarios/two-providers-world.ts'
import { type Flood, startFlood } from '../../traffic/flood.ts'
import { type LegitimateTraffic, startLegitimateTraffic } from '../../traffic/legitimate.ts'
import { countersIn, namedCounterIn } from './nft-listing.ts'
import { RuleMonitor } from './rule-monitor.ts'
import { type TwoProviderNetwork, buildTwoProviderNetwork } from './two-provider-network.ts'

const providers: readonly Provider[] = ['isp1', 'isp2']
/** A request may have to be repeated after 3 s (RFC 9132 §4.4). */
const ruleWithinSeconds = 10

/** The world of `two-providers` in namespaces of this machine: real links, real filters, real floods. */
export async function openNetnsWorld(phases: Phases): Promise<TwoProviderWorld> {
  const folder = await mkdtemp(join(tmpdir(), 'breakwater-lab-'))
  const network = await phases.step('five hosts, five links, routes and ingress filters stand', () =>
    buildTwoProviderNetwork()
  )
  try {
    const files = await phases.step('each provider certified its server and its customer', () =>
      writeTwoProviderFiles(folder, { servers: providers.map(placeOf), mitigator: 'nftables' })
    )
    await phases.step('two DOTS servers and one client run', () => startAgents(network, files))
    const monitors = {
      isp1: await RuleMonitor.start(network.isp1),
      isp2: await RuleMonitor.start(network.isp2)
    }
    return new NetnsWorld(network, files, folder, monitors)
  } catch (error) {
    await network.destroy()
    await rm(folder, { recursive: true, force: true })
    throw error
  }
}

function placeOf(provider: Provider, index: number) {
  const { server, prefix, cpe } = plan[provider]
  return { provider, address: server, prefix, clientSource: cpe, clientInterface: `wan${index + 1}` }
}

async function startAgents(network: TwoProviderNetwork, files: TwoProviderFiles): Promise<void> {
  const servers = [...files.servers].map(([provider, { config, pacing }]) =>
    untilReady(
      `server of ${provider}`,
      network[provider as Provider].start(auditedDots({ file: pacing }, 'server', '--config', config))
    )
  )
  await Promise.all(servers)
  const { config, pacing } = files.client
  await untilReady('client', network.cpe.start(auditedDots({ file: pacing }, 'client', '--config', config)))
}

class NetnsWorld implements TwoProviderWorld {
  readonly backend = 'netns'
  readonly client: ControlClient
  readonly commandsToTry: readonly string[]
  readonly #network: TwoProviderNetwork
  readonly #files: TwoProviderFiles
  readonly #folder: string
  readonly #monitors: Readonly<Record<Provider, RuleMonitor>>

  constructor(
    network: TwoProviderNetwork,
    files: TwoProviderFiles,
    folder: string,
    monitors: Readonly<Record<Provider, RuleMonitor>>
  ) {
    this.#monitors = monitors
    this.#network = network
    this.#files = files
    this.#folder = folder
    this.client = new ControlClient(socketTransport(files.client.socket))
    const command = `node packages/cli/bin/dots.mjs`
    this.commandsToTry = [
      `${command} status --socket ${files.client.socket}`,
      `${command} plan ${plan.isp1.home} ${plan.isp2.home} --socket ${files.client.socket}`,
      `${command} protect ${plan.isp2.home} --protocol udp --wait --socket ${files.client.socket}`,
      `ip netns exec ${network.isp2.name} nft list table inet breakwater`
    ]
  }

  startLegitimate(provider: Provider, seconds: number): Promise<LegitimateTraffic> {
    const { internet, home } = this.#network
    return startLegitimateTraffic({ from: internet, to: home, address: plan[provider].home, seconds })
  }

  startFlood(provider: Provider, seconds: number): Promise<Flood> {
    return startFlood({
      from: this.#network.internet,
      device: provider,
      source: plan.attacker,
      destination: plan[provider].home,
      nextHop: { namespace: this.#network[provider], device: 'core' },
      seconds
    })
  }

  ruleAdded(provider: Provider, sinceMs: number): Promise<number> {
    return this.#monitors[provider].added(`ip daddr ${plan[provider].home}`, sinceMs, ruleWithinSeconds)
  }

  async dropped(provider: Provider): Promise<bigint> {
    return countersIn(await this.#listing(provider))
  }

  async foreignSourceDrops(provider: Provider): Promise<bigint> {
    const listing = await this.#network[provider].exec('nft -j list counters table inet ingress'.split(' '))
    return namedCounterIn(listing, 'foreign_source')
  }

  transcripts(): readonly SeenRequest[] {
    return [...this.#files.servers].flatMap(([provider, { transcript }]) =>
      readTranscript(provider, transcript)
    )
  }

  pacing(): PacingReport {
    return readPacing([this.#files.client, ...this.#files.servers.values()].map(({ pacing }) => pacing))
  }

  async destroy(): Promise<void> {
    await this.#network.destroy()
    await rm(this.#folder, { recursive: true, force: true })
  }

  #listing(provider: Provider): Promise<string> {
    return this.#network[provider].exec('nft -j list chain inet breakwater mitigation'.split(' '))
  }
}
