import type { PathHint, SocketAddress } from '@breakwater/core'

/** What somebody says of a UDP datagram that a host has sent, or is said to have sent. Nothing proves that it was so. */
export interface IcmpMessage {
  readonly kind: PathHint['kind']
  /** Where the datagram came from, and where it was to go. */
  readonly local: SocketAddress
  readonly remote: SocketAddress
  /** `too-big`: what the next link carries, in bytes, IP header included. */
  readonly mtuBytes?: number
}
