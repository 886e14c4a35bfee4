import type { OutgoingBatch } from './outgoing-batch.ts'
import type { NetworkPath, SocketAddress } from './path.ts'
import type { Duration } from './time.ts'

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
      /** SRV-IDs in lower case (`_dots-signal.server.example`); absent: none, or the endpoint does not read them. */
      readonly srvNames?: readonly string[]
      /** The common name of the subject, for people to read; never used to authorise. */
      readonly subject: string
      /** SHA-256 of the SubjectPublicKeyInfo, hexadecimal. */
      readonly spkiSha256: string
    }
  | { readonly kind: 'psk'; readonly identity: string }
  /** RFC 7250: a key that stands for itself. `spkiSha256` as in a certificate. */
  | { readonly kind: 'raw-public-key'; readonly spkiSha256: string }

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
   * revoked, and also when no current list covers it or an intermediate above it (RFC 5280 §6.3.3: undetermined). No
   * list at all is a ConfigError; one that is out of date when it is read is one, too, or covers nobody. Default: nobody
   * asks.
   */
  readonly crl?: string | readonly string[]
}

/** A key that both sides know, and under which name (RFC 4279). What may be one: see `pskProblem`. */
export interface PskCredentials {
  readonly kind: 'psk'
  readonly identity: string
  readonly key: Uint8Array
}

/** A key without a certificate (RFC 7250, RFC 7252 §9.1.3.2), and the keys that the other side may have. */
export interface RawPublicKeyCredentials {
  readonly kind: 'raw-public-key'
  /** PEM text; the peer gets to see its public half. */
  readonly privateKey: string
  /**
   * Who is let in: the SHA-256 of each peer's SubjectPublicKeyInfo, hexadecimal, whole (64 digits) or cut to its first
   * 120 bits (30 digits; RFC 6920 §9.4 sha-256-120). At least one.
   */
  readonly peerKeys: readonly string[]
}

/** What a server authenticates with: any of these, or several. An endpoint that cannot do one refuses it (ConfigError). */
export interface ServerCredentials {
  /** Clients must show a certificate of the same trust anchors. */
  readonly certificate?: CertificateCredentials
  /** PSK identity → key. */
  readonly preSharedKeys?: ReadonlyMap<string, Uint8Array>
  /** Beside a certificate it must be the key of that: one key proves this server, whichever way it is shown. */
  readonly rawPublicKey?: RawPublicKeyCredentials
}

/** What a client authenticates with: one of these. */
export type ClientCredentials = CertificateCredentials | PskCredentials | RawPublicKeyCredentials

/**
 * What a client keeps so that the next handshake with a server is a short one (RFC 5077), also after a restart. Secret:
 * whoever has it can be this client to that server until it expires.
 */
export interface ResumableSession {
  /** Where it was got. It is good at every address of the server with this name. */
  readonly remote: SocketAddress
  readonly serverName: string
  /** For endpoints of the same implementation and with the same credentials; means nothing to anybody else. */
  readonly state: Uint8Array
  /** By the calendar: milliseconds since 1970. */
  readonly expiresAtMs: number
}

/** Bytes of a key that a server seals session tickets with. */
export const TICKET_KEY_BYTES = 32

/** What an endpoint bounds, so that strangers cannot fill it. */
export interface SecureEndpointLimits {
  /** Peers at most, handshaking ones included. */
  readonly peers?: number
  /** Handshakes in progress at most. */
  readonly handshaking?: number
  /**
   * DTLS servers only: ClientHellos per second that one source (an IPv4 address, an IPv6 /64) may send; two seconds'
   * worth may come at once. The rest is dropped unread; those who mean it send again.
   */
  readonly hellosPerSecondPerSource?: number
  /**
   * DTLS servers only: ClientHellos per second, of all sources together, that do not prove where they come from by a
   * good cookie; a second's worth may come at once. The rest is dropped unread.
   */
  readonly unverifiedHellosPerSecond?: number
}

/** The limits of an endpoint on datagrams that is told nothing else. */
export const DEFAULT_ENDPOINT_LIMITS: Required<SecureEndpointLimits> = {
  peers: 100_000,
  handshaking: 10_000,
  // A handshake needs two: enough for some hundred clients behind one address that come back together.
  hellosPerSecondPerSource: 200,
  // Answering this many takes a fraction of one core; established sessions have the rest.
  unverifiedHellosPerSecond: 10_000
}

