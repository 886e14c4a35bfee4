import type { Instant } from '@breakwater/core'
import type { LegalPath } from '../../multihoming/legal-path.ts'
import type { HappyEyeballs, RunningAttempt } from './happy-eyeballs.ts'
import type { SignalSession } from '../session/session.ts'

/** Names one attempt at a session, and the session that comes of it; never given again. */
export type ConnectionId = number & { readonly __brand: 'ConnectionId' }

/** A handshake under way. */
export type Attempt = RunningAttempt<LegalPath>

/** A Happy Eyeballs run under way. */
export interface Race {
  readonly since: Instant
  readonly run: HappyEyeballs<LegalPath>
}

/** A session that was established at `since`. */
export interface LiveSession extends Attempt {
  readonly session: SignalSession
}

/** An established session. */
export interface EstablishedSession extends LiveSession {
  /** It goes over TCP, and just now UDP is tried beside it (RFC 9132 §4.3). */
  readonly probe?: Race
  /** During an attack, until the server is heard: the run that it came from goes on with its other attempts. */
  readonly backup?: Race
}

/**
 * The session with one server.
 *
 * | state | leaves it on |
 * |---|---|
 * | `stopped` | start |
 * | `no-path`: no legal path leads to the server | paths |
 * | `connecting`: one Happy Eyeballs run | its end |
 * | `established` | loss, silence of the server; a probe that wins takes its place |
 * | `silent`: no answer to heartbeats, or none yet to anything, but an attack is on (RFC 9132 §4.7) or a request waits | the server is heard again, the rival is, the attack is over |
 * | `pausing`: the next run is at `until` | `until` |
 */
export type SessionState =
  | { readonly kind: 'stopped' }
  | { readonly kind: 'no-path'; readonly reasons: readonly string[] }
  | { readonly kind: 'connecting'; readonly race: Race }
  | ({ readonly kind: 'established' } & EstablishedSession)
  | ({ readonly kind: 'silent'; readonly rival: Rival } & LiveSession)
  | { readonly kind: 'pausing'; readonly until: Instant; readonly reason: string }

/** The new session that is tried beside a silent one. */
export type Rival =
  | { readonly kind: 'connecting'; readonly race: Race }
  | ({ readonly kind: 'established' } & EstablishedSession)
  | { readonly kind: 'pausing'; readonly until: Instant; readonly reason: string }

/** Sessions that can carry requests: one, or a silent one and its rival. */
export function liveSessions(state: SessionState): readonly LiveSession[] {
  if (state.kind === 'established') return [state]
  if (state.kind !== 'silent') return []
  return state.rival.kind === 'established' ? [state, state.rival] : [state]
}

/** The run under way, if there is one: there is never more than one. */
export function raceOf(state: SessionState): Race | undefined {
  switch (state.kind) {
    case 'connecting':
      return state.race
    case 'established':
      return state.probe ?? state.backup
    case 'silent':
      if (state.rival.kind === 'connecting') return state.rival.race
      return state.rival.kind === 'established' ? state.rival.backup : undefined
    case 'stopped':
    case 'no-path':
    case 'pausing':
      return undefined
  }
}
