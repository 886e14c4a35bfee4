import { Seconds, equalIpAddresses, formatIpPrefix, prefixContains, silentLog } from '@breakwater/core'
import type { CertificateCredentials, Duration, IpPrefix, SocketAddress, Transport } from '@breakwater/core'
import {
  LeakCheck,
  SimulatedNetwork,
  VirtualClock,
  address,
  prefix,
  seededEntropy,
  simulatedCertificate
} from '@breakwater/testing'
import type { SimulatedHost } from '@breakwater/testing'
import { hostDotsClient } from '../../src/client/host.ts'
import type { ClientHost, ClientPorts } from '../../src/client/host.ts'
import type { ClientEvent } from '../../src/client/client-io.ts'
import { DomainName, ProtectionId, ServerName, parseCuid } from '../../src/domain/identifier.ts'
import type { Cuid } from '../../src/domain/identifier.ts'
import type { MitigationPlan, Mitigator, PlanId } from '../../src/domain/mitigator.ts'
import type { LoadedCollection, RecordChange, RecordStore } from '../../src/domain/record-store.ts'
import type { Site } from '../../src/domain/site.ts'
import type { Target } from '../../src/domain/target.ts'
import type { ProtectionRequest, ProtectionStatus } from '../../src/client/protection.ts'
import { hostDotsServer } from '../../src/server/host.ts'
import type { ServerHost, ServerPorts } from '../../src/server/host.ts'
import { watchedEndpoint } from './watched-endpoint.ts'
import { StreamRequests, requestIn } from './wire.ts'
import type { WireRequest } from './wire.ts'

/*
 *            DOTS server               DOTS server
 *         isp-a 192.0.2.1           isp-b 192.0.2.129
 *                |                         |
 *   198.51.100.1 | wan-a             wan-b | 100.64.7.1
 *                +----------[ site ]-------+
 *      PA 198.51.100.0/24     |      PA 100.64.7.0/24
 *                     PI 203.0.113.0/24
 */

export const ISP_A: DomainName = DomainName('isp-a')
export const ISP_B: DomainName = DomainName('isp-b')

const SERVER_ADDRESS = { 'isp-a': '192.0.2.1', 'isp-b': '192.0.2.129' } as const
const SITE_ADDRESS = { 'isp-a': '198.51.100.1', 'isp-b': '100.64.7.1' } as const
const ASSIGNED = { 'isp-a': '198.51.100.0/24', 'isp-b': '100.64.7.0/24' } as const
const OWN = '203.0.113.0/24'

type Isp = 'isp-a' | 'isp-b'
const ISPS: readonly Isp[] = ['isp-a', 'isp-b']

/** What a server may hear of, worked out without the code under test. */
function isEntitled(isp: Isp, asked: IpPrefix): boolean {
  return [ASSIGNED[isp], OWN].some((own) => prefixContains(prefix(own), asked))
}

/** The same site, whose providers listen on these transports. */
export function siteOver(...transports: readonly Transport[]): Site {
  const domains = site.domains.map((domain) => ({
    ...domain,
    servers: domain.servers.map((server) => ({ ...server, transports }))
  }))
  return { ...site, domains }
}

export const site: Site = {
  domains: ISPS.map((isp) => ({
    name: DomainName(isp),
    kind: 'access',
    interfaces: [isp === 'isp-a' ? 'wan-a' : 'wan-b'],
    prefixes: [prefix(ASSIGNED[isp])],
    sources: [address(SITE_ADDRESS[isp])],
    servers: [
      {
        name: ServerName(isp),
        domain: DomainName(isp),
        referenceName: `dots.${isp}.example`,
        addresses: [address(SERVER_ADDRESS[isp])],
        port: 4646
      }
    ]
  })),
  providerIndependent: [{ prefix: prefix(OWN) }]
}

export function targetOf(...prefixes: string[]): Target {
  return { prefixes: prefixes.map(prefix), ports: [], protocols: [] }
}

/** Keeps records in memory, in the order of the calendar of a test. */
export class TestStore implements RecordStore {
  readonly records = new Map<string, Uint8Array>()

  load(collection: string): Promise<LoadedCollection> {
    const own = [...this.records].filter(([key]) => key.startsWith(`${collection}\n`))
    const records = own.map(([key, value]) => ({ key: key.slice(collection.length + 1), value }))
    return Promise.resolve({ records, damaged: [] })
  }

