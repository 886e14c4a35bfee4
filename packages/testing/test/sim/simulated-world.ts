import { Milliseconds, Seconds } from '@breakwater/core'
import type {
  CertificateCredentials,
  Duration,
  IpAddress,
  IpFamily,
  SecureEndpoint,
  SecureEndpointHandlers
} from '@breakwater/core'
import { address } from '../../src/builders/address.ts'
import type {
  CertificateFlaw,
  ClientOverrides,
  EndpointSide,
  SecureEndpointWorld,
  ServerOverrides
} from '../../src/contracts/secure-endpoint-world.ts'
import { simulatedCertificate } from '../../src/sim/certificate.ts'
import type { LinkConditions } from '../../src/sim/conditions.ts'
import type { SimulatedHost } from '../../src/sim/host.ts'
import { SimulatedNetwork } from '../../src/sim/network.ts'
import { VirtualClock } from '../../src/virtual-clock.ts'

const addresses = {
  server: { 4: address('192.0.2.1'), 6: address('2001:db8:1::1') },
  client: { 4: address('198.51.100.7'), 6: address('2001:db8:2::7') }
} as const

/** Two hosts, one link each, and the certificates of the contract. */
export class SimulatedWorld implements SecureEndpointWorld {
  readonly serverName = 'server.example'
  readonly clientName = 'client.example'
  readonly handshakeGivesUpWithin: Duration = Seconds(70)
  readonly bindsWildcard = true
  readonly clock = new VirtualClock()
  readonly network: SimulatedNetwork
  readonly hosts: Readonly<Record<EndpointSide, SimulatedHost>>
  readonly #endpoints = new Set<SecureEndpoint>()
  #errors: unknown[] | undefined

  constructor(seed: number, conditions: Partial<LinkConditions> = {}, resumesSessions = false) {
    const uncaught = (error: unknown): void => this.#noteUncaught(error)
    this.network = new SimulatedNetwork({ clock: this.clock, seed, conditions, resumesSessions, uncaught })
    this.hosts = { server: this.#addHost('server'), client: this.#addHost('client') }
  }

  address(side: EndpointSide, family: IpFamily): IpAddress {
    return addresses[side][family]
  }

  certificate(side: EndpointSide, flaw?: CertificateFlaw): CertificateCredentials {
    const name = side === 'server' ? this.serverName : this.clientName
    return simulatedCertificate({
      authority: flaw === 'stranger' ? 'a stranger' : 'the authority',
      subject: side,
      dnsNames: [flaw === 'other-name' ? 'other.example' : name],
      trusts: ['the authority']
    })
  }

  openServer(handlers: SecureEndpointHandlers, overrides: ServerOverrides = {}): Promise<SecureEndpoint> {
    const local = { address: this.address('server', 4), port: 0 }
    const certificate = this.certificate('server')
    const options = { role: 'server', local, certificate, ...overrides } as const
    return this.#keep(this.hosts.server.openSecureEndpoint(options, handlers))
  }

  openClient(handlers: SecureEndpointHandlers, overrides: ClientOverrides = {}): Promise<SecureEndpoint> {
    const local = { address: this.address('client', 4), port: 0 }
    const credentials = this.certificate('client')
    const options = { role: 'client', local, credentials, ...overrides } as const
    return this.#keep(this.hosts.client.openSecureEndpoint(options, handlers))
  }

  async until(condition: () => boolean, limit: Duration = Seconds(5)): Promise<void> {
    if (!(await this.clock.runUntil(condition, limit))) throw new Error(`not within ${limit} ms`)
  }

  pause(duration: Duration): Promise<void> {
    return this.clock.advance(duration)
  }

  dropNext(count: number, to: EndpointSide, skipping = 0): void {
    this.hosts[to].link('eth0').down.dropNext(count, skipping)
  }

  async catchUncaught(during: () => Promise<void>): Promise<readonly unknown[]> {
    const errors: unknown[] = []
    this.#errors = errors
    await during()
    this.#errors = undefined
    return errors
  }

  vanish(endpoint: SecureEndpoint): Promise<void> {
    for (const host of Object.values(this.hosts))
      if (host.interface('eth0').has(endpoint.local.address)) host.crash()
    return Promise.resolve()
  }

  async close(): Promise<void> {
    for (const endpoint of this.#endpoints) await endpoint.destroy()
    await this.clock.advance(Milliseconds(200))
    const left = { sockets: this.network.openSockets, calls: this.clock.pending() }
    if (left.sockets > 0 || left.calls > 0) throw new Error(`left behind: ${JSON.stringify(left)}`)
  }

  async #keep(opening: Promise<SecureEndpoint>): Promise<SecureEndpoint> {
    const endpoint = await opening
    this.#endpoints.add(endpoint)
    return endpoint
  }

  #addHost(side: EndpointSide): SimulatedHost {
    const own = [addresses[side][4], addresses[side][6]]
    return this.network.addHost(side, { interfaces: [{ name: 'eth0', addresses: own }] })
  }

  #noteUncaught(error: unknown): void {
    if (this.#errors === undefined) throw error
    this.#errors.push(error)
  }
}
