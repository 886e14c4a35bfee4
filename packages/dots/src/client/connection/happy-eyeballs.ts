import { ConfigError, Milliseconds, after, between } from '@breakwater/core'
import type { ConfigProblem, Duration, Instant, Machine, SessionFailure } from '@breakwater/core'
import type { AttemptOutcome } from './attempt-outcome.ts'
import type { ConnectionId } from './session-state.ts'

/** How the attempts of a run are spaced. */
export interface AttemptRule {
  /** Connection Attempt Delay (RFC 8305 §5). Default 250. */
  readonly attemptDelayMilliseconds: number
  /** The same during an attack (RFC 9132 §4.3). Default 100. */
  readonly attackAttemptDelayMilliseconds: number
}

/** RFC 8305 §5, and RFC 9132 §4.3 for the time of an attack. */
export const DEFAULT_ATTEMPT_RULE: AttemptRule = {
  attemptDelayMilliseconds: 250,
  attackAttemptDelayMilliseconds: 100
}

/** RFC 8305 §5: an attempt MUST NOT start within 10 ms of the one before; more than 2 s helps nobody. */
export const ATTEMPT_DELAY_MILLISECONDS = { minimum: 10, maximum: 2000 } as const

/** RFC 8305 §5, Minimum Connection Attempt Delay: also when the attempt before failed at once. */
const LEAST_DELAY: Duration = Milliseconds(100)

/** RFC 8305 §5, Maximum Connection Attempt Delay: so long a candidate waits of which we know that it did badly. */
const HELD_BACK_DELAY: Duration = Milliseconds(ATTEMPT_DELAY_MILLISECONDS.maximum)

/** A rule with the defaults for what is missing; throws a ConfigError when RFC 8305 forbids it. */
export function attemptRule(given: Partial<AttemptRule> = {}): AttemptRule {
  const rule = { ...DEFAULT_ATTEMPT_RULE, ...given }
  const { minimum, maximum } = ATTEMPT_DELAY_MILLISECONDS
  const problems: ConfigProblem[] = []
  for (const name of ['attemptDelayMilliseconds', 'attackAttemptDelayMilliseconds'] as const)
    if (!(rule[name] >= minimum && rule[name] <= maximum))
      problems.push({
        path: name,
        message: `${rule[name]} is not between ${minimum} and ${maximum} (RFC 8305 §5)`
      })
  if (problems.length > 0)
    throw new ConfigError('DOTS_CLIENT_ATTEMPT_DELAY_INVALID', 'the attempt delay is unusable', problems)
  return rule
}

/** A way to the server that may be tried. */
export interface Candidate<Path> {
  readonly path: Path
  /** It did badly a short while ago: it comes late (RFC 9132 §4.3: lest subsequent attempts thrash the network). */
  readonly isHeldBack: boolean
}

/** An attempt under way. */
export interface RunningAttempt<Path> {
  readonly connection: ConnectionId
  readonly path: Path
  readonly since: Instant
}

export interface CandidateOutcome<Path> {
  readonly path: Path
  readonly outcome: AttemptOutcome
}

export type HappyEyeballsInput<Path> =
  | { readonly kind: 'start' }
  | { readonly kind: 'established'; readonly connection: ConnectionId }
  | { readonly kind: 'failed'; readonly connection: ConnectionId; readonly reason: SessionFailure }
  /** Some candidates are none any more, and there are others, to be tried after those that wait. */
  | { readonly kind: 'revised'; readonly lost: readonly Path[]; readonly found: readonly Candidate<Path>[] }
  /** An attack has begun, or is over. */
  | { readonly kind: 'attack'; readonly isOn: boolean }
  | { readonly kind: 'cancel' }