  commit(changes: readonly RecordChange[]): Promise<void> {
    for (const change of changes) {
      const key = `${change.collection}\n${change.key}`
      if (change.kind === 'put') this.records.set(key, change.value)
      else this.records.delete(key)
    }
    return Promise.resolve()
  }

  close(): Promise<void> {
    return Promise.resolve()
  }
}

/** Only says what it would do. */
export class DryRun implements Mitigator {
  readonly name = 'dry-run'
  readonly plans = new Map<PlanId, MitigationPlan>()

  apply(plan: MitigationPlan): Promise<void> {
    this.plans.set(plan.id, plan)
    return Promise.resolve()
  }

  withdraw(id: PlanId): Promise<void> {
    this.plans.delete(id)
    return Promise.resolve()
  }

  inForce(): Promise<readonly PlanId[]> {
    return Promise.resolve([...this.plans.keys()])
  }

  counters(): Promise<ReadonlyMap<PlanId, { packets: bigint; bytes: bigint }>> {
    return Promise.resolve(new Map([...this.plans.keys()].map((id) => [id, { packets: 12n, bytes: 34n }])))
  }

  close(): Promise<void> {
    return Promise.resolve()
  }
}

export interface Provider {
  readonly host: SimulatedHost
  readonly mitigator: DryRun
  readonly store: TestStore
  server: ServerHost | undefined
}

/** A site with two providers on a simulated internet; what is sent is recorded. */
export class TwoProviders {
  readonly leaks = new LeakCheck()
  readonly clock: VirtualClock
  readonly network: SimulatedNetwork
  readonly siteHost: SimulatedHost
  readonly providers: Readonly<Record<Isp, Provider>>
  readonly events: ClientEvent[] = []
  /** Every DOTS request that the site sent, whether or not it arrived. */
  readonly sent: WireRequest[] = []
  /** When the client asked its endpoints for a handshake with whom. */
  readonly connects: { readonly at: number; readonly remote: SocketAddress; readonly localPort: number }[] =
    []
  #client: ClientHost | undefined

  constructor(seed = 1) {
    this.clock = this.leaks.clock(new VirtualClock())
    this.network = this.leaks.network(new SimulatedNetwork({ clock: this.clock, seed }))
    // With a plain default route, only what is bound to its interface gets past the other provider's ingress filter.
    this.siteHost = this.network.addHost('site', {
      routing: 'first-interface',
      interfaces: ISPS.map((isp) => ({
        name: isp === 'isp-a' ? 'wan-a' : 'wan-b',
        addresses: [address(SITE_ADDRESS[isp])]
      }))
    })
    this.providers = { 'isp-a': this.#addProvider('isp-a'), 'isp-b': this.#addProvider('isp-b') }
    const streams = new StreamRequests()
    this.network.tap((entry) => {
      if (entry.from !== 'site') return
      const request = requestIn(entry)
      if (request !== undefined) this.sent.push(request)
      this.sent.push(...streams.read(entry))
    })
  }

  get client(): ClientHost {
    if (this.#client === undefined) throw new Error('the client has not been started')
    return this.#client
  }

  async startServer(isp: Isp, ports: Partial<ServerPorts> = {}): Promise<void> {
    const provider = this.providers[isp]
    provider.server = await hostDotsServer({
      clock: this.clock,
      entropy: seededEntropy(isp === 'isp-a' ? 11 : 12),
      open: provider.host.openSecureEndpoint,
      openStream: provider.host.openSecureStream,
      listen: [
        {
          local: { address: address(SERVER_ADDRESS[isp]), port: 4646 },
          certificate: credentials(isp, `dots.${isp}.example`)
        }
      ],
      store: provider.store,
      mitigator: provider.mitigator,
      domains: [
        {
          name: 'site',
          dnsNames: [`site.${isp}.example`],
          pskIdentities: [],
          prefixes: [prefix(ASSIGNED[isp]), prefix(OWN)]
        }
      ],
      log: silentLog,
      ...ports
    })
  }

  /** Where a server listens over these transports, for `startServer`. */
  listenOver(isp: Isp, ...transports: readonly Transport[]): ServerPorts['listen'] {
    const local = { address: address(SERVER_ADDRESS[isp]), port: 4646 }
    const certificate = credentials(isp, `dots.${isp}.example`)
    return transports.map((transport) => ({ transport, local, certificate }))
  }

  async stopServer(isp: Isp): Promise<void> {
    await this.providers[isp].server?.stop()
    this.providers[isp].server = undefined
  }

  startClient(ports: Partial<ClientPorts> = {}): ClientHost {
    this.#client = hostDotsClient({
      clock: this.clock,
      entropy: seededEntropy(21),
      open: async (options, handlers) => {
        const endpoint = await this.siteHost.openSecureEndpoint(options, handlers)
        const localPort = endpoint.local.port
        return watchedEndpoint(endpoint, ({ remote }) =>
          this.connects.push({ at: this.clock.now(), remote, localPort })
        )
      },
      openStream: this.siteHost.openSecureStream,
      site,
      credentials: new Map(ISPS.map((isp) => [DomainName(isp), credentials(isp, `site.${isp}.example`)])),
      cuids: new Map(ISPS.map((isp) => [DomainName(isp), cuidFor(isp)])),
      log: silentLog,
      onEvent: (event) => this.events.push(event),
      ...ports
    })
    return this.#client
  }

