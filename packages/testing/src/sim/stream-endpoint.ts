import { InternalError, newPeerId } from '@breakwater/core'
import type {
  ClientCredentials,
  ConnectRequest,
  PeerId,
  SecureEndpointHandlers,
  SecureStreamEndpoint,
  SecureStreamOptions,
  ServerCredentials,
  SocketAddress
} from '@breakwater/core'
import { readReplacement } from './authentication.ts'
import type { SimulatedHost, SimulatedSocket } from './host.ts'
import type { SimulatedNetwork } from './network.ts'
import { StreamKeeper } from './stream-keeper.ts'
import type { StreamPeer } from './stream-peer.ts'
import { awaitAsServer, greetAsClient, receiveAsClient, receiveAsServer } from './stream-roles.ts'
import { connectStream, listenForStreams } from './stream-socket.ts'
import type { OpenedStream, StreamUser } from './stream-socket.ts'

/**
 * A stream endpoint in clear text on a simulated network: the round trips, timers, limits and failures of TLS over TCP,
 * without its cryptography, ALPN and resumption. Its TCP acknowledges each segment at once and has neither selective
 * acknowledgements nor tail loss probes: under heavy loss it is on the slow side.
 */
class SimulatedStreamEndpoint implements SecureStreamEndpoint {
  readonly #host: SimulatedHost
  readonly #keeper: StreamKeeper
  readonly #options: SecureStreamOptions
  /** A server's listens; a client's only shows that the endpoint is open. */
  readonly #socket: SimulatedSocket
  #isDestroyed = false

  constructor(
    network: SimulatedNetwork,
    host: SimulatedHost,
    options: SecureStreamOptions,
    handlers: SecureEndpointHandlers
  ) {
    this.#host = host
    this.#options = options
    this.#keeper = new StreamKeeper(network, options, handlers)
    const at = { local: options.local, interface: options.interface }
    const vanish = (): void => this.#keeper.vanish()
    this.#socket =
      options.role === 'server'
        ? listenForStreams(host, network.clock, at, (opened) => this.#accept(opened), vanish)
        : host.bind(at.local, at.interface, () => undefined, vanish, { transport: 'tcp' })
  }

  get local(): SocketAddress {
    return this.#options.role === 'server' ? this.#socket.local : this.#options.local
  }

  connect({ remote, serverName }: ConnectRequest): PeerId {
    if (this.#options.role !== 'client')
      throw new InternalError('TESTING_CONNECT_AS_SERVER', 'only a client endpoint connects')
    if (this.#isDestroyed) return newPeerId()
    const keeper = this.#keeper
    if (!keeper.hasRoom) return keeper.failNobody('limit')
    const ends = { local: this.#options.local, remote, interface: this.#options.interface }
    const user = userOf(keeper, () => peer, greetAsClient, receiveAsClient)
    const { connection, path } = connectStream(this.#host, keeper.clock, keeper.entropy.uint32(), ends, user)
    const peer: StreamPeer = keeper.admit(connection, path, serverName)
    return peer.id
  }

  send(id: PeerId, bytes: Uint8Array): boolean {
    const peer = this.#keeper.get(id)
    return peer !== undefined && this.#keeper.send(peer, bytes)
  }

  close(id: PeerId): void {
    const peer = this.#keeper.get(id)
    if (peer === undefined) return
    this.#keeper.end(peer, 'local')
    this.#keeper.fail(peer, 'local')
  }

  maximumPlaintext(id: PeerId): number {
    const peer = this.#keeper.get(id)
    return peer?.state.kind === 'established' ? peer.room : 0
  }

  stats(): Readonly<Record<string, number>> {
    return this.#keeper.stats()
  }

  reload(credentials: ServerCredentials | ClientCredentials): void {
    this.#keeper.authentication = readReplacement(this.#options.role, credentials)
  }

  destroy(): Promise<void> {
    this.#isDestroyed = true
    this.#keeper.shutDown()
    this.#host.unbind(this.#socket)
    return Promise.resolve()
  }

  /** A connection is a peer from when TCP is ready: SYNs alone take no room. */
  #accept(opened: () => OpenedStream): StreamUser {
    const keeper = this.#keeper
    let peer: StreamPeer | undefined
    return {
      ...userOf(keeper, () => peer, undefined, receiveAsServer),
      opened: () => {
        const { connection, path } = opened()
        if (this.#isDestroyed) connection.abort()
        else if (keeper.hasRoom) {
          peer = keeper.admit(connection, { local: path.local, remote: path.remote }, '')
          awaitAsServer(peer)
        } else {
          connection.abort()
          keeper.failNobody('limit')
        }
      }
    }
  }
}

function userOf(
  keeper: StreamKeeper,
  peer: () => StreamPeer | undefined,
  opened: ((keeper: StreamKeeper, peer: StreamPeer) => void) | undefined,
  data: (keeper: StreamKeeper, peer: StreamPeer, bytes: Uint8Array) => void
): StreamUser {
  const withPeer = (act: (peer: StreamPeer) => void): void => {
    const known = peer()
    if (known !== undefined) act(known)
  }
  return {
    opened: () => withPeer((one) => opened?.(keeper, one)),
    data: (bytes) => withPeer((one) => data(keeper, one, bytes)),
    ended: () => withPeer((one) => ended(keeper, one)),
    drained: () => withPeer((one) => one.drain()),
    broken: (why) => withPeer((one) => broken(keeper, one, why)),
    released: () => withPeer((one) => one.dispose())
  }
}

function ended(keeper: StreamKeeper, peer: StreamPeer): void {
  if (peer.state.kind === 'gone') return
  keeper.end(peer, 'close-notify')
  keeper.fail(peer, 'peer-alert')
}

function broken(keeper: StreamKeeper, peer: StreamPeer, why: 'reset' | 'timeout'): void {
  const isUnanswered = peer.state.kind === 'connecting' || why === 'timeout'
  keeper.end(peer, 'alert')
  keeper.fail(peer, isUnanswered ? 'timeout' : 'peer-alert')
}

/** Opens a stream endpoint on a simulated host; use it as `host.openSecureStream`. */
export async function openSimulatedStream(
  network: SimulatedNetwork,
  host: SimulatedHost,
  options: SecureStreamOptions,
  handlers: SecureEndpointHandlers
): Promise<SecureStreamEndpoint> {
  // One turn later, as a real one: nobody may count on having the endpoint at once.
  await Promise.resolve()
  return new SimulatedStreamEndpoint(network, host, options, handlers)
}
