import { Seconds, after, between, earlier, inSeconds } from '@breakwater/core'
import type { Duration, Instant } from '@breakwater/core'
import type { ServerName } from '../../domain/identifier.ts'
import type { Alternatives } from '../../multihoming/alternatives.ts'
import { MINIMUM_HEARTBEAT_SPACING } from '../../signal/defaults.ts'
import { SLOW_UP } from '../paths/path-record.ts'
import { SWITCH_SPACING } from '../paths/switch-rule.ts'
import type { ServerHealth } from './server-health.ts'

/** So long a server without a session that may come at once is waited for: at a start, or when it was restarted. */
const PATIENCE: Duration = Seconds(1)

/** So long an answer may take of a server that nothing is asked of: then one heartbeat without an answer is enough to leave it. */
const IDLE_PATIENCE: Duration = Seconds(2)

/** Another server is asked from now on. */
export interface PoolSwitch {
  readonly from: ServerName
  readonly to: ServerName
  readonly because: string
  /** What was known of the two. */
  readonly inputs: Readonly<Record<string, string>>
}

export interface PoolDecision {
  readonly switches: readonly PoolSwitch[]
  /** Of these it is to be found out whether they answer. */
  readonly looks: readonly ServerName[]
  /** These have left one thing without an answer: they are asked once more for what they protect. */
  readonly doubts: readonly ServerName[]
  /** Somebody else is asked, also because there are other lists. */
  readonly isOther: boolean
}

export interface PoolChoiceOptions {
  readonly healthOf: (server: ServerName) => ServerHealth
  /** Something is asked of it already, as by an earlier life. */
  readonly isAsked: (server: ServerName) => boolean
  /** It stands by for the loss of the session already. Default: nobody does. */
  readonly standsBy?: (server: ServerName) => boolean
}

/** Who of one list is asked. */
interface Chosen {
  readonly server: ServerName
  /** When it took the place of another one. */
  readonly since: Instant | undefined
}

/** One of a list that answers. */
interface Answering {
  readonly name: ServerName
  readonly health: ServerHealth & { readonly state: 'answering' }
}

/**
 * Decides who of several servers that stand in for one another is asked. Fast down: one that leaves two requests in a row
 * without an answer is left for one that has answered since, at once if it has no session or no carrier. The first answer that is missing,
 * as to a heartbeat in peace, makes us look at once: at the other one by a heartbeat, and at this one by a refresh of what it protects, which
 * has to be answered as well; one that nothing is asked of is left for that one answer, for to leave it costs nothing. Slow up: the preferred one
 * is asked again when nothing was wrong with it for two minutes. A server that is there is left at most once a minute, so that
 * flapping ends as if nothing had been. Nothing is asked of two of them at the same time, to find out: that takes a heartbeat.
 *
 * | who is asked | is left |
 * |---|---|
 * | `absent` | at once |
 * | `connecting` | after a second |
 * | `silent` | for one that has answered since, a minute after the last change |
 * | `answering`, one answer is missing for two seconds, nothing is asked of it | as if it were silent |
 * | `answering` | for a preferred one that was good for two minutes, a minute after the last change |
 */
export class PoolChoice {
  readonly #options: PoolChoiceOptions
  #chosen = new Map<string, Chosen>()
  /** Since when somebody else answers, and who is asked is not there yet. */
  readonly #waiting = new Map<string, Instant>()
  #next: Instant | undefined

  constructor(options: PoolChoiceOptions) {
    this.#options = options
  }

