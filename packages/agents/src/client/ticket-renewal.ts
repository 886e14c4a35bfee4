import { after, equalIpAddresses, Milliseconds, Minutes } from '@breakwater/core'
import type {
  ClientEndpointOptions,
  Clock,
  Duration,
  Log,
  OpenSecureEndpoint,
  PeerId,
  ResumableSession,
  ScheduledCall,
  SecureEndpoint,
  SecureEndpointHandlers,
  SessionEvent,
  SocketAddress
} from '@breakwater/core'
import { socketAddressText } from '../socket-address-text.ts'

/** So long before a ticket ends it is replaced: an attack of a day does not outlast it. */
const renewalMargin: Duration = Minutes(24 * 60)
/** What a renewal waits for at least: RFC 9132 §4.3 wants no sooner a try beside a session that works. */
const leastPause: Duration = Minutes(5)
/** Between a renewal that came to nothing, or was put off, and the next. */
const retryPause: Duration = Minutes(60)

export interface TicketRenewalOptions {
  readonly clock: Clock
  readonly open: OpenSecureEndpoint
  readonly log: Log
  /** No attack is on. In one, a second handshake would take the room of what is asked. */
  readonly isAtPeace: () => boolean
  /** Gets what a renewal has brought. */
  readonly onRenewed: (options: ClientEndpointOptions, sessions: readonly ResumableSession[]) => void
}

/** A session that is there, and whose ticket is to stay good. */
interface Watched {
  readonly endpoint: SecureEndpoint
  readonly options: ClientEndpointOptions
  readonly peer: PeerId
  readonly remote: SocketAddress
}

/**
 * Sessions outlive their tickets, which are good for 84 hours after the full handshake (RFC 9325 §3.4). In time before that
 * a second session, by a full handshake from the same address and interface, brings a new ticket and ends at once. The
 * session that is there stays as it is. Never in an attack, never more often than hourly.
 */
export class TicketRenewal {
  readonly #options: TicketRenewalOptions
  readonly #planned = new Map<PeerId, ScheduledCall>()
  readonly #renewing = new Set<SecureEndpoint>()
  #isClosed = false

  constructor(options: TicketRenewalOptions) {
    this.#options = options
  }

  /** A session has been established; its ticket is among the endpoint's. */
  watch(endpoint: SecureEndpoint, options: ClientEndpointOptions, peer: PeerId, remote: SocketAddress): void {
    const watched = { endpoint, options, peer, remote }
    const ticket = ticketOf(watched)
    if (ticket !== undefined) this.#planBefore(ticket, watched)
  }

  /** Gives up what is under way. */
  async close(): Promise<void> {
    this.#isClosed = true
    for (const call of this.#planned.values()) call.cancel()
    this.#planned.clear()
    await Promise.all([...this.#renewing].map((endpoint) => endpoint.destroy()))
  }

  #planBefore({ expiresAtMs }: ResumableSession, watched: Watched): void {
    const left = expiresAtMs - this.#options.clock.wallClock() - renewalMargin
    this.#plan(Milliseconds(Math.max(left, leastPause)), watched)
  }

  #plan(pause: Duration, watched: Watched): void {
    if (this.#isClosed) return
    const { clock } = this.#options
    const call = clock.schedule(after(clock.now(), pause), () => void this.#due(watched))
    this.#planned.set(watched.peer, call)
  }

  async #due(watched: Watched): Promise<void> {
    const { endpoint, peer } = watched
    this.#planned.delete(peer)
    // The session has gone; the next one is watched for itself.
    if (endpoint.maximumPlaintext(peer) === 0) return
    const ticket = ticketOf(watched)
    if (ticket === undefined || !this.#options.isAtPeace()) this.#plan(retryPause, watched)
    else
      await this.#renew(watched, ticket.serverName).catch((error: unknown) =>
        this.#failed(watched, String(error))
      )
  }

  async #renew(watched: Watched, serverName: string): Promise<void> {
    const { options, remote } = watched
    // Without sessions the handshake is a full one; a port of its own keeps it apart from the session that is there.
    const own = { ...options, local: { ...options.local, port: 0 }, sessions: [] }
    const outcome = new Outcome()
    const second = await this.#options.open(own, outcome.handlers)
    this.#renewing.add(second)
    try {
      if (this.#isClosed) return
      second.connect({ remote, serverName })
      const event = await outcome.event
      if (event.kind === 'established') this.#renewed(watched, second.resumableSessions?.() ?? [])
      else this.#failed(watched, event.reason)
    } finally {
      this.#renewing.delete(second)
      await second.destroy()
    }
  }

  #renewed(watched: Watched, sessions: readonly ResumableSession[]): void {
    const { log, onRenewed } = this.#options
    const [ticket] = sessions
    if (ticket === undefined) {
      this.#failed(watched, 'the server gave no ticket')
      return
    }
    log.info('session.ticket_renewed', { remote: socketAddressText(watched.remote) })
    onRenewed(watched.options, sessions)
    this.#planBefore(ticket, watched)
  }

  #failed(watched: Watched, reason: string): void {
    if (this.#isClosed) return
    this.#options.log.warn('session.ticket_not_renewed', {
      remote: socketAddressText(watched.remote),
      reason
    })
    this.#plan(retryPause, watched)
  }
}

/** The first that is heard of the one handshake of an endpoint. */
class Outcome {
  readonly handlers: SecureEndpointHandlers
  readonly event: Promise<SessionEvent>

  constructor() {
    let onSession: (event: SessionEvent) => void = ignore
    this.event = new Promise((resolve) => (onSession = resolve))
    this.handlers = { onBatch: ignore, onSession }
  }
}

function ignore(): void {}

function ticketOf({ endpoint, remote }: Watched): ResumableSession | undefined {
  return ticketsOf(endpoint, remote)[0]
}

/** What an endpoint could resume at this address. */
export function ticketsOf(endpoint: SecureEndpoint, remote: SocketAddress): readonly ResumableSession[] {
  const isThere = ({ remote: other }: ResumableSession): boolean =>
    other.port === remote.port && equalIpAddresses(other.address, remote.address)
  return endpoint.resumableSessions?.().filter(isThere) ?? []
}
