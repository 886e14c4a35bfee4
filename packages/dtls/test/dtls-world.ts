import { createSocket } from 'node:dgram'
import { once } from 'node:events'
import { Milliseconds, Seconds, formatIpAddress } from '@breakwater/core'
import type {
  CertificateCredentials,
  ConnectRequest,
  Duration,
  IpAddress,
  IpFamily,
  PeerId,
  SecureEndpoint,
  SecureEndpointHandlers,
  SecureEndpointOptions,
  SessionEvent,
  SocketAddress
} from '@breakwater/core'
import type {
  CertificateFlaw,
  ClientOverrides,
  EndpointSide,
  SecureEndpointWorld,
  ServerOverrides
} from '@breakwater/testing'
import { setTimeout as pause } from 'node:timers/promises'
import type { DtlsEndpoint } from '../src/endpoint.ts'
import { openWithTiming } from '../src/open-endpoint.ts'
import { eventually } from './eventually.ts'
import { LossyRelay } from './lossy-relay.ts'
import { addressOf } from './loopback-parties.ts'
import type { Credentials } from './loopback-parties.ts'

/** Timers as the RFC wants them, but less patience: the last of two losses is made good after 3 s. */
const timing = { firstTimeoutMs: 1000, giveUpMs: 6000 }

const sameSocketAddress = (a: SocketAddress, b: SocketAddress): boolean =>
  a.port === b.port && JSON.stringify(a.address) === JSON.stringify(b.address)

/** An endpoint whose first server is reached through a relay, without anybody above noticing. */
class RelayedEndpoint implements SecureEndpoint {
  readonly local: SocketAddress
  readonly inner: DtlsEndpoint
  readonly #relay: LossyRelay | undefined

  constructor(inner: DtlsEndpoint, relay: LossyRelay | undefined) {
    this.inner = inner
    this.#relay = relay
    this.local = inner.local
  }

  connect(request: ConnectRequest): PeerId {
    const relay = this.#relay
    if (relay === undefined) return this.inner.connect(request)
    relay.server ??= request.remote
    if (!sameSocketAddress(relay.server, request.remote)) return this.inner.connect(request)
    return this.inner.connect({ ...request, remote: relay.front })
  }

  send(peer: PeerId, bytes: Uint8Array): boolean {
    return this.inner.send(peer, bytes)
  }

  close(peer: PeerId): void {
    this.inner.close(peer)
  }

  maximumPlaintext(peer: PeerId): number {
    return this.inner.maximumPlaintext(peer)
  }

  stats(): Readonly<Record<string, number>> {
    return this.inner.stats()
  }

  reload(credentials: Parameters<DtlsEndpoint['reload']>[0]): void {
    this.inner.reload(credentials)
  }

  destroy(): Promise<void> {
    return this.inner.destroy()
  }
}

/** The real thing on loopback, in real time, with a relay before each client. */
export class DtlsWorld implements SecureEndpointWorld {
  readonly serverName = 'server.example'
  readonly clientName = 'client.example'
  readonly handshakeGivesUpWithin: Duration = Seconds(10)
  readonly bindsWildcard = true
  readonly #credentials: Credentials
  readonly #open: RelayedEndpoint[] = []
  /** By the address of the client: one that comes back from its port comes back through the same relay. */
  readonly #relays = new Map<string, { relay: LossyRelay; client: SocketAddress }>()
  #losses = { to: 'server', count: 0, skipping: 0 }

  constructor(credentials: Credentials) {
    this.#credentials = credentials
  }

  address(side: EndpointSide, family: IpFamily): IpAddress {
    return addressOf(side, family)
  }

  certificate(side: EndpointSide, flaw?: CertificateFlaw): CertificateCredentials {
    return this.#credentials.of(side, flaw)
  }

  async openServer(handlers: SecureEndpointHandlers, overrides?: ServerOverrides): Promise<SecureEndpoint> {
    const local = { address: this.address('server', 4), port: 0 }
    const certificate = this.certificate('server')
    return this.#enter({ role: 'server', local, certificate, ...overrides }, handlers, false)
  }

