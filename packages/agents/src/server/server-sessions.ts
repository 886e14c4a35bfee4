import type { PeerId } from '@breakwater/core'
import type { SessionView } from '@breakwater/control'
import type { ServerEvent } from '@breakwater/dots'
import { socketAddressText } from '../socket-address-text.ts'

/** The sessions that clients have with a server, as its events tell. */
export class ServerSessions {
  readonly #views = new Map<PeerId, SessionView>()

  /** Where the peer of a session is; undefined when it has gone. */
  remoteOf(peer: PeerId): string | undefined {
    return this.#views.get(peer)?.remote
  }

  list(): readonly SessionView[] {
    return [...this.#views.values()]
  }

  take(event: ServerEvent): void {
    if (event.kind === 'session-closed') this.#views.delete(event.peer)
    if (event.kind !== 'session-established') return
    const { peer, identity, domain, path, transport } = event
    this.#views.set(peer, {
      peer: domain ?? identity,
      state: domain === undefined ? 'stranger' : 'established',
      remote: socketAddressText(path.remote),
      local: socketAddressText(path.local),
      transport,
      ...(path.interface === undefined ? {} : { interface: path.interface }),
      text: identity
    })
  }
}
