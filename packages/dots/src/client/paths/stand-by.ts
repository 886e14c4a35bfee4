import { Seconds, after, later } from '@breakwater/core'
import type { Instant, Machine, SessionFailure } from '@breakwater/core'
import type { LegalPath } from '../../multihoming/legal-path.ts'
import { HappyEyeballs } from '../connection/happy-eyeballs.ts'
import type { AttemptRule, HappyEyeballsInput, HappyEyeballsOutput } from '../connection/happy-eyeballs.ts'
import { isSamePath } from '../connection/outcome-memory.ts'
import type { OrderCandidates } from '../connection/path-selection.ts'
import { Reconnection } from '../connection/reconnection.ts'
import type { ReconnectionRule } from '../connection/reconnection.ts'
import type { Attempt, ConnectionId, LiveSession } from '../connection/session-state.ts'
import { secondPaths } from './path-distance.ts'
import type { WarmStandby } from './path-distance.ts'

/**
 * `warm`: it carries heartbeats only. `parallel`: what waits for an answer over the first session is asked over it, too.
 * `joined`: everything that is asked, and it observes.
 */
export type StandByMode = 'warm' | 'parallel' | 'joined'

export type StandByInput =
  /**
   * How things stand with the first session. `mayRun`: it is established, and no run is under way for it; else the run of this
   * machine gives way. `earliest`: when runs may follow the last one (RFC 9132 §4.7).
   */
  | {
      readonly kind: 'situation'
      readonly first: LegalPath | undefined
      readonly paths: readonly LegalPath[]
      readonly mayRun: boolean
      readonly earliest: Instant
    }
  | { readonly kind: 'established'; readonly connection: ConnectionId }
  | { readonly kind: 'failed'; readonly connection: ConnectionId; readonly reason: SessionFailure }
  | { readonly kind: 'closed'; readonly connection: ConnectionId }
  | { readonly kind: 'stop' }

export type StandByOutput =
  | { readonly kind: 'connect'; readonly connection: ConnectionId; readonly path: LegalPath }
  | { readonly kind: 'close'; readonly connection: ConnectionId }
  /** A run starts: the next one of anybody keeps its distance. */
  | { readonly kind: 'running' }
  | { readonly kind: 'changed' }

export interface StandByOptions {
  readonly warmStandby: WarmStandby
  readonly attempts: AttemptRule
  readonly reconnection: ReconnectionRule
  readonly order: OrderCandidates
  readonly newConnection: () => ConnectionId
  readonly begin: (attempt: Attempt, now: Instant) => LiveSession
}

type StandByState =
  /** `due`: when the next run starts; undefined: there is nothing to run for. */
  | { readonly kind: 'none'; readonly due: Instant | undefined }
  | { readonly kind: 'connecting'; readonly run: HappyEyeballs<LegalPath> }
  | { readonly kind: 'ready'; readonly session: LiveSession; mode: StandByMode }

/**
 * Keeps a second session with a server on a path that does not share all that may fail with the first one's, so that there
 * is no handshake to wait for when that one stops answering (RFC 9132 §4.7 allows one in 60 s). It knows when to have one; what
 * goes over it is for others to say.
 *
 * | state | leaves it on |
 * |---|---|
 * | `none` | its time has come, and a second path is legal |
 * | `connecting`: one Happy Eyeballs run | its end; the first session needs a run |
 * | `ready` | loss; its path is not legal any more, or the first session has come to the same one |
 */
export class StandBy implements Machine<StandByInput, StandByOutput> {
  readonly #options: StandByOptions
  readonly #reconnection: Reconnection
  readonly #outputs: StandByOutput[] = []
  #state: StandByState = { kind: 'none', due: undefined }
  #situation: (StandByInput & { readonly kind: 'situation' }) | undefined
  /** After a run that came to nothing, or a loss. */
  #notBefore: Instant | undefined

  constructor(options: StandByOptions) {
    this.#options = options
    this.#reconnection = new Reconnection(options.reconnection)
  }

  get session(): LiveSession | undefined {
    return this.#state.kind === 'ready' ? this.#state.session : undefined
  }

  /** What it carries; undefined: there is none. */
  get mode(): StandByMode | undefined {
    return this.#state.kind === 'ready' ? this.#state.mode : undefined
  }