  /** Those that are asked. */
  get chosen(): ReadonlySet<ServerName> {
    return new Set([...this.#chosen.values()].map(({ server }) => server))
  }

  /** Who is asked in the stead of a server; undefined: it is asked itself, or stands in for nobody. */
  inSteadOf(server: ServerName): ServerName | undefined {
    const { chosen } = this
    if (chosen.has(server)) return undefined
    for (const [key, each] of this.#chosen) if (key.split(' ').includes(server)) return each.server
    return undefined
  }

  /** When to decide again, whatever happens. */
  nextTimeout(): Instant | undefined {
    return this.#next
  }

  /** @param lists Every list of servers of which one is asked, the preferred one first. */
  decide(lists: readonly Alternatives[], now: Instant): PoolDecision {
    this.#next = undefined
    const before = this.chosen
    const former = this.#chosen
    this.#chosen = new Map()
    const switches: PoolSwitch[] = []
    const looks: ServerName[] = []
    const doubts = new Set<ServerName>()
    for (const list of lists) {
      const servers = list.map(({ name }) => name)
      const key = servers.join(' ')
      const chosen = this.#currentOf(servers, key, former)
      const change = this.#changeOf(servers, key, chosen, looks, now)
      if (change === undefined && this.#isInDoubt(chosen.server)) doubts.add(chosen.server)
      this.#chosen.set(key, change === undefined ? chosen : { server: change.to, since: now })
      if (change !== undefined) switches.push(change)
    }
    const { chosen } = this
    const isOther = chosen.size !== before.size || [...chosen].some((server) => !before.has(server))
    return { switches, looks, doubts: [...doubts], isOther }
  }

  /** Who was asked so far: of this list, or of another one that it has in common with it. */
  #currentOf(servers: readonly ServerName[], key: string, former: ReadonlyMap<string, Chosen>): Chosen {
    const isOfList = ({ server }: Chosen): boolean => servers.includes(server)
    const known = former.get(key) ?? [...this.#chosen.values(), ...former.values()].find(isOfList)
    if (known?.since !== undefined) return known
    const asked =
      known === undefined || !this.#options.isAsked(known.server) ? this.#asked(servers) : undefined
    const server = asked ?? known?.server ?? servers[0]
    if (server === undefined) throw new RangeError('a list of servers without any')
    return { server, since: undefined }
  }

  /** Of nobody's choosing yet: an earlier life asked it, or left with it what may be in force by now. */
  #asked(servers: readonly ServerName[]): ServerName | undefined {
    const { isAsked, standsBy } = this.#options
    return servers.find(isAsked) ?? (standsBy && servers.find(standsBy))
  }

  #changeOf(
    servers: readonly ServerName[],
    key: string,
    chosen: Chosen,
    looks: ServerName[],
    now: Instant
  ): PoolSwitch | undefined {
    const { server } = chosen
    const health = this.#options.healthOf(server)
    const others = this.#answering(servers, server)
    const best = others.find((each) => isSettled(each, now)) ?? others[0]
    if (health.state !== 'connecting' || best === undefined) this.#waiting.delete(key)
    if (best === undefined) return undefined
    switch (health.state) {
      case 'absent':
        return moved(server, best, 'there is no session with it', {}, now)
      case 'connecting':
        return this.#afterPatience(server, key, best, now)
      case 'silent':
        return this.#fromSilent(chosen, health, others, looks, now)
      case 'answering':
        if (health.waitsSince !== undefined) look(others, health.waitsSince, looks)
        return this.#fromLate(chosen, health, others, now) ?? this.#home(servers, chosen, others, now)
    }
  }

  #isInDoubt(server: ServerName): boolean {
    const health = this.#options.healthOf(server)
    return health.state === 'answering' && health.waitsSince !== undefined && this.#options.isAsked(server)
  }

  /** Nothing is asked of it, so that nothing else will show whether it is there before the next heartbeat. */
  #fromLate(
    chosen: Chosen,
    { waitsSince: since }: ServerHealth & { readonly state: 'answering' },
    others: readonly Answering[],
    now: Instant
  ): PoolSwitch | undefined {
    if (since === undefined || this.#options.isAsked(chosen.server)) return undefined
    if (!this.#isDue(after(since, IDLE_PATIENCE), now)) return undefined
    const because = 'a heartbeat got no answer, and nothing is asked of it'
    return this.#fromSilent(chosen, { state: 'silent', since, because }, others, [], now)
  }

  #afterPatience(server: ServerName, key: string, best: Answering, now: Instant): PoolSwitch | undefined {
    const since = this.#waiting.get(key) ?? now
    this.#waiting.set(key, since)
    if (!this.#isDue(after(since, PATIENCE), now)) return undefined
    this.#waiting.delete(key)
    return moved(server, best, 'there is no session with it yet', {}, now)
  }

  #fromSilent(
    { server, since: chosenAt }: Chosen,
    { since, because }: ServerHealth & { readonly state: 'silent' },
    others: readonly Answering[],
    looks: ServerName[],
    now: Instant
  ): PoolSwitch | undefined {
    const able = since === undefined ? others : others.filter((each) => hasAnsweredSince(each, since))
    const best = able.find((each) => isSettled(each, now)) ?? able[0]
    if (best === undefined) {
      if (since !== undefined) look(others, since, looks)
      return undefined
    }
    if (!this.#mayLeave(chosenAt, now)) return undefined
    const silence = since === undefined ? {} : { [`${server} silent for`]: ago(since, now) }
    return moved(server, best, because, silence, now)
  }

  /** The preferred one is taken again when it was good for long enough. */
  #home(
    servers: readonly ServerName[],
    { server, since }: Chosen,
    others: readonly Answering[],
    now: Instant
  ): PoolSwitch | undefined {
    const preferred = others.filter(({ name }) => servers.indexOf(name) < servers.indexOf(server))
    const best = preferred.find((each) => isSettled(each, now))
    if (best === undefined) {
      for (const { health } of preferred) this.#isDue(after(health.goodSince, SLOW_UP), now)
      return undefined
    }
    if (!this.#mayLeave(since, now)) return undefined
    return moved(
      server,
      best,
      `${best.name} is preferred, and nothing was wrong with it for two minutes`,
      {},
      now
    )
  }

  #mayLeave(since: Instant | undefined, now: Instant): boolean {
    return since === undefined || this.#isDue(after(since, SWITCH_SPACING), now)
  }

  /** If not, it is decided again then. */
  #isDue(moment: Instant, now: Instant): boolean {
    if (moment <= now) return true
    this.#next = earlier(this.#next, moment)
    return false
  }