export type HappyEyeballsOutput<Path> =
  | { readonly kind: 'connect'; readonly connection: ConnectionId; readonly path: Path }
  | { readonly kind: 'close'; readonly connection: ConnectionId }
  | {
      readonly kind: 'won'
      readonly attempt: RunningAttempt<Path>
      readonly outcomes: readonly CandidateOutcome<Path>[]
      /** The other attempts go on. */
      readonly goesOn: boolean
    }
  | {
      readonly kind: 'failed'
      readonly outcomes: readonly CandidateOutcome<Path>[]
      /** Of the attempt that failed last, of those that sent something; `local` when nothing was sent at all. */
      readonly reason: SessionFailure
    }

export interface HappyEyeballsOptions<Path> {
  /** The most preferred first; tried in this order. */
  readonly candidates: readonly Candidate<Path>[]
  readonly rule: AttemptRule
  readonly isUnderAttack: boolean
  readonly newConnection: () => ConnectionId
}

type RunState<Path> =
  | { readonly kind: 'ready' }
  | { readonly kind: 'racing'; readonly running: readonly RunningAttempt<Path>[] }
  | { readonly kind: 'over' }

/**
 * One Happy Eyeballs run over all ways to a server (RFC 9132 §4.3, RFC 8305 §5): attempts start one after the other, none
 * waits for the failure of the one before, and the first that is established wins.
 *
 * Deviation: RFC 8305 §5 would have the others cancelled then. During an attack they go on until whoever runs this has
 * heard the server over a session and cancels: a handshake that is complete at our end may not be at the other, and a
 * connection may be stuck by losses right behind it.
 *
 * | state | start | established | failed | revised | attack | cancel | time |
 * |---|---|---|---|---|---|---|---|
 * | `ready` | first attempt | closed | – | others wait | other delay | `over` | – |
 * | `racing` | – | of a running attempt: won, and `over` unless an attack is on; else closed | the next starts; the last: `over`, failed | what is lost is closed and has failed, others wait | other delay | all closed, `over` | next attempt |
 * | `over` | – | closed: it comes too late | – | – | – | – | – |
 */
export class HappyEyeballs<Path> implements Machine<HappyEyeballsInput<Path>, HappyEyeballsOutput<Path>> {
  readonly #options: HappyEyeballsOptions<Path>
  readonly #waiting: Candidate<Path>[]
  readonly #outcomes = new Map<Path, AttemptOutcome>()
  readonly #outputs: HappyEyeballsOutput<Path>[] = []
  #state: RunState<Path> = { kind: 'ready' }
  #isUnderAttack: boolean
  /** When each attempt started of which we do not know that it sent nothing, the latest last. */
  readonly #sentAt = new Map<ConnectionId, Instant>()
  #reason: SessionFailure = 'local'

  constructor(options: HappyEyeballsOptions<Path>) {
    this.#options = options
    this.#waiting = [...options.candidates]
    this.#isUnderAttack = options.isUnderAttack
  }

  /** Attempts under way, in the order in which they started. */
  get running(): readonly RunningAttempt<Path>[] {
    return this.#state.kind === 'racing' ? this.#state.running : []
  }

  /** Candidates whose turn has not come. */
  get waiting(): readonly Candidate<Path>[] {
    return this.#waiting
  }

