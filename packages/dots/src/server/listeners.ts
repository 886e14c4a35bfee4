import { UnavailableError, equalIpAddresses } from '@breakwater/core'
import type {
  OpenSecureEndpoint,
  OpenSecureStream,
  OutgoingBatch,
  PeerId,
  PlaintextBatch,
  SecureEndpoint,
  SecureEndpointHandlers,
  SecureEndpointLimits,
  SecureStreamLimits,
  ServerEndpointOptions,
  SessionEnd,
  SessionEvent,
  SocketAddress,
  Transport
} from '@breakwater/core'
import type { ServerInput } from './message.ts'

/**
 * Where a server listens, and with what it shows who it is. On TCP, port 0 stands for the port that the endpoint before it
 * has got at the same address: RFC 9132 §3 has one port for both.
 */
export interface ListenOptions extends Omit<ServerEndpointOptions, 'role' | 'limits'> {
  /** Default `udp`. */
  readonly transport?: Transport
  readonly limits?: SecureEndpointLimits & SecureStreamLimits
}

/** Where a server is reached. */
export interface ListeningAddress extends SocketAddress {
  readonly transport: Transport
}

/** What one endpoint counts, by the names of its implementation. */
export interface EndpointStats {
  readonly transport: Transport
  readonly counters: Readonly<Record<string, number>>
}

/** How endpoints are opened. */
export interface ListeningPorts {
  readonly open: OpenSecureEndpoint
  /** For TCP. */
  readonly openStream: OpenSecureStream
}

/** Who is told of what comes. */
export interface ServerInputs {
  feed(input: ServerInput): void
  /** What `act` feeds came in one go. */
  together(act: () => void): void
}

/** One of the endpoints that a server listens on. */
interface Listener {
  readonly transport: Transport
  readonly endpoint: SecureEndpoint
}

/** Ports of the system's choice that are tried until one is free for both transports. */
const PORT_ATTEMPTS = 8

/** The secure endpoints of one server, and which of them each peer came to: to the machine a peer is just a peer. */
export class Listeners {
  readonly #ports: ListeningPorts
  readonly #inputs: ServerInputs
  readonly #listeners: Listener[] = []
  readonly #endpointOf = new Map<PeerId, SecureEndpoint>()
  #serving = false

  constructor(ports: ListeningPorts, inputs: ServerInputs) {
    this.#ports = ports
    this.#inputs = inputs
  }

  /** In the order in which they were listed. */
  get addresses(): readonly ListeningAddress[] {
    return this.#listeners.map(({ transport, endpoint }) => ({ transport, ...endpoint.local }))
  }

  stats(): readonly EndpointStats[] {
    return this.#listeners.map(({ transport, endpoint }) => ({ transport, counters: endpoint.stats() }))
  }

  /**
   * Opens one endpoint for each, or none. The port that the system chose for UDP may be somebody else's over TCP: then it
   * is asked for another one.
   */
  async open(listen: readonly ListenOptions[]): Promise<void> {
    const isChosenForUs = listen.some(({ local }) => local.port === 0)
    for (let attempt = 1; ; attempt++)
      try {
        for (const options of listen) await this.#open(options)
        return
      } catch (error) {
        await this.close()
        const isWorthIt = isChosenForUs && error instanceof UnavailableError
        if (!isWorthIt || attempt === PORT_ATTEMPTS) throw error
      }
  }

  /** From now on sessions are taken. */
  serve(): void {
    this.#serving = true
  }

  send(peer: PeerId, bytes: Uint8Array): void {
    // No peer is known to two of them, and each has to look it up anyway.
    for (const { endpoint } of this.#listeners) if (endpoint.send(peer, bytes)) return
  }

  /** Datagrams to many peers. */
  sendBatch(batch: OutgoingBatch): void {
    if (batch.count === 0) return
    const [first, second] = this.#listeners.filter(({ transport }) => transport === 'udp')
    if (second === undefined && first?.endpoint.sendBatch !== undefined) {
      first.endpoint.sendBatch(batch)
      return
    }
    for (let index = 0; index < batch.count; index++) this.send(batch.peer(index), batch.bytes(index))
  }

  closePeer(peer: PeerId): void {
    this.#endpointOf.get(peer)?.close(peer)
  }

  /** Says goodbye to all peers. */
  async close(): Promise<void> {
    await Promise.all(this.#listeners.splice(0).map(({ endpoint }) => endpoint.destroy()))
    this.#endpointOf.clear()
  }

  async #open({ transport = 'udp', ...options }: ListenOptions): Promise<void> {
    let own: Listener | undefined
    const handlers: SecureEndpointHandlers = {
      onBatch: (batch) => this.#inputs.together(() => this.#arrived(batch)),
      onSession: (event) => {
        if (event.kind === 'closed') this.#closed(event.peer, event.reason)
        else if (event.kind === 'established' && own !== undefined) this.#established(own, event)
      }
    }
    const { open, openStream } = this.#ports
    const openEndpoint = transport === 'udp' ? open : openStream
    const local = transport === 'udp' ? options.local : this.#withPort(options.local)
    own = { transport, endpoint: await openEndpoint({ ...options, local, role: 'server' }, handlers) }
    this.#listeners.push(own)
  }

  #arrived(batch: PlaintextBatch): void {
    for (let index = 0; index < batch.count; index++)
      this.#inputs.feed({ kind: 'datagram', peer: batch.peer(index), bytes: batch.bytes(index) })
  }

  /** RFC 9132 §3: the same port for both. */
  #withPort(local: SocketAddress): SocketAddress {
    const last = this.#listeners.at(-1)?.endpoint.local
    return local.port === 0 && last !== undefined && equalIpAddresses(last.address, local.address)
      ? last
      : local
  }

  #established(
    { endpoint, transport }: Listener,
    event: Extract<SessionEvent, { kind: 'established' }>
  ): void {
    const { peer, identity, path } = event
    if (!this.#serving) {
      // Came before all addresses are bound: it tries again.
      endpoint.close(peer)
      return
    }
    this.#endpointOf.set(peer, endpoint)
    this.#inputs.feed({ kind: 'session-established', peer, identity, path, transport })
  }

  #closed(peer: PeerId, reason: SessionEnd): void {
    if (this.#endpointOf.delete(peer)) this.#inputs.feed({ kind: 'session-closed', peer, reason })
  }
}
