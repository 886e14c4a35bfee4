import type { PeerId } from '@breakwater/core'
import type { ServerEvent } from '@breakwater/dots'
import { socketAddressText } from '../socket-address-text.ts'

/** Where the peers of a server are, as its events tell: the audit trail asks for each request. */
export class PeerAddresses {
  readonly #remotes = new Map<PeerId, string>()

  /** Undefined when the peer has gone. */
  of(peer: PeerId): string | undefined {
    return this.#remotes.get(peer)
  }

  take(event: ServerEvent): void {
    if (event.kind === 'session-closed') this.#remotes.delete(event.peer)
    if (event.kind === 'session-established')
      this.#remotes.set(event.peer, socketAddressText(event.path.remote))
  }
}
