// What becomes of two sessions with one server: one that is silent while something is wanted of the server, because the link
// is full in one direction or because the server has lost it, and the rival that is tried beside it (RFC 9132 §4.7). Which of the two is
// dead is not to be known before one of them is heard, so neither is given up for the other until then. Steps from state
// to state only: `SessionKeeper` takes them and starts the runs.
import type { Instant } from '@breakwater/core'
import { raceOf } from './session-state.ts'
import type {
  ConnectionId,
  EstablishedSession,
  LiveSession,
  Race,
  Rival,
  SessionState
} from './session-state.ts'

/** A session of which nothing is heard, with what is tried beside it. */
export type Silent = SessionState & { readonly kind: 'silent' }

/** The next state, and what has to happen on the way. */
export interface SessionStep {
  readonly state: SessionState
  /** A session that is over. */
  readonly close?: ConnectionId
  /** The run under way is given up. */
  readonly endsRun?: true
}

/** A new session over which the server has not been heard, in an attack. */
function isUnheard(state: SessionState): state is SessionState & { readonly kind: 'established' } {
  return state.kind === 'established' && state.backup !== undefined
}

/** Nothing comes over a session: a rival is tried beside it. */
export function fallenSilent(session: LiveSession, rival: Rival): SessionState {
  return { kind: 'silent', ...bare(session), rival }
}

/** A run has won a session. What it takes the place of is closed only when everybody knows that it is there. */
export function won(state: SessionState, attempt: LiveSession, backup: Race | undefined): SessionStep {
  const session = { kind: 'established', ...attempt, ...(backup === undefined ? {} : { backup }) } as const
  if (isUnheard(state)) return { state: { kind: 'silent', ...bare(state), rival: session } }
  // From TCP to UDP, or in place of a rival that brought nothing.
  const former = state.kind === 'silent' ? state.rival : state
  const next = state.kind === 'silent' ? { ...state, rival: session } : session
  return former.kind === 'established' ? { state: next, close: former.connection } : { state: next }
}

/** A run beside a session has come to nothing. @returns undefined: it was for the want of one. */
export function runOver(state: SessionState): SessionState | undefined {
  if (state.kind === 'established') return alone(state)
  if (state.kind !== 'silent' || state.rival.kind !== 'established') return undefined
  return { ...state, rival: alone(state.rival) }
}

/** A server whose heartbeats' answers stopped: over which of the sessions it is heard decides which stays. */
export function heard(state: SessionState, heardOver: ConnectionId): SessionStep | undefined {
  if (isUnheard(state)) return { state: alone(state), endsRun: true }
  if (state.kind !== 'silent') return undefined
  const { connection, rival } = state
  if (rival.kind === 'established' && rival.backup !== undefined) return settle(state, rival, heardOver)
  // RFC 9132 §4.7: the link is not full any more, and the new session works: the old one may go.
  if (rival.kind === 'established') return { state: rival, close: connection }
  return heardOver === connection ? { state: alone(state), endsRun: true } : undefined
}

/** Of two sessions of the same run, the one over which the server was heard first stays. */
function settle(state: LiveSession, rival: LiveSession, heardOver: ConnectionId): SessionStep {
  const [kept, other] = heardOver === state.connection ? [state, rival] : [rival, state]
  return { state: alone(kept), close: other.connection, endsRun: true }
}

/** An attack has begun or is over: there is no probing in one, and no second session without. */
export function attackChanged(state: SessionState, isOn: boolean): SessionStep | undefined {
  if (state.kind !== 'established') return undefined
  const over = isOn ? state.probe : state.backup
  return over === undefined ? undefined : { state: alone(state), endsRun: true }
}

/**
 * The attack is over: a session that has been silent all the while counts as disconnected.
 * @returns undefined: its rival has not come to a session.
 */
export function attackOver({ connection, rival }: Silent): SessionStep | undefined {
  if (rival.kind !== 'established') return undefined
  const step = { state: alone(rival), close: connection }
  return rival.backup === undefined ? step : { ...step, endsRun: true }
}

/** The rival's session is gone: its run goes on, or the next one is at `until`. */
export function rivalLost(state: Silent, until: Instant, reason: string): SessionState {
  const backup = raceOf(state)
  const rival: Rival =
    backup === undefined ? { kind: 'pausing', until, reason } : { kind: 'connecting', race: backup }
  return { ...state, rival }
}

/** A session without what goes on beside it. */
export function alone(session: LiveSession): { readonly kind: 'established' } & EstablishedSession {
  return { kind: 'established', ...bare(session) }
}

function bare({ connection, path, since, session }: LiveSession): LiveSession {
  return { connection, path, since, session }
}
