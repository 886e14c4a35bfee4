import { Milliseconds } from '@breakwater/core'
import type { CertificateCredentials, Duration, IpAddress, IpFamily, SecureEndpoint } from '@breakwater/core'
import { address } from '../../src/builders/address.ts'
import type { CertificateFlaw, EndpointSide } from '../../src/contracts/secure-endpoint-world.ts'
import { simulatedCertificate } from '../../src/sim/certificate.ts'
import type { SimulatedHost } from '../../src/sim/host.ts'
import { SimulatedNetwork } from '../../src/sim/network.ts'
import type { SimulatedNetworkOptions } from '../../src/sim/network.ts'
import { VirtualClock } from '../../src/virtual-clock.ts'

const addresses = {
  server: { 4: address('192.0.2.1'), 6: address('2001:db8:1::1') },
  client: { 4: address('198.51.100.7'), 6: address('2001:db8:2::7') }
} as const

/** Two hosts, one link each, and the certificates of the contracts of secure endpoints. */
export class SimulatedPair<Endpoint extends SecureEndpoint> {
  readonly serverName = 'server.example'
  readonly clientName = 'client.example'
  readonly clock = new VirtualClock()
  readonly network: SimulatedNetwork
  readonly hosts: Readonly<Record<EndpointSide, SimulatedHost>>
  readonly #endpoints = new Set<Endpoint>()
  #errors: unknown[] | undefined

  constructor(options: Omit<SimulatedNetworkOptions, 'clock' | 'uncaught'>) {
    const uncaught = (error: unknown): void => this.#noteUncaught(error)
    this.network = new SimulatedNetwork({ ...options, clock: this.clock, uncaught })
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

  pause(duration: Duration): Promise<void> {
    return this.clock.advance(duration)
  }

  async catchUncaught(during: () => Promise<void>): Promise<readonly unknown[]> {
    const errors: unknown[] = []
    this.#errors = errors
    await during()
    this.#errors = undefined
    return errors
  }

  async close(): Promise<void> {
    for (const endpoint of this.#endpoints) await endpoint.destroy()
    await this.clock.advance(Milliseconds(200))
    const left = { sockets: this.network.openSockets, calls: this.clock.pending() }
    if (left.sockets > 0 || left.calls > 0) throw new Error(`left behind: ${JSON.stringify(left)}`)
  }

  /** Destroyed at the end. */
  protected async keep(opening: Promise<Endpoint>): Promise<Endpoint> {
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