  /** To one that there is. */
  changeMode(mode: StandByMode): void {
    if (this.#state.kind !== 'ready' || this.#state.mode === mode) return
    this.#state.mode = mode
    this.#outputs.push({ kind: 'changed' })
  }

  /** Attempts under way. */
  get running(): readonly Attempt[] {
    return this.#state.kind === 'connecting' ? this.#state.run.running : []
  }

  owns(connection: ConnectionId): boolean {
    return [...this.running, ...(this.session === undefined ? [] : [this.session])].some(
      (each) => each.connection === connection
    )
  }

  /** The session takes the place of the first one, which stands by from now on, if there is anything left of it. */
  swap(first: LiveSession | undefined): LiveSession | undefined {
    const { session } = this
    if (session === undefined) return undefined
    this.#state =
      first === undefined ? { kind: 'none', due: undefined } : { kind: 'ready', session: first, mode: 'warm' }
    return session
  }

  handle(input: StandByInput, now: Instant): void {
    switch (input.kind) {
      case 'situation':
        this.#situation = input
        this.#settle()
        break
      case 'failed':
        this.#reconnection.ended(input.connection, input.reason !== 'local')
        this.#tell(input, now)
        break
      case 'established':
        this.#tell(input, now)
        break
      case 'closed':
        if (this.session?.connection === input.connection) this.#lost(now)
        break
      case 'stop':
        this.#tell({ kind: 'cancel' }, now)
        if (this.session !== undefined)
          this.#outputs.push({ kind: 'close', connection: this.session.connection })
        this.#state = { kind: 'none', due: undefined }
        this.#situation = undefined
    }
  }

  poll(): StandByOutput | undefined {
    return this.#outputs.shift()
  }

  nextTimeout(): Instant | undefined {
    const state = this.#state
    if (state.kind === 'connecting') return state.run.nextTimeout()
    return state.kind === 'none' ? state.due : undefined
  }

  handleTimeout(now: Instant): void {
    const state = this.#state
    if (state.kind === 'connecting') {
      state.run.handleTimeout(now)
      this.#drain(state.run, now)
    } else if (state.kind === 'none' && state.due !== undefined && state.due <= now) this.#run(now)
  }

  #settle(): void {
    const situation = this.#situation
    if (situation === undefined) return
    const state = this.#state
    if (state.kind === 'ready') {
      if (this.#isOfUse(state.session.path)) return
      this.#outputs.push({ kind: 'close', connection: state.session.connection }, { kind: 'changed' })
    } else if (state.kind === 'connecting') {
      if (situation.mayRun) return
      for (const { connection } of state.run.running) this.#giveUp(connection)
    }
    const isWanted = situation.mayRun && this.#candidates().length > 0
    this.#state = { kind: 'none', due: isWanted ? later(situation.earliest, this.#notBefore) : undefined }
  }

  #isOfUse(path: LegalPath): boolean {
    const { first, paths } = this.#situation ?? { paths: [] }
    if (!paths.some((each) => isSamePath(each, path))) return false
    return first === undefined || secondPaths(first, [path], this.#options.warmStandby).length > 0
  }

  #candidates(): readonly LegalPath[] {
    const { first, paths } = this.#situation ?? { paths: [] }
    return first === undefined ? [] : secondPaths(first, paths, this.#options.warmStandby)
  }

  #run(now: Instant): void {
    const { attempts, order, newConnection } = this.#options
    const candidates = this.#candidates().map((path) => ({ path, isHeldBack: false }))
    const run = new HappyEyeballs<LegalPath>({
      candidates: order(candidates, now),
      rule: attempts,
      isUnderAttack: false,
      newConnection
    })
    this.#state = { kind: 'connecting', run }
    this.#outputs.push({ kind: 'running' })
    this.#tell({ kind: 'start' }, now)
  }

  #tell(input: HappyEyeballsInput<LegalPath>, now: Instant): void {
    if (this.#state.kind !== 'connecting') return
    const { run } = this.#state
    run.handle(input, now)
    this.#drain(run, now)
  }

  #drain(run: HappyEyeballs<LegalPath>, now: Instant): void {
    for (let output = run.poll(); output !== undefined; output = run.poll()) this.#perform(output, now)
  }

  #perform(output: HappyEyeballsOutput<LegalPath>, now: Instant): void {
    switch (output.kind) {
      case 'connect':
        this.#reconnection.attempted(now, output.connection)
        this.#outputs.push(output)
        return
      case 'close':
        this.#giveUp(output.connection)
        return
      case 'won':
        this.#reconnection.established()
        this.#notBefore = undefined
        this.#state = { kind: 'ready', session: this.#options.begin(output.attempt, now), mode: 'warm' }
        this.#outputs.push({ kind: 'changed' })
        return
      case 'failed':
        this.#notBefore = this.#reconnection.afterFailure(now, output.reason !== 'local')
        this.#state = { kind: 'none', due: undefined }
        this.#settle()
    }
  }

  /** What it has sent is not known. */
  #giveUp(connection: ConnectionId): void {
    this.#reconnection.ended(connection, true)
    this.#outputs.push({ kind: 'close', connection })
  }

  #lost(now: Instant): void {
    // Nobody waits for it, so that it does not come back the moment that it is lost.
    const rest = after(now, Seconds(this.#options.reconnection.firstRetrySeconds))
    this.#notBefore = later(rest, this.#reconnection.afterFailure(now, true))
    this.#state = { kind: 'none', due: undefined }
    this.#outputs.push({ kind: 'changed' })
    this.#settle()
  }
}
