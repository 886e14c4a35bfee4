import { earlier } from '@breakwater/core'
import type { Instant } from '@breakwater/core'
import type { ServerName } from '../../domain/identifier.ts'
import type { SitePlan } from '../../multihoming/site-plan.ts'
import type { ServerStates } from '../../multihoming/turn.ts'
import type { Trigger } from '../../signal/mapper.ts'
import type { AssociationPool } from '../association-pool.ts'
import type { Beginnings } from '../beginnings.ts'
import type { ClientEvent } from '../client-io.ts'
import type { PathPool } from '../paths/path-pool.ts'
import { PoolChoice } from './pool-choice.ts'
import { PoolSessions } from './pool-sessions.ts'
import type { PoolSessionChange } from './pool-sessions.ts'
import { healthOf } from './server-health.ts'
import type { ServerHealth } from './server-health.ts'

/** What has come of a look at who is asked. */
export interface StandInChange {
  readonly events: readonly ClientEvent[]
  /** Somebody else is asked. */
  readonly isOther: boolean
  /** With whom sessions have begun, and ended. */
  readonly sessions: PoolSessionChange
}

/** The servers of a client of which one is asked for all. */
export class StandIns {
  readonly #pool: AssociationPool
  readonly #beginnings: Beginnings
  readonly #choice: PoolChoice
  readonly #sessions: PoolSessions

  constructor(pool: AssociationPool, pathPool: PathPool, beginnings: Beginnings) {
    this.#pool = pool
    this.#beginnings = beginnings
    const health = (server: ServerName): ServerHealth => healthOf(pool.get(server), pathPool)
    const has = (server: ServerName, which: Trigger): boolean =>
      pool.get(server)?.requests.some(({ trigger }) => trigger === which) === true
    this.#choice = new PoolChoice({
      healthOf: health,
      isAsked: (server) => has(server, 'immediate'),
      standsBy: (server) => has(server, 'signal-loss')
    })
    this.#sessions = new PoolSessions({
      healthOf: health,
      isBegun: (server) => pool.get(server)?.state.kind !== 'stopped',
      isConcerned: (server) => pool.get(server)?.requests.length !== 0
    })
  }

  /** Those that are asked. */
  get chosen(): ReadonlySet<ServerName> {
    return this.#choice.chosen
  }

  /** What placement goes by. */
  get states(): ServerStates {
    const isAvailable = (server: ServerName): boolean => this.#pool.get(server)?.state.kind === 'established'
    return { isAvailable, chosen: this.#choice.chosen }
  }

  /** See `PoolChoice`. */
  inSteadOf(server: ServerName): ServerName | undefined {
    return this.#choice.inSteadOf(server)
  }

  nextTimeout(): Instant | undefined {
    return earlier(this.#choice.nextTimeout(), this.#sessions.nextTimeout())
  }

  /** Whatever has happened may decide otherwise who is asked, and with whom there is a session. */
  choose(plan: SitePlan, now: Instant): StandInChange {
    const { switches, looks, doubts, isOther } = this.#choice.decide(plan.standIns, now)
    for (const server of looks) this.#pool.tell(server, { kind: 'look' }, now)
    for (const server of doubts) this.#pool.tell(server, { kind: 'doubt' }, now)
    const sessions = this.#keepSessions(plan, now)
    const events = switches.map(({ from, to, because, inputs }) => {
      return { kind: 'stood-in' as const, server: from, by: to, because, inputs }
    })
    return { events, isOther, sessions }
  }

  #keepSessions({ standIns: lists, alone }: SitePlan, now: Instant): PoolSessionChange {
    if (lists.length === 0 && this.#sessions.isIdle) return { begin: [], end: [] }
    const { chosen } = this.#choice
    const { isStarted } = this.#beginnings
    const { begin, end } = this.#sessions.decide({ lists, alone, chosen, isStarted }, now)
    this.#pool.spares = this.#sessions.spares
    for (const server of end) this.#pool.tell(server, { kind: 'stop' }, now)
    for (const server of begin) {
      const association = this.#pool.get(server)
      if (association !== undefined) this.#beginnings.beginLate(association, now)
    }
    return { begin, end }
  }
}
