import type {
  CertificateCredentials,
  ClientEndpointOptions,
  Duration,
  IpAddress,
  IpFamily,
  SecureEndpoint,
  SecureEndpointHandlers,
  ServerEndpointOptions,
  SocketAddress
} from '@breakwater/core'

export type EndpointSide = 'server' | 'client'

/**
 * What is wrong with a certificate: `stranger` is signed by an authority that the other side does not trust (its own
 * trust anchors are the good ones); `other-name` is signed by the right authority for another DNS name.
 */
export type CertificateFlaw = 'stranger' | 'other-name'

export type ServerOverrides = Partial<Omit<ServerEndpointOptions, 'role'>>
export type ClientOverrides = Partial<Omit<ClientEndpointOptions, 'role'>>

/**
 * A world with room for endpoints of both roles, in which a datagram is lost only when a test asks for it. Each test
 * gets a fresh one.
 *
 * The members behind the question marks are abilities: a test that needs one is skipped in a world without it, unless
 * the suite was told that it lacks the ability.
 */
export interface SecureEndpointWorld {
  /** The DNS-ID in the good certificate of the server, in lower case. */
  readonly serverName: string
  /** The DNS-ID in the good certificate of the client, in lower case. */
  readonly clientName: string
  /** A handshake without any answer has failed after this time. */
  readonly handshakeGivesUpWithin: Duration
  /** The address that endpoints of one side bind to. */
  address(side: EndpointSide, family: IpFamily): IpAddress
  /** Credentials of one side. All good ones, and `other-name`, come from one authority that both sides trust. */
  certificate(side: EndpointSide, flaw?: CertificateFlaw): CertificateCredentials
  /** Opens a server with its good certificate on its IPv4 address, port 0; `overrides` replaces single options. */
  openServer(handlers: SecureEndpointHandlers, overrides?: ServerOverrides): Promise<SecureEndpoint>
  /** Opens a client with its good certificate on its IPv4 address, port 0; `overrides` replaces single options. */
  openClient(handlers: SecureEndpointHandlers, overrides?: ClientOverrides): Promise<SecureEndpoint>
  /**
   * Lets time go on until `condition` holds; rejects when it does not within `limit` (default: 5 s). In real time the
   * world may stretch the limit for slow machines.
   */
  until(condition: () => boolean, limit?: Duration): Promise<void>
  /** Lets `duration` go by, to see that nothing happens. */
  pause(duration: Duration): Promise<void>
  /** Destroys every endpoint that is still open, and checks that nothing stays behind. */
  close(): Promise<void>

  /** Whether an endpoint may bind to the wildcard address and still learn which address a datagram was sent to. */
  readonly bindsWildcard?: boolean
  /** Loses the next `count` datagrams to that side, after letting `skipping` (default 0) pass. */
  dropNext?(count: number, to: EndpointSide, skipping?: number): void
  /** Runs `during` and returns the errors that were reported as uncaught meanwhile. */
  catchUncaught?(during: () => Promise<void>): Promise<readonly unknown[]>
  /** Takes an endpoint away as a crash does: no goodbye, no events; its port is free when this resolves. */
  vanish?(endpoint: SecureEndpoint): Promise<void>
  /** A socket address of the server's host where nobody listens, and that is answered as the host answers it. */
  vacant?(): Promise<SocketAddress>
}

/** The world of the running test. */
export type CurrentWorld = () => SecureEndpointWorld

/** What the members behind the question marks are for: the wildcard, losing datagrams, uncaught errors, crashes, ICMP. */
export type WorldAbility = 'wildcard' | 'loss' | 'uncaught' | 'crash' | 'icmp'
