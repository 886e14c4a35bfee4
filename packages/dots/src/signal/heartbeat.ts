import { Milliseconds, Queue, Seconds, after, fraction } from '@breakwater/core'
import type { Duration, Entropy, Instant, Machine } from '@breakwater/core'
import { MINIMUM_HEARTBEAT_SPACING } from './defaults.ts'

/**
 * Our half of the heartbeats of one session (RFC 9132 §4.7): when to probe the peer, what to tell it of its own probes,
 * and when its silence means something. Both agents run one per session; what silence means to them is their affair.
 */

/** The negotiated part. */
export interface HeartbeatConfiguration {
  /** 0 switches heartbeats off. */
  readonly heartbeatIntervalSeconds: number
  readonly missingHeartbeatsAllowed: number
}

/** What a `Heartbeat` is told. */
export type HeartbeatInput =
  /** A heartbeat of the peer's came; `peerHeartbeatStatus` as it says. */
  | { readonly kind: 'peer-heartbeat'; readonly peerHeartbeatStatus: boolean }
  /** The peer answered our last heartbeat. */
  | { readonly kind: 'answered' }
  /** Something else came from the peer. */
  | { readonly kind: 'traffic' }
  | { readonly kind: 'configuration'; readonly configuration: HeartbeatConfiguration }
  /** Somebody wants to know now whether the peer answers. */
  | { readonly kind: 'look' }

/** What it wants done, and what it tells. */
export type HeartbeatOutput =
  /** Send a heartbeat; an earlier one that is still unanswered may be forgotten. */
  | { readonly kind: 'send'; readonly peerHeartbeatStatus: boolean }
  /** As many heartbeats as allowed went unanswered, but something came from the peer in that time. */
  | { readonly kind: 'unanswered'; readonly count: number }
  /** As many heartbeats as allowed went unanswered, and nothing at all came from the peer in that time. */
  | { readonly kind: 'silent'; readonly count: number }
  /** After `unanswered` or `silent`: the peer answered a heartbeat. */
  | { readonly kind: 'answered-again' }

/** Longest addition to an interval, as a part of it. An addition only: the interval is also a lower bound. */
const JITTER = 0.1

/** How long nothing may come from a peer until its session counts as disconnected, at most (RFC 9132 §4.7). */
export function silenceSpan(configuration: HeartbeatConfiguration): Duration {
  const { heartbeatIntervalSeconds, missingHeartbeatsAllowed } = configuration
  return Seconds(heartbeatIntervalSeconds * missingHeartbeatsAllowed * (1 + JITTER))
}

/** `hearing`: fewer than allowed went unanswered; then what was reported last. */
type Report = 'hearing' | 'unanswered' | 'silent'

/** Our half of the heartbeats of one session: see the top of this file. */
export class Heartbeat implements Machine<HeartbeatInput, HeartbeatOutput> {
  readonly #entropy: Entropy
  #configuration: HeartbeatConfiguration
  #nextAt: Instant | undefined
  #sentAt: Instant | undefined
  /** Heartbeats sent since the last answer. */
  #unanswered = 0
  #trafficAt: Instant
  /** When the peer's last heartbeat came; at first, when the session began, for we cannot have heard it before. */
  #peerHeartbeatAt: Instant
  #report: Report = 'hearing'
  readonly #outputs = new Queue<HeartbeatOutput>()

  /** Starts at the establishment of a session; the first heartbeat comes after half to one interval. */
  constructor(configuration: HeartbeatConfiguration, entropy: Entropy, now: Instant) {
    this.#configuration = configuration
    this.#entropy = entropy
    this.#trafficAt = now
    this.#peerHeartbeatAt = now
    this.#schedule(now, 0.5 + fraction(entropy) / 2)
  }

