import type { Instant } from '@breakwater/core'
import type { AuditedDatagram, AuditedMessage } from './audited-datagram.ts'

/** The rules that the auditor knows, by the section that states each. */
export const PACING_RULES = {
  /** One Non-confirmable request for each round trip of a client, or in 3 seconds without an estimate. */
  'request-pacing': 'RFC 9132 §4.4',
  /** One notification for each round trip of a server, or in 3 seconds without an estimate. */
  'notification-pacing': 'RFC 9132 §4.4.2.1',
  /** Not more than probing-rate on average to a peer that does not respond; mitigation requests do not count. */
  'probing-rate': 'RFC 7252 §4.7',
  /** Mitigation requests go out at regular intervals: neither probing-rate nor anything less urgent delays them. */
  'held-back': 'RFC 9132 §4.4'
} as const

export type PacingRule = keyof typeof PACING_RULES

/** A rule that was broken: by which datagram, and how. */
export interface PacingViolation {
  readonly rule: PacingRule
  readonly at: Instant
  readonly pair: string
  /** For people. */
  readonly text: string
}

export interface PacingAuditorOptions {
  /** Negotiated, in bytes per second. Default 5 (RFC 9132 §4.5.2). */
  readonly probingRate?: number
  /**
   * How late a mitigation request may be repeated, in milliseconds; undefined: it is not looked at, because agents are
   * stopped now and again.
   */
  readonly repetitionSlack?: number | undefined
  /**
   * How late a datagram may leave after its time had come, in milliseconds, because its process had to wait for the
   * processor: the next one may follow it so much sooner, and what came so shortly before may be taken up after it. Default 0.
   */
  readonly lateness?: number
  readonly report: (violation: PacingViolation) => void
}

/** RFC 9132 §4.4: where there is no estimate of the round-trip time. */
const WITHOUT_ESTIMATE_MILLISECONDS = 3000

/** As many round trips as leave no more than a trace in a smoothed estimate (RFC 6298 §2: the newest counts 1/8). */
const REMEMBERED = 64

/** Part of a spacing that rounding may take. */
const TOLERANCE = 0.01

/**
 * After so many copies, all but one in 256 requests are at the server where half of them are lost: then it is the answer
 * that is missing, and a question may take every other turn to get it.
 */
const COPIES_BEFORE_QUESTIONS = 8

const DEFAULT_PROBING_RATE = 5

/** Bytes in vain are averaged over no less than MAX_TRANSMIT_SPAN (RFC 7252 §4.8.2, RFC 9132 §4.5.2), in seconds. */
const SHORTEST_AVERAGE_SECONDS = 21

/**
 * Judges a trace of datagrams by the pacing rules of DOTS, without the help of those who sent them. It takes its round
 * trips from the wire, and the shortest of the last ones as the rule, so that what it reports is too fast by any estimate.
 */
export class PacingAuditor {
  readonly #options: PacingAuditorOptions
  readonly #pairs = new Map<string, { readonly client: Sender; readonly server: Sender }>()
  /** Datagrams that were judged. */
  judged = 0

  constructor(options: PacingAuditorOptions) {
    this.#options = options
  }

  /** Takes the next datagram of the trace; times never go back within a pair. */
  take(datagram: AuditedDatagram): void {
    const { client, server } = this.#pairOf(datagram.pair)
    const isToServer = datagram.direction === 'to-server'
    this.judged++
    if (datagram.when === 'sent') (isToServer ? client : server).sent(datagram)
    else (isToServer ? server : client).heard(datagram)
  }

