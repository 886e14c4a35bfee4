import { InternalError } from '@breakwater/core'
import type { WallTime } from '@breakwater/core'
import { mitigationId } from '../domain/identifier.ts'
import type { MitigationId } from '../domain/identifier.ts'

/** RFC 9132 §4.4.1.1: from here on the count restarts as soon as no attack is on. */
const ROLLOVER = 3_221_225_471

/**
 * The mitigation ids of one cuid at one server: each is greater than all before it (RFC 9132 §4.4.1.1), also than those
 * of an earlier life of this client, because it starts at the calendar's seconds and nobody asks once a second for long.
 */
export class MitigationIds {
  #last = -1
  /** After a rollover the calendar would lead straight back up. */
  #isRolledOver = false

  /**
   * The next id.
   * @param isQuiet No mitigation of ours is asked for or in force at the server.
   * @throws InternalError `DOTS_CLIENT_MITIGATION_IDS_EXHAUSTED` after 2^32 − 1 in one attack.
   */
  next(wallClock: WallTime, isQuiet: boolean): MitigationId {
    if (isQuiet && this.#last >= ROLLOVER) {
      this.#last = -1
      this.#isRolledOver = true
    }
    const seconds = Math.floor(wallClock / 1000)
    const floor = this.#isRolledOver || seconds >= ROLLOVER || seconds < 0 ? 0 : seconds
    const id = mitigationId(Math.max(this.#last + 1, floor))
    if (id === undefined)
      throw new InternalError('DOTS_CLIENT_MITIGATION_IDS_EXHAUSTED', 'no mitigation id is left')
    this.#last = id
    return id
  }

  /**
   * The server knows this id of ours: the next one must be greater. One beyond the rollover is not believed: we do not
   * come so far, and a server that claims it could use up all ids at once.
   */
  raiseTo(id: MitigationId): void {
    if (id > this.#last && id < ROLLOVER) this.#last = id
  }
}
