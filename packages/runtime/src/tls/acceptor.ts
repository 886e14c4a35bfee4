import { UnavailableError, formatIpAddress } from '@breakwater/core'
import type { PeerIdentity, SecureStreamOptions, SessionFailure, SocketAddress } from '@breakwater/core'
import { createServer } from 'node:net'
import type { AddressInfo, Server, Socket } from 'node:net'
import { createServer as createTlsServer } from 'node:tls'
import type { Server as TlsServer, SecureContextOptions, TLSSocket } from 'node:tls'
import { failureOf } from './failure.ts'
import { certificateIdentity } from './identity.ts'
import { pathOf } from './network-path.ts'
import type { PeerKeeper, TlsPeer } from './peer-keeper.ts'
import { coapProtocolId, coapsTcpPort } from './profile.ts'
import { SourceBook } from './source-book.ts'
import type { SourceEntry, SourceLimits } from './source-book.ts'

type ServerOptions = Extract<SecureStreamOptions, { role: 'server' }>

type Judgement =
  | { readonly kind: 'accepted'; readonly identity: PeerIdentity }
  | { readonly kind: 'refused'; readonly reason: SessionFailure }

interface Handshaking {
  readonly peer: TlsPeer
  readonly entry: SourceEntry
}

/** Node names the TLS connection and the TCP connection below it apart: their ends tell that they belong together. */
function endsOf(socket: Socket): string {
  return `${socket.remoteAddress} ${socket.remotePort} ${socket.localAddress} ${socket.localPort}`
}

function listen(server: Server, local: SocketAddress): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', (error) =>
      reject(new UnavailableError('TLS_BIND_FAILED', `cannot bind: ${error.message}`, true, { cause: error }))
    )
    server.listen({ host: formatIpAddress(local.address), port: local.port, ipv6Only: true }, resolve)
  })
}

/** The server side: a listening socket, and who of those that come is let in. */
export class Acceptor {
  readonly #keeper: PeerKeeper
  readonly #tcp: Server
  #tls: TlsServer
  readonly #sources: SourceBook
  readonly #handshaking = new Map<string, Handshaking>()
  readonly #pskIdentities = new WeakMap<TLSSocket, string>()

  private constructor(
    keeper: PeerKeeper,
    options: ServerOptions,
    context: SecureContextOptions,
    limits: SourceLimits
  ) {
    this.#keeper = keeper
    this.#sources = new SourceBook(limits)
    this.#tcp = createServer((socket) => this.#accept(socket))
    this.#tls = this.#speaker(options, context)
  }

  /** Clients that come from now on are met with these credentials. */
  use(options: ServerOptions, context: SecureContextOptions): void {
    this.#tls = this.#speaker(options, context)
  }

  /** The part that speaks TLS. It listens nowhere: connections are brought to it. */
  #speaker(options: ServerOptions, context: SecureContextOptions): TlsServer {
    const { certificate, preSharedKeys } = options
    const tls = createTlsServer({
      ...context,
      requestCert: certificate !== undefined,
      // Node would turn away who has a key and no certificate: `#judge` decides.
      rejectUnauthorized: false,
      ALPNProtocols: [coapProtocolId],
      ...(preSharedKeys === undefined
        ? {}
        : {
            pskCallback: (stream: TLSSocket, identity: string) =>
              this.#findKey(preSharedKeys, stream, identity)
          })
    })
    tls.on('secureConnection', (stream) => this.#secured(stream))
    tls.on('tlsClientError', (error, stream) => this.#failed(error, stream))
    return tls
  }

  /** @throws {UnavailableError} (as rejection) `TLS_BIND_FAILED` */
  static async open(
    keeper: PeerKeeper,
    options: ServerOptions,
    context: SecureContextOptions,
    limits: SourceLimits
  ): Promise<Acceptor> {
    const acceptor = new Acceptor(keeper, options, context, limits)
    await listen(acceptor.#tcp, options.local)
    // A failed accept, out of files for example, is tried again with the next connection.
    acceptor.#tcp.on('error', () => keeper.counters.count('accepts_failed_total'))
    return acceptor
  }

  get port(): number {
    return (this.#tcp.address() as AddressInfo).port
  }

  /** Sources that hold connections. */
  get sources(): number {
    return this.#sources.size
  }

  /** Takes nobody more. Resolves when all connections have closed. */
  close(): Promise<void> {
    return new Promise((resolve) => this.#tcp.close(() => resolve()))
  }

  #accept(socket: Socket): void {
    socket.on('error', () => undefined)
    const address = socket.remoteAddress ?? ''
    if (!this.#mayEnter(address)) {
      socket.destroy()
      this.#keeper.refuse('limit')
      return
    }
    const ends = endsOf(socket)
    const peer = this.#keeper.admit(() => socket.destroy())
    const entry = this.#sources.enter(address)
    this.#handshaking.set(ends, { peer, entry })
    socket.on('close', () => {
      entry.gone()
      if (this.#handshaking.get(ends)?.peer === peer) this.#handshaking.delete(ends)
      this.#keeper.fail(peer, 'peer-alert')
    })
    // The way that Node documents to bring in a connection from elsewhere.
    this.#tls.emit('connection', socket)
  }

  #mayEnter(address: string): boolean {
    if (this.#keeper.isShut) return false
    const limit = this.#keeper.hasRoom ? this.#sources.limitAt(address) : 'all'
    if (limit !== undefined) this.#keeper.counters.count('connections_refused_total', limit)
    return limit === undefined
  }

  #failed(error: unknown, stream: TLSSocket): void {
    const known = this.#handshaking.get(endsOf(stream))
    if (known !== undefined) this.#keeper.fail(known.peer, failureOf(error, undefined))
  }

  #secured(stream: TLSSocket): void {
    stream.on('error', () => undefined)
    const known = this.#handshaking.get(endsOf(stream))
    const path = pathOf(stream)
    if (known === undefined || known.peer.state.kind !== 'handshaking' || path === undefined) {
      stream.destroy()
      return
    }
    const { peer, entry } = known
    const judgement = this.#judge(stream)
    if (judgement.kind === 'refused') this.#keeper.fail(peer, judgement.reason)
    else {
      entry.secured()
      this.#keeper.establish(peer, stream, judgement.identity, path)
    }
  }

  #judge(stream: TLSSocket): Judgement {
    const identity = this.#identityOf(stream)
    if (identity === undefined) return { kind: 'refused', reason: 'certificate-refused' }
    // RFC 8323 §8.2: beside port 5684, a client must name the protocol; who does not may be made to speak another one.
    if (stream.alpnProtocol !== coapProtocolId && this.port !== coapsTcpPort)
      return { kind: 'refused', reason: 'protocol' }
    return { kind: 'accepted', identity }
  }

  #identityOf(stream: TLSSocket): PeerIdentity | undefined {
    // Only in a suite of this name has the client proved to have the key of the identity that it gave.
    if (stream.getCipher().name.includes('PSK')) {
      const identity = this.#pskIdentities.get(stream)
      return identity === undefined ? undefined : { kind: 'psk', identity }
    }
    const certificate = stream.authorized ? stream.getPeerX509Certificate() : undefined
    return certificate === undefined ? undefined : certificateIdentity(certificate)
  }

  #findKey(keys: ReadonlyMap<string, Uint8Array>, stream: TLSSocket, identity: string): Uint8Array | null {
    const key = keys.get(identity)
    if (key === undefined) return null
    this.#pskIdentities.set(stream, identity)
    return key
  }
}