  #pairOf(pair: string): { readonly client: Sender; readonly server: Sender } {
    const known = this.#pairs.get(pair)
    if (known !== undefined) return known
    const made = {
      client: new Sender('client', pair, this.#options),
      server: new Sender('server', pair, this.#options)
    }
    this.#pairs.set(pair, made)
    return made
  }
}

type Request = Extract<AuditedMessage, { readonly kind: 'request' }>

/** A request without an answer. */
interface OpenRequest {
  readonly at: Instant
  /** How often it was sent. */
  readonly copies: number
  /** Mitigation requests that had been sent when it last was. */
  readonly mitigationRequests: number
}

/** What was sent to a peer that has not been heard since. */
interface Probes {
  readonly firstAt: Instant
  readonly lastAt: Instant
  readonly bytes: number
  /** What of it the rate has not made up for at `lastAt`: nothing is saved up for later. */
  readonly backlog: number
}

/** One agent of a pair, judged by what it sends and what reaches it. */
class Sender {
  readonly #role: 'client' | 'server'
  readonly #pair: string
  readonly #options: PacingAuditorOptions
  readonly #roundTrips: number[] = []
  readonly #open = new Map<string, OpenRequest>()
  #mitigationRequests = 0
  #greetedAt: Instant | undefined
  #requestedAt: Instant | undefined
  #notifiedAt: Instant | undefined
  /**
   * What was sent over each session on which nothing has been heard since, mitigation requests aside. RFC 7252 §4.7 speaks
   * of endpoints, and a security association makes an endpoint (RFC 7252 §1.2, §9.1).
   */
  readonly #probes = new Map<string, Probes>()
  readonly #heardAt = new Map<string, Instant>()
  #measuredAt: Instant | undefined
  /** How often each request reached this agent and waits for its answer. */
  readonly #asked = new Map<string, number>()

  constructor(role: 'client' | 'server', pair: string, options: PacingAuditorOptions) {
    this.#role = role
    this.#pair = pair
    this.#options = options
  }

  sent(datagram: AuditedDatagram): void {
    const { message, session, at } = datagram
    if (message?.kind === 'handshake') this.#greetedAt = at
    if (message?.kind === 'answer' && !this.#answers(`${session} ${message.token}`) && message.hasObserve)
      this.#notified(at)
    if (message?.kind !== 'request') return
    if (message.isNonConfirmable) this.#requested(datagram, message)
    else this.#opened(`${session} ${message.token}`, at)
  }

  heard({ message, session, at }: AuditedDatagram): void {
    this.#probes.delete(session)
    this.#heardAt.set(session, at)
    if (message?.kind === 'handshake' && this.#greetedAt !== undefined)
      this.#measured(at - this.#greetedAt, at)
    if (message === undefined || message.kind === 'handshake') return
    const key = `${session} ${message.token}`
    if (message.kind === 'request') {
      this.#asked.set(key, (this.#asked.get(key) ?? 0) + 1)
      return
    }
    const open = this.#open.get(key)
    if (open?.copies === 1) this.#measured(at - open.at, at)
    this.#open.delete(key)
  }

  /** @returns whether a request waited for this answer. */
  #answers(key: string): boolean {
    const count = this.#asked.get(key) ?? 0
    if (count > 1) this.#asked.set(key, count - 1)
    else this.#asked.delete(key)
    return count > 0
  }

  #requested(datagram: AuditedDatagram, { token, about }: Request): void {
    const { at, session } = datagram
    const key = `${session} ${token}`
    const before = this.#open.get(key)
    if (this.#role === 'client') this.#judgeSpacing(at)
    if (about !== 'mitigation') this.#probed(datagram)
    else if (before !== undefined) this.#judgeRepetition(before, at)
    // What was measured before tells nothing of a path that has lost something.
    // Of what came at this very moment, nobody but the agent knows whether it took it up before or after.
    if (before !== undefined) this.#roundTrips.splice(0, this.#roundTrips.length - this.#measuredJustNow(at))
    if (about === 'mitigation') this.#mitigationRequests++
    this.#requestedAt = at
    this.#opened(key, at)
  }

  /** A Confirmable request paces itself (RFC 7252 §4.2), and tells the round trip like any other. */
  #opened(key: string, at: Instant): void {
    const copies = (this.#open.get(key)?.copies ?? 0) + 1
    this.#open.set(key, { at, copies, mitigationRequests: this.#mitigationRequests })
  }

  #measuredJustNow(at: Instant): number {
    return this.#measuredAt === at ? 1 : 0
  }

