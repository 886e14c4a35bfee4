import { InternalError } from '@breakwater/core'
import type { Instant } from '@breakwater/core'
import type { Cuid, MitigationId } from '../../domain/identifier.ts'
import type { Target } from '../../domain/target.ts'
import { targetKey } from '../../multihoming/compiler.ts'
import type { Trigger } from '../../signal/mapper.ts'
import type { PathMtu } from './fit-to-path.ts'
import { MitigationIds } from './mitigation-id.ts'
import { isBecauseOfAttack, mayBeKnown } from './request-entry.ts'
import type { RequestEntry } from './request-entry.ts'
import type { RequestLedger } from './request-ledger.ts'
import { isInForce } from './request-state.ts'
import type { RequestState } from './request-state.ts'

/** A request that another server of the group is asked for. */
export interface AskedElsewhere {
  readonly mitigationId: MitigationId
  /** The servers may have it: so may this one. */
  readonly maybeKnown: boolean
}

/**
 * The ledgers of servers that share what they are asked (RFC 9284 §5.4): they see one client, so its requests have one row
 * of ids at all of them, and one cuid. What is asked of two of them for one target is one mitigation: it has one id, is
 * refreshed by either, and is over at both when one is told to end it. A server that shares with nobody has a group to itself.
 */
export class Coordination {
  readonly ids: MitigationIds = new MitigationIds()
  readonly #members = new Set<RequestLedger>()

