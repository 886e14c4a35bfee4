import { after, between, Counters, equalIpAddresses, newPeerId, Seconds } from '@breakwater/core'
import type {
  Duration,
  Entropy,
  NetworkPath,
  PeerIdentity,
  SecureEndpointHandlers,
  SecureEndpointOptions,
  SessionEnd,
  SessionFailure,
  WallTime
} from '@breakwater/core'
import { readAuthentication } from './authentication.ts'
import type { Authentication } from './authentication.ts'
import { FlightTimer } from './flight-timer.ts'
import { encodeAlert, encodeHandshake } from './handshake-message.ts'
import type { Alert, HandshakeMessage } from './handshake-message.ts'
import type { ArrivedDatagram, SimulatedHost, SimulatedSocket } from './host.ts'
import type { IcmpMessage } from './icmp-message.ts'
import type { SimulatedNetwork } from './network.ts'
import { PeerTable } from './peer-table.ts'
import type { Peer, PeerState } from './peer-table.ts'
import { encodeRecord, RecordKind } from './record.ts'
import type { SessionName } from './record.ts'
import { ReplayWindow } from './replay-window.ts'
import { ReportQueue } from './report-queue.ts'

/** What others say of the way to one peer is told no more often. */
const hintSpacing: Duration = Seconds(1)

const defaultLimits = { peers: 100_000, handshaking: 10_000 } as const

/** The peers of one endpoint through their lives, its socket and its reports; the roles decide what happens when. */
export class PeerKeeper {
  /** Replaced when the endpoint gets new credentials. */
  authentication: Authentication
  readonly counters: Counters = new Counters()
  readonly entropy: Entropy
  readonly reports: ReportQueue
  readonly socket: SimulatedSocket
  readonly table: PeerTable = new PeerTable()
  readonly #host: SimulatedHost
  readonly #limits: { readonly peers: number; readonly handshaking: number }
  readonly #network: SimulatedNetwork
  /** How long a flight waits for its answer at first; undefined: as long as usual. */
  readonly #retransmission: Duration | undefined

  constructor(
    network: SimulatedNetwork,
    host: SimulatedHost,
    options: SecureEndpointOptions,
    handlers: SecureEndpointHandlers,
    receive: (datagram: ArrivedDatagram) => void
  ) {
    this.authentication = readAuthentication(options)
    this.#host = host
    this.#limits = { ...defaultLimits, ...options.limits }
    this.#network = network
    this.#retransmission = options.handshakeRetransmission
    this.entropy = network.entropyForEndpoint()
    this.reports = new ReportQueue(network.clock, handlers, (error) => network.reportUncaught(error))
    const hear = (message: IcmpMessage): void => this.#heard(message)
    const kind = { transport: 'udp', ...(options.role === 'client' ? { hear } : {}) } as const
    this.socket = host.bind(options.local, options.interface, receive, () => this.shutDown(), kind)
  }

  /** Whether sessions are resumed by tickets. */
  get resumesSessions(): boolean {
    return this.#network.resumesSessions
  }

  wallClock(): WallTime {
    return this.#network.clock.wallClock()
  }

  pathTo(remote: NetworkPath['remote']): NetworkPath {
    // Without a way out the handshake times out, as it does behind a router without a route.
    return this.#host.pathTo(this.socket, remote) ?? { local: this.socket.local, remote }
  }

  /** Whether one more peer fits; the session that it would replace counts as room. */
  hasRoom(path: NetworkPath): boolean {
    const replaced = this.table.establishedAt(path) === undefined ? 0 : 1
    return (
      this.table.size - replaced < this.#limits.peers && this.table.handshaking < this.#limits.handshaking
    )
  }

  /** Adds a peer that begins its handshake. */
  begin(
    path: NetworkPath,
    session: SessionName,
    state: PeerState,
    retransmission: Duration | undefined = this.#retransmission
  ): Peer {
    const { clock, handshakeLimit } = this.#network
    const deadline = after(clock.now(), handshakeLimit)
    const timer = new FlightTimer(clock, deadline, () => this.fail(peer, 'timeout'), retransmission)
    const peer: Peer = {
      id: newPeerId(),
      path,
      timer,
      session,
      state,
      sequence: 0,
      repeatFlight: () => undefined,
      hintedAt: undefined
    }
    this.table.add(peer)
    this.counters.count('handshakes_started_total')
    return peer
  }

