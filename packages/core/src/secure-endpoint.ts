import type { NetworkPath, SocketAddress } from './path.ts'

/**
 * A secure endpoint: one UDP socket with DTLS on it, at the same layer as UDP. It hands up batches of (peer, plaintext)
 * and takes plaintext down. Implemented by `@breakwater/dtls` and by the simulated network of `@breakwater/testing`; one
 * contract suite runs on both.
 */

/**
 * Names one peer of one endpoint; unique among all endpoints of the process, and never given again after its peer has
 * gone. TypeScript takes them from `newPeerId`.
 */
export type PeerId = number & { readonly __brand: 'PeerId' }

/** Who the peer proved to be, copied when the session was established. */
export type PeerIdentity =
  | {
      readonly kind: 'certificate'
      /** Names of the subjectAltName: DNS-IDs in lower case. */
      readonly dnsNames: readonly string[]
      /** The common name of the subject, for people to read; never used to authorise. */
      readonly subject: string
      /** SHA-256 of the SubjectPublicKeyInfo, hexadecimal. */
      readonly spkiSha256: string
    }
  | { readonly kind: 'psk'; readonly identity: string }

/** PEM texts. */
export interface CertificateCredentials {
  readonly kind: 'certificate'
  /** Our certificate, followed by intermediates. */
  readonly certificate: string
  readonly privateKey: string
  /** Trust anchors for the peer's certificate. */
  readonly trustAnchors: string
  /**
   * Certificate revocation lists. With them, a certificate of a peer is refused (`certificate-refused`) when it was
   * revoked, and also when no current list covers it or an intermediate above it (RFC 5280 §6.3.3: undetermined). A list
   * that is out of date when it is read is a ConfigError. Default: nobody asks.
   */
  readonly crl?: string | readonly string[]
}

export interface PskCredentials {
  readonly kind: 'psk'
  readonly identity: string
  readonly key: Uint8Array
}

/** What a server authenticates with. */
export interface ServerCredentials {
  /** A certificate (clients must show one of the same trust anchors), pre-shared keys, or both. */
  readonly certificate?: CertificateCredentials
  /** PSK identity → key. */
  readonly preSharedKeys?: ReadonlyMap<string, Uint8Array>
}

export type ClientCredentials = CertificateCredentials | PskCredentials

export interface SecureEndpointLimits {
  /** Peers at most, handshaking ones included. Default 100,000. */
  readonly peers?: number
  /** Handshakes in progress at most. Default 10,000. */
  readonly handshaking?: number
  /**
   * DTLS servers only: ClientHellos per second that one source (an IPv4 address, an IPv6 /64) may send; two seconds'
   * worth may come at once. The rest is dropped unread; those who mean it send again. Default 200.
   */
  readonly hellosPerSecondPerSource?: number
  /**
   * DTLS servers only: ClientHellos per second, of all sources together, that do not prove where they come from by a
   * good cookie; a second's worth may come at once. The rest is dropped unread. Default 10,000.
   */
  readonly unverifiedHellosPerSecond?: number
}

interface SecureEndpointBase {
  /** The address and port to bind to. */
  readonly local: SocketAddress
  /** Bind to this interface, too (SO_BINDTODEVICE). */
  readonly interface?: string
  /** Path MTU in bytes, IP and UDP headers included. Default 1280 (RFC 9132 §7.3). */
  readonly mtu?: number
  readonly limits?: SecureEndpointLimits
}

export interface ServerEndpointOptions extends SecureEndpointBase, ServerCredentials {
  readonly role: 'server'
}

export interface ClientEndpointOptions extends SecureEndpointBase {
  readonly role: 'client'
  readonly credentials: ClientCredentials
}

export type SecureEndpointOptions = ServerEndpointOptions | ClientEndpointOptions

/** Plaintexts that arrived together. Views are valid only during the call of `onBatch`: copy what you keep. */
export interface PlaintextBatch {
  readonly count: number
  peer(index: number): PeerId
  bytes(index: number): Uint8Array
}

export type SessionEvent =
  | {
      readonly kind: 'established'
      readonly peer: PeerId
      readonly identity: PeerIdentity
      readonly path: NetworkPath
    }
  | { readonly kind: 'closed'; readonly peer: PeerId; readonly reason: SessionEnd }
  | { readonly kind: 'failed'; readonly peer: PeerId; readonly reason: SessionFailure }

/** How an established session ended. */
export type SessionEnd = 'close-notify' | 'alert' | 'replaced' | 'local'

/** Why a handshake came to nothing. */
export type SessionFailure =
  | 'timeout'
  | 'peer-alert'
  | 'certificate-refused'
  | 'name-mismatch'
  | 'no-shared-key'
  | 'protocol'
  | 'limit'
  | 'local'

/** Called from the endpoint's own loop. A throw is reported as an uncaught error and loses nothing else of the batch. */
export interface SecureEndpointHandlers {
  onBatch(batch: PlaintextBatch): void
  onSession(event: SessionEvent): void
}

export interface ConnectRequest {
  readonly remote: SocketAddress
  /** Reference identifier that the server's certificate must carry as DNS-ID. Not used with PSK. */
  readonly serverName: string
}

export interface SecureEndpoint {
  /** The bound address, with the real port. */
  readonly local: SocketAddress
  /** Starts a handshake (client role only). The outcome comes through `onSession`. */
  connect(request: ConnectRequest): PeerId
  /**
   * Queues one plaintext; the bytes are copied at once. All that is queued in one turn of the loop leaves together.
   * @returns false when the peer is not established, has gone, or the datagram is longer than the session can carry.
   */
  send(peer: PeerId, bytes: Uint8Array): boolean
  /** Ends a session with close_notify, or a handshake; `onSession` reports it. Harmless on a peer that has gone. */
  close(peer: PeerId): void
  /** Largest plaintext that fits one datagram to this peer, in bytes; 0 when there is no such peer. */
  maximumPlaintext(peer: PeerId): number
  /** Counters by name, for metrics. */
  stats(): Readonly<Record<string, number>>
  /**
   * Takes new credentials, of its own role and all of them, in place of the old ones. Handshakes that begin from now on
   * use these, and none resumes a session of before; established sessions stay, even of peers that would be refused now.
   * A handshake under way may end by either. Does nothing on a destroyed endpoint. Absent where an implementation cannot.
   * @throws {ConfigError} on unusable credentials; the old ones are in use then.
   */
  reload?(credentials: ServerCredentials | ClientCredentials): void
  /** Says close_notify to everybody, closes the socket, reports nothing more. */
  destroy(): Promise<void>
}

/** Opens an endpoint. Rejects with `UnavailableError` when it cannot bind, with `ConfigError` on unusable credentials. */
export type OpenSecureEndpoint = (
  options: SecureEndpointOptions,
  handlers: SecureEndpointHandlers
) => Promise<SecureEndpoint>