  async openClient(handlers: SecureEndpointHandlers, overrides?: ClientOverrides): Promise<SecureEndpoint> {
    const local = { address: this.address('client', 4), port: 0 }
    const credentials = this.certificate('client')
    return this.#enter({ role: 'client', local, credentials, ...overrides }, handlers, true)
  }

  until(condition: () => boolean, limit: Duration = Seconds(5)): Promise<void> {
    return eventually('the condition of the contract', condition, limit)
  }

  async pause(duration: Duration): Promise<void> {
    await pause(duration)
  }

  async close(): Promise<void> {
    await Promise.all(this.#open.map((endpoint) => endpoint.destroy()))
    for (const { relay } of this.#relays.values()) relay.close()
  }

  dropNext(count: number, to: EndpointSide, skipping = 0): void {
    this.#losses = { to, count, skipping }
  }

  async catchUncaught(during: () => Promise<void>): Promise<readonly unknown[]> {
    const errors: unknown[] = []
    const others = process.listeners('uncaughtException')
    process.removeAllListeners('uncaughtException')
    process.on('uncaughtException', (error) => errors.push(error))
    try {
      await during()
      await pause(Milliseconds(10))
    } finally {
      process.removeAllListeners('uncaughtException')
      for (const listener of others) process.on('uncaughtException', listener)
    }
    return errors
  }

  async vanish(endpoint: SecureEndpoint): Promise<void> {
    if (endpoint instanceof RelayedEndpoint) await endpoint.inner.vanish()
  }

  async vacant(): Promise<SocketAddress> {
    const address = this.address('server', 4)
    const probe = createSocket('udp4')
    probe.bind(0, formatIpAddress(address))
    await once(probe, 'listening')
    const { port } = probe.address()
    await new Promise<void>((resolve) => probe.close(resolve))
    return { address, port }
  }

  async #enter(
    options: SecureEndpointOptions,
    handlers: SecureEndpointHandlers,
    relayed: boolean
  ): Promise<SecureEndpoint> {
    const inner = openWithTiming(options, this.#translating(handlers), timing)
    const endpoint = new RelayedEndpoint(inner, relayed ? await this.#relayFor(inner.local) : undefined)
    this.#open.push(endpoint)
    return endpoint
  }

  async #relayFor(client: SocketAddress): Promise<LossyRelay> {
    const key = JSON.stringify(client)
    const known = this.#relays.get(key)
    if (known !== undefined) return known.relay
    const serverSide = { address: this.address('server', client.address.family), port: 0 }
    const relay = await LossyRelay.open(serverSide, client, (datagram, to) =>
      this.#loses(to) ? [] : [datagram]
    )
    this.#relays.set(key, { relay, client })
    return relay
  }

  #loses(to: EndpointSide): boolean {
    if (to !== this.#losses.to || this.#losses.count === 0) return false
    if (this.#losses.skipping > 0) {
      this.#losses.skipping--
      return false
    }
    this.#losses.count--
    return true
  }

  /** Shows the ends of a path as they would be without the relay. */
  #translating(handlers: SecureEndpointHandlers): SecureEndpointHandlers {
    return {
      onBatch: (batch) => handlers.onBatch(batch),
      onHint: (hint) => handlers.onHint?.(hint),
      onSession: (event: SessionEvent) => {
        if (event.kind !== 'established') return handlers.onSession(event)
        const { path } = event
        handlers.onSession({ ...event, path: { ...path, remote: this.#beyondRelay(path.remote) } })
      }
    }
  }

  #beyondRelay(remote: SocketAddress): SocketAddress {
    for (const { relay, client } of this.#relays.values()) {
      if (sameSocketAddress(relay.front, remote)) return relay.server ?? remote
      if (sameSocketAddress(relay.back, remote)) return client
    }
    return remote
  }
}
