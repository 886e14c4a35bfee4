import type { Instant, IpAddress, NetworkPath, PeerId, PeerIdentity } from '@breakwater/core'
import type { FlightTimer } from './flight-timer.ts'
import type { SessionName } from './record.ts'
import type { ReplayWindow } from './replay-window.ts'

/** Where a peer stands. Client: greeting → proving → established. Server: answering → established. */
export type PeerState =
  /** Our ClientHello is out. */
  | { readonly kind: 'greeting'; readonly serverName: string }
  /** Our proof is out; the server showed `identity`. */
  | { readonly kind: 'proving'; readonly identity: PeerIdentity; readonly key: string }
  /** Our ServerHello is out. */
  | { readonly kind: 'answering' }
  | { readonly kind: 'established'; readonly window: ReplayWindow }
  | { readonly kind: 'gone' }

export interface Peer {
  readonly id: PeerId
  readonly path: NetworkPath
  readonly timer: FlightTimer
  session: SessionName
  state: PeerState
  /** Number of the next record that we send. */
  sequence: number
  /** Sends our last flight once more, for a peer that did not get it. */
  repeatFlight: () => void
  /** When something was last told of what others say of its path. */
  hintedAt: Instant | undefined
}

/** The peers of one endpoint: by id, and by path at most one established and one in its handshake. */
export class PeerTable {
  readonly #byId = new Map<PeerId, Peer>()
  readonly #established = new Map<string, Peer>()
  readonly #handshaking = new Map<string, Peer>()

  get size(): number {
    return this.#byId.size
  }

  get handshaking(): number {
    return this.#handshaking.size
  }

  all(): readonly Peer[] {
    return [...this.#byId.values()]
  }

  get(id: PeerId): Peer | undefined {
    return this.#byId.get(id)
  }

  establishedAt(path: NetworkPath): Peer | undefined {
    return this.#established.get(keyOf(path))
  }

  handshakingAt(path: NetworkPath): Peer | undefined {
    return this.#handshaking.get(keyOf(path))
  }

  /** Adds a peer that begins its handshake; there must be none in that state at its path. */
  add(peer: Peer): void {
    this.#byId.set(peer.id, peer)
    this.#handshaking.set(keyOf(peer.path), peer)
  }

  /** Moves a peer to the established ones; there must be none at its path. */
  promote(peer: Peer): void {
    this.#handshaking.delete(keyOf(peer.path))
    this.#established.set(keyOf(peer.path), peer)
  }

  remove(peer: Peer): void {
    this.#byId.delete(peer.id)
    for (const table of [this.#established, this.#handshaking])
      if (table.get(keyOf(peer.path)) === peer) table.delete(keyOf(peer.path))
  }
}

function keyOf({ local, remote }: NetworkPath): string {
  return `${wordsOf(local.address)} ${wordsOf(remote.address)} ${remote.port}`
}

function wordsOf({ family, a, b, c, d }: IpAddress): string {
  return family === 4 ? String(a) : `${a}:${b}:${c}:${d}`
}
