import type {
  CertificateCredentials,
  ClientEndpointOptions,
  Duration,
  IpAddress,
  IpFamily,
  SecureEndpointHandlers,
  SecureEndpointLimits,
  SecureStreamEndpoint,
  SecureStreamLimits,
  ServerEndpointOptions,
  SocketAddress
} from '@breakwater/core'
import type { CertificateFlaw, EndpointSide } from './secure-endpoint-world.ts'

interface StreamLimits {
  readonly limits?: SecureEndpointLimits & SecureStreamLimits
}

export type StreamServerOverrides = Partial<Omit<ServerEndpointOptions, 'role'>> & StreamLimits
export type StreamClientOverrides = Partial<Omit<ClientEndpointOptions, 'role'>> & StreamLimits

/** A party without TLS at one end of a connection. */
export interface RawConnection {
  send(bytes: Uint8Array): void
  /** Whether the other side has ended the connection. */
  readonly isClosed: boolean
  close(): void
}

/** A world with room for stream endpoints of both roles. Each test gets a fresh one. */
export interface SecureStreamWorld {
  /** The DNS-ID in the good certificate of the server, in lower case. */
  readonly serverName: string
  /** The DNS-ID in the good certificate of the client, in lower case. */
  readonly clientName: string
  /** The address that endpoints of one side bind to. */
  address(side: EndpointSide, family: IpFamily): IpAddress
  /** Credentials of one side. All good ones, and `other-name`, come from one authority that both sides trust. */
  certificate(side: EndpointSide, flaw?: CertificateFlaw): CertificateCredentials
  /** Opens a server with its good certificate on its IPv4 address, port 0; `overrides` replaces single options. */
  openServer(
    handlers: SecureEndpointHandlers,
    overrides?: StreamServerOverrides
  ): Promise<SecureStreamEndpoint>
  /** Opens a client with its good certificate on its IPv4 address, port 0; `overrides` replaces single options. */
  openClient(
    handlers: SecureEndpointHandlers,
    overrides?: StreamClientOverrides
  ): Promise<SecureStreamEndpoint>
  /** Connects to a server without speaking TLS. */
  connectRaw(remote: SocketAddress): Promise<RawConnection>
  /** An address where nobody listens. */
  nobody(): Promise<SocketAddress>
  /** An address where connections are accepted and nothing is said. */
  silence(): Promise<SocketAddress>
  /** Lets time go on until `condition` holds; rejects when it does not within `limit` (default: 5 s). */
  until(condition: () => boolean, limit?: Duration): Promise<void>
  /** Lets `duration` go by, to see that nothing happens. */
  pause(duration: Duration): Promise<void>
  /** Runs `during` and returns the errors that were reported as uncaught meanwhile. */
  catchUncaught(during: () => Promise<void>): Promise<readonly unknown[]>
  /** Destroys every endpoint that is still open, and checks that nothing stays behind. */
  close(): Promise<void>
}

/** The world of the running test. */
export type CurrentStreamWorld = () => SecureStreamWorld
