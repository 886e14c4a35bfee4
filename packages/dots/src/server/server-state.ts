import { Instant, Queue, Seconds, TimerTable, WallTime, between } from '@breakwater/core'
import type { Counters, Duration, Entropy } from '@breakwater/core'
import { Authorization } from './requests/authorization.ts'
import type { Sharing } from './sharing/sharing.ts'
import { Tally } from './tally.ts'
import { ClaimIndex } from './requests/claim-index.ts'
import { ClientTable } from './client-state.ts'
import type { ServerEvent } from './event.ts'
import type { ServerOutput } from './message.ts'
import type { Mitigation } from './mitigations/mitigation.ts'
import type { ServerPolicy } from './policy.ts'
import type { Redirection } from './redirection.ts'
import { SessionActivity } from './sessions/session-activity.ts'

const STEP: Duration = Seconds(1)

/** What the parts of one server share. */
export class ServerState {
  readonly policy: ServerPolicy
  readonly entropy: Entropy
  readonly counters: Counters
  readonly timers: TimerTable = new TimerTable()
  readonly clients: ClientTable = new ClientTable()
  /** Targets of all mitigations that are not over, also of those not yet stored. */
  readonly claims: ClaimIndex<Mitigation> = new ClaimIndex()
  authorization: Authorization = new Authorization([])
  /** Where clients are sent (RFC 9132 §4.6). */
  redirection: Redirection | undefined
  /** Undefined: the store is this server's alone. */
  sharing: Sharing | undefined
  /** Mitigations that are not over, also those not yet stored; all, and by the owner of their cuid. */
  readonly mitigations: Tally = new Tally()
  readonly activity: SessionActivity = new SessionActivity()
  /** Calendar minus monotonic clock, as of the last reading. */
  #wallOffset = 0
  readonly #outputs = new Queue<ServerOutput>()

  constructor(policy: ServerPolicy, entropy: Entropy, counters: Counters) {
    this.policy = policy
    this.redirection = policy.redirection
    this.entropy = entropy
    this.counters = counters
  }

  /** Whether this server asks the mitigator, and decides what no request asks for. */
  get leads(): boolean {
    return this.sharing === undefined || this.sharing.leads
  }

  /** @returns whether the calendar stepped since it was read last: more than a clock that is being corrected drifts. */
  readClock(wallClock: WallTime, now: Instant): boolean {
    const before = this.#wallOffset
    this.#wallOffset = wallClock - now
    return Math.abs(this.#wallOffset - before) >= STEP
  }

  /** The calendar's reading at a moment of the monotonic clock. */
  wallAt(moment: Instant): WallTime {
    return WallTime(moment + this.#wallOffset)
  }

  /** The moment of the monotonic clock at which the calendar reads `wallClock`. */
  instantAt(wallClock: WallTime): Instant {
    return Instant(between(WallTime(this.#wallOffset), wallClock))
  }

  emit(output: ServerOutput): void {
    this.#outputs.push(output)
  }

  report(event: ServerEvent): void {
    this.#outputs.push({ kind: 'event', event })
  }

  /** The next output. */
  poll(): ServerOutput | undefined {
    return this.#outputs.shift()
  }
}
