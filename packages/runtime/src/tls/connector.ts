import { formatIpAddress } from '@breakwater/core'
import type {
  ConnectRequest,
  Duration,
  PeerId,
  PeerIdentity,
  SecureStreamOptions,
  SocketAddress
} from '@breakwater/core'
import { X509Certificate } from 'node:crypto'
import { connect as connectTcp, Socket } from 'node:net'
import { connect as connectTls, createSecureContext } from 'node:tls'
import type { ConnectionOptions, SecureContext, SecureContextOptions, TLSSocket } from 'node:tls'
import { codeOf, failureOf, nameMismatchCode } from './failure.ts'
import { certificateIdentity, certificateNames, namesOneHost } from './identity.ts'
import { pathOf } from './network-path.ts'
import type { PeerKeeper, TlsPeer } from './peer-keeper.ts'
import { coapProtocolId, coapsTcpPort } from './profile.ts'

type ClientOptions = Extract<SecureStreamOptions, { role: 'client' }>

/**
 * Opens a TCP connection from a source address and an interface; resolves to the descriptor of a connected socket,
 * which the caller then owns. Rejects with the code `DTLS_BIND_FAILED` where nothing could be sent. `openBoundTcpSocket` of
 * `@breakwater/dtls` is one.
 */
export type OpenTcpSocket = (options: {
  readonly local: SocketAddress
  readonly interface?: string
  readonly remote: SocketAddress
  readonly timeoutMs?: number
}) => Promise<number>

export interface ConnectorOptions {
  readonly endpoint: ClientOptions
  readonly context: SecureContextOptions
  readonly handshake: Duration
  readonly openSocket?: OpenTcpSocket
}

function nameMismatch(serverName: string): Error {
  return Object.assign(new Error(`the certificate is not for ${serverName}`), { code: nameMismatchCode })
}

/** The client side: opens connections, and judges the servers at their ends. */
export class Connector {
  readonly #keeper: PeerKeeper
  #options: ConnectorOptions
  #context: SecureContext

  constructor(keeper: PeerKeeper, options: ConnectorOptions) {
    this.#keeper = keeper
    this.#options = options
    this.#context = createSecureContext(options.context)
  }

  /** Connections that begin from now on have these credentials. */
  use(endpoint: ClientOptions, context: SecureContextOptions): void {
    this.#options = { ...this.#options, endpoint, context }
    this.#context = createSecureContext(context)
  }

  connect(request: ConnectRequest): PeerId {
    const { credentials } = this.#options.endpoint
    if (!this.#keeper.hasRoom) return this.#keeper.refuse('limit')
    // A suffix or a wildcard must never become what a certificate is compared with.
    if (credentials.kind === 'certificate' && !namesOneHost(request.serverName))
      return this.#keeper.refuse('name-mismatch')
    return this.#options.openSocket === undefined
      ? this.#connectPlainly(request)
      : this.#connectBound(request, this.#options.openSocket)
  }

  #connectPlainly(request: ConnectRequest): PeerId {
    const { remote } = request
    const { local } = this.#options.endpoint
    const socket = connectTcp({
      host: formatIpAddress(remote.address),
      port: remote.port,
      localAddress: formatIpAddress(local.address),
      ...(local.port === 0 ? {} : { localPort: local.port })
    })
    const peer = this.#keeper.admit(() => socket.destroy())
    this.#secure(peer, socket, request)
    return peer.id
  }

  #connectBound(request: ConnectRequest, openSocket: OpenTcpSocket): PeerId {
    let socket: Socket | undefined
    const peer = this.#keeper.admit(() => socket?.destroy())
    const opening = async (): Promise<void> => {
      socket = new Socket({ fd: await this.#openFrom(request.remote, openSocket) })
      // Closed meanwhile: nobody else knows of this descriptor.
      if (peer.state.kind === 'gone') socket.destroy()
      else this.#secure(peer, socket, request)
    }
    // RFC 9132 §4.7: an attempt that sent nothing, for want of its interface or address, counts for nothing.
    opening().catch((error) =>
      this.#keeper.fail(peer, codeOf(error) === 'DTLS_BIND_FAILED' ? 'local' : 'timeout')
    )
    return peer.id
  }

  #openFrom(remote: SocketAddress, openSocket: OpenTcpSocket): Promise<number> {
    const { local, interface: interfaceName } = this.#options.endpoint
    const where = { local, remote, timeoutMs: this.#options.handshake }
    return openSocket(interfaceName === undefined ? where : { ...where, interface: interfaceName })
  }

  #secure(peer: TlsPeer, socket: Socket, request: ConnectRequest): void {
    const stream = connectTls({ socket, ...this.#handshakeOptions(request.serverName) })
    socket.on('error', (error) => this.#keeper.fail(peer, failureOf(error, undefined)))
    stream.on('error', (error) => this.#keeper.fail(peer, failureOf(error, stream.authorizationError)))
    stream.on('close', () => this.#keeper.fail(peer, 'peer-alert'))
    stream.on('secureConnect', () => this.#secured(peer, stream, request))
  }

  #handshakeOptions(serverName: string): ConnectionOptions {
    const { credentials } = this.#options.endpoint
    return {
      secureContext: this.#context,
      // RFC 8323 §8.2: also on port 5684, where it is allowed and tells the server what we want.
      ALPNProtocols: [coapProtocolId],
      // RFC 9132 §7.1: the name goes into SNI, for servers that host several.
      ...(namesOneHost(serverName) ? { servername: serverName.toLowerCase() } : {}),
      ...(credentials.kind === 'psk'
        ? {
            // There is no certificate to check: only suites with this key are offered.
            rejectUnauthorized: false,
            pskCallback: () => ({ psk: credentials.key, identity: credentials.identity })
          }
        : {
            checkServerIdentity: (_, { raw }) =>
              certificateNames(new X509Certificate(raw), serverName) ? undefined : nameMismatch(serverName)
          })
    }
  }

  #secured(peer: TlsPeer, stream: TLSSocket, { remote }: ConnectRequest): void {
    if (peer.state.kind !== 'handshaking') return
    const path = pathOf(stream, this.#options.endpoint.interface)
    const identity = path && this.#identityOf(stream)
    if (path === undefined || identity === undefined) this.#keeper.fail(peer, 'protocol')
    // RFC 8323 §8.2: beside port 5684, only a server that names the protocol may be talked to.
    else if (stream.alpnProtocol !== coapProtocolId && remote.port !== coapsTcpPort)
      this.#keeper.fail(peer, 'protocol')
    else this.#keeper.establish(peer, stream, identity, path)
  }

  #identityOf(stream: TLSSocket): PeerIdentity | undefined {
    const { credentials } = this.#options.endpoint
    if (credentials.kind === 'psk')
      return stream.getCipher().name.includes('PSK')
        ? { kind: 'psk', identity: credentials.identity }
        : undefined
    const certificate = stream.authorized ? stream.getPeerX509Certificate() : undefined
    return certificate === undefined ? undefined : certificateIdentity(certificate)
  }
}
