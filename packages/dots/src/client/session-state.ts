import type { Instant } from '@breakwater/core'
import type { LegalPath } from '../multihoming/legal-path.ts'
import type { SignalSession } from './session.ts'

/** Names one attempt at a session, and the session that comes of it; never given again. */
export type ConnectionId = number & { readonly __brand: 'ConnectionId' }

/** A handshake under way. */
export interface Attempt {
  readonly connection: ConnectionId
  readonly path: LegalPath
  readonly since: Instant
}

/** A session that was established at `since`. */
export interface LiveSession extends Attempt {
  readonly session: SignalSession
}

/**
 * The session with one server.
 *
 * | state | leaves it on |
 * |---|---|
 * | `stopped` | start |
 * | `no-path`: no legal path leads to the server | – |
 * | `connecting` | establishment, failure |
 * | `established` | loss, silence of the server |
 * | `silent`: no answer to heartbeats, but an attack is on (RFC 9132 §4.7) | the server is heard again, the rival is, the attack is over |
 * | `pausing`: the next attempt is at `until` | `until` |
 */
export type SessionState =
  | { readonly kind: 'stopped' }
  | { readonly kind: 'no-path'; readonly reasons: readonly string[] }
  | ({ readonly kind: 'connecting' } & Attempt)
  | ({ readonly kind: 'established' } & LiveSession)
  | ({ readonly kind: 'silent'; readonly rival: Rival } & LiveSession)
  | { readonly kind: 'pausing'; readonly until: Instant; readonly reason: string }

/** The new session that is tried beside a silent one. */
export type Rival =
  | ({ readonly kind: 'connecting' } & Attempt)
  | ({ readonly kind: 'established' } & LiveSession)
  | { readonly kind: 'pausing'; readonly until: Instant; readonly reason: string }

/** Sessions that can carry requests: one, or a silent one and its rival. */
export function liveSessions(state: SessionState): readonly LiveSession[] {
  if (state.kind === 'established') return [state]
  if (state.kind !== 'silent') return []
  return state.rival.kind === 'established' ? [state, state.rival] : [state]
}

/** Handshakes under way and sessions. */
export function openConnections(state: SessionState): readonly ConnectionId[] {
  switch (state.kind) {
    case 'connecting':
    case 'established':
      return [state.connection]
    case 'silent':
      return state.rival.kind === 'pausing' ? [state.connection] : [state.connection, state.rival.connection]
    case 'stopped':
    case 'no-path':
    case 'pausing':
      return []
  }
}
