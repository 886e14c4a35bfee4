import { Milliseconds, Seconds, formatIpAddress, silentLog } from '@breakwater/core'
import type { CertificateCredentials, Duration, ConnectRequest, Instant, Transport } from '@breakwater/core'
import {
  LeakCheck,
  PacingAuditor,
  SimulatedNetwork,
  VirtualClock,
  address,
  auditedEndpoints,
  prefix,
  seededEntropy,
  simulatedCertificate
} from '@breakwater/testing'
import type {
  InterfaceOptions,
  Link,
  PacingViolation,
  SimulatedHost,
  SimulatedRouter
} from '@breakwater/testing'
import { hostDotsClient } from '../../../src/client/host.ts'
import type { ClientHost, ClientPorts } from '../../../src/client/host.ts'
import type { SessionReport } from '../../../src/client/status.ts'
import { DomainName, ProtectionId, ServerName, parseCuid } from '../../../src/domain/identifier.ts'
import { hostDotsServer } from '../../../src/server/host.ts'
import type { ServerHost } from '../../../src/server/host.ts'
import { DryRun, TestStore } from '../two-providers.ts'
import { watchedEndpoint } from '../watched-endpoint.ts'
import { requestIn } from '../wire.ts'
import type { WireRequest } from '../wire.ts'

/*
 *         ┌ gateway 1 ── wan-1 ─┐            dots1 192.0.2.1
 *   net ──┤                     ├ site       dots2 192.0.2.2 …
 *         └ gateway 2 ── wan-2 ─┘
 *
 * One provider, two links, as many servers as a test asks for. With `isOneLink` both gateways stand on one link of the site,
 * `lan`, and the source of a packet decides which of them it goes by: two sources lead by the first, one by the second.
 */
const ISP = DomainName('isp')
/** Of a site with one link. */
export const SOURCES = ['198.51.100.1', '198.51.100.2', '198.51.100.17'] as const

const LATENCY = Milliseconds(10)

/** Over two links there and two back. */
export const ROUND_TRIP: Duration = Milliseconds(40)

function credentials(name: string): CertificateCredentials {
  return simulatedCertificate({ authority: 'isp authority', subject: name, dnsNames: [name] })
}

export interface TwoGatewaysOptions {
  readonly servers?: number
  readonly transports?: readonly Transport[]
  readonly interfaces?: readonly string[]
  readonly seed?: number
  /** The servers stand in for one another. Default: they do not. */
  readonly isPool?: boolean
  readonly isOneLink?: boolean
  /** Links and hosts say by ICMP what they do not carry or take. Default: they do not. */
  readonly saysIcmp?: boolean
  /** Servers whose links are cut from the start on. Default: none. */
  readonly missing?: readonly number[]
  /** What is to be protected when the signal is lost. */
  readonly preconfigured?: readonly string[]
}

/** A client with two links to one provider. What is sent is recorded, and audited for its pacing. */
export class TwoGateways {
  readonly leaks: LeakCheck = new LeakCheck()
  readonly clock: VirtualClock = this.leaks.clock(new VirtualClock())
  readonly network: SimulatedNetwork
  readonly site: SimulatedHost
  /** On the one link of the site, where it has only one. */
  readonly gateways: SimulatedRouter
  /** Every request that the site sent over UDP, whether or not it arrived. */
  readonly sent: WireRequest[] = []
  readonly violations: PacingViolation[] = []
  readonly mitigators: DryRun[] = []
  /** Handshakes over UDP that the client started, by the number of the server. */
  readonly handshakes: { readonly server: number; readonly at: Instant }[] = []
  readonly #options: Required<TwoGatewaysOptions>
  readonly #hosts: SimulatedHost[] = []
  readonly #servers: ServerHost[] = []
  #client: ClientHost | undefined

