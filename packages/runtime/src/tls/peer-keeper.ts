import { after, Counters, newPeerId } from '@breakwater/core'
import type {
  Clock,
  Duration,
  NetworkPath,
  PeerId,
  PeerIdentity,
  PlaintextBatch,
  ScheduledCall,
  SecureEndpointHandlers,
  SessionEnd,
  SessionEvent,
  SessionFailure
} from '@breakwater/core'
import type { TLSSocket } from 'node:tls'
import type { TlsLimits } from './limits.ts'
import { TlsSession } from './tls-session.ts'

/**
 * | state | next |
 * |---|---|
 * | `handshaking`: connecting included | `established`, or `gone` on a failure, a close or its deadline |
 * | `established` | `gone` |
 */
type TlsPeerState =
  /** `abandon` takes the connection away. */
  | { readonly kind: 'handshaking'; readonly abandon: () => void }
  | { readonly kind: 'established'; readonly session: TlsSession }
  | { readonly kind: 'gone' }

export interface TlsPeer {
  readonly id: PeerId
  state: TlsPeerState
  /** The end of our patience: with a handshake, then with a client that says nothing. */
  deadline: ScheduledCall | undefined
}

/** Hands an error of a handler to the process, as an exception that nobody caught, and goes on. */
function reportUncaught(error: unknown): void {
  process.nextTick(() => {
    throw error
  })
}

function batchOf(peer: PeerId, bytes: Uint8Array): PlaintextBatch {
  return { count: 1, peer: () => peer, bytes: () => bytes }
}

export interface PeerKeeperOptions {
  readonly clock: Clock
  readonly limits: TlsLimits
  /** A session whose peer has not sent a byte within this time is ended. */
  readonly firstByteWithin?: Duration
}

/** The peers of one endpoint, from the first packet to the last: limits, deadlines, counters, reports. */
export class PeerKeeper {
  readonly counters: Counters = new Counters()
  readonly #options: PeerKeeperOptions
  readonly #handlers: SecureEndpointHandlers
  readonly #peers = new Map<PeerId, TlsPeer>()
  /** Sessions that are over, and whose connections have not closed yet. */
  readonly #lingering = new Set<TlsSession>()
  #handshaking = 0
  #isShut = false
  #whenEmpty: () => void = () => undefined

  constructor(options: PeerKeeperOptions, handlers: SecureEndpointHandlers) {
    this.#options = options
    this.#handlers = handlers
  }

  get isShut(): boolean {
    return this.#isShut
  }

  get hasRoom(): boolean {
    const { peers, handshaking } = this.#options.limits
    return this.#peers.size < peers && this.#handshaking < handshaking
  }

