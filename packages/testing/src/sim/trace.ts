import type { Instant, NetworkPath, Transport } from '@breakwater/core'

/** Why a datagram went no further. */
export type DropReason =
  | 'cut'
  | 'lost'
  /** Longer than the link takes. */
  | 'too-long'
  /** No inside port of a translator has this outside port. */
  | 'no-mapping'
  /** A test asked for this very loss. */
  | 'on-request'
  /** Stopped in the middle of the network: see `SimulatedNetwork.block`. */
  | 'middlebox'
  /** BCP 38 (RFC 2827): the source address does not belong to the link that it came in by. */
  | 'ingress-filter'
  /** No host has the destination address. */
  | 'no-route'
  /** The destination host has no socket there. */
  | 'no-listener'

export type DatagramFate =
  | { readonly kind: 'sent' }
  /** One more copy of it is under way. */
  | { readonly kind: 'duplicated' }
  | { readonly kind: 'delivered' }
  | { readonly kind: 'dropped'; readonly reason: DropReason }

/** One thing that happened to one datagram. */
export interface TraceEntry {
  readonly at: Instant
  /** Numbers the datagrams of a network from 0; copies keep the number. */
  readonly datagram: number
  readonly transport: Transport
  readonly fate: DatagramFate
  /** The host that sent it. */
  readonly from: string
  /** As its sender saw it: source, destination and the interface that it left by. */
  readonly path: NetworkPath
  /** The whole UDP payload, or the segment of TCP. Read only: it may still be under way. */
  readonly bytes: Uint8Array
}

/** Listens to everything on a network. */
export type NetworkTap = (entry: TraceEntry) => void
