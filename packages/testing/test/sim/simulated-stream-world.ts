import { after, Seconds } from '@breakwater/core'
import type { Duration, SecureEndpointHandlers, SecureStreamEndpoint, SocketAddress } from '@breakwater/core'
import type {
  RawConnection,
  SecureStreamWorld,
  StreamClientOverrides,
  StreamServerOverrides
} from '../../src/contracts/secure-stream-world.ts'
import type { LinkConditions } from '../../src/sim/conditions.ts'
import { connectStream, listenForStreams } from '../../src/sim/stream-socket.ts'
import type { StreamUser } from '../../src/sim/stream-socket.ts'
import { SimulatedPair } from './simulated-pair.ts'

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

/** The contract of secure streams on a simulated network. */
export class SimulatedStreamWorld extends SimulatedPair<SecureStreamEndpoint> implements SecureStreamWorld {
  readonly #leftovers: (() => void)[] = []
  readonly #waiters = new Set<Waiter>()
  #connections = 1
  #isMoving = false

  constructor(seed: number, conditions: Partial<LinkConditions> = {}) {
    super({ seed, conditions })
  }

  openServer(
    handlers: SecureEndpointHandlers,
    overrides: StreamServerOverrides = {}
  ): Promise<SecureStreamEndpoint> {
    const local = { address: this.address('server', 4), port: 0 }
    const certificate = this.certificate('server')
    const options = { role: 'server', local, certificate, ...overrides } as const
    return this.keep(this.hosts.server.openSecureStream(options, handlers))
  }

  openClient(
    handlers: SecureEndpointHandlers,
    overrides: StreamClientOverrides = {}
  ): Promise<SecureStreamEndpoint> {
    const local = { address: this.address('client', 4), port: 0 }
    const credentials = this.certificate('client')
    const options = { role: 'client', local, credentials, ...overrides } as const
    return this.keep(this.hosts.client.openSecureStream(options, handlers))
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

  override async close(): Promise<void> {
    for (const end of this.#leftovers) end()
    await super.close()
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
}