  stats(): Readonly<Record<string, number>> {
    const now = { peers: this.#peers.size, handshaking: this.#handshaking, lingering: this.#lingering.size }
    return { ...this.counters.snapshot(), ...now }
  }

  /** Adds a peer that begins to connect; there must be room. */
  admit(abandon: () => void): TlsPeer {
    const peer: TlsPeer = { id: newPeerId(), state: { kind: 'handshaking', abandon }, deadline: undefined }
    this.#peers.set(peer.id, peer)
    this.#handshaking++
    this.counters.count('handshakes_started_total')
    this.#setDeadline(peer, this.#options.limits.handshake, () => this.fail(peer, 'timeout'))
    return peer
  }

  /** Names a peer that fails before it has begun; that is reported afterwards. */
  refuse(reason: SessionFailure): PeerId {
    const peer = newPeerId()
    this.counters.count('handshakes_failed_total', reason)
    this.#reportSoon({ kind: 'failed', peer, reason })
    return peer
  }

  /** Ends a handshake; harmless when it is over. */
  fail(peer: TlsPeer, reason: SessionFailure): void {
    if (peer.state.kind === 'handshaking') this.#report(this.#failure(peer, peer.state.abandon, reason))
  }

  establish(peer: TlsPeer, stream: TLSSocket, identity: PeerIdentity, path: NetworkPath): void {
    const { clock, limits, firstByteWithin } = this.#options
    const session: TlsSession = new TlsSession(stream, clock, limits.queuedBytes, {
      data: (bytes) => this.#deliver(peer, bytes),
      over: (reason) => this.#report(this.#ending(peer, session, reason)),
      closed: () => this.#closed(session)
    })
    this.#handshaking--
    peer.deadline?.cancel()
    peer.state = { kind: 'established', session }
    if (firstByteWithin !== undefined)
      this.#setDeadline(peer, firstByteWithin, () => this.#endSilent(peer, session))
    this.counters.count('sessions_established_total')
    session.start()
    this.#report({ kind: 'established', peer: peer.id, identity, path })
  }

  /** `send` of the endpoint. */
  send(id: PeerId, bytes: Uint8Array): boolean {
    const peer = this.#peers.get(id)
    const fits = peer?.state.kind === 'established' && bytes.length > 0 && this.#queue(peer, bytes)
    if (!fits) this.counters.count('sends_refused_total')
    return fits
  }

  room(id: PeerId): number {
    const state = this.#peers.get(id)?.state
    return state?.kind === 'established' ? state.session.room : 0
  }

  /** `close` of the endpoint. */
  close(id: PeerId): void {
    const peer = this.#peers.get(id)
    if (peer === undefined) return
    switch (peer.state.kind) {
      case 'handshaking':
        this.#reportSoon(this.#failure(peer, peer.state.abandon, 'local'))
        break
      case 'established': {
        const { session } = peer.state
        session.end()
        this.#reportSoon(this.#ending(peer, session, 'local'))
        break
      }
      case 'gone':
    }
  }

  /** Says close_notify to everybody; nothing is reported from now on. Resolves when all connections have closed. */
  shutDown(): Promise<void> {
    this.#isShut = true
    for (const id of this.#peers.keys()) this.close(id)
    if (this.#lingering.size === 0) return Promise.resolve()
    return new Promise((resolve) => (this.#whenEmpty = resolve))
  }

  #queue(peer: TlsPeer, bytes: Uint8Array): boolean {
    if (peer.state.kind !== 'established') return false
    const { session } = peer.state
    if (bytes.length <= session.room) {
      session.send(bytes)
      this.counters.count('bytes_sent_total', '', bytes.length)
      return true
    }
    if (session.couldTake(bytes.length)) {
      // It does not read: close_notify behind the queue would not reach it either.
      this.counters.count('sessions_overrun_total')
      session.destroy()
      this.#reportSoon(this.#ending(peer, session, 'local'))
    }
    return false
  }

  #endSilent(peer: TlsPeer, session: TlsSession): void {
    this.counters.count('sessions_silent_total')
    session.end()
    this.#report(this.#ending(peer, session, 'local'))
  }

  #setDeadline(peer: TlsPeer, patience: Duration, act: () => void): void {
    const { clock } = this.#options
    peer.deadline = clock.schedule(after(clock.now(), patience), act)
  }

  #failure(peer: TlsPeer, abandon: () => void, reason: SessionFailure): SessionEvent {
    this.#forget(peer)
    this.#handshaking--
    this.counters.count('handshakes_failed_total', reason)
    abandon()
    return { kind: 'failed', peer: peer.id, reason }
  }

  #ending(peer: TlsPeer, session: TlsSession, reason: SessionEnd): SessionEvent {
    this.#forget(peer)
    this.#lingering.add(session)
    this.counters.count('sessions_closed_total', reason)
    // Who opens and ends sessions quickly must not get more files by it than who keeps them.
    if (this.#lingering.size > this.#options.limits.peers) session.destroy()
    return { kind: 'closed', peer: peer.id, reason }
  }

  #closed(session: TlsSession): void {
    this.#lingering.delete(session)
    if (this.#lingering.size === 0) this.#whenEmpty()
  }

  #forget(peer: TlsPeer): void {
    peer.deadline?.cancel()
    peer.state = { kind: 'gone' }
    this.#peers.delete(peer.id)
  }

  #deliver(peer: TlsPeer, bytes: Uint8Array): void {
    peer.deadline?.cancel()
    this.counters.count('bytes_received_total', '', bytes.length)
    if (this.#isShut) return
    try {
      this.#handlers.onBatch(batchOf(peer.id, bytes))
    } catch (error) {
      reportUncaught(error)
    }
  }

  #reportSoon(event: SessionEvent): void {
    setImmediate(() => this.#report(event))
  }

  #report(event: SessionEvent): void {
    if (this.#isShut) return
    try {
      this.#handlers.onSession(event)
    } catch (error) {
      reportUncaught(error)
    }
  }
}
