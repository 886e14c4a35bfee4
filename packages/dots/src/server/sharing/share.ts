import { after } from '@breakwater/core'
import type { Instant } from '@breakwater/core'
import type { Beat, ChangesOfOthers, Revision } from '../../domain/shared-record-store.ts'
import type { Lifecycle } from '../mitigations/lifecycle.ts'
import { isInForce, progressOf } from '../mitigations/mitigation.ts'
import type { Preconfigured } from '../mitigations/preconfigured.ts'
import type { ServerState } from '../server-state.ts'
import { BEAT_INTERVAL, CHANGES_INTERVAL, Sharing, noticeOf } from './sharing.ts'
import type { TakeOver } from './take-over.ts'

export const CHANGES_TIMER = 'changes'
export const BEAT_TIMER = 'beat'

/**
 * Keeps a server in step with those that share its store (RFC 9284 §5.4): asks what they have changed, says that it is
 * there, and takes the lead where it falls to it.
 */
export class Share {
  readonly #state: ServerState
  readonly #lifecycle: Lifecycle
  readonly #preconfigured: Preconfigured
  readonly #takeOver: TakeOver
  /** What is being read was asked for when the lead was given already. */
  #readsToLead = false

  constructor(state: ServerState, lifecycle: Lifecycle, preconfigured: Preconfigured, takeOver: TakeOver) {
    this.#state = state
    this.#lifecycle = lifecycle
    this.#preconfigured = preconfigured
    this.#takeOver = takeOver
    lifecycle.onStep((mitigation, before) => {
      // How it stands at the device is known here, and to be told at the others.
      if (state.sharing?.leads !== true || !isInForce({ state: before }) || !isInForce(mitigation)) return
      if (progressOf(before).progress !== progressOf(mitigation.state).progress)
        lifecycle.records.rewrite(mitigation)
    })
  }

  /** Before the records are taken up. @param revision Of before they were read. */
  start(revision: Revision, now: Instant): void {
    this.#state.sharing = new Sharing(revision, now)
    this.beat(now)
    this.readChanges(now)
  }

  /** Timer `changes`. */
  readChanges(now: Instant): void {
    const { sharing, timers } = this.#state
    if (sharing === undefined) return
    timers.set(CHANGES_TIMER, after(now, CHANGES_INTERVAL))
    if (sharing.readingSince !== undefined) return
    sharing.readingSince = now
    this.#readsToLead = sharing.isToLead
    this.#state.emit({ kind: 'read-changes', seen: sharing.seen })
  }

  /** Undefined: they could not be read; tried again by the timer. */
  changesRead(others: ChangesOfOthers | undefined, now: Instant): void {
    const { sharing } = this.#state
    if (sharing?.readingSince === undefined) return
    if (others !== undefined) {
      this.#takeOver.take(others, now)
      sharing.seenAt = sharing.readingSince
    }
    sharing.readingSince = undefined
    if (others === undefined || !sharing.isToLead) return
    if (!this.#readsToLead) {
      this.readChanges(now)
      return
    }
    sharing.takeLead()
    this.#leadChanged()
  }

  /** Before anything else is done at this moment: who was held up for the length of a lease leads no more. */
  expireLead(now: Instant): void {
    if (this.#state.sharing?.expire(now) === true) this.#leadChanged()
  }

  /** Timer `beat`. */
  beat(now: Instant): void {
    const { sharing, timers } = this.#state
    if (sharing === undefined) return
    timers.set(BEAT_TIMER, after(now, BEAT_INTERVAL))
    if (sharing.beatingSince !== undefined) return
    sharing.beatingSince = now
    this.#state.emit({ kind: 'beat', notice: noticeOf(this.#preconfigured.heard(now)) })
  }

  /** Undefined: the store did not take it; tried again by the timer. */
  beaten(beat: Beat | undefined, now: Instant): void {
    const { sharing } = this.#state
    if (sharing === undefined) return
    if (beat === undefined) sharing.beatingSince = undefined
    else if (sharing.beaten(beat, now)) this.#leadChanged()
    else if (sharing.isToLead) this.readChanges(now)
  }

  #leadChanged(): void {
    const { leads } = this.#state
    this.#state.report({ kind: 'lead-changed', leads })
    if (leads) this.#lifecycle.enforcement.takeLead()
    else this.#lifecycle.enforcement.yieldLead()
  }
}
