import type { Duration, Instant, SessionFailure } from '@breakwater/core'
import type { LegalPath, LegalPaths } from '../../multihoming/legal-path.ts'
import type { Calendar } from '../memory/calendar.ts'
import { HappyEyeballs } from './happy-eyeballs.ts'
import type {
  AttemptRule,
  Candidate,
  CandidateOutcome,
  HappyEyeballsInput,
  HappyEyeballsOutput
} from './happy-eyeballs.ts'
import { OutcomeMemory, isSamePath } from './outcome-memory.ts'
import type { RememberedOutcomes } from './outcome-memory.ts'
import type { Attempt, ConnectionId, Race } from './session-state.ts'

export interface PathSelectionOptions {
  readonly paths: LegalPaths
  readonly attempts: AttemptRule
  readonly outcomeAge: Duration
  readonly calendar: Calendar
  /** Puts the candidates of a run in the order of what is known of their paths. Undefined: they keep their order. */
  readonly order?: OrderCandidates | undefined
  readonly newConnection: () => ConnectionId
}

/** The same candidates again, in another order or held back. */
export type OrderCandidates = (
  candidates: readonly Candidate<LegalPath>[],
  now: Instant
) => readonly Candidate<LegalPath>[]

export type PathSelectionOutput =
  | { readonly kind: 'connect'; readonly connection: ConnectionId; readonly path: LegalPath }
  | { readonly kind: 'close'; readonly connection: ConnectionId }
  | {
      readonly kind: 'won'
      readonly attempt: Attempt
      readonly learnt: RememberedOutcomes
      /** The same run, whose other attempts go on; undefined: it is over. */
      readonly backup: Race | undefined
    }
  | {
      readonly kind: 'failed'
      readonly outcomes: readonly CandidateOutcome<LegalPath>[]
      /** `local`: nothing was sent. */
      readonly reason: SessionFailure
    }

/**
 * Which of the legal paths to a server a session takes (RFC 9132 §4.3): one Happy Eyeballs run at a time, in the order
 * that the last one suggests.
 */
export class PathSelection {
  /** Ways to the server; a run that is under way keeps its own. */
  paths: LegalPaths
  readonly #options: PathSelectionOptions
  readonly #memory: OutcomeMemory
  readonly #outputs: PathSelectionOutput[] = []
  #race: Race | undefined
  #isUnderAttack = false

  constructor(options: PathSelectionOptions) {
    this.#options = options
    this.paths = options.paths
    this.#memory = new OutcomeMemory(options.outcomeAge)
  }

  get isUnderAttack(): boolean {
    return this.#isUnderAttack
  }

  /** What the next run would go by. */
  outcomes(now: Instant): RememberedOutcomes | undefined {
    return this.#memory.recall(this.paths.paths, this.#options.calendar.at(now))
  }

  restore(outcomes: RememberedOutcomes): void {
    this.#memory.restore(outcomes)
  }

  /** Nothing that was learnt holds any more. */
  forget(): void {
    this.#memory.forget()
  }

  /** A run over all paths; undefined when there is none. */
  start(now: Instant): Race | undefined {
    const { paths } = this.paths
    if (paths.length === 0) return undefined
    return this.#start(this.#memory.candidates(paths, this.#options.calendar.at(now)), now)
  }

  /** Whether this is one of the ways to the server. */
  isLegal(path: LegalPath): boolean {
    return this.paths.paths.some((each) => isSamePath(each, path))
  }

  /**
   * Takes what is no way to the server any more out of the run under way, and with `isForAll` takes in what has become one:
   * each is tried once in a run.
   */
  revise(isForAll: boolean, now: Instant): void {
    const run = this.#race?.run
    if (run === undefined) return
    const known = [...run.running, ...run.waiting, ...run.outcomes].map(({ path }) => path)
    const lost = known.filter((path) => !this.isLegal(path))
    const found = this.paths.paths.filter((path) => !known.some((each) => isSamePath(each, path)))
    const candidates = isForAll ? found.map((path) => ({ path, isHeldBack: false })) : []
    if (lost.length + candidates.length > 0) this.#tell({ kind: 'revised', lost, found: candidates }, now)
  }

  /** A run over the paths that use UDP. */
  startDatagrams(now: Instant): Race {
    return this.#start(
      this.datagramPaths.map((path) => ({ path, isHeldBack: false })),
      now
    )
  }

  get datagramPaths(): readonly LegalPath[] {
    return this.paths.paths.filter(({ transport }) => transport === 'udp')
  }

  /** An attempt was established. One of no run is closed: nobody would serve it. */
  established(connection: ConnectionId, now: Instant): void {
    if (this.#race === undefined) this.#outputs.push({ kind: 'close', connection })
    else this.#tell({ kind: 'established', connection }, now)
  }

  failed(connection: ConnectionId, reason: SessionFailure, now: Instant): void {
    this.#tell({ kind: 'failed', connection, reason }, now)
  }

  attack(isOn: boolean, now: Instant): void {
    this.#isUnderAttack = isOn
    this.#tell({ kind: 'attack', isOn }, now)
  }

  /** Gives up the run under way. */
  cancel(now: Instant): void {
    this.#tell({ kind: 'cancel' }, now)
    this.#race = undefined
  }

  poll(): PathSelectionOutput | undefined {
    return this.#outputs.shift()
  }

  nextTimeout(): Instant | undefined {
    return this.#race?.run.nextTimeout()
  }

  handleTimeout(now: Instant): void {
    this.#race?.run.handleTimeout(now)
    this.#drain(now)
  }

  #start(candidates: readonly Candidate<LegalPath>[], now: Instant): Race {
    const { attempts, newConnection, order } = this.#options
    const run = new HappyEyeballs({
      candidates: order?.(candidates, now) ?? candidates,
      rule: attempts,
      isUnderAttack: this.#isUnderAttack,
      newConnection
    })
    const race = { since: now, run }
    this.#race = race
    this.#tell({ kind: 'start' }, now)
    return race
  }

  #tell(input: HappyEyeballsInput<LegalPath>, now: Instant): void {
    this.#race?.run.handle(input, now)
    this.#drain(now)
  }

  #drain(now: Instant): void {
    const run = this.#race?.run
    for (let output = run?.poll(); output !== undefined; output = run?.poll()) this.#perform(output, now)
  }

  #perform(output: HappyEyeballsOutput<LegalPath>, now: Instant): void {
    switch (output.kind) {
      case 'connect':
      case 'close':
        this.#outputs.push(output)
        return
      case 'won': {
        const { attempt, outcomes } = output
        const learnt = this.#memory.learn(this.paths.paths, outcomes, this.#options.calendar.at(now))
        const backup = output.goesOn ? this.#race : undefined
        this.#race = backup
        this.#outputs.push({ kind: 'won', attempt, learnt, backup })
        return
      }
      case 'failed':
        this.#race = undefined
        this.#outputs.push(output)
    }
  }
}
