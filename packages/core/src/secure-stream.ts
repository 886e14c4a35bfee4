import { Seconds } from './time.ts'
import type { Duration } from './time.ts'
import type {
  PeerId,
  SecureEndpoint,
  SecureEndpointHandlers,
  SecureEndpointLimits,
  SecureEndpointOptions
} from './secure-endpoint.ts'

/**
 * A secure endpoint on TLS over TCP. It has the shape of a `SecureEndpoint`, so that one agent drives both kinds, and the
 * meaning of a stream where that shape speaks of datagrams:
 *
 * | member | on a stream |
 * |---|---|
 * | `onBatch` | each entry is a piece of what the peer wrote, in order and without a gap; its borders mean nothing |
 * | `send` | queues bytes behind those already queued, all or none of them; false also when they do not fit the queue |
 * | `maximumPlaintext` | the room that is left in the queue of the peer just now |
 * | `mtu` | without meaning, ignored |
 * | `local` of a client | its address; each connection has a port of its own, which the path in `established` names |
 * | `close` | what was queued goes first, then close_notify; not waited for longer than a few seconds |
 *
 * A peer that lets its queue fill up does not read. The `send` that finds no more room says false and ends the session
 * (`closed`, `local`), unless the bytes would not even fit an empty queue: that is the caller's mistake and ends nothing.
 *
 * Reasons, where a stream differs:
 * - `timeout`: nobody answers: the connection was refused, there is no route, or the handshake took too long.
 * - `peer-alert`: the peer ended the handshake, by an alert or by just closing the connection.
 * - `alert`: the session ended by an alert or by a reset of the connection.
 * - `local`: also that a limit of this endpoint ended the session: the queue, or no first byte in time.
 *
 * A client may learn only after `established` that its certificate was refused: in TLS 1.3 it finishes first (RFC 8446
 * §4.4.4). Then `closed` follows.
 */
export interface SecureStreamEndpoint extends SecureEndpoint {
  /**
   * Queues bytes for a peer; they are copied at once.
   * @returns false when the peer is not established or has gone, when there are no bytes, or when they do not fit.
   */
  send(peer: PeerId, bytes: Uint8Array): boolean
  /** Bytes that `send` takes just now; 0 when there is no such peer. */
  maximumPlaintext(peer: PeerId): number
}

/** What a stream bounds besides peers. */
export interface SecureStreamLimits {
  /** Bytes that wait for one peer at most. */
  readonly queuedBytes?: number
  /** A handshake, connecting included, has failed after this time. */
  readonly handshake?: Duration
  /** A server ends a session whose client has not sent a byte after this time. */
  readonly firstByte?: Duration
  /** Servers: connections of one source (an IPv4 address, an IPv6 /64), handshaking ones included. */
  readonly peersPerSource?: number
  /** Servers: handshakes in progress of one source. */
  readonly handshakingPerSource?: number
}

/** The limits of an endpoint on streams that is told nothing else; each peer is an open file: fewer than of datagrams. */
export const DEFAULT_STREAM_LIMITS: Required<
  Pick<SecureEndpointLimits, 'peers' | 'handshaking'> & SecureStreamLimits
> = {
  peers: 10_000,
  handshaking: 1000,
  queuedBytes: 1024 * 1024,
  handshake: Seconds(15),
  firstByte: Seconds(30),
  peersPerSource: 1000,
  handshakingPerSource: 50
}

/** What opens a stream endpoint of either role. */
export type SecureStreamOptions = SecureEndpointOptions & {
  readonly limits?: SecureEndpointLimits & SecureStreamLimits
}

/**
 * Opens a stream endpoint, by the rules of `OpenSecureEndpoint`, with `DEFAULT_STREAM_LIMITS` for what is left out.
 */
export type OpenSecureStream = (
  options: SecureStreamOptions,
  handlers: SecureEndpointHandlers
) => Promise<SecureStreamEndpoint>
