import type { Instant } from '@breakwater/core'
import type { ServerSession } from './server-session.ts'
import { Tally } from '../tally.ts'

/**
 * Who has mitigations under way, and which sessions go by that (RFC 9132 §4.5). What counts is the identity that DTLS
 * proved: a client that comes again by another session, or under another cuid, is the same. A mitigation counts from the
 * moment that it is stored until its filter is gone, so also while it is terminating.
 */
export class SessionActivity {
  readonly #mitigations = new Tally()
  readonly #sessions = new Map<string, Set<ServerSession>>()
  /** Owners that began or ended something since the last `settle`. */
  readonly #touched = new Set<string>()

  /** A mitigation of this owner is under way. */
  begin(owner: string): void {
    this.#mitigations.add(owner)
    this.#touched.add(owner)
  }

  /** A mitigation that began is over. */
  end(owner: string): void {
    this.#mitigations.remove(owner)
    this.#touched.add(owner)
  }

  sessionsOf(owner: string): Iterable<ServerSession> {
    return this.#sessions.get(owner) ?? []
  }

  isMitigating(owner: string | undefined): boolean {
    return owner !== undefined && this.#mitigations.of(owner) > 0
  }

  /** From now on the session follows its principal's mitigations. */
  attach(session: ServerSession, now: Instant): void {
    const owner = session.principal?.owner
    if (owner !== undefined) {
      const sessions = this.#sessions.get(owner) ?? new Set()
      this.#sessions.set(owner, sessions.add(session))
      session.ofOwner = sessions
    }
    session.followActivity(this.isMitigating(owner), now)
  }

  /** Before the session closes or its principal changes. */
  detach(session: ServerSession): void {
    const owner = session.principal?.owner
    if (owner === undefined) return
    const sessions = this.#sessions.get(owner)
    sessions?.delete(session)
    session.ofOwner = undefined
    if (sessions?.size === 0) this.#sessions.delete(owner)
  }

  /**
   * Lets sessions follow what changed; once for each input, so that a mitigation that takes the place of another is no
   * pause between two.
   */
  settle(now: Instant): void {
    if (this.#touched.size === 0) return
    for (const owner of this.#touched)
      for (const session of this.#sessions.get(owner) ?? [])
        session.followActivity(this.isMitigating(owner), now)
    this.#touched.clear()
  }
}