  handle(input: HeartbeatInput, now: Instant): void {
    if (input.kind !== 'configuration' && input.kind !== 'look') this.#trafficAt = now
    switch (input.kind) {
      case 'peer-heartbeat':
        this.#peerHeartbeatAt = now
        // RFC 9132 §4.7: the peer does not hear ours; one that follows its own at once has the best chance.
        if (!input.peerHeartbeatStatus && this.#maySendAt(now)) this.#send(now)
        return
      case 'answered':
        this.#answered()
        return
      case 'traffic':
        return
      case 'configuration':
        this.#configure(input.configuration, now)
        return
      case 'look':
        if (this.#maySendAt(now)) this.#send(now)
        return
    }
  }

  poll(): HeartbeatOutput | undefined {
    return this.#outputs.shift()
  }

  nextTimeout(): Instant | undefined {
    return this.#nextAt
  }

  handleTimeout(now: Instant): void {
    if (this.#nextAt === undefined || now < this.#nextAt) return
    this.#judge(now)
    this.#send(now)
  }

  /** Whether the peer's heartbeats came in the last two intervals; true as long as the session is younger than that. */
  hearsPeer(now: Instant): boolean {
    return now - this.#peerHeartbeatAt <= 2 * this.#interval()
  }

  /**
   * Whether a heartbeat went unanswered, and nothing else came either, for two intervals: the session may be gone at the
   * peer. Too early to call it so (RFC 9132 §4.7: missing-hb-allowed), not too early to try another way.
   */
  isUnresponsive(now: Instant): boolean {
    return this.#unanswered >= 2 && now - this.#trafficAt >= 2 * this.#interval()
  }

  /** Heartbeats sent since the last answer. */
  get unansweredCount(): number {
    return this.#unanswered
  }

  /** When anything last came from the peer, or the session began. */
  get lastTrafficAt(): Instant {
    return this.#trafficAt
  }

  #send(now: Instant): void {
    this.#unanswered++
    this.#sentAt = now
    this.#outputs.push({ kind: 'send', peerHeartbeatStatus: this.hearsPeer(now) })
    this.#schedule(now, 1 + fraction(this.#entropy) * JITTER)
  }

  /** RFC 9132 §4.7: silence is told from a link that is full in one direction by what else came. */
  #judge(now: Instant): void {
    const allowed = this.#configuration.missingHeartbeatsAllowed
    if (this.#unanswered < allowed) return
    const report: Report = now - this.#trafficAt < allowed * this.#interval() ? 'unanswered' : 'silent'
    if (report === this.#report) return
    this.#report = report
    this.#outputs.push({ kind: report, count: this.#unanswered })
  }

  #answered(): void {
    this.#unanswered = 0
    if (this.#report === 'hearing') return
    this.#report = 'hearing'
    this.#outputs.push({ kind: 'answered-again' })
  }

  /** What went on until now is judged by the old values, and leaves no debt for the new ones. */
  #configure(configuration: HeartbeatConfiguration, now: Instant): void {
    if (sameConfiguration(this.#configuration, configuration)) return
    // A pause that the old interval allowed, or in which heartbeats were off, says nothing about the peer.
    if (this.#interval() === 0 || this.hearsPeer(now)) this.#peerHeartbeatAt = now
    this.#unanswered = 0
    this.#configuration = configuration
    this.#schedule(this.#sentAt ?? now, 1 + fraction(this.#entropy) * JITTER)
  }

  #maySendAt(now: Instant): boolean {
    if (this.#nextAt === undefined) return false
    return this.#sentAt === undefined || now - this.#sentAt >= MINIMUM_HEARTBEAT_SPACING
  }

  #schedule(from: Instant, intervals: number): void {
    const interval = this.#interval()
    this.#nextAt = interval === 0 ? undefined : after(from, Milliseconds(interval * intervals))
  }

  #interval(): Duration {
    return Seconds(this.#configuration.heartbeatIntervalSeconds)
  }
}

function sameConfiguration(a: HeartbeatConfiguration, b: HeartbeatConfiguration): boolean {
  return (
    a.heartbeatIntervalSeconds === b.heartbeatIntervalSeconds &&
    a.missingHeartbeatsAllowed === b.missingHeartbeatsAllowed
  )
}