interface SecureEndpointBase {
  /** The address and port to bind to. */
  readonly local: SocketAddress
  /** Bind to this interface, too (SO_BINDTODEVICE). */
  readonly interface?: string
  /** Path MTU in bytes, IP and UDP headers included. Default 1280 (RFC 9132 §7.3). */
  readonly mtu?: number
  /**
   * DTLS only: how long a flight of the handshake waits for its answer before it is sent again; doubled each time.
   * Default 1 s (RFC 6347 §4.2.4.1). Deviation: 400 ms at least, which RFC 9147 §5.8.2 names for real-time use.
   */
  readonly handshakeRetransmission?: Duration
  /**
   * DTLS only: takes suites, as a last choice, that RFC 7252 §9.1.3 has every CoAP node implement and RFC 9132 §7.1 and
   * RFC 9325 §4 advise against: pre-shared keys without (EC)DHE, and AES-128-CCM_8. Default: no.
   */
  readonly constrainedPeers?: boolean
  /**
   * DTLS only: after the handshake, records are the endpoint's own business and the library that did the handshake keeps
   * nothing of the session. False: it keeps all of it, which takes some 80 KB a session. Default: yes.
   */
  readonly recordOffload?: boolean
  readonly limits?: SecureEndpointLimits
}

/** What opens an endpoint that lets peers in. */
export interface ServerEndpointOptions extends SecureEndpointBase, ServerCredentials {
  readonly role: 'server'
  /**
   * Keys of session tickets, `TICKET_KEY_BYTES` random bytes each: the first one seals, all of them open. Whoever gives
   * them keeps them, changes them in time (`SecureEndpoint.useTicketKeys`) and may give the same to the next process, or
   * to others at the same address. Without them the endpoint makes its own, which end with it.
   */
  readonly ticketKeys?: readonly Uint8Array[]
}

/** What opens an endpoint that connects to servers, to any number of them. */
export interface ClientEndpointOptions extends SecureEndpointBase {
  readonly role: 'client'
  readonly credentials: ClientCredentials
  /**
   * Application service that a certificate may be for: `dots-signal` also accepts the SRV-ID `_dots-signal.` + server
   * name (RFC 4985, RFC 9525 §6.5). Default: DNS-IDs only.
   */
  readonly serviceName?: string
  /** Sessions of an earlier endpoint; unusable, expired and foreign ones are left out without a word. */
  readonly sessions?: readonly ResumableSession[]
}

/** What opens an endpoint of either role. */
export type SecureEndpointOptions = ServerEndpointOptions | ClientEndpointOptions

/** Plaintexts that arrived together. Views are valid only during the call of `onBatch`: copy what you keep. */
export interface PlaintextBatch {
  readonly count: number
  peer(index: number): PeerId
  bytes(index: number): Uint8Array
}

/** What became of a peer: `established` and then `closed`, or `failed` alone; each once. */
export type SessionEvent =
  | {
      readonly kind: 'established'
      readonly peer: PeerId
      readonly identity: PeerIdentity
      readonly path: NetworkPath
      /** By the short handshake; absent: by a full one, or the endpoint has no other. */
      readonly resumed?: true
    }
  | { readonly kind: 'closed'; readonly peer: PeerId; readonly reason: SessionEnd }
  | { readonly kind: 'failed'; readonly peer: PeerId; readonly reason: SessionFailure }

/**
 * How an established session ended:
 * - `close-notify`: the peer said goodbye;
 * - `alert`: it broke off;
 * - `replaced`: it has another session now;
 * - `local`: this side ended it, or a limit of this side did.
 */
export type SessionEnd = 'close-notify' | 'alert' | 'replaced' | 'local'

/**
 * Why a handshake came to nothing:
 * - `timeout`: no answer, or there is no way there;
 * - `peer-alert`: the peer broke off;
 * - `certificate-refused`: the peer's certificate is none that we trust; `name-mismatch`: it is one, for another name;
 * - `no-shared-key`: one side knows no key of that name;
 * - `protocol`: what came breaks the protocol, or both sides have no version or suite in common;
 * - `limit`: a limit of this side;
 * - `local`: this side gave it up, or could not send anything.
 */
export type SessionFailure =
  | 'timeout'
  | 'peer-alert'
  | 'certificate-refused'
  | 'name-mismatch'
  | 'no-shared-key'
  | 'protocol'
  | 'limit'
  | 'local'

/**
 * What this host or an ICMP message says of the way to a peer of a client, about a datagram that was sent to it. Nobody has
 * proved anything by it (RFC 7252 §4.2): the endpoint itself changes nothing, and neither may anybody else by this alone.
 */
