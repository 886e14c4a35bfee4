import type { Instant } from '@breakwater/core'
import type { DropCounters, PlanId } from '../../domain/mitigator.ts'

/** What a plan has discarded since it came into force, as of a moment. */
export interface DropReading {
  readonly total: DropCounters
  readonly readAt: Instant
  /** When it was last seen to have grown; undefined: never yet. */
  readonly grewAt: Instant | undefined
}

interface Entry {
  /** Counted before the device began to count anew. */
  before: DropCounters
  last: DropCounters
  readAt: Instant
  grewAt: Instant | undefined
  known: boolean
}

const NOTHING: DropCounters = { packets: 0n, bytes: 0n }

/**
 * Drop counters of plans over their whole time in force: a device that lost a rule, and has it again, counts from
 * zero, while the client is told what was dropped since its mitigation was triggered (RFC 9132 §4.4.2).
 */
export class DropRecord {
  readonly #entries = new Map<PlanId, Entry>()

  /** A plan came into force now, so its counters start from nothing. */
  begin(plan: PlanId, now: Instant): void {
    if (this.#entries.has(plan)) return
    this.#entries.set(plan, {
      before: NOTHING,
      last: NOTHING,
      readAt: now,
      grewAt: undefined,
      known: false
    })
  }

  /** What the mitigator says of all plans; of a plan that is missing, nothing is known. */
  read(counters: ReadonlyMap<PlanId, DropCounters>, now: Instant): void {
    for (const entry of this.#entries.values()) entry.known = false
    for (const [plan, counted] of counters) this.#take(plan, counted, now)
  }

  /** Nothing is known of any plan at present. */
  lose(): void {
    for (const entry of this.#entries.values()) entry.known = false
  }

  forget(plan: PlanId): void {
    this.#entries.delete(plan)
  }

  /** Undefined: unknown, which is not zero. */
  of(plan: PlanId): DropReading | undefined {
    const entry = this.#entries.get(plan)
    if (entry?.known !== true) return undefined
    const { before, last, readAt, grewAt } = entry
    return { total: sum(before, last), readAt, grewAt }
  }

  #take(plan: PlanId, counted: DropCounters, now: Instant): void {
    const entry = this.#entries.get(plan)
    if (entry === undefined) {
      // A plan of an earlier process: what it has dropped by now says nothing of when.
      const first = { before: NOTHING, last: counted, readAt: now, grewAt: undefined, known: true }
      this.#entries.set(plan, first)
      return
    }
    if (counted.packets < entry.last.packets) {
      entry.before = sum(entry.before, entry.last)
      entry.last = NOTHING
    }
    if (counted.packets > entry.last.packets) entry.grewAt = now
    entry.last = counted
    entry.readAt = now
    entry.known = true
  }
}

function sum(a: DropCounters, b: DropCounters): DropCounters {
  return { packets: a.packets + b.packets, bytes: a.bytes + b.bytes }
}
