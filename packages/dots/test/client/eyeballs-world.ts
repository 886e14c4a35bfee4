import { Milliseconds, silentLog } from '@breakwater/core'
import type { CertificateCredentials, Duration, Instant, Transport } from '@breakwater/core'
import {
  LeakCheck,
  SimulatedDefaultRouters,
  SimulatedNetwork,
  VirtualClock,
  address,
  prefix,
  seededEntropy,
  simulatedCertificate
} from '@breakwater/testing'
import type { SimulatedHost, TraceEntry } from '@breakwater/testing'
import { hostDotsClient } from '../../src/client/host.ts'
import type { ClientHost, ClientPorts } from '../../src/client/host.ts'
import { DomainName, ServerName, parseCuid } from '../../src/domain/identifier.ts'
import type { DotsServer, Site } from '../../src/domain/site.ts'
import { hostDotsServer } from '../../src/server/host.ts'
import type { ServerHost } from '../../src/server/host.ts'
import { DryRun, TestStore } from './two-providers.ts'

/*
 *   site ── wan-a 2001:db8:a::1, 198.51.100.1 ── net ── 2001:db8:ffff::1, 192.0.2.1 ── dots
 */
const OWN = ['2001:db8:a::1', '198.51.100.1'] as const
const SERVER = ['2001:db8:ffff::1', '192.0.2.1'] as const
const PROTECTED = '203.0.113.0/24'
const PORT = 4646

export type WayName = 'udp6' | 'udp4' | 'tcp6' | 'tcp4'

/** The first packet of an attempt, as it left the site. */
export interface SeenAttempt {
  readonly at: Instant
  readonly way: WayName
  readonly localPort: number
}

const domain = DomainName('isp-a')
const dots: DotsServer = {
  name: ServerName('isp-a'),
  domain,
  referenceName: 'dots.isp-a.example',
  addresses: SERVER.map(address),
  port: PORT
}

function siteWith(server: DotsServer): Site {
  const sources = OWN.map(address)
  return {
    domains: [
      {
        name: domain,
        kind: 'access',
        interfaces: ['wan-a'],
        prefixes: [prefix(PROTECTED)],
        sources,
        servers: [server]
      }
    ],
    providerIndependent: []
  }
}

export function wayOf(transport: Transport, family: 4 | 6): WayName {
  return `${transport}${family}`
}

/**
 * A client and a server that both have IPv6 and IPv4, UDP and TCP, and between them a network in which each of the four
 * ways can be blocked.
 */
export class EyeballsWorld {
  readonly leaks = new LeakCheck()
  readonly clock: VirtualClock
  readonly network: SimulatedNetwork
  readonly site: SimulatedHost
  readonly server: SimulatedHost
  readonly routers = new SimulatedDefaultRouters()
  readonly trace: TraceEntry[] = []
  #dots: ServerHost | undefined
  readonly #blocked = new Set<WayName>()
  #client: ClientHost | undefined

  /** @param more Further addresses of the site, on its interface. */
  constructor(latency: Duration = Milliseconds(5), seed = 1, more: readonly string[] = []) {
    this.clock = this.leaks.clock(new VirtualClock())
    this.network = this.leaks.network(
      new SimulatedNetwork({ clock: this.clock, seed, conditions: { latency } })
    )
    this.site = this.network.addHost('site', {
      interfaces: [{ name: 'wan-a', addresses: [...OWN, ...more].map(address) }]
    })
    this.server = this.network.addHost('dots', {
      interfaces: [{ name: 'eth0', addresses: [...SERVER.map(address), address('fe80::1')] }]
    })
    this.network.block(({ transport, path }) =>
      this.#blocked.has(wayOf(transport, path.remote.address.family))
    )
    this.network.tap((entry) => this.trace.push(entry))
  }

  /** What is sent this way vanishes, without a word. */
  block(...ways: readonly WayName[]): void {
    for (const way of ways) this.#blocked.add(way)
  }

  unblock(...ways: readonly WayName[]): void {
    for (const way of ways) this.#blocked.delete(way)
  }

