import { Milliseconds, after } from '@breakwater/core'
import type { Duration, Instant, SessionEnd } from '@breakwater/core'
import { DEFAULT_SESSION_PARAMETERS } from '../../signal/defaults.ts'
import { silenceSpan } from '../../signal/heartbeat.ts'
import { redirectionOf } from '../redirection.ts'
import type { ServerSession } from './server-session.ts'
import type { ServerState } from '../server-state.ts'
import { LEASE } from '../sharing/sharing.ts'

/**
 * Tells when the signal channel of a client is lost: nothing at all came from it, by any session, for as long as its
 * heartbeats may be missing (RFC 9132 §4.7). A session that closed counts as long as its silence would not have been
 * one: a client that comes back by another in time was never lost. Looked at only for those that somebody asked about.
 */
export class SignalWatch {
  readonly #state: ServerState
  readonly #lost: (owner: string, now: Instant) => void
  /** When an owner that is watched counts as lost by what its closed sessions had heard. */
  readonly #closed = new Map<string, Instant>()
  /** Owners that went where we sent them (RFC 9132 §4.6): who is heard there is not lost here. */
  readonly #moved = new Set<string>()
  /** Nobody has been heard since our start; clients need as long as that to find out that they have to come again. */
  #startedAt: Instant | undefined

  /** @param lost Called once when an owner is lost; it is watched no more then. */
  constructor(state: ServerState, lost: (owner: string, now: Instant) => void) {
    this.#state = state
    this.#lost = lost
  }

  started(now: Instant): void {
    this.#startedAt = now
  }

  watch(owner: string, now: Instant): void {
    if (this.#state.timers.at(timerOf(owner)) !== undefined) return
    const at = this.#lostAt(owner, now) ?? after(now, this.#span)
    this.#state.timers.set(timerOf(owner), at > now ? at : now)
  }

  forget(owner: string): void {
    this.#state.timers.cancel(timerOf(owner))
    this.#closed.delete(owner)
    this.#moved.delete(owner)
  }

  /** Its owner has been heard. */
  sessionEstablished(session: ServerSession, now: Instant): void {
    const owner = session.principal?.owner
    if (owner === undefined || this.#state.timers.at(timerOf(owner)) === undefined) return
    this.#moved.delete(owner)
    this.#state.timers.cancel(timerOf(owner))
    this.watch(owner, now)
  }

  /** Before the session is detached from its owner. */
  sessionClosed(session: ServerSession, reason: SessionEnd): void {
    const owner = session.principal?.owner
    if (owner === undefined || this.#state.timers.at(timerOf(owner)) === undefined) return
    if (reason === 'close-notify' && this.#isSentAway(session, owner)) this.#moved.add(owner)
    const at = lostAtOf(session) ?? after(session.heardAt, this.#span)
    if (at > (this.#closed.get(owner) ?? 0)) this.#closed.set(owner, at)
  }

  /** Timer `signal-loss:<owner>`. */
  timeout(owner: string, now: Instant): void {
    // Until it comes back there is nothing to hear of it.
    if (!this.#state.leads) {
      // The server that leads decides; this one does if that is gone.
      this.#state.timers.set(timerOf(owner), after(now, LEASE))
      return
    }
    const at = this.#moved.has(owner) ? undefined : this.#lostAt(owner, now)
    if (at === undefined || at > now) {
      // Heartbeats are off as long as that session lasts: looked at again when it may have gone.
      this.#state.timers.set(timerOf(owner), at ?? after(now, this.#span))
      return
    }
    this.forget(owner)
    this.#lost(owner, now)
  }

  /** Whether anything was heard lately enough, here or at another server that shares the store. */
  hears(owner: string, now: Instant): boolean {
    const elsewhere = this.#heardElsewhere(owner)
    return this.hearsHere(owner, now) || (elsewhere !== undefined && elsewhere > now)
  }

  hearsHere(owner: string, now: Instant): boolean {
    for (const session of this.#state.activity.sessionsOf(owner)) {
      const at = lostAtOf(session)
      if (at === undefined || at > now) return true
    }
    return false
  }

  /** This was all that was left of it here. */
  #isSentAway({ principal }: ServerSession, owner: string): boolean {
    const sessions = [...this.#state.activity.sessionsOf(owner)].length
    return sessions <= 1 && redirectionOf(this.#state, principal) !== undefined
  }

  /** Undefined: never, for there are no heartbeats to miss. */
  #lostAt(owner: string, now: Instant): Instant | undefined {
    let latest = this.#heardElsewhere(owner)
    const closed = this.#closed.get(owner)
    if (closed !== undefined && closed > (latest ?? 0)) latest = closed
    for (const session of this.#state.activity.sessionsOf(owner)) {
      const at = lostAtOf(session)
      if (at === undefined) return undefined
      if (latest === undefined || at > latest) latest = at
    }
    return latest ?? this.#graceOfStart(now)
  }

  /** When it counts as lost by what other servers have heard. */
  #heardElsewhere(owner: string): Instant | undefined {
    const heardAt = this.#state.sharing?.heardElsewhere.get(owner)
    return heardAt === undefined ? undefined : after(heardAt, this.#span)
  }

  #graceOfStart(now: Instant): Instant {
    return after(this.#startedAt ?? now, Milliseconds(2 * this.#span))
  }

  /** Where no session says otherwise. */
  get #span(): Duration {
    const { session } = this.#state.policy
    return silenceSpan(session.heartbeatIntervalSeconds === 0 ? DEFAULT_SESSION_PARAMETERS : session)
  }
}

export const SIGNAL_LOSS_TIMER = 'signal-loss'

function timerOf(owner: string): string {
  return `${SIGNAL_LOSS_TIMER}:${owner}`
}

/** Undefined: heartbeats are off, so that silence says nothing. */
function lostAtOf({ heardAt, parameters }: ServerSession): Instant | undefined {
  return parameters.heartbeatIntervalSeconds === 0 ? undefined : after(heardAt, silenceSpan(parameters))
}