  #judgeSpacing(at: Instant): void {
    if (this.#requestedAt === undefined) return
    const [spacing, least] = [at - this.#requestedAt, this.#leastSpacing()]
    if (this.#isTooSoon(spacing, least))
      this.#report(
        'request-pacing',
        at,
        `two requests within ${ms(spacing)}, where ${ms(least)} is the least`
      )
  }

  #notified(at: Instant): void {
    const [last, least] = [this.#notifiedAt, this.#leastSpacing()]
    this.#notifiedAt = at
    if (last !== undefined && this.#isTooSoon(at - last, least))
      this.#report(
        'notification-pacing',
        at,
        `two notifications within ${ms(at - last)}, where ${ms(least)} is the least`
      )
  }

  /** A peer counts as one that does not respond when its answer is later than the longest spacing of requests. */
  #probed({ at, session, bytes }: AuditedDatagram): void {
    // Datagrams that came together are taken one by one: to the agent, the rest of them comes after what it sends now. Where
    // time is real, that takes a moment.
    const heardAt = this.#heardAt.get(session)
    if (heardAt !== undefined && at - heardAt <= (this.#options.lateness ?? 0)) {
      this.#probes.delete(session)
      return
    }
    const rate = this.#options.probingRate ?? DEFAULT_PROBING_RATE
    const known = this.#probes.get(session) ?? { firstAt: at, bytes: 0, backlog: 0, lastAt: at }
    const drained = (rate * (at - known.lastAt)) / 1000
    const probes = {
      firstAt: known.firstAt,
      bytes: known.bytes + bytes,
      backlog: Math.max(0, known.backlog - drained) + bytes,
      lastAt: at
    }
    this.#probes.set(session, probes)
    if (at - probes.firstAt < WITHOUT_ESTIMATE_MILLISECONDS * (1 - TOLERANCE)) return
    // What an agent wanted to send by an address that its host has lost, nobody sees; it has counted it.
    const seconds = (at - (heardAt ?? probes.firstAt)) / 1000
    const most = rate * Math.max(seconds, SHORTEST_AVERAGE_SECONDS)
    if (probes.bytes * (1 - TOLERANCE) > most)
      this.#reportProbing(at, `${probes.bytes} bytes in ${seconds.toFixed(1)} s`)
    else if (probes.backlog * (1 - TOLERANCE) > rate * SHORTEST_AVERAGE_SECONDS)
      this.#reportProbing(at, `${probes.backlog.toFixed(0)} bytes more than the time before was worth`)
  }

  #reportProbing(at: Instant, what: string): void {
    const rate = this.#options.probingRate ?? DEFAULT_PROBING_RATE
    const where = `to a peer that does not respond, where ${rate} bytes/s are allowed`
    this.#report('probing-rate', at, `${what} ${where}`)
  }

  #judgeRepetition(before: OpenRequest, at: Instant): void {
    const { repetitionSlack } = this.#options
    if (repetitionSlack === undefined) return
    // Others of its kind had their turns in between, and after so many copies a question may follow each of them.
    const perRequest = before.copies >= COPIES_BEFORE_QUESTIONS ? 2 : 1
    const turns = (1 + this.#mitigationRequests - before.mitigationRequests) * perRequest
    const latest = turns * WITHOUT_ESTIMATE_MILLISECONDS + repetitionSlack
    if (at - before.at > latest)
      this.#report('held-back', at, `a mitigation request was repeated after ${ms(at - before.at)}`)
  }

  #isTooSoon(spacing: number, least: number): boolean {
    return spacing + (this.#options.lateness ?? 0) < least * (1 - TOLERANCE)
  }

  #leastSpacing(): number {
    return Math.min(WITHOUT_ESTIMATE_MILLISECONDS, ...this.#roundTrips)
  }

  #measured(milliseconds: number, at: Instant): void {
    this.#measuredAt = at
    this.#roundTrips.push(milliseconds)
    if (this.#roundTrips.length > REMEMBERED) this.#roundTrips.shift()
  }

  #report(rule: PacingRule, at: Instant, what: string): void {
    const text = `${this.#role}: ${what} (${PACING_RULES[rule]})`
    this.#options.report({ rule, at, pair: this.#pair, text })
  }
}

function ms(duration: number): string {
  return `${duration.toFixed(1)} ms`
}