  /** Starts the DOTS server, at these addresses, on UDP and TCP. */
  async listen(...at: readonly string[]): Promise<void> {
    const certificate = credentials('dots.isp-a.example')
    this.#dots = await hostDotsServer({
      clock: this.clock,
      entropy: seededEntropy(11),
      open: this.server.openSecureEndpoint,
      openStream: this.server.openSecureStream,
      listen: (at.length === 0 ? SERVER : at).flatMap((text) =>
        (['udp', 'tcp'] as const).map((transport) => ({
          transport,
          local: { address: address(text), port: PORT },
          certificate
        }))
      ),
      store: new TestStore(),
      mitigator: new DryRun(),
      domains: [
        { name: 'site', dnsNames: ['site.isp-a.example'], pskIdentities: [], prefixes: [prefix(PROTECTED)] }
      ],
      log: silentLog
    })
  }

  /** The server goes without a word; `listen` starts another. */
  async crash(): Promise<void> {
    this.server.crash()
    await this.#dots?.stop()
    this.#dots = undefined
  }

  async start(ports: Partial<ClientPorts> = {}, server: DotsServer = dots): Promise<void> {
    if (this.#dots === undefined) await this.listen()
    this.#client = hostDotsClient({
      clock: this.clock,
      entropy: seededEntropy(21),
      open: this.site.openSecureEndpoint,
      openStream: this.site.openSecureStream,
      defaultRouters: this.routers,
      site: siteWith(server),
      credentials: new Map([[domain, credentials('site.isp-a.example')]]),
      cuids: new Map([[domain, parseCuid('dz6pHjaADkaFTbjr0JGBpw')!]]),
      log: silentLog,
      ...ports
    })
  }

  /** The site as it is, for those that change it. */
  static readonly plainSite: Site = siteWith(dots)

  /** The server, but with no address that is known: the default router is to be it. */
  static readonly router: DotsServer = { ...dots, addresses: [], isDefaultRouter: true }

  get client(): ClientHost {
    if (this.#client === undefined) throw new Error('the client has not been started')
    return this.#client
  }

  async stopClient(): Promise<void> {
    await this.#client?.close()
    this.#client = undefined
  }

  advance(duration: Duration): Promise<void> {
    return this.clock.advance(duration)
  }

  /** `established udp6` */
  session(): string {
    const session = this.client.status().sessions[0]
    const path = session?.path
    const way = path === undefined ? '' : ` ${wayOf(path.transport, path.remote.includes(':') ? 6 : 4)}`
    return `${session?.state}${way}`
  }

  /** Attempts that left the site since `since`, in their order. */
  attempts(since = 0): SeenAttempt[] {
    const seen = new Map<string, SeenAttempt>()
    for (const { at, fate, from, transport, path } of this.trace) {
      if (fate.kind !== 'sent' || from !== 'site' || at < since) continue
      const way = wayOf(transport, path.remote.address.family)
      const localPort = path.local.port
      const key = `${way} ${localPort}`
      if (!seen.has(key) && isFirst(this.trace, at, way, localPort)) seen.set(key, { at, way, localPort })
    }
    return [...seen.values()]
  }

  /** `0 udp6`, counted from `since`. */
  attemptTexts(since = 0): string[] {
    return this.attempts(since).map(({ at, way }) => `${at - since} ${way}`)
  }

  async close(): Promise<void> {
    await this.stopClient()
    await this.#dots?.stop()
    await this.leaks.check()
  }
}

/** Whether nothing left by this way and port before. */
function isFirst(trace: readonly TraceEntry[], at: Instant, way: WayName, port: number): boolean {
  return !trace.some(
    (entry) =>
      entry.at < at &&
      entry.from === 'site' &&
      entry.path.local.port === port &&
      wayOf(entry.transport, entry.path.remote.address.family) === way
  )
}

function credentials(name: string): CertificateCredentials {
  return simulatedCertificate({ authority: 'isp-a authority', subject: name, dnsNames: [name] })
}
