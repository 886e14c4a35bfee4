import { after, Counters, newPeerId, Seconds } from '@breakwater/core'
import type {
  Clock,
  Duration,
  Entropy,
  NetworkPath,
  PeerId,
  PeerIdentity,
  SecureEndpointHandlers,
  SecureEndpointLimits,
  SecureStreamLimits,
  SecureStreamOptions,
  SessionEnd,
  SessionFailure
} from '@breakwater/core'
import { readAuthentication } from './authentication.ts'
import type { Authentication } from './authentication.ts'
import type { Alert } from './handshake-message.ts'
import type { SimulatedNetwork } from './network.ts'
import { ReportQueue } from './report-queue.ts'
import { StreamPeer } from './stream-peer.ts'
import type { StreamConnection } from './stream-connection.ts'

/** Nobody here crowds others out: those of one source are the business of the real endpoint. */
type StreamEndpointLimits = Required<
  Pick<SecureEndpointLimits, 'peers' | 'handshaking'> &
    Omit<SecureStreamLimits, 'peersPerSource' | 'handshakingPerSource'>
>

/** As `@breakwater/runtime` has them. */
const defaultLimits: StreamEndpointLimits = {
  peers: 10_000,
  handshaking: 1000,
  queuedBytes: 1024 * 1024,
  handshake: Seconds(15),
  firstByte: Seconds(30)
}

/** The peers of one stream endpoint through their lives: limits, deadlines, counters, reports. */
export class StreamKeeper {
  /** Replaced when the endpoint gets new credentials. */
  authentication: Authentication
  readonly clock: Clock
  readonly counters: Counters = new Counters()
  readonly entropy: Entropy
  readonly #limits: StreamEndpointLimits
  readonly #peers = new Map<PeerId, StreamPeer>()
  readonly #reports: ReportQueue
  #handshaking = 0

  constructor(network: SimulatedNetwork, options: SecureStreamOptions, handlers: SecureEndpointHandlers) {
    this.authentication = readAuthentication(options)
    this.clock = network.clock
    this.#limits = { ...defaultLimits, ...options.limits }
    this.entropy = network.entropyForEndpoint()
    this.#reports = new ReportQueue(network.clock, handlers, (error) => network.reportUncaught(error))
  }

  get hasRoom(): boolean {
    return this.#peers.size < this.#limits.peers && this.#handshaking < this.#limits.handshaking
  }

  get(id: PeerId): StreamPeer | undefined {
    return this.#peers.get(id)
  }

  stats(): Readonly<Record<string, number>> {
    return { ...this.counters.snapshot(), peers: this.#peers.size, handshaking: this.#handshaking }
  }

  /** Adds a peer that begins its handshake on a connection; there must be room. */
  admit(connection: StreamConnection, path: NetworkPath, serverName: string): StreamPeer {
    const peer = new StreamPeer(
      newPeerId(),
      connection,
      path,
      serverName,
      this.clock,
      this.#limits.queuedBytes
    )
    this.#peers.set(peer.id, peer)
    this.#handshaking++
    this.counters.count('handshakes_started_total')
    this.#setDeadline(peer, this.#limits.handshake, () => this.fail(peer, 'timeout'))
    return peer
  }

  /** Reports a peer that fails before it has begun. */
  failNobody(reason: SessionFailure): PeerId {
    const peer = newPeerId()
    this.counters.count('handshakes_failed_total', reason)
    this.#reports.event({ kind: 'failed', peer, reason })
    return peer
  }

  /** Ends a handshake, by an alert or by just taking the connection away; harmless when it is over. */
  fail(peer: StreamPeer, reason: SessionFailure, alert?: Alert): void {
    if (peer.state.kind === 'established' || peer.state.kind === 'gone') return
    this.#handshaking--
    this.#forget(peer)
    this.counters.count('handshakes_failed_total', reason)
    if (alert === undefined) peer.abort()
    else peer.alert(alert)
    this.#reports.event({ kind: 'failed', peer: peer.id, reason })
  }

  establish(peer: StreamPeer, identity: PeerIdentity): void {
    this.#handshaking--
    peer.deadline?.cancel()
    peer.state = { kind: 'established' }
    this.counters.count('sessions_established_total')
    this.#reports.event({ kind: 'established', peer: peer.id, identity, path: peer.path })
  }

  /** A server ends a session whose client never speaks. */
  expectFirstByte(peer: StreamPeer): void {
    this.#setDeadline(peer, this.#limits.firstByte, () => {
      this.counters.count('sessions_silent_total')
      this.end(peer, 'local')
    })
  }

  /** Ends a session; harmless when there is none. */
  end(peer: StreamPeer, reason: SessionEnd): void {
    if (peer.state.kind !== 'established') return
    this.#close(peer, reason)
    peer.end()
  }

  /** `send` of the endpoint. */
  send(peer: StreamPeer, bytes: Uint8Array): boolean {
    if (peer.state.kind !== 'established' || bytes.length === 0) return false
    if (bytes.length <= peer.room) {
      this.counters.count('bytes_sent_total', '', bytes.length)
      peer.send(bytes)
      return true
    }
    if (peer.couldTake(bytes.length)) {
      // It does not read.
      this.counters.count('sessions_overrun_total')
      this.#close(peer, 'local')
      peer.abort()
    }
    return false
  }

  deliver(peer: StreamPeer, bytes: Uint8Array): void {
    peer.deadline?.cancel()
    this.counters.count('bytes_received_total', '', bytes.length)
    this.#reports.plaintext(peer.id, bytes)
  }

  /** Ends everything and reports nothing more; connections end in their own time, as those of a process that exits. */
  shutDown(): void {
    for (const peer of this.#peers.values()) {
      this.end(peer, 'local')
      this.fail(peer, 'local')
    }
    this.#reports.close()
  }

  /** The host crashed. */
  vanish(): void {
    for (const peer of this.#peers.values()) peer.dispose()
    this.#peers.clear()
    this.#reports.close()
  }

  #close(peer: StreamPeer, reason: SessionEnd): void {
    this.#forget(peer)
    this.counters.count('sessions_closed_total', reason)
    this.#reports.event({ kind: 'closed', peer: peer.id, reason })
  }

  #setDeadline(peer: StreamPeer, patience: Duration, act: () => void): void {
    peer.deadline?.cancel()
    peer.deadline = this.clock.schedule(after(this.clock.now(), patience), act)
  }

  #forget(peer: StreamPeer): void {
    peer.deadline?.cancel()
    peer.state = { kind: 'gone' }
    this.#peers.delete(peer.id)
  }
}
