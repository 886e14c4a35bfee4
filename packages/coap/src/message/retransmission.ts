import {
  after,
  between,
  type Duration,
  type Entropy,
  fraction,
  type Instant,
  Milliseconds
} from '@breakwater/core'
import type { TransmissionParameters } from '../session.ts'
import { type DerivedTimes, deriveTimes } from './parameters.ts'

/** What to do now: nothing yet, send once more, or tell the application. */
export type RetransmissionStep = 'wait' | 'retransmit' | 'give-up'

/** How late a host may wake us before an opportunity to transmit counts as missed: what timers of a busy loop need. */
const WAKE_UP_TOLERANCE: Duration = Milliseconds(20)

/**
 * The timeout and the retransmission counter of one Confirmable message (RFC 7252 §4.2). It keeps the parameters that it
 * began with, whatever the session changes to meanwhile.
 */
export class Retransmission {
  readonly #parameters: TransmissionParameters
  readonly #times: DerivedTimes
  readonly #startedAt: Instant
  #counter = 0
  #timeout: Duration
  #dueAt: Instant

  constructor(parameters: TransmissionParameters, entropy: Entropy, now: Instant) {
    this.#parameters = parameters
    this.#times = deriveTimes(parameters)
    this.#startedAt = now
    const spread = this.#times.ackTimeout * (parameters.ackRandomFactor - 1)
    this.#timeout = Milliseconds(this.#times.ackTimeout + fraction(entropy) * spread)
    this.#dueAt = after(now, this.#timeout)
  }

  /** When `step` wants to be called. */
  get dueAt(): Instant {
    return this.#dueAt
  }

  /** Retransmissions so far. */
  get counter(): number {
    return this.#counter
  }

  /** Moves on when the timeout has passed. */
  step(now: Instant): RetransmissionStep {
    if (now < this.#dueAt) return 'wait'
    if (this.#counter >= this.#parameters.maxRetransmit) return 'give-up'
    if (between(this.#startedAt, now) > this.#times.maxTransmitSpan + WAKE_UP_TOLERANCE)
      return this.#missEverything(now)
    this.#counter++
    this.#timeout = Milliseconds(this.#timeout * 2)
    // RFC 7252 §4.2: at least ACK_TIMEOUT apart, also where the host woke us late.
    const soonest = after(now, this.#times.ackTimeout)
    const regular = after(this.#dueAt, this.#timeout)
    this.#dueAt = regular > soonest ? regular : soonest
    return 'retransmit'
  }

  /** RFC 7252 §4.2: nothing leaves after MAX_TRANSMIT_SPAN; an acknowledgement may still come until MAX_TRANSMIT_WAIT. */
  #missEverything(now: Instant): RetransmissionStep {
    this.#counter = this.#parameters.maxRetransmit
    this.#dueAt = after(this.#startedAt, this.#times.maxTransmitWait)
    return now < this.#dueAt ? 'wait' : 'give-up'
  }
}