  /** The site's own credentials at a provider. */
  credentialsOf(isp: Isp): CertificateCredentials {
    return credentials(isp, `site.${isp}.example`)
  }

  /** Handshakes that the client started with a server. */
  clientEndpointConnects(isp: Isp): { readonly at: number; readonly localPort: number }[] {
    return this.connects.filter(({ remote }) =>
      equalIpAddresses(remote.address, address(SERVER_ADDRESS[isp]))
    )
  }

  /** Both servers and the client, and time for the sessions. */
  async start(ports: Partial<ClientPorts> = {}): Promise<void> {
    await this.startServer('isp-a')
    await this.startServer('isp-b')
    this.startClient(ports)
    await this.advance(Seconds(1))
  }

  protect(id: string, target: Target, options: Partial<ProtectionRequest> = {}): ProtectionStatus {
    return this.client.protect({
      id: ProtectionId(id),
      target,
      lifetime: 3600,
      allowPartial: false,
      require: 'all',
      ...options
    })
  }

  release(id: string): ProtectionStatus | undefined {
    return this.client.release(ProtectionId(id))
  }

  state(id: string): string | undefined {
    return this.client.status().protections.find((each) => each.id === id)?.state
  }

  advance(duration: Duration): Promise<void> {
    return this.clock.advance(duration)
  }

  /** `isp-a: 198.51.100.7/32` for every mitigation at every provider. */
  mitigated(): string[] {
    return ISPS.flatMap((isp) =>
      [...this.providers[isp].mitigator.plans.values()].map((plan) => {
        return `${isp}: ${plan.target.prefixes.map((each) => formatIpPrefix(each)).join(' ')}`
      })
    )
  }

  /** `PUT isp-a` for every request about a mitigation that the site sent, repetitions as often as they were. */
  mitigationRequests(): string[] {
    return this.sent
      .filter((request) => request.mitigationId !== undefined)
      .map((request) => `${request.method} ${this.ispAt(request)}`)
  }

  ispAt(request: WireRequest): Isp {
    const isp = ISPS.find((each) => equalIpAddresses(address(SERVER_ADDRESS[each]), request.remote.address))
    if (isp === undefined) throw new Error('a request went to an address that is nobody’s')
    return isp
  }

  /** Requests that named a target to a server that is not entitled to it, or left by another domain's path. */
  wrongServerRequests(): WireRequest[] {
    return this.sent.filter((request) => {
      const isp = this.ispAt(request)
      const isForeign = request.prefixes.some((asked) => !isEntitled(isp, asked))
      const via = isp === 'isp-a' ? 'wan-a' : 'wan-b'
      return isForeign || request.source !== SITE_ADDRESS[isp] || request.interface !== via
    })
  }

  /** Ends everything and checks that nothing stays behind. */
  async close(): Promise<void> {
    await this.#client?.close()
    this.#client = undefined
    for (const isp of ISPS) await this.stopServer(isp)
    // Connections that nobody answers any more are given up after 2 s.
    await this.clock.advance(Seconds(3))
    await this.leaks.check()
  }

  #addProvider(isp: Isp): Provider {
    const host = this.network.addHost(isp, {
      interfaces: [{ name: 'eth0', addresses: [address(SERVER_ADDRESS[isp])] }]
    })
    return { host, mitigator: new DryRun(), store: new TestStore(), server: undefined }
  }
}

function credentials(isp: Isp, name: string): CertificateCredentials {
  return simulatedCertificate({ authority: `${isp} authority`, subject: name, dnsNames: [name] })
}

function cuidFor(isp: Isp): Cuid {
  const cuid = parseCuid(`cuid-of-the-site-${isp}`)
  if (cuid === undefined) throw new Error('no cuid')
  return cuid
}
