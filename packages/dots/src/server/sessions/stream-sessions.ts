import type { ServerSession } from './server-session.ts'

/**
 * The sessions over TCP of each identity. Each is an open file, so one client may only have so many: a further one takes
 * the place of the one that was silent for longest, which a client that came back after a crash has lost anyway.
 */
export class StreamSessions {
  readonly #most: number
  readonly #byOwner = new Map<string, Set<ServerSession>>()

  constructor(most: number) {
    this.#most = most
  }

  /** @returns the session that has to go for it, if there is one. */
  add(session: ServerSession): ServerSession | undefined {
    if (session.transport !== 'tcp') return undefined
    const own = this.#byOwner.get(session.identityText) ?? new Set()
    this.#byOwner.set(session.identityText, own)
    const superfluous = own.size < this.#most ? undefined : quietest(own)
    if (superfluous !== undefined) own.delete(superfluous)
    own.add(session)
    return superfluous
  }

  remove(session: ServerSession): void {
    const own = this.#byOwner.get(session.identityText)
    if (own?.delete(session) === true && own.size === 0) this.#byOwner.delete(session.identityText)
  }
}

function quietest(sessions: ReadonlySet<ServerSession>): ServerSession | undefined {
  let found: ServerSession | undefined
  for (const session of sessions) if (found === undefined || session.heardAt < found.heardAt) found = session
  return found
}