  constructor(options: TwoGatewaysOptions = {}) {
    this.#options = {
      servers: 1,
      transports: ['udp'],
      interfaces: ['wan-1', 'wan-2'],
      seed: 21,
      isPool: false,
      saysIcmp: false,
      missing: [],
      isOneLink: false,
      preconfigured: [],
      ...options
    }
    const conditions = { latency: LATENCY }
    const { saysIcmp } = this.#options
    const network = new SimulatedNetwork({ clock: this.clock, seed: 1, conditions, saysIcmp })
    this.network = this.leaks.network(network)
    const own = SOURCES.map((each) => address(each))
    this.gateways = this.network.addRouter('gateways', {
      uplinks: [
        { ...wan('gateway-1', '198.51.100.14'), routedPrefixes: [prefix('198.51.100.0/28')] },
        { ...wan('gateway-2', '198.51.100.30'), routedPrefixes: [prefix('198.51.100.16/28')] }
      ]
    })
    const links = this.#options.isOneLink
      ? [{ name: 'lan', addresses: own, behind: this.gateways }]
      : [wan('wan-1', '198.51.100.1'), wan('wan-2', '198.51.100.17')]
    this.site = this.network.addHost('site', { interfaces: links })
    this.network.tap((entry) => {
      const request = entry.from === 'site' ? requestIn(entry) : undefined
      if (request !== undefined) this.sent.push(request)
    })
  }

  get client(): ClientHost {
    if (this.#client === undefined) throw new Error('the client has not been started')
    return this.#client
  }

  /** Servers and client, and time for the first sessions. */
  async start(ports: Partial<ClientPorts> = {}): Promise<void> {
    const { servers, transports, interfaces, seed, isPool, isOneLink, missing, preconfigured } = this.#options
    const auditor = new PacingAuditor({ report: (violation) => this.violations.push(violation) })
    const own = Array.from({ length: servers }, (_, index) => `192.0.2.${index + 1}`)
    for (const [index, each] of own.entries()) {
      const eth0 = [{ name: 'eth0', addresses: [address(each)] }]
      this.#hosts.push(this.network.addHost(`dots${index + 1}`, { interfaces: eth0 }))
      this.mitigators.push(new DryRun())
      await this.#listen(index)
    }
    for (const index of missing) this.server(index).cut()
    const open = auditedEndpoints(this.site.openSecureEndpoint, {
      clock: this.clock,
      role: 'client',
      pairOf: () => 'site and isp',
      take: (datagram) => {
        if (servers === 1) auditor.take(datagram)
      }
    })
    this.#client = hostDotsClient({
      clock: this.clock,
      entropy: seededEntropy(seed),
      open: async (options, handlers) =>
        watchedEndpoint(await open(options, handlers), (request) => this.#noteHandshake(request)),
      openStream: this.site.openSecureStream,
      site: {
        domains: [
          {
            name: ISP,
            kind: 'access',
            interfaces: isOneLink ? ['lan'] : interfaces,
            ...(isPool ? { isPool } : {}),
            preconfigured: preconfigured.map((text) => ({
              target: { prefixes: [prefix(text)], ports: [], protocols: [] },
              lifetime: 3600
            })),
            prefixes: [prefix('198.51.100.0/28'), prefix('198.51.100.16/28')],
            sources: isOneLink ? SOURCES.map((each) => address(each)) : [],
            localAddresses: ['1', '17'].map((last, index) => ({
              address: address(`198.51.100.${last}`),
              prefixLength: 28,
              interface: { name: `wan-${index + 1}` }
            })),
            servers: own.map((each, index) => ({
              name: ServerName(`dots${index + 1}`),
              domain: ISP,
              referenceName: 'dots.isp.example',
              addresses: [address(each)],
              port: 4646,
              transports
            }))
          }
        ],
        providerIndependent: []
      },
      credentials: new Map([[ISP, credentials('site.isp.example')]]),
      cuids: new Map([[ISP, parseCuid('dz6pHjaADkaFTbjr0JGBpw')!]]),
      log: silentLog,
      ...ports
    })
    await this.clock.advance(Seconds(1))
  }

  /** The link of a server. */
  server(index: number): Link {
    const host = this.#hosts[index]
    if (host === undefined) throw new RangeError(`there is no server ${index}`)
    return host.link('eth0')
  }

  /** It says goodbye, and is there again at once. */
  async restart(index: number): Promise<void> {
    await this.#servers[index]?.stop()
    await this.#listen(index)
  }

  protect(id: string, ...targets: readonly string[]): void {
    const prefixes = (targets.length === 0 ? ['198.51.100.2/32'] : targets).map((each) => prefix(each))
    this.client.protect({
      id: ProtectionId(id),
      target: { prefixes, ports: [], protocols: [] },
      lifetime: 3600,
      allowPartial: false,
      require: 'all'
    })
  }

  release(id: string): void {
    this.client.release(ProtectionId(id))
  }

  protection(id: string): string | undefined {
    return this.client.status().protections.find((each) => each.id === id)?.state
  }

  session(index = 0): SessionReport {
    const session = this.client.status().sessions[index]
    if (session === undefined) throw new Error(`there is no session ${index}`)
    return session
  }

  /** `established wan-1, warm wan-2` */
  text(index = 0): string {
    const { state, path, standBy } = this.session(index)
    const second = standBy === undefined ? '' : `, ${standBy.mode} ${standBy.path.interface}`
    return `${state} ${path?.interface}${second}`
  }

  /** Lets time pass until it holds, to the millisecond. @returns how long that took, in seconds. */
  async until(condition: () => boolean, limitSeconds = 600): Promise<number> {
    const since = this.clock.now()
    while (!condition()) {
      if (this.clock.now() - since > limitSeconds * 1000)
        throw new Error(`not within ${limitSeconds} s: ${this.text()}`)
      await this.clock.advance(Milliseconds(1))
    }
    return (this.clock.now() - since) / 1000
  }

  /** Requests about mitigations that left by an interface, since `since`. */
  asked(name: string, since: number): WireRequest[] {
    return this.sent.filter(
      (request) =>
        request.at >= since &&
        request.interface === name &&
        request.method === 'PUT' &&
        request.mitigationId !== undefined
    )
  }

  pass(duration: Duration): Promise<void> {
    return this.clock.advance(duration)
  }

  async close(): Promise<void> {
    await this.#client?.close()
    for (const server of this.#servers) await server.stop()
    await this.clock.advance(Seconds(3))
    await this.leaks.check()
  }

  #noteHandshake({ remote }: ConnectRequest): void {
    const server = Number(formatIpAddress(remote.address).split('.').at(-1)) - 1
    this.handshakes.push({ server, at: this.clock.now() })
  }

  async #listen(index: number): Promise<void> {
    const host = this.#hosts[index]!
    const certificate = credentials('dots.isp.example')
    const local = { address: address(`192.0.2.${index + 1}`), port: 4646 }
    this.#servers[index] = await hostDotsServer({
      clock: this.clock,
      entropy: seededEntropy(11 + index),
      open: host.openSecureEndpoint,
      openStream: host.openSecureStream,
      listen: this.#options.transports.map((transport) => ({ transport, local, certificate })),
      store: new TestStore(),
      mitigator: this.mitigators[index]!,
      domains: [
        {
          name: 'site',
          dnsNames: ['site.isp.example'],
          pskIdentities: [],
          prefixes: [prefix('198.51.100.0/27')]
        }
      ],
      log: silentLog
    })
  }
}

function wan(name: string, own: string): InterfaceOptions {
  return { name, addresses: [address(own)] }
}

/** For the figures that a test prints. */
export function figure(name: string, seconds: number): void {
  console.log(`${name}: ${seconds.toFixed(3)} s`)
}