  #answering(servers: readonly ServerName[], chosen: ServerName): readonly Answering[] {
    return servers.flatMap((name) => {
      const health = name === chosen ? undefined : this.#options.healthOf(name)
      return health?.state === 'answering' ? [{ name, health }] : []
    })
  }
}

/** Slow up: nothing was bad for long enough. */
function isSettled({ health }: Answering, now: Instant): boolean {
  return between(health.goodSince, now) >= SLOW_UP
}

/** RFC 9132 §4.7: whose last heartbeat is too young for another one answered recently enough. */
function hasAnsweredSince({ health }: Answering, since: Instant): boolean {
  return between(health.answeredAt, since) < MINIMUM_HEARTBEAT_SPACING
}

/** Of those that have not answered since, the first is looked at. */
function look(others: readonly Answering[], since: Instant, looks: ServerName[]): void {
  if (others.some((each) => hasAnsweredSince(each, since))) return
  const [first] = others
  if (first !== undefined) looks.push(first.name)
}

function moved(
  from: ServerName,
  { name: to, health }: Answering,
  because: string,
  inputs: Readonly<Record<string, string>>,
  now: Instant
): PoolSwitch {
  const found = {
    [`${to} answered`]: `${ago(health.answeredAt, now)} ago`,
    [`${to} good for`]: ago(health.goodSince, now)
  }
  return { from, to, because, inputs: { ...inputs, ...found } }
}

function ago(moment: Instant, now: Instant): string {
  return `${inSeconds(between(moment, now)).toFixed(1)} s`
}
