import type { Instant } from '@breakwater/core'
import type { Traffic } from '../world/traffic.ts'
import type { MakeInvariant, Report } from './invariant.ts'

/** RFC 9132 §4.4: where there is no estimate of the round-trip time. */
const WITHOUT_ESTIMATE_MILLISECONDS = 3000

/** As many round trips as leave no more than a trace in a smoothed estimate (RFC 6298 §2: the newest counts 1/8). */
const REMEMBERED = 64

/** A record type of DTLS (RFC 6347 §4.1). */
const HANDSHAKE = 22

/** Part of a spacing that rounding may take. */
const TOLERANCE = 0.01

/**
 * RFC 9132 §4.4: between two DOTS agents not more than one Non-confirmable request for each round trip, and where the
 * round-trip time is not known, or nothing was measured since a request had to be repeated, one in 3 seconds. The auditor takes its round trips
 * from the wire, and the shortest of the last ones as the rule, so what it reports is too fast by any estimate.
 */
export const pacing: MakeInvariant = ({ customers }) => {
  const pairs = new Map<string, Pair>()
  return {
    name: 'pacing',
    traffic(traffic, report) {
      const { site, provider } = traffic
      const key = `${site} ${provider} ${customers[site]?.life}`
      const pair = pairs.get(key) ?? new Pair()
      pairs.set(key, pair)
      pair.take(traffic, (text) => report(`site ${site} to provider ${provider}: ${text}`))
    }
  }
}

class Pair {
  readonly #roundTrips: number[] = []
  /** When each request that has no answer yet was sent, by token; undefined: more than once. */
  readonly #open = new Map<string, Instant | undefined>()
  #greetedAt: Instant | undefined
  #lastAt: Instant | undefined

  take({ when, direction, seen, entry }: Traffic, report: Report): void {
    if (seen === undefined) {
      if (entry.bytes[0] === HANDSHAKE) this.#shakeHands(when, direction, entry.at)
      return
    }
    if (direction === 'to-client') {
      if (when === 'delivered') this.#answered(seen.token, entry.at)
      return
    }
    if (when === 'sent' && seen.kind !== 'answer' && seen.isNonConfirmable)
      this.#sent(seen.token, entry.at, report)
  }

  #shakeHands(when: Traffic['when'], direction: Traffic['direction'], at: Instant): void {
    if (direction === 'to-server' && when === 'sent') this.#greetedAt = at
    if (direction === 'to-client' && when === 'delivered' && this.#greetedAt !== undefined)
      this.#measured(at - this.#greetedAt)
  }

  #answered(token: string, at: Instant): void {
    const sentAt = this.#open.get(token)
    if (sentAt !== undefined) this.#measured(at - sentAt)
    this.#open.delete(token)
  }

  #measured(milliseconds: number): void {
    this.#roundTrips.push(milliseconds)
    if (this.#roundTrips.length > REMEMBERED) this.#roundTrips.shift()
  }

  #sent(token: string, at: Instant, report: Report): void {
    const isRepetition = this.#open.has(token)
    this.#open.set(token, isRepetition ? undefined : at)
    const last = this.#lastAt
    const least = Math.min(WITHOUT_ESTIMATE_MILLISECONDS, ...this.#roundTrips)
    this.#lastAt = at
    // What was measured before tells nothing of a path that has lost something.
    if (isRepetition) this.#roundTrips.length = 0
    if (last === undefined) return
    if (at - last >= least * (1 - TOLERANCE)) return
    report(`two requests within ${(at - last).toFixed(1)} ms, where ${least.toFixed(1)} ms is the least`)
  }
}
