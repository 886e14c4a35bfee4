import { Code } from '@breakwater/coap'
import type { Traffic } from '../world/traffic.ts'

/** What is looked at of what passes between a client and a server that may send it to another one. */
export type Passing = Pick<Traffic, 'when' | 'direction' | 'session' | 'seen'>

/**
 * Whether a client is with another server, because this one sent it there (RFC 9132 §4.6). What all its sessions of that
 * time had under way, also the one that stood by, comes still; who has come back comes by a new one.
 */
export class SentAway {
  /** By which it ever said something. */
  readonly #sessions = new Set<string>()
  /** Those that it had when it was sent away; undefined: it is here. */
  #left: ReadonlySet<string> | undefined

  get isAway(): boolean {
    return this.#left !== undefined
  }

  passed({ when, direction, session, seen }: Passing): void {
    if (direction === 'to-client') {
      const isRedirect = seen?.kind === 'answer' && seen.code === Code.serviceUnavailable
      // Until it hears of it, it goes on as before, and may begin sessions.
      if (isRedirect && (when === 'sent' || this.isAway)) this.#left = new Set(this.#sessions)
      return
    }
    if (when === 'sent') this.#sessions.add(session)
    else if (seen !== undefined && this.#left?.has(session) === false) this.#left = undefined
  }
}
