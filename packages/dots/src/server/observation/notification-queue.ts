import { Milliseconds, OutgoingBatch, after } from '@breakwater/core'
import type { Duration, Instant, PeerId } from '@breakwater/core'
import { PACING_WITHOUT_RTT } from '../../signal/defaults.ts'
import type { Observation } from './observation.ts'
import type { ServerSession } from '../sessions/server-session.ts'
import type { ServerState } from '../server-state.ts'

/** So many observers are told something in one go, some milliseconds' work: a heartbeat may be waiting. */
const OBSERVERS_PER_TURN = 512

const NEXT_TURN: Duration = Milliseconds(1)

/** A notification of one mitigation is mostly shorter; where they are longer, the batch takes more memory by itself. */
const USUAL_BYTES = 96

/** Timer of all observers that need not wait. */
export const NOTIFY_ALL_TIMER = 'notify-all'

/** What goes out at once it puts into the batch. */
type Tell = (observation: Observation, batch: OutgoingBatch, now: Instant) => void

/**
 * When which observer is told: one notification of a session in three seconds, whatever it observes (RFC 9132 §4.4.2.1), and one
 * of a client, if it has several sessions,
 * and never so many at a time that others wait. What it is told is decided when its turn has come.
 */
export class NotificationQueue {
  readonly #state: ServerState
  readonly #tell: Tell
  /** Who was told nothing yet, in order: one timer for all, as there may be very many. */
  #ready: Observation[] = []
  /** How many of `#ready` have had their turn. */
  #served = 0

  constructor(state: ServerState, tell: Tell) {
    this.#state = state
    this.#tell = tell
  }

  /** It has something to hear; one that is in the queue already stays where it is. */
  add(observation: Observation, now: Instant): void {
    if (observation.isPlanned) return
    observation.isPlanned = true
    if (this.#ready.length === 0) this.#state.timers.set(NOTIFY_ALL_TIMER, now)
    this.#ready.push(observation)
  }

  /** It is not to be told anything any more. */
  remove(observation: Observation): void {
    observation.hasGone = true
    observation.session.waiting?.delete(observation)
  }

  sessionClosed(session: ServerSession): void {
    this.#state.timers.cancel(notifyTimer(session.peer))
  }

  /** Timer `notify-all`: some of them, and then whoever else wants something of the server has a turn. */
  handleReady(now: Instant): void {
    // Beforehand: an error of ours in one notification must not keep the others from theirs.
    this.#state.timers.set(NOTIFY_ALL_TIMER, after(now, NEXT_TURN))
    const end = Math.min(this.#ready.length, this.#served + OBSERVERS_PER_TURN)
    const batch = this.#newBatch(end - this.#served)
    while (this.#served < end) {
      const observation = this.#ready[this.#served++]
      if (observation === undefined || observation.hasGone) continue
      // Only now: to look at ten thousand sessions twice takes twice as long, as no cache has room for them.
      if (mustWait(observation.session, now)) this.#wait(observation)
      else this.#serve(observation, batch, now)
    }
    if (this.#served < this.#ready.length) return
    this.#state.timers.cancel(NOTIFY_ALL_TIMER)
    this.#ready = []
    this.#served = 0
  }

  /** Timer `notify:<peer>`: tells one observer; the others of the session have their turn later. */
  handleSession(session: ServerSession, now: Instant): void {
    // Something else may have been told at once: the next must not come before its time.
    if (dueAt(session) <= now) {
      const [observation] = session.waiting ?? []
      if (observation === undefined) return
      session.waiting?.delete(observation)
      this.#serve(observation, this.#newBatch(1), now)
    }
    if (session.waiting !== undefined && session.waiting.size > 0)
      this.#state.timers.set(notifyTimer(session.peer), dueAt(session))
  }

  #serve(observation: Observation, batch: OutgoingBatch, now: Instant): void {
    observation.isPlanned = false
    this.#tell(observation, batch, now)
  }

  /** Already on its way: an error of ours in one notification must not keep those before it from theirs. */
  #newBatch(observers: number): OutgoingBatch {
    const batch = new OutgoingBatch(USUAL_BYTES * observers)
    this.#state.emit({ kind: 'send-batch', batch })
    return batch
  }

  /** Until the turn of its session comes. */
  #wait(observation: Observation): void {
    const { session } = observation
    session.waiting ??= new Set()
    session.waiting.add(observation)
    this.#state.timers.set(notifyTimer(session.peer), dueAt(session))
  }
}

/** Not yet, or others of the same session are before it. */
function mustWait(session: ServerSession, now: Instant): boolean {
  return dueAt(session) > now || (session.waiting !== undefined && session.waiting.size > 0)
}

/** When its next notification may leave. */
function dueAt(session: ServerSession): Instant {
  return after(session.notifiedAt, PACING_WITHOUT_RTT)
}

function notifyTimer(peer: PeerId): string {
  return `notify:${peer}`
}