export interface PathHint {
  readonly peer: PeerId
  /**
   * `port-unreachable`: nobody listens there; `unreachable`: it cannot be got to; `too-big`: a link on the way carries no such
   * datagram.
   */
  readonly kind: 'unreachable' | 'port-unreachable' | 'too-big'
  /** Who says so: this host, or whoever sent an ICMP message. */
  readonly origin: 'local' | 'icmp'
  /** `too-big`: what that link is said to carry, in bytes, IP header included; absent: it is not said. */
  readonly mtuBytes?: number
}

/** Called from the endpoint's own loop. A throw is reported as an uncaught error and loses nothing else of the batch. */
export interface SecureEndpointHandlers {
  onBatch(batch: PlaintextBatch): void
  onSession(event: SessionEvent): void
  /** Datagrams, and clients only: at most once a second and peer, however much is said. Absent: it is of no interest. */
  onHint?(hint: PathHint): void
}

/** With whom a client wants a session. */
export interface ConnectRequest {
  readonly remote: SocketAddress
  /**
   * Reference identifier that the server's certificate must carry as DNS-ID (RFC 9525; no wildcard counts). Not used with
   * keys.
   */
  readonly serverName: string
  /** In place of the endpoint's own for this handshake, as during an attack. */
  readonly handshakeRetransmission?: Duration
}

/**
 * One socket with secure sessions, of datagrams (DTLS) or, as `SecureStreamEndpoint`, of streams (TLS). A peer is a session:
 * who comes again is another one.
 */
export interface SecureEndpoint {
  /** The bound address, with the real port. */
  readonly local: SocketAddress
  /** Starts a handshake (client role only). The outcome comes through `onSession`. */
  connect(request: ConnectRequest): PeerId
  /**
   * DTLS clients: a handshake under way goes by this first timer from now on, undefined: by the endpoint's own. A first
   * ClientHello that nothing has answered is sent again by the shorter timer; any other flight that is out keeps the wait that it
   * began with. Harmless on any other peer. Absent where an implementation has no such timer.
   * @throws {ConfigError} as `connect`, on a timer that is not allowed
   */
  useHandshakeRetransmission?(peer: PeerId, retransmission: Duration | undefined): void
  /**
   * Queues one plaintext; the bytes are copied at once. All that is queued in one turn of the loop leaves together.
   * @returns false when the peer is not established, has gone, or the datagram is longer than the session can carry.
   */
  send(peer: PeerId, bytes: Uint8Array): boolean
  /**
   * The same of many, copied at once, too; those that `send` would refuse are left out without a word. Absent where it would save
   * nothing.
   */
  sendBatch?(batch: OutgoingBatch): void
  /** Ends a session with close_notify, or a handshake; `onSession` reports it. Harmless on a peer that has gone. */
  close(peer: PeerId): void
  /** Largest plaintext that fits one datagram to this peer, in bytes; 0 when there is no such peer. */
  maximumPlaintext(peer: PeerId): number
  /** Counters by name, for metrics. */
  stats(): Readonly<Record<string, number>>
  /**
   * Takes new credentials, of its own role and all of them, in place of the old ones. Handshakes that begin from now on
   * use these; a session of before is resumed only if our own credential is still the same and they would let the same
   * peer in. Established sessions stay, even of peers that would be refused now. A handshake under way may end by either. Does
   * nothing on a destroyed endpoint. Absent where an implementation cannot.
   * @throws {ConfigError} on unusable credentials; the old ones are in use then.
   */
  reload?(credentials: ServerCredentials | ClientCredentials): void
  /**
   * Servers with ticket keys given from outside: replaces all of them. Absent where an implementation has no tickets.
   * @throws {ConfigError} on keys that cannot be; the old ones are in use then.
   */
  useTicketKeys?(keys: readonly Uint8Array[]): void
  /**
   * Clients: sessions of another endpoint, in place of those to the same servers; unusable ones are left out. Absent where
   * an implementation has no tickets.
   */
  useSessions?(sessions: readonly ResumableSession[]): void
  /**
   * Clients: what could be resumed now, for the next endpoint. Worth asking after each `established`. Absent where an
   * implementation has no tickets.
   */
  resumableSessions?(): readonly ResumableSession[]
  /** Says close_notify to everybody, closes the socket, reports nothing more. */
  destroy(): Promise<void>
}

/** Opens an endpoint. Rejects with `UnavailableError` when it cannot bind, with `ConfigError` on unusable credentials. */
export type OpenSecureEndpoint = (
  options: SecureEndpointOptions,
  handlers: SecureEndpointHandlers
) => Promise<SecureEndpoint>
