import { Seconds } from '@breakwater/core'
import type { Duration, SecureEndpoint, SecureEndpointHandlers, SocketAddress } from '@breakwater/core'
import type {
  ClientOverrides,
  EndpointSide,
  SecureEndpointWorld,
  ServerOverrides
} from '../../src/contracts/secure-endpoint-world.ts'
import type { LinkConditions } from '../../src/sim/conditions.ts'
import { SimulatedPair } from './simulated-pair.ts'

/** The contract of secure endpoints on a simulated network. */
export class SimulatedWorld extends SimulatedPair<SecureEndpoint> implements SecureEndpointWorld {
  readonly handshakeGivesUpWithin: Duration = Seconds(70)
  readonly bindsWildcard = true
  constructor(seed: number, conditions: Partial<LinkConditions> = {}, resumesSessions = false) {
    super({ seed, conditions, resumesSessions, saysIcmp: true })
  }

  openServer(handlers: SecureEndpointHandlers, overrides: ServerOverrides = {}): Promise<SecureEndpoint> {
    const local = { address: this.address('server', 4), port: 0 }
    const certificate = this.certificate('server')
    const options = { role: 'server', local, certificate, ...overrides } as const
    return this.keep(this.hosts.server.openSecureEndpoint(options, handlers))
  }

  openClient(handlers: SecureEndpointHandlers, overrides: ClientOverrides = {}): Promise<SecureEndpoint> {
    const local = { address: this.address('client', 4), port: 0 }
    const credentials = this.certificate('client')
    const options = { role: 'client', local, credentials, ...overrides } as const
    return this.keep(this.hosts.client.openSecureEndpoint(options, handlers))
  }

  async until(condition: () => boolean, limit: Duration = Seconds(5)): Promise<void> {
    if (!(await this.clock.runUntil(condition, limit))) throw new Error(`not within ${limit} ms`)
  }

  dropNext(count: number, to: EndpointSide, skipping = 0): void {
    this.hosts[to].link('eth0').down.dropNext(count, skipping)
  }

  vacant(): Promise<SocketAddress> {
    return Promise.resolve({ address: this.address('server', 4), port: 9 })
  }

  vanish(endpoint: SecureEndpoint): Promise<void> {
    for (const host of Object.values(this.hosts))
      if (host.interface('eth0').has(endpoint.local.address)) host.crash()
    return Promise.resolve()
  }
}
