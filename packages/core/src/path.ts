import type { IpAddress } from './ip/address.ts'

/** An address and a port. Port 0: let the kernel choose. */
export interface SocketAddress {
  readonly address: IpAddress
  readonly port: number
}

/** What carries a session: datagrams under DTLS, or a TCP connection under TLS. */
export type Transport = 'udp' | 'tcp'

/** The way a datagram takes or took: every output that leaves the host carries one. */
export interface NetworkPath {
  readonly local: SocketAddress
  readonly remote: SocketAddress
  /** Name of the interface that it is bound to or arrived on; undefined: any. */
  readonly interface?: string
}
