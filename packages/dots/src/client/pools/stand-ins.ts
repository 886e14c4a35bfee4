import type { Instant } from '@breakwater/core'
import type { ServerName } from '../../domain/identifier.ts'
import type { Alternatives } from '../../multihoming/alternatives.ts'
import type { ServerStates } from '../../multihoming/turn.ts'
import type { AssociationPool } from '../association-pool.ts'
import type { ClientEvent } from '../client-io.ts'
import type { PathPool } from '../paths/path-pool.ts'
import { PoolChoice } from './pool-choice.ts'
import { healthOf } from './server-health.ts'

/** What has come of a look at who is asked. */
export interface StandInChange {
  readonly events: readonly ClientEvent[]
  /** Somebody else is asked. */
  readonly isOther: boolean
}

/** The servers of a client of which one is asked for all. */
export class StandIns {
  readonly #pool: AssociationPool
  readonly #choice: PoolChoice

  constructor(pool: AssociationPool, pathPool: PathPool) {
    this.#pool = pool
    const isAsked = (server: ServerName): boolean =>
      pool.get(server)?.requests.some(({ trigger }) => trigger === 'immediate') === true
    this.#choice = new PoolChoice({ healthOf: (server) => healthOf(pool.get(server), pathPool), isAsked })
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
    return this.#choice.nextTimeout()
  }

  /** Whatever has happened may decide otherwise who is asked. */
  choose(lists: readonly Alternatives[], now: Instant): StandInChange {
    const { switches, looks, isOther } = this.#choice.decide(lists, now)
    for (const server of looks) this.#pool.tell(server, { kind: 'look' }, now)
    const events = switches.map(({ from, to, because, inputs }) => {
      return { kind: 'stood-in' as const, server: from, by: to, because, inputs }
    })
    return { events, isOther }
  }
}