  /** What came of the candidates so far. */
  get outcomes(): readonly CandidateOutcome<Path>[] {
    return [...this.#outcomes].map(([path, outcome]) => ({ path, outcome }))
  }

  handle(input: HappyEyeballsInput<Path>, now: Instant): void {
    switch (input.kind) {
      case 'start':
        if (this.#state.kind === 'ready') this.#race([], now)
        return
      case 'established':
        this.#established(input.connection, now)
        return
      case 'failed':
        this.#failed(input.connection, input.reason, now)
        return
      case 'revised':
        this.#revise(input.lost, input.found, now)
        return
      case 'attack':
        this.#isUnderAttack = input.isOn
        return
      case 'cancel':
        this.#close(this.running)
        this.#state = { kind: 'over' }
    }
  }

  poll(): HappyEyeballsOutput<Path> | undefined {
    return this.#outputs.shift()
  }

  nextTimeout(): Instant | undefined {
    const [next] = this.#waiting
    const sentAt = [...this.#sentAt.values()].at(-1)
    if (this.#state.kind !== 'racing' || next === undefined || sentAt === undefined) return undefined
    return after(sentAt, this.#delayBefore(next, this.#state.running.length > 0))
  }

  handleTimeout(now: Instant): void {
    if (this.#state.kind === 'racing') this.#race(this.#state.running, now)
  }

  /** Starts the next attempt if its time has come, and fails when there is nothing left to wait for. */
  #race(running: readonly RunningAttempt<Path>[], now: Instant): void {
    this.#state = { kind: 'racing', running }
    const [next] = this.#waiting
    if (next === undefined) {
      if (running.length === 0) this.#lose()
      return
    }
    const due = this.nextTimeout()
    if (due !== undefined && due > now) return
    this.#waiting.shift()
    const connection = this.#options.newConnection()
    this.#sentAt.set(connection, now)
    this.#state = { kind: 'racing', running: [...running, { connection, path: next.path, since: now }] }
    this.#outputs.push({ kind: 'connect', connection, path: next.path })
  }

  #revise(lost: readonly Path[], found: readonly Candidate<Path>[], now: Instant): void {
    const waiting = this.#waiting.filter(({ path }) => !lost.includes(path))
    this.#waiting.splice(0, this.#waiting.length, ...waiting, ...found)
    if (this.#state.kind !== 'racing') return
    const over = this.running.filter(({ path }) => lost.includes(path))
    this.#close(over)
    for (const { path } of over) this.#outcomes.set(path, { kind: 'failed', reason: 'local' })
    this.#race(
      this.running.filter((each) => !over.includes(each)),
      now
    )
  }

  #delayBefore(next: Candidate<Path>, isOneRunning: boolean): Duration {
    const { attemptDelayMilliseconds, attackAttemptDelayMilliseconds } = this.#options.rule
    const usual = this.#isUnderAttack ? attackAttemptDelayMilliseconds : attemptDelayMilliseconds
    if (!isOneRunning) return Milliseconds(Math.min(usual, LEAST_DELAY))
    return next.isHeldBack ? HELD_BACK_DELAY : Milliseconds(usual)
  }

  #established(connection: ConnectionId, now: Instant): void {
    const attempt = this.running.find((each) => each.connection === connection)
    if (attempt === undefined) {
      this.#outputs.push({ kind: 'close', connection })
      return
    }
    const others = this.running.filter((each) => each !== attempt)
    this.#outcomes.set(attempt.path, { kind: 'won', took: between(attempt.since, now) })
    for (const { path, since } of others)
      this.#outcomes.set(path, { kind: 'outrun', waited: between(since, now) })
    for (const { path } of this.#waiting) this.#outcomes.set(path, { kind: 'untried' })
    const outcomes = this.outcomes
    const goesOn = this.#isUnderAttack && others.length + this.#waiting.length > 0
    if (goesOn) {
      // What goes on has no outcome yet.
      for (const { path } of [...others, ...this.#waiting]) this.#outcomes.delete(path)
      this.#state = { kind: 'racing', running: others }
    } else {
      this.#close(others)
      this.#state = { kind: 'over' }
    }
    this.#outputs.push({ kind: 'won', attempt, outcomes, goesOn })
  }

  /** RFC 8305 §5: what has not succeeded when one has is cancelled. */
  #close(attempts: readonly RunningAttempt<Path>[]): void {
    for (const { connection } of attempts) this.#outputs.push({ kind: 'close', connection })
  }

  #failed(connection: ConnectionId, reason: SessionFailure, now: Instant): void {
    const attempt = this.running.find((each) => each.connection === connection)
    if (attempt === undefined) return
    this.#outcomes.set(attempt.path, { kind: 'failed', reason })
    if (reason === 'local') this.#sentAt.delete(connection)
    else this.#reason = reason
    this.#race(
      this.running.filter((each) => each !== attempt),
      now
    )
  }

  #lose(): void {
    this.#state = { kind: 'over' }
    this.#outputs.push({ kind: 'failed', outcomes: this.outcomes, reason: this.#reason })
  }
}
