import { after, Milliseconds, Seconds } from '@breakwater/core'
import type {
  CertificateCredentials,
  Duration,
  IpAddress,
  IpFamily,
  SecureEndpointHandlers,
  SecureStreamEndpoint,
  SocketAddress
} from '@breakwater/core'
import { address } from '../../src/builders/address.ts'
import type { CertificateFlaw, EndpointSide } from '../../src/contracts/secure-endpoint-world.ts'
import type {
  RawConnection,
  SecureStreamWorld,
  StreamClientOverrides,
  StreamServerOverrides
} from '../../src/contracts/secure-stream-world.ts'
import { simulatedCertificate } from '../../src/sim/certificate.ts'
import type { LinkConditions } from '../../src/sim/conditions.ts'
import type { SimulatedHost } from '../../src/sim/host.ts'
import { SimulatedNetwork } from '../../src/sim/network.ts'
import { connectStream, listenForStreams } from '../../src/sim/stream-socket.ts'
import type { StreamUser } from '../../src/sim/stream-socket.ts'
import { VirtualClock } from '../../src/virtual-clock.ts'

const addresses = {
  server: { 4: address('192.0.2.1'), 6: address('2001:db8:1::1') },
  client: { 4: address('198.51.100.7'), 6: address('2001:db8:2::7') }
} as const

/** Takes part in a connection and says nothing. */
const nobody: StreamUser = {
  opened: () => undefined,
  data: () => undefined,
  ended: () => undefined,
  drained: () => undefined,
  broken: () => undefined,
  released: () => undefined
}

interface Waiter {
  readonly isDone: () => boolean
  readonly settle: () => void
}

/** Two hosts, one link each, and the certificates of the contract. */
export class SimulatedStreamWorld implements SecureStreamWorld {
  readonly serverName = 'server.example'
  readonly clientName = 'client.example'
  readonly clock = new VirtualClock()
  readonly network: SimulatedNetwork
  readonly hosts: Readonly<Record<EndpointSide, SimulatedHost>>
  readonly #endpoints = new Set<SecureStreamEndpoint>()
  readonly #leftovers: (() => void)[] = []
  readonly #waiters = new Set<Waiter>()
  #errors: unknown[] | undefined
  #connections = 1
  #isMoving = false

  constructor(seed: number, conditions: Partial<LinkConditions> = {}) {
    const uncaught = (error: unknown): void => this.#noteUncaught(error)
    this.network = new SimulatedNetwork({ clock: this.clock, seed, conditions, uncaught })
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

  openServer(
    handlers: SecureEndpointHandlers,
    overrides: StreamServerOverrides = {}
  ): Promise<SecureStreamEndpoint> {
    const local = { address: this.address('server', 4), port: 0 }
    const certificate = this.certificate('server')
    const options = { role: 'server', local, certificate, ...overrides } as const
    return this.#keep(this.hosts.server.openSecureStream(options, handlers))
  }

  openClient(
    handlers: SecureEndpointHandlers,
    overrides: StreamClientOverrides = {}
  ): Promise<SecureStreamEndpoint> {
    const local = { address: this.address('client', 4), port: 0 }
    const credentials = this.certificate('client')
    const options = { role: 'client', local, credentials, ...overrides } as const
    return this.#keep(this.hosts.client.openSecureStream(options, handlers))
  }

  async connectRaw(remote: SocketAddress): Promise<RawConnection> {
    let isOpen = false
    let isClosed = false
    const local = { address: this.address('client', 4), port: 0 }
    const { connection } = connectStream(
      this.hosts.client,
      this.clock,
      this.#connections++,
      { local, remote, interface: undefined },
      {
        ...nobody,
        opened: () => (isOpen = true),
        ended: () => (isClosed = true),
        broken: () => (isClosed = true)
      }
    )
    this.#leftovers.push(() => connection.abort())
    await this.until(() => isOpen)
    return {
      send: (bytes) => connection.write(bytes),
      get isClosed() {
        return isClosed
      },
      close: () => connection.abort()
    }
  }

  nobody(): Promise<SocketAddress> {
    return Promise.resolve({ address: this.address('server', 4), port: 9 })
  }

  silence(): Promise<SocketAddress> {
    const local = { address: this.address('server', 4), port: 0 }
    const { server } = this.hosts
    const listening = listenForStreams(
      server,
      this.clock,
      { local, interface: undefined },
      (opened) => {
        this.#leftovers.push(() => opened().connection.abort())
        return nobody
      },
      () => undefined
    )
    this.#leftovers.push(() => server.unbind(listening))
    return Promise.resolve(listening.local)
  }

  /** Several may wait at a time: one of them moves the clock for all. */
  async until(condition: () => boolean, limit: Duration = Seconds(5)): Promise<void> {
    const deadline = after(this.clock.now(), limit)
    const isDone = (): boolean => condition() || this.clock.now() >= deadline
    await this.#wait(isDone, limit)
    if (!condition()) throw new Error(`not within ${limit} ms: ${String(condition)}`)
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
    for (const end of this.#leftovers) end()
    await this.clock.advance(Milliseconds(200))
    const left = { sockets: this.network.openSockets, calls: this.clock.pending() }
    if (left.sockets > 0 || left.calls > 0) throw new Error(`left behind: ${JSON.stringify(left)}`)
  }

  async #wait(isDone: () => boolean, limit: Duration): Promise<void> {
    await new Promise<void>((settle) => {
      const waiter: Waiter = { isDone, settle }
      this.#waiters.add(waiter)
      if (!this.#isMoving) void this.#move(limit)
    })
  }

  async #move(limit: Duration): Promise<void> {
    this.#isMoving = true
    while (this.#waiters.size > 0) {
      await this.clock.runUntil(() => [...this.#waiters].some(({ isDone }) => isDone()), limit)
      for (const waiter of this.#waiters)
        if (waiter.isDone()) {
          this.#waiters.delete(waiter)
          waiter.settle()
        }
      // Whoever was served may wait for the next thing at once.
      await this.clock.settle()
    }
    this.#isMoving = false
  }

  async #keep(opening: Promise<SecureStreamEndpoint>): Promise<SecureStreamEndpoint> {
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
