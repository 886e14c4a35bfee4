import { InternalError, newPeerId } from '@breakwater/core'
import type {
  ClientCredentials,
  ConnectRequest,
  OpenSecureStream,
  PeerId,
  SecureEndpointHandlers,
  SecureStreamEndpoint,
  SecureStreamOptions,
  ServerCredentials,
  SocketAddress
} from '@breakwater/core'
import { systemClock } from '../clock.ts'
import { Acceptor } from './acceptor.ts'
import { Connector } from './connector.ts'
import type { OpenTcpSocket } from './connector.ts'
import { secureContextOptions } from './credentials.ts'
import { invalidOption, tlsLimits } from './limits.ts'
import { PeerKeeper } from './peer-keeper.ts'

export interface TlsEndpointSettings {
  /**
   * Opens the connections of a client. Node's own way, which is taken without it, can choose the source address and not
   * the interface.
   */
  readonly openSocket?: OpenTcpSocket
}

/** A secure endpoint on TLS over TCP; see `openTlsEndpoint`. */
class TlsEndpoint implements SecureStreamEndpoint {
  readonly local: SocketAddress
  readonly #keeper: PeerKeeper
  readonly #side: Acceptor | Connector
  readonly #options: SecureStreamOptions
  #destroyed: Promise<void> | undefined

  constructor(
    local: SocketAddress,
    keeper: PeerKeeper,
    side: Acceptor | Connector,
    options: SecureStreamOptions
  ) {
    this.local = local
    this.#options = options
    this.#keeper = keeper
    this.#side = side
  }

  connect(request: ConnectRequest): PeerId {
    if (this.#side instanceof Acceptor)
      throw new InternalError('TLS_SERVER_CONNECTS', 'an endpoint of the server role cannot connect')
    return this.#keeper.isShut ? newPeerId() : this.#side.connect(request)
  }

  send(peer: PeerId, bytes: Uint8Array): boolean {
    return this.#keeper.send(peer, bytes)
  }

  close(peer: PeerId): void {
    this.#keeper.close(peer)
  }

  maximumPlaintext(peer: PeerId): number {
    return this.#keeper.room(peer)
  }

  stats(): Readonly<Record<string, number>> {
    const sources = this.#side instanceof Acceptor ? { sources: this.#side.sources } : {}
    return { ...this.#keeper.stats(), ...sources }
  }

  reload(credentials: ServerCredentials | ClientCredentials): void {
    const next = withCredentials(this.#options, credentials)
    const context = secureContextOptions(next)
    if (this.#keeper.isShut) return
    if (this.#side instanceof Acceptor && next.role === 'server') this.#side.use(next, context)
    if (this.#side instanceof Connector && next.role === 'client') this.#side.use(next, context)
  }

  destroy(): Promise<void> {
    this.#destroyed ??= this.#end()
    return this.#destroyed
  }

  async #end(): Promise<void> {
    const gone = this.#keeper.shutDown()
    if (this.#side instanceof Acceptor) await this.#side.close()
    await gone
  }
}

/** What an endpoint would have been opened with. */
function withCredentials(
  options: SecureStreamOptions,
  credentials: ServerCredentials | ClientCredentials
): SecureStreamOptions {
  const { local, limits } = options
  const rest = { local, ...(limits === undefined ? {} : { limits }) }
  if (options.role === 'client' && 'kind' in credentials) return { ...options, credentials }
  if (options.role === 'server' && !('kind' in credentials))
    return { ...rest, role: 'server', ...credentials }
  throw invalidOption('credentials', `these are not those of a ${options.role}`)
}

async function open(
  settings: TlsEndpointSettings,
  options: SecureStreamOptions,
  handlers: SecureEndpointHandlers
): Promise<TlsEndpoint> {
  for (const name of ['ticketKeys', 'sessions', 'serviceName', 'constrainedPeers'])
    if (name in options) throw invalidOption(name, 'TLS over TCP has nothing like it here')
  const limits = tlsLimits(options.limits)
  const context = secureContextOptions(options)
  const clock = systemClock()
  const { openSocket } = settings
  if (options.role === 'server') {
    if (options.interface !== undefined)
      throw invalidOption('interface', 'Node cannot bind a listening socket to one; bind to an address of it')
    const keeper = new PeerKeeper({ clock, limits, firstByteWithin: limits.firstByte }, handlers)
    const acceptor = await Acceptor.open(keeper, options, context, limits)
    return new TlsEndpoint({ address: options.local.address, port: acceptor.port }, keeper, acceptor, options)
  }
  if (options.interface !== undefined && openSocket === undefined)
    throw invalidOption('interface', 'needs a way to open sockets that Node does not have')
  const keeper = new PeerKeeper({ clock, limits }, handlers)
  const { handshake } = limits
  const own = { endpoint: options, context, handshake, ...(openSocket === undefined ? {} : { openSocket }) }
  return new TlsEndpoint(options.local, keeper, new Connector(keeper, own), options)
}

/** Makes an `openTlsEndpoint` that opens connections in a way of its own. */
export function tlsEndpointOpener(settings: TlsEndpointSettings): OpenSecureStream {
  return (options, handlers) => open(settings, options, handlers)
}

/**
 * Opens an endpoint of CoAP over TLS (RFC 8323 §8.2): TLS 1.3, or 1.2 with authenticated encryption; 1.2
 * only where there are pre-shared keys.
 *
 * A server takes clients by certificate (each must show one of the same trust anchors) and by pre-shared key. A client
 * checks the chain of the server and its DNS-ID. Both ask for the protocol `coap` by ALPN, and do without it on port 5684
 * only. No resumption, no early data; what Node cannot do is in docs/protocol/tls-limits.md.
 *
 * @throws {ConfigError} (as rejection) `TLS_OPTIONS_INVALID`, `TLS_CREDENTIALS_INVALID`
 * @throws {UnavailableError} (as rejection) `TLS_BIND_FAILED`
 */
export const openTlsEndpoint: OpenSecureStream = tlsEndpointOpener({})
