import { Milliseconds, Seconds, between } from '@breakwater/core'
import type { Duration, Instant } from '@breakwater/core'
import { RoundTrip } from './round-trip.ts'
import type { EvidenceTrust, PathEvidence } from './path-evidence.ts'

/** What is known of a path in one direction (RFC 5534 §4, whose states these are in other words). */
export type DirectionState = 'unknown' | 'up' | 'suspect' | 'down'

/** So many time-outs in a row make a path that is suspect one that is down. */
const TIMEOUTS_UNTIL_DOWN = 3

/** Fast down, slow up: so long nothing must go wrong before a path that was bad counts as good again. */
export const SLOW_UP: Duration = Seconds(120)

/** For so long evidence says something of a path; two heartbeats of the default interval fit in. */
export const EVIDENCE_AGE: Duration = Seconds(70)

/** Less trusted evidence does not change what was learnt from better evidence within this time. */
const TRUST_AGE: Duration = Seconds(60)

const RANK: Readonly<Record<EvidenceTrust, number>> = { session: 2, cookie: 1, hint: 0 }

/** What is the matter with a path, as far as that can be told from its near end. */
export type PathCondition = 'clear' | 'late' | 'inbound-full' | 'outbound-broken' | 'dead'

/**
 * What is known of one path.
 *
 * | state of a direction | good | bad, once | bad, three times running, or final |
 * |---|---|---|---|
 * | `unknown` | `up` | `suspect` | `down` |
 * | `up` | – | `suspect` | `down` |
 * | `suspect` | `up`, when nothing was bad for two minutes | – | `down` |
 * | `down` | `suspect` | – | – |
 */
export class PathRecord {
  readonly roundTrip: RoundTrip = new RoundTrip()
  inward: DirectionState = 'unknown'
  outward: DirectionState = 'unknown'
  timeouts = 0
  lastGood: Instant | undefined
  lastBad: Instant | undefined
  /** The last evidence that changed anything, in words. */
  because = 'never used'
  trust: EvidenceTrust | undefined
  #trustedAt: Instant | undefined
  #unansweredSince: Instant | undefined
  #heardAt: Instant | undefined
  /** What the peer last said of our heartbeats. */
  #word: { readonly at: Instant; readonly hearsUs: boolean } | undefined

  /** @returns whether it counts: a hint is a reason to look, and no more. */
  take(evidence: PathEvidence, now: Instant): boolean {
    const { trust, verdict, direction } = evidence
    if (!this.#isTrusted(trust, now)) return false
    this.trust = trust
    this.#trustedAt = now
    this.because = evidence.because
    if (direction === 'outward') this.#word = { at: now, hearsUs: verdict === 'good' }
    if (direction === 'inward') this.#heardAt = now
    if (verdict === 'good') this.#good(evidence, now)
    else this.#bad(evidence, now)
    return true
  }

  /** When the first of what has no answer was sent; undefined: everything was answered. */
  get unansweredSince(): Instant | undefined {
    return this.#unansweredSince
  }

  /** The worse of the two directions. */
  get state(): DirectionState {
    const order: readonly DirectionState[] = ['up', 'unknown', 'suspect', 'down']
    return order.indexOf(this.inward) > order.indexOf(this.outward) ? this.inward : this.outward
  }

  /** Whether anything was learnt of it lately. */
  isFresh(now: Instant): boolean {
    const last = Math.max(this.lastGood ?? -Infinity, this.lastBad ?? -Infinity)
    return now - last <= EVIDENCE_AGE
  }

  /** Since when nothing was bad; undefined: it is bad now, or nothing was ever good. */
  goodFor(now: Instant): Duration | undefined {
    if (this.lastGood === undefined || this.#unansweredSince !== undefined) return undefined
    if (this.lastBad === undefined) return Milliseconds(Infinity)
    return this.lastGood > this.lastBad ? between(this.lastBad, now) : undefined
  }

  /** RFC 9132 §4.7: a link that is full in one direction is told from one that is dead by what the peer goes on saying. */
  get condition(): PathCondition {
    const since = this.#unansweredSince
    if (since === undefined) return 'clear'
    const word = this.#word
    if (word !== undefined && word.at >= since) return word.hearsUs ? 'inbound-full' : 'outbound-broken'
    if (this.#heardAt !== undefined && this.#heardAt >= since) return 'late'
    return this.state === 'down' ? 'dead' : 'late'
  }

  /** Unauthenticated evidence never displaces authenticated one, nor stands for it. */
  #isTrusted(trust: EvidenceTrust, now: Instant): boolean {
    if (trust === 'hint') return false
    if (this.trust === undefined || this.#trustedAt === undefined) return true
    return RANK[trust] >= RANK[this.trust] || between(this.#trustedAt, now) > TRUST_AGE
  }

  #good({ direction, roundTrip }: PathEvidence, now: Instant): void {
    if (roundTrip !== undefined) this.roundTrip.measured(roundTrip)
    if (direction !== 'outward') this.inward = this.#better(this.inward, now)
    if (direction !== 'inward') this.outward = this.#better(this.outward, now)
    if (direction !== undefined) return
    this.timeouts = 0
    this.#unansweredSince = undefined
    this.lastGood = now
  }

  #better(state: DirectionState, now: Instant): DirectionState {
    if (state === 'unknown') return 'up'
    if (state === 'down') return 'suspect'
    const isLongAgo = this.lastBad === undefined || between(this.lastBad, now) >= SLOW_UP
    return isLongAgo ? 'up' : state
  }

  #bad({ direction, sentAt, isFinal }: PathEvidence, now: Instant): void {
    // RFC 9132 §4.7: that the peer says so suggests it, no more; nothing was lost that waits for an answer.
    if (direction === 'outward') {
      if (this.outward !== 'down') this.outward = 'suspect'
      return
    }
    this.lastBad = now
    this.timeouts++
    this.#unansweredSince ??= sentAt ?? now
    const state = isFinal === true || this.timeouts >= TIMEOUTS_UNTIL_DOWN ? 'down' : 'suspect'
    this.inward = worse(this.inward, state)
    this.outward = worse(this.outward, state)
  }
}

function worse(state: DirectionState, found: 'suspect' | 'down'): DirectionState {
  return state === 'down' ? state : found
}
