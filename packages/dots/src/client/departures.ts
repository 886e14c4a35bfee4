import { Minutes, after, earlier } from '@breakwater/core'
import type { Duration, Instant } from '@breakwater/core'
import type { SitePlan } from '../multihoming/site-plan.ts'
import type { Association } from './association.ts'

/** So long a server stays at hand: RFC 9132 §4.7 would not have it contacted anew any sooner. */
export const SHORTEST_LEAVE: Duration = Minutes(1)

/** So long a server that does not confirm the withdrawals is waited for. */
export const LONGEST_LEAVE: Duration = Minutes(5)

/** A server on its way out. */
export interface Departure {
  readonly association: Association
  /** The last one that had it. */
  readonly plan: SitePlan
  readonly since: Instant
}

/**
 * Servers that are of the site no more: what was asked of them is withdrawn, and then they are let go. Who returns in the
 * meantime is taken back with its session, so that a domain that flaps costs no handshake.
 */
export class Departures {
  readonly #all: Departure[] = []

  get associations(): readonly Association[] {
    return this.#all.map(({ association }) => association)
  }

  get all(): readonly Departure[] {
    return this.#all
  }

  add(departure: Departure): void {
    this.#all.push(departure)
  }

  /** Takes back the first that is meant. */
  takeBack(isMeant: (association: Association) => boolean): Association | undefined {
    const index = this.#all.findIndex(({ association }) => isMeant(association))
    return index < 0 ? undefined : this.#all.splice(index, 1).at(0)?.association
  }

  nextTimeout(): Instant | undefined {
    let next: Instant | undefined
    for (const departure of this.#all) next = earlier(next, endOf(departure))
    return next
  }

  /** Those whose time is over. */
  due(now: Instant): readonly Departure[] {
    return this.#all.filter((departure) => endOf(departure) <= now)
  }

  remove(departure: Departure): void {
    this.#all.splice(this.#all.indexOf(departure), 1)
  }
}

function endOf({ association, since }: Departure): Instant {
  return after(since, association.requests.length === 0 ? SHORTEST_LEAVE : LONGEST_LEAVE)
}
