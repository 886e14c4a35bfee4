import { Seconds } from '@breakwater/core'
import type { IpAddress } from '@breakwater/core'
import { SimulatedNameService, address } from '@breakwater/testing'
import type { DomainName } from '../../../src/domain/identifier.ts'
import type { Resolver } from '../../../src/domain/resolver.ts'
import type { Site } from '../../../src/domain/site.ts'
import type { ClientPorts } from '../../../src/client/host.ts'
import { ISP_A, ISP_B, TwoProviders, site } from '../two-providers.ts'

export const NAME_A = 'dots.isp-a.example'
export const NAME_B = 'dots.isp-b.example'
export const ADDRESS_A: IpAddress = address('192.0.2.1')
export const ADDRESS_B: IpAddress = address('192.0.2.129')

/** The same site, of whose servers only the names are known. */
export const namedSite: Site = {
  ...site,
  domains: site.domains.map((domain) => ({
    ...domain,
    servers: domain.servers.map((server) => ({ ...server, addresses: [], isNamed: true as const }))
  }))
}

/** Two providers, each with a name service that knows its own server and nothing else. */
export class NamedServers {
  readonly world: TwoProviders = new TwoProviders()
  readonly a: SimulatedNameService = new SimulatedNameService(this.world.clock)
  readonly b: SimulatedNameService = new SimulatedNameService(this.world.clock)

  constructor() {
    this.say(this.a, NAME_A, ADDRESS_A)
    this.say(this.b, NAME_B, ADDRESS_B)
  }

  say(service: SimulatedNameService, name: string, ...addresses: readonly IpAddress[]): void {
    service.names.set(name, { kind: 'addresses', addresses, ttlSeconds: 60 })
  }

  get resolvers(): ReadonlyMap<DomainName, Resolver> {
    return new Map([
      [ISP_A, this.a.resolver(Seconds(8))],
      [ISP_B, this.b.resolver(Seconds(8))]
    ])
  }

  async startServers(): Promise<void> {
    await this.world.startServer('isp-a')
    await this.world.startServer('isp-b')
  }

  startClient(ports: Partial<ClientPorts> = {}): void {
    this.world.startClient({ site: namedSite, resolvers: this.resolvers, ...ports })
  }

  /** Starts everything, and waits for the sessions. */
  async start(): Promise<void> {
    await this.startServers()
    this.startClient()
    await this.world.advance(Seconds(2))
  }

  /** State and reason of the session with each server. */
  sessions(): Record<string, string> {
    const { sessions } = this.world.client.status()
    return Object.fromEntries(sessions.map(({ server, state }) => [server, state]))
  }

  textOf(server: string): string {
    return this.world.client.status().sessions.find((each) => each.server === server)?.text ?? ''
  }

  /** What was said last of where a server is. */
  locationOf(server: string): { readonly addresses: number; readonly trouble: string } | undefined {
    const events = this.world.events.flatMap((event) =>
      event.kind === 'server-located' && event.server === server ? [event.location] : []
    )
    const last = events.at(-1)
    return last && { addresses: last.addresses.length, trouble: last.trouble }
  }

  close(): Promise<void> {
    return this.world.close()
  }
}
