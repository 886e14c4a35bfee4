import { type ChildProcess, spawn } from 'node:child_process'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

import { socketTransport } from '@breakwater/cli'
import { ControlClient } from '@breakwater/control'

import { untilReady } from '../../agents/agent-process.ts'
import { type PacingReport, auditedDots, readPacing } from '../../agents/audited-agent.ts'
import { type SeenRequest, readTranscript } from '../../agents/transcript.ts'
import { type TwoProviderFiles, writeTwoProviderFiles } from '../../agents/two-provider-agents.ts'
import { type Phases, until } from '../../scenarios/phases.ts'
import { twoProviders as plan } from '../../scenarios/two-providers-addresses.ts'
import type { Provider, TwoProviderWorld } from '../../scenarios/two-providers-world.ts'
import { end } from '../netns/command.ts'

const providers: readonly Provider[] = ['isp1', 'isp2']

/**
 * The world of `two-providers` on the loopback interface: the same agents with the same DTLS sessions, a mitigator that
 * only says what it would do, and no traffic. It is what can be shown without root.
 */
export async function openLoopbackWorld(phases: Phases): Promise<TwoProviderWorld> {
  const folder = await mkdtemp(join(tmpdir(), 'breakwater-lab-'))
  const children: ChildProcess[] = []
  const destroy = async (): Promise<void> => {
    await Promise.all(children.map((child) => end(child)))
    await rm(folder, { recursive: true, force: true })
  }
  const start = (name: string, pacing: string, ...args: readonly string[]): Promise<unknown> => {
    const [program, ...rest] = auditedDots({ file: pacing }, ...args)
    const child = spawn(program, rest, { stdio: ['ignore', 'pipe', 'pipe'], detached: true })
    children.push(child)
    return untilReady(name, child)
  }
  try {
    const files = await phases.step('each provider certified its server and its customer', () =>
      writeTwoProviderFiles(folder, { servers: providers.map(placeOf), mitigator: 'dry-run' })
    )
    await phases.step('two DOTS servers and one client run', async () => {
      for (const [provider, { config, pacing }] of files.servers)
        await start(`server of ${provider}`, pacing, 'server', '--config', config)
      await start('client', files.client.pacing, 'client', '--config', files.client.config)
    })
    return new LoopbackWorld(files, destroy)
  } catch (error) {
    await destroy()
    throw error
  }
}

function placeOf(provider: Provider, index: number) {
  return {
    provider,
    address: `127.0.1.${index + 1}`,
    prefix: plan[provider].prefix,
    clientSource: `127.0.2.${index + 1}`,
    clientInterface: undefined
  }
}

class LoopbackWorld implements TwoProviderWorld {
  readonly backend = 'loopback'
  readonly client: ControlClient
  readonly commandsToTry: readonly string[]
  readonly #servers: ReadonlyMap<string, ControlClient>
  readonly #files: TwoProviderFiles
  readonly #destroy: () => Promise<void>

  constructor(files: TwoProviderFiles, destroy: () => Promise<void>) {
    this.#files = files
    this.#destroy = destroy
    this.client = new ControlClient(socketTransport(files.client.socket))
    this.#servers = new Map(
      [...files.servers].map(([name, { socket }]) => [name, new ControlClient(socketTransport(socket))])
    )
    const command = 'node packages/cli/bin/dots.mjs'
    this.commandsToTry = [
      `${command} status --socket ${files.client.socket}`,
      `${command} protect ${plan.isp2.home} --wait --socket ${files.client.socket}`
    ]
  }

  startLegitimate(): Promise<undefined> {
    return Promise.resolve(undefined)
  }

  startFlood(): Promise<undefined> {
    return Promise.resolve(undefined)
  }

  /** There is no device: the server's own word is all that can be had. */
  async ruleAdded(provider: Provider): Promise<number> {
    const target = `${plan[provider].home}/32`
    const active = async (): Promise<boolean> => {
      const mitigations = (await this.#servers.get(provider)?.mitigations()) ?? []
      return mitigations.some(
        ({ state, target: { prefixes } }) => state === 'active' && prefixes.includes(target)
      )
    }
    await until(`${provider} mitigates`, active, { limitSeconds: 10, everyMs: 2 })
    return performance.now()
  }

  dropped(): Promise<undefined> {
    return Promise.resolve(undefined)
  }

  foreignSourceDrops(): Promise<undefined> {
    return Promise.resolve(undefined)
  }

  transcripts(): readonly SeenRequest[] {
    return [...this.#files.servers].flatMap(([provider, { transcript }]) =>
      readTranscript(provider, transcript)
    )
  }

  pacing(): PacingReport {
    return readPacing([this.#files.client, ...this.#files.servers.values()].map(({ pacing }) => pacing))
  }

  destroy(): Promise<void> {
    return this.#destroy()
  }
}
