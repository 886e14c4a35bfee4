import { InternalError } from '@breakwater/core'
import type { WallTime } from '@breakwater/core'
import { mitigationId } from '../../domain/identifier.ts'
import type { MitigationId } from '../../domain/identifier.ts'

/** RFC 9132 §4.4.1.1: from here on the count restarts as soon as no attack is on. */
const ROLLOVER = 3_221_225_471

/** So many ids are set aside at a time, and the next ones when half of them are used. */
const RESERVED_AT_A_TIME = 1024

/** What a later life of the client must know of the ids of this one. */
export interface IdReservation {
  /** No id above this has been used. */
  readonly upTo: number
  /** After a rollover the calendar would lead straight back up. */
  readonly isRolledOver: boolean
}

/**
 * The mitigation ids of one cuid at one server, or at several that share what they are asked (RFC 9284 §5.4): each is greater than all before it (RFC 9132 §4.4.1.1), also than those
 * of an earlier life of this client. Two things see to that: ids are reserved before they are used, where there is a
 * store; and they start at the calendar's seconds, for nobody asks once a second for long.
 */
export class MitigationIds {
  #last = -1
  #isRolledOver = false
  /** Undefined: nothing is reserved, for nobody would remember it. */
  #reservedUpTo: number | undefined

  /** What is reserved: to be stored whenever it has changed. */
  get reservation(): IdReservation | undefined {
    if (this.#reservedUpTo === undefined) return undefined
    return { upTo: this.#reservedUpTo, isRolledOver: this.#isRolledOver }
  }

  /** All that was used in this life, for the next one within it. */
  get used(): IdReservation {
    return { upTo: this.#last, isRolledOver: this.#isRolledOver }
  }

  /** @returns whether no mitigation of ours may get an id any more until the count restarts. */
  get isExhausted(): boolean {
    return this.#last >= ROLLOVER
  }

  /**
   * The next id.
   * @param isQuiet No mitigation of ours is asked for or in force at the server.
   * @throws InternalError `DOTS_CLIENT_MITIGATION_IDS_EXHAUSTED` after 2^32 − 1 in one attack.
   */
  next(wallClock: WallTime, isQuiet: boolean): MitigationId {
    if (isQuiet && this.#last >= ROLLOVER) this.restart()
    const id = mitigationId(Math.max(this.#last + 1, this.#floor(wallClock)))
    if (id === undefined)
      throw new InternalError('DOTS_CLIENT_MITIGATION_IDS_EXHAUSTED', 'no mitigation id is left')
    this.#last = id
    if (this.#reservedUpTo !== undefined && id > this.#reservedUpTo - RESERVED_AT_A_TIME / 2)
      this.#reservedUpTo = id + RESERVED_AT_A_TIME
    return id
  }

  /** RFC 9132 §4.4.1.1: from 0 on again. Nothing of ours may stand at the server then. */
  restart(): void {
    this.#last = -1
    this.#isRolledOver = true
    if (this.#reservedUpTo !== undefined) this.#reservedUpTo = RESERVED_AT_A_TIME
  }

  /** Sets the first ids aside: before any is used. */
  reserve(wallClock: WallTime): void {
    this.#reservedUpTo ??= Math.max(this.#last, this.#floor(wallClock)) + RESERVED_AT_A_TIME
  }

  /** Goes on behind an earlier life; behind the latest word on it, where several servers were asked by one row of ids. */
  resume({ upTo, isRolledOver }: IdReservation): void {
    if (this.#isRolledOver && !isRolledOver) return
    if (isRolledOver && !this.#isRolledOver) this.#last = -1
    this.#isRolledOver = isRolledOver
    this.#last = Math.max(this.#last, Math.min(upTo, ROLLOVER))
    this.#reservedUpTo = undefined
  }

  /**
   * The server knows this id of ours: the next one must be greater. One beyond the rollover is not believed: we do not
   * come so far, and a server that claims it could use up all ids at once.
   */
  raiseTo(id: MitigationId): void {
    if (id > this.#last && id < ROLLOVER) this.#last = id
  }

  /** The calendar's seconds, as far as they are reserved. */
  #floor(wallClock: WallTime): number {
    const seconds = Math.floor(wallClock / 1000)
    const isUsable = !this.#isRolledOver && seconds < ROLLOVER && seconds >= 0
    if (!isUsable) return 0
    const isReserved =
      this.#reservedUpTo === undefined || seconds <= this.#reservedUpTo - RESERVED_AT_A_TIME / 2
    return isReserved ? seconds : 0
  }
}
