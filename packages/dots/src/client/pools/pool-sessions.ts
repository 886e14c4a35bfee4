import { Seconds, after, earlier } from '@breakwater/core'
import type { Duration, Instant } from '@breakwater/core'
import type { ServerName } from '../../domain/identifier.ts'
import type { Alternatives } from '../../multihoming/alternatives.ts'
import { SLOW_UP } from '../paths/path-record.ts'
import type { ServerHealth } from './server-health.ts'

/** So long the first session with a server may take until the one after it is looked at, too. */
const PATIENCE: Duration = Seconds(3)

/** With whom sessions begin and end now. */
export interface PoolSessionChange {
  readonly begin: readonly ServerName[]
  readonly end: readonly ServerName[]
}

/** What there is to go by. */
export interface PoolSituation {
  /** Every list of servers of which one is asked, the preferred one first. */
  readonly lists: readonly Alternatives[]
  /** For some targets nobody stands in for these. */
  readonly alone: ReadonlySet<ServerName>
  /** Who is asked: one of each list. */
  readonly chosen: ReadonlySet<ServerName>
  /** The client has started, and not stopped since. */
  readonly isStarted: boolean
}

export interface PoolSessionsOptions {
  readonly healthOf: (server: ServerName) => ServerHealth
  /** A session with it was begun, and not ended since, whatever came of it. */
  readonly isBegun: (server: ServerName) => boolean
  /** It holds something of ours, or is to: a session that ends would leave that behind, or set off what waits for its loss. */
  readonly isConcerned: (server: ServerName) => boolean
}

/**
 * Decides with whom of several servers that stand in for one another there is a session: with the one that is asked, and with
 * the next one, which stands by. Fast down: when that one is not there, the one after it is looked at beside it, and so on,
 * until one is there; who is missing is tried all the same, so that a pool with a single server left finds it. Slow up: one that has been too
 * many for two minutes is let go, so that nobody is contacted anew for every answer that is late (RFC 9132 §4.7).
 *
 * | of a list, beside the one that is asked | there is a session with it |
 * |---|---|
 * | the first that answers | yes, it stands by |
 * | one before that, or preferred to the one that is asked, and missing | is tried: it is silent, has no session, or none yet after three seconds |
 * | one after that | no; if there was one, it ends after two minutes, and when nothing of ours is left there |
 */
export class PoolSessions {
  readonly #options: PoolSessionsOptions
  #spares: ReadonlySet<ServerName> = new Set()
  /** Since when a first session is waited for. */
  #waiting = new Map<ServerName, Instant>()
  /** Since when there was one too many. */
  readonly #tooMany = new Map<ServerName, Instant>()
  #next: Instant | undefined

  constructor(options: PoolSessionsOptions) {
    this.#options = options
  }

  /** With these there is to be no session. */
  get spares(): ReadonlySet<ServerName> {
    return this.#spares
  }

  /** It keeps nobody without a session, and waits for nothing. */
  get isIdle(): boolean {
    return this.#spares.size === 0 && this.#next === undefined
  }

  /** When to decide again, whatever happens. */
  nextTimeout(): Instant | undefined {
    return this.#next
  }

  decide(situation: PoolSituation, now: Instant): PoolSessionChange {
    this.#next = undefined
    const former = this.#spares
    const needed = this.#needed(situation, now)
    const members = new Set(situation.lists.flatMap((list) => list.map(({ name }) => name)))
    const spares = [...members].filter((name) => !needed.has(name) && this.#isSpare(name, former, now))
    this.#spares = new Set(spares)
    for (const name of this.#tooMany.keys())
      if (needed.has(name) || !members.has(name) || this.#spares.has(name)) this.#tooMany.delete(name)
    return {
      begin: [...former].filter((name) => !this.#spares.has(name)),
      end: spares.filter((name) => !former.has(name) && this.#options.isBegun(name))
    }
  }

  #needed({ lists, alone, chosen, isStarted }: PoolSituation, now: Instant): ReadonlySet<ServerName> {
    const needed = new Set([...chosen, ...alone])
    const before = this.#waiting
    this.#waiting = new Map()
    const isMissing = (name: ServerName): boolean => isStarted && this.#isMissing(name, before, now)
    for (const list of lists) {
      const names = list.map(({ name }) => name)
      const asked = names.findIndex((name) => chosen.has(name))
      for (const name of names.slice(0, Math.max(0, asked)))
        if (this.#options.isBegun(name) && isMissing(name)) needed.add(name)
      const others = names.filter((_, index) => index !== asked)
      // Of another list with the same servers, the one that stands by is there already.
      if (!others.some((name) => needed.has(name) && !isMissing(name))) this.#reach(others, isMissing, needed)
    }
    return needed
  }

  /** As far as the first that is there. */
  #reach(
    names: readonly ServerName[],
    isMissing: (name: ServerName) => boolean,
    needed: Set<ServerName>
  ): void {
    for (const name of names) {
      needed.add(name)
      if (!isMissing(name)) return
    }
  }

  #isMissing(name: ServerName, before: ReadonlyMap<ServerName, Instant>, now: Instant): boolean {
    const { state } = this.#options.healthOf(name)
    if (state === 'answering') return false
    if (state === 'silent' || (state === 'absent' && this.#options.isBegun(name))) return true
    const since = before.get(name) ?? now
    this.#waiting.set(name, since)
    return this.#isDue(after(since, PATIENCE), now)
  }

  #isSpare(name: ServerName, former: ReadonlySet<ServerName>, now: Instant): boolean {
    if (this.#options.isConcerned(name)) return false
    if (former.has(name) || !this.#options.isBegun(name)) return true
    const since = this.#tooMany.get(name) ?? now
    this.#tooMany.set(name, since)
    return this.#isDue(after(since, SLOW_UP), now)
  }

  /** If not, it is decided again then. */
  #isDue(moment: Instant, now: Instant): boolean {
    if (moment <= now) return true
    this.#next = earlier(this.#next, moment)
    return false
  }
}
