import type { Instant, PeerId } from '@breakwater/core'
import { SessionLoads } from '../../signal/session-loads.ts'
import type { ServerInput } from '../message.ts'
import type { Mitigation } from '../mitigations/mitigation.ts'
import type { Observations } from '../observation/observation.ts'
import type { ServerRequest } from '../requests/request.ts'
import { ServerSession } from './server-session.ts'
import type { ServerState } from '../server-state.ts'
import { sessionSnapshotOf } from './session-snapshot.ts'
import type { SessionSnapshot } from './session-snapshot.ts'
import type { SignalWatch } from './signal-watch.ts'
import { StreamSessions } from './stream-sessions.ts'

type Established = Extract<ServerInput, { readonly kind: 'session-established' }>
type Closed = Extract<ServerInput, { readonly kind: 'session-closed' }>

/**
 * The sessions of a server. What a session's beginning and end mean to the other parts (who is heard, who goes by which
 * configuration, who observes, which clients are still in use) is said here once, and in the order that they need.
 */
export class ServerSessions {
  readonly #state: ServerState
  readonly #observations: Observations
  readonly #watch: SignalWatch
  readonly #route: (request: ServerRequest, now: Instant) => void
  readonly #sessions = new Map<PeerId, ServerSession>()
  readonly #loads = new SessionLoads()
  readonly #streams: StreamSessions

  constructor(
    state: ServerState,
    observations: Observations,
    watch: SignalWatch,
    route: (request: ServerRequest, now: Instant) => void
  ) {
    this.#state = state
    this.#observations = observations
    this.#watch = watch
    this.#route = route
    this.#streams = new StreamSessions(state.policy.limits.streamsPerClient)
  }

  get size(): number {
    return this.#sessions.size
  }

  get(peer: PeerId): ServerSession | undefined {
    return this.#sessions.get(peer)
  }

  /** What their CoAP holds together and has lost, by the names of metrics. */
  loads(): Readonly<Record<string, number>> {
    return this.#loads.counters([...this.#sessions.values()].map((session) => session.load()))
  }

  /** All sessions at present, for the control interface. */
  snapshots(now: Instant): SessionSnapshot[] {
    const { mitigations } = this.#state
    return [...this.#sessions.values()].map((session) =>
      sessionSnapshotOf(session, (owner) => mitigations.of(owner), now)
    )
  }

  receive(peer: PeerId, bytes: Uint8Array, now: Instant): void {
    const session = this.#sessions.get(peer)
    if (session === undefined) this.#state.counters.count('dots_server_datagrams_without_session_total')
    else session.receive(bytes, now)
  }

  establish(established: Established, now: Instant): void {
    const { peer, path, transport } = established
    const session = new ServerSession(
      established,
      this.#state,
      {
        request: (from, { exchange, request, confirmable }, at) =>
          this.#route({ session: from, exchange, coap: request, confirmable, targets: [] }, at),
        observerGone: (from, exchange) => this.#observations.remove(from, exchange)
      },
      now
    )
    this.#sessions.set(peer, session)
    this.#streams.add(session)?.end('too-many-streams', '')
    this.#state.activity.attach(session, now)
    this.#watch.sessionEstablished(session, now)
    this.#state.report({
      kind: 'session-established',
      peer,
      identity: session.identityText,
      domain: session.principal?.domain,
      path,
      transport
    })
  }

  close({ peer, reason }: Closed): void {
    const session = this.#sessions.get(peer)
    if (session === undefined) return
    this.#sessions.delete(peer)
    this.#loads.ended(session.load())
    this.#streams.remove(session)
    this.#watch.sessionClosed(session, reason)
    this.#state.activity.detach(session)
    session.close()
    this.#observations.sessionClosed(session)
    for (const exchange of session.observations.keys()) this.#observations.remove(session, exchange)
    for (const client of session.clients) {
      client.sessions--
      this.#state.clients.release(client)
    }
    this.#state.report({ kind: 'session-closed', peer, reason })
  }

  /** The operator's list of client domains is another one: who is behind a session may be, too. */
  reauthorize(now: Instant): void {
    for (const session of this.#sessions.values()) {
      this.#state.activity.detach(session)
      session.principal = this.#state.authorization.principalOf(session.identity)
      this.#state.activity.attach(session, now)
    }
  }

  /** Clients are sent elsewhere, or not any more (RFC 9132 §4.6): who observes is told so. */
  redirected(now: Instant): void {
    for (const session of this.#sessions.values()) this.#observations.redirected(session, now)
  }

  /** Who was left alone because of a mitigation is sent on when that is over. */
  mitigationStepped({ client, state }: Mitigation, now: Instant): void {
    const { owner } = client.principal
    if (this.#state.redirection === undefined || state.kind !== 'ended') return
    for (const session of this.#state.activity.sessionsOf(owner)) this.#observations.redirected(session, now)
  }
}
