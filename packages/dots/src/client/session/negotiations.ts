import type { CoapResponse } from '@breakwater/coap'
import type { Instant, Transport } from '@breakwater/core'
import type { SessionParameters } from '../../signal/defaults.ts'
import type { Calendar } from '../memory/calendar.ts'
import type { Errand } from './errand.ts'
import { SessionNegotiation } from './session-negotiation.ts'
import type { WantedConfiguration } from './session-negotiation.ts'
import type { SignalSession } from './session.ts'

export interface NegotiationsOptions {
  /** Undefined: nothing is negotiated. */
  readonly wanted: WantedConfiguration | undefined
  /** What sessions start with, and what holds for all that is not negotiated. */
  readonly defaults: SessionParameters
  readonly calendar: Calendar
  /** The server wants what RFC 7252 §4.8.1 forbids: for people. */
  readonly object: (text: string) => void
}

/**
 * What the sessions with one server negotiate: each has a configuration of its own, and all draw their session ids from
 * one row (RFC 9132 §4.5).
 */
export class Negotiations {
  readonly #options: NegotiationsOptions
  /** A session takes its own along when it goes. */
  readonly #of = new WeakMap<SignalSession, SessionNegotiation>()
  #lastSid = 0

  constructor(options: NegotiationsOptions) {
    this.#options = options
  }

  /** What a session goes by now: what was negotiated, else the defaults. */
  parametersOf(session: SignalSession): SessionParameters {
    return this.#of.get(session)?.parameters ?? this.#options.defaults
  }

  /** A new session. */
  begin(session: SignalSession, transport: Transport, isMitigating: boolean, now: Instant): void {
    const { wanted, defaults } = this.#options
    if (wanted === undefined) return
    const nextSid = (at: Instant): number => this.#nextSid(at)
    const negotiation = new SessionNegotiation({ wanted, defaults, transport, isMitigating, nextSid })
    negotiation.handle({ kind: 'start' }, now)
    this.#of.set(session, negotiation)
  }

  answer(session: SignalSession, errand: Errand, response: CoapResponse, now: Instant): void {
    this.#of.get(session)?.handle({ kind: 'answer', errand, response }, now)
  }

  /** RFC 9132 §4.5: while a mitigation is active, the other set of the configuration holds. */
  activity(session: SignalSession, isMitigating: boolean, now: Instant): void {
    this.#of.get(session)?.handle({ kind: 'activity', isMitigating }, now)
  }

  nextTimeout(session: SignalSession): Instant | undefined {
    return this.#of.get(session)?.nextTimeout()
  }

  handleTimeout(session: SignalSession, now: Instant): void {
    this.#of.get(session)?.handleTimeout(now)
  }

  /** What concerns one session goes to that session alone. */
  drain(session: SignalSession, now: Instant): void {
    const negotiation = this.#of.get(session)
    for (let output = negotiation?.poll(); output !== undefined; output = negotiation?.poll())
      if (output.kind === 'objection') this.#options.object(output.text)
      else session.handle(output, now)
  }

  /** RFC 9132 §4.5.2: they only grow; the calendar sees to that over restarts. */
  #nextSid(now: Instant): number {
    const seconds = Math.floor(this.#options.calendar.at(now) / 1000)
    this.#lastSid = Math.min(Math.max(this.#lastSid + 1, seconds), 2 ** 32 - 1)
    return this.#lastSid
  }
}