  join(ledger: RequestLedger): void {
    for (const { configured, cuid } of this.#members) if (configured === ledger.configured) ledger.cuid = cuid
    this.#members.add(ledger)
  }

  /** Its server is not asked any more, and what it holds concerns nobody. */
  leave(ledger: RequestLedger): void {
    this.#members.delete(ledger)
  }

  /** Nothing of ours is asked for or in force at any of the servers. */
  get isQuiet(): boolean {
    return [...this.#members].every(({ entries }) => entries.size === 0)
  }

  get isUnderAttack(): boolean {
    return this.#some(isBecauseOfAttack)
  }

  get hasAnyInForce(): boolean {
    return this.#some(({ state }) => isInForce(state))
  }

  /** Each server at which something of ours stands can be told of it. */
  get isHeardEverywhere(): boolean {
    return [...this.#members].every(({ entries, hasSession }) => hasSession || entries.size === 0)
  }

  /** What is asked for one target has to be cut the same way for all, or the pieces would replace one another. */
  readonly pathMtu: PathMtu = {
    planned: () => Math.min(...[...this.#members].map(({ pathMtu }) => pathMtu.planned())),
    said: (now) => Math.min(...[...this.#members].map(({ pathMtu }) => pathMtu.said(now)))
  }

  /** What is in force at any of them is not asked for in other pieces. */
  inForce(trigger: Trigger): readonly Target[] {
    return [...this.#members].flatMap(({ entries }) =>
      [...entries]
        .filter((entry) => entry.trigger === trigger && isInForce(entry.state))
        .map(({ target }) => target)
    )
  }

  /** Some server has to look at what another one has made of its requests. */
  get isStirred(): boolean {
    return [...this.#members].some(({ isStirred }) => isStirred)
  }

  stirOthers(ledger: RequestLedger): void {
    for (const other of this.#others(ledger)) other.isStirred = true
  }

  /**
   * What the others are asked for, by `targetKey`. To ask for the same under its id refreshes it (RFC 9132 §4.4.1.1), under
   * another one it would replace it (§4.4.1.3).
   */
  askedElsewhere(ledger: RequestLedger, trigger: Trigger): ReadonlyMap<string, AskedElsewhere> {
    const found = new Map<string, AskedElsewhere>()
    if (this.#members.size < 2) return found
    const own = new Set([...ledger.entries].map(({ mitigationId }) => mitigationId))
    for (const entry of this.#elsewhere(ledger)) {
      const { mitigationId, state, target } = entry
      if (entry.trigger !== trigger || !isStanding(entry) || own.has(mitigationId)) continue
      const key = targetKey(target)
      if (mitigationId > (found.get(key)?.mitigationId ?? -1))
        found.set(key, { mitigationId, maybeKnown: mayBeKnown(state) })
    }
    return found
  }

  /** Somebody else of the group still wants what goes by this id. */
  isWantedElsewhere(ledger: RequestLedger, id: MitigationId): boolean {
    for (const entry of this.#elsewhere(ledger))
      if (entry.mitigationId === id && isStanding(entry)) return true
    return false
  }

  /**
   * Leaves a request to another server that it is asked of, too: to withdraw it at one would withdraw it at all. From now on
   * that one answers for it, also where it was not asked yet itself.
   * @returns whether there is one.
   */
  leaveTo(ledger: RequestLedger, left: RequestEntry, now: Instant): boolean {
    for (const other of this.#others(ledger))
      for (const entry of other.entries) {
        if (entry.mitigationId !== left.mitigationId || !isStanding(entry)) continue
        if (entry.state.kind === 'refused') continue
        other.isStirred = true
        if (entry.state.kind === 'waiting' && !entry.state.maybeKnown && mayBeKnown(left.state)) {
          entry.state = { kind: 'waiting', maybeKnown: true }
          other.note(entry, now)
        }
        return true
      }
    return false
  }

  /** What is to be withdrawn is withdrawn at all that can be told: who is to be told first may be silent. */
  withdrawEverywhere(
    ledger: RequestLedger,
    { mitigationId, state, ...request }: RequestEntry,
    now: Instant
  ): void {
    if (state.kind !== 'withdrawing') return
    for (const other of this.#others(ledger)) {
      if (!other.hasSession || other.find(mitigationId) !== undefined) continue
      other.isStirred = true
      other.withdraw({ ...request, mitigationId }, state.until, now)
    }
  }

  /** A session has come or gone: what no server was told to end, or none that can be heard, is told to who can be. */
  sessionsChanged(now: Instant): void {
    for (const member of this.#members)
      for (const entry of member.entries) this.withdrawEverywhere(member, entry, now)
  }

  /** One of them has withdrawn it, and so have all. */
  withdrawn(ledger: RequestLedger, id: MitigationId, now: Instant): void {
    for (const other of this.#others(ledger))
      for (const entry of other.entries) {
        if (entry.mitigationId !== id || entry.state.kind !== 'withdrawing') continue
        other.isStirred = true
        other.step(entry, { kind: 'superseded' }, now)
      }
  }

  /** Which ids may have been used, each server's notes have to say: any of them may be all that is left. */
  noteNumbering(): void {
    for (const member of this.#members) member.noteNumbering()
  }

  /** They know one client by one name. */
  changeCuid(cuid: Cuid, now: Instant): void {
    for (const member of this.#members) {
      member.isStirred = true
      member.changeCuid(cuid, now)
    }
  }

  /** An earlier life of the client had to take this one at one of them. */
  agreeOn(configured: Cuid, cuid: Cuid): void {
    for (const member of this.#members) if (member.configured === configured) member.cuid = cuid
  }

  /** From 0 on again: each asks anew for what is wanted of it. */
  restart(): void {
    if (!this.isQuiet) throw new InternalError('DOTS_CLIENT_MITIGATION_IDS_IN_USE', 'a request stands')
    this.ids.restart()
    for (const member of this.#members) member.isStirred = true
    this.noteNumbering()
  }

  #some(holds: (entry: RequestEntry) => boolean): boolean {
    for (const { entries } of this.#members) for (const entry of entries) if (holds(entry)) return true
    return false
  }

  #others(ledger: RequestLedger): RequestLedger[] {
    return [...this.#members].filter((member) => member !== ledger)
  }

  *#elsewhere(ledger: RequestLedger): Iterable<RequestEntry> {
    for (const other of this.#members) if (other !== ledger) yield* other.entries
  }
}

/** It is wanted, or held until what is wanted elsewhere is in force. */
function isStanding({ replacedBy, heldUntil, state }: RequestEntry): boolean {
  return (replacedBy === undefined || heldUntil !== undefined) && !isLeaving(state)
}

function isLeaving({ kind }: RequestState): boolean {
  return kind === 'withdrawing' || kind === 'ended'
}