  /** A handshake under way waits for answers as this says from now on, or as usual here. */
  retime(peer: Peer, retransmission: Duration | undefined = this.#retransmission): void {
    if (peer.state.kind !== 'established') peer.timer.use(retransmission)
  }

  /** Reports a handshake that failed before it had a peer. */
  failNobody(reason: SessionFailure): Peer['id'] {
    const id = newPeerId()
    this.counters.count('handshakes_failed_total', reason)
    this.reports.event({ kind: 'failed', peer: id, reason })
    return id
  }

  fail(peer: Peer, reason: SessionFailure, alert?: Alert): void {
    if (alert !== undefined) this.send(peer, RecordKind.alert, encodeAlert(alert))
    this.#forget(peer)
    this.counters.count('handshakes_failed_total', reason)
    this.reports.event({ kind: 'failed', peer: peer.id, reason })
  }

  /** The handshake is complete; a session that the same path had is replaced by it (RFC 6347 §4.2.8). */
  establish(peer: Peer, identity: PeerIdentity): void {
    const former = this.table.establishedAt(peer.path)
    if (former !== undefined) this.end(former, 'replaced')
    peer.timer.stop()
    peer.state = { kind: 'established', window: new ReplayWindow() }
    this.table.promote(peer)
    this.counters.count('sessions_established_total')
    this.reports.event({ kind: 'established', peer: peer.id, identity, path: peer.path })
  }

  end(peer: Peer, reason: SessionEnd): void {
    if (reason === 'local') this.send(peer, RecordKind.alert, encodeAlert('close_notify'))
    this.#forget(peer)
    this.counters.count('sessions_closed_total', reason)
    this.reports.event({ kind: 'closed', peer: peer.id, reason })
  }

  /** Sends a flight of the handshake, and again while it is not answered. */
  startFlight(peer: Peer, message: HandshakeMessage): void {
    peer.repeatFlight = () => this.send(peer, RecordKind.handshake, encodeHandshake(message))
    peer.timer.start(peer.repeatFlight)
  }

  /** Sends a last flight, which has no timer: it is repeated when the other side repeats its own (RFC 6347 §4.2.4). */
  sendLastFlight(peer: Peer, message: HandshakeMessage): void {
    peer.repeatFlight = () => this.send(peer, RecordKind.handshake, encodeHandshake(message))
    peer.repeatFlight()
  }

  send(peer: Peer, kind: RecordKind, payload: Uint8Array): void {
    this.sendAlone(peer.path, kind, peer.session, peer.sequence++, payload)
  }

  /** Sends a record that belongs to no peer. */
  sendAlone(
    path: NetworkPath,
    kind: RecordKind,
    session: SessionName,
    sequence: number,
    payload: Uint8Array
  ): void {
    this.counters.count('datagrams_sent_total')
    this.#host.send(this.socket, path, encodeRecord({ kind, session, sequence, payload }))
  }

  /** Anybody may have said it: it is told, and nothing else comes of it. */
  #heard({ kind, remote, mtuBytes }: IcmpMessage): void {
    const now = this.#network.clock.now()
    this.counters.count('path_errors_total', kind)
    for (const peer of this.table.all()) {
      const { address, port } = peer.path.remote
      if (port !== remote.port || !equalIpAddresses(address, remote.address)) continue
      if (peer.hintedAt !== undefined && between(peer.hintedAt, now) < hintSpacing) continue
      peer.hintedAt = now
      const hint = { peer: peer.id, kind, origin: 'icmp' } as const
      this.reports.hint(mtuBytes === undefined ? hint : { ...hint, mtuBytes })
    }
  }

  /** Closes the socket, stops all timers and reports nothing more. */
  shutDown(): void {
    this.reports.close()
    for (const peer of this.table.all()) this.#forget(peer)
    this.#host.unbind(this.socket)
  }

  #forget(peer: Peer): void {
    peer.timer.stop()
    peer.state = { kind: 'gone' }
    this.table.remove(peer)
  }
}
