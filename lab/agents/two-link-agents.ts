import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'

import { socketTransport } from '@breakwater/cli'
import { ControlClient } from '@breakwater/control'

import { TwoLinkSite, type Upstream } from '../backends/netns/two-link-site.ts'
import { writeConfig } from './agent-files.ts'
import { dots, untilReady } from './agent-process.ts'

/** What a test has the client know of a provider. */
export type DomainKeys = Readonly<Record<string, unknown>>

/** A site in namespaces, the DOTS server of either provider, and a client that they know by a key of their own each. */
export class TwoLinkAgents {
  readonly site: TwoLinkSite
  readonly folder: string = mkdtempSync(join(tmpdir(), 'breakwater-links-'))
  readonly control: ControlClient = new ControlClient(socketTransport(join(this.folder, 'client.sock')))

  private constructor(site: TwoLinkSite) {
    this.site = site
  }

  /** Builds the site and starts the servers. @param tag Distinguishes it from others of this process. */
  static async build(tag: string, upstreams: readonly [Upstream, Upstream]): Promise<TwoLinkAgents> {
    const agents = new TwoLinkAgents(await TwoLinkSite.build(tag, upstreams))
    try {
      await Promise.all(upstreams.map((upstream) => agents.#startServer(upstream)))
      return agents
    } catch (error) {
      await agents.destroy()
      throw error
    }
  }

  async #startServer({ name, server, prefix }: Upstream): Promise<void> {
    const config = writeConfig(join(this.folder, `${name}.yaml`), {
      listen: [{ address: server, transports: ['udp'] }],
      preSharedKeys: [{ identity: identityAt(name), keyFile: this.#key(name) }],
      clients: [{ name: 'home', identity: { pskIdentity: identityAt(name) }, prefixes: [prefix] }],
      mitigator: { kind: 'dry-run' },
      store: { path: `${name}.db` },
      control: { socket: `${name}.sock` }
    })
    const child = this.site.provider(name).start([...dots, 'server', '--config', config])
    await untilReady(name, child)
  }

  /** The command that starts the client with this configuration. `of`: what it says of a provider. */
  clientCommand(
    upstreams: readonly Upstream[],
    of: (upstream: Upstream) => DomainKeys,
    site: DomainKeys = {}
  ): readonly string[] {
    const config = writeConfig(join(this.folder, 'client.yaml'), {
      site,
      domains: upstreams.map((upstream) => ({
        name: upstream.name,
        prefixes: [upstream.prefix],
        servers: [
          { name: `dots.${upstream.name}.example`, addresses: [upstream.server], transports: ['udp'] }
        ],
        credentials: { pskIdentity: identityAt(upstream.name), keyFile: this.#key(upstream.name) },
        ...of(upstream)
      })),
      // The longest that RFC 8305 §5 recommends: a busy machine is no reason to try the next source.
      happyEyeballs: { attemptDelayMilliseconds: 2000 },
      control: { socket: 'client.sock' }
    })
    return [...dots, 'client', '--config', config]
  }

  /** Every session of the client stands; rejects after a minute with how they stand. */
  async untilSessionsStand(): Promise<void> {
    const end = performance.now() + 60_000
    for (;;) {
      const sessions = await this.control.sessions()
      if (sessions.every(({ state }) => state === 'established')) return
      if (performance.now() > end)
        throw new Error(sessions.map(({ state, text }) => `${state}: ${text}`).join('\n'))
      await pause(100)
    }
  }

  async destroy(): Promise<void> {
    await this.site.destroy()
    rmSync(this.folder, { recursive: true, force: true })
  }

  #key(provider: string): string {
    const file = join(this.folder, `${provider}.psk`)
    writeFileSync(file, (provider === 'isp1' ? 'a5' : '5a').repeat(32), { mode: 0o600 })
    return file
  }
}

/** A name of its own at each provider: neither learns of the other by it. */
function identityAt(provider: string): string {
  return `home.${provider}`
}
