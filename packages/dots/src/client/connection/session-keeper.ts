import { after, earlier } from '@breakwater/core'
import type { Duration, Instant, Machine } from '@breakwater/core'
import { describeIllegal } from '../../multihoming/legal-path.ts'
import type { LegalPath, LegalPaths } from '../../multihoming/legal-path.ts'
import type { Calendar } from '../memory/calendar.ts'
import type { AttemptRule } from './happy-eyeballs.ts'
import { Migration } from './migration.ts'
import type { MigrationRule } from './migration.ts'
import { isSamePath } from './outcome-memory.ts'
import type { RememberedOutcomes } from './outcome-memory.ts'
import type { WarmStandby } from '../paths/path-distance.ts'
import { PathSelection } from './path-selection.ts'
import type { OrderCandidates, PathSelectionOutput } from './path-selection.ts'
import type { SessionKeeperInput, SessionKeeperOutput } from './session-keeper-io.ts'
import { describeRun } from './race-report.ts'
import { Reconnection } from './reconnection.ts'
import type { ReconnectionRule } from './reconnection.ts'
import { liveSessions, raceOf } from './session-state.ts'
import type { Attempt, ConnectionId, LiveSession, Race, Rival, SessionState } from './session-state.ts'
import {
  alone,
  attackChanged,
  attackOver,
  fallenSilent,
  heard,
  rivalLost,
  runOver,
  won
} from './silent-session.ts'
import type { SessionStep, Silent } from './silent-session.ts'

/** Why a session counts as disconnected (RFC 9132 §4.7). */
const SILENCE = 'no answer to heartbeats'

/** Why a session or an attempt is given up that a change of the site leaves without a right to its path. */
const NOT_LEGAL = 'its path is no longer legal (RFC 9284 §5.1)'

/** How often what is tried. */
export interface SessionRules {
  readonly reconnection: ReconnectionRule
  readonly attempts: AttemptRule
  readonly migration: MigrationRule
  /** For how long the outcomes of a run guide the next one. */
  readonly outcomeAge: Duration
  readonly warmStandby: WarmStandby
}

export interface SessionKeeperOptions {
  readonly paths: LegalPaths
  readonly rules: SessionRules
  readonly calendar: Calendar
  readonly order?: OrderCandidates | undefined
  readonly newConnection: () => ConnectionId
  /** Makes a session of an attempt that was established at `now`. */
  readonly begin: (attempt: Attempt, now: Instant) => LiveSession
}

/**
 * Keeps a session with one server up at all times (RFC 9284 §5.1). Every new session, the first one, one after a loss, a
 * rival to a silent one, is the outcome of one Happy Eyeballs run over all legal paths (RFC 9132 §4.3); runs keep the
 * distance that RFC 9132 §4.7 demands. States: see `SessionState`.
 */
export class SessionKeeper implements Machine<SessionKeeperInput, SessionKeeperOutput> {
  readonly #options: SessionKeeperOptions
  readonly #reconnection: Reconnection
  readonly #migration: Migration
  readonly #selection: PathSelection
  readonly #outputs: SessionKeeperOutput[] = []
  #state: SessionState = { kind: 'stopped' }
  /** When a session by a path that is no longer legal is to be replaced. */
  #moveAt: Instant | undefined

  constructor(options: SessionKeeperOptions) {
    const { rules } = options
    this.#options = options
    this.#reconnection = new Reconnection(rules.reconnection)
    this.#migration = new Migration(rules.migration)
    this.#selection = new PathSelection({ ...options, ...rules })
  }

  get state(): SessionState {
    return this.#state
  }

  /** Ways to the server, and what is none. */
  get paths(): LegalPaths {
    return this.#selection.paths
  }

  /** What the next run would go by. */
  outcomes(now: Instant): RememberedOutcomes | undefined {
    return this.#selection.outcomes(now)
  }

  /** When the next run may start, of this machine or of another that tries the same server (RFC 9132 §4.7). */
  nextRunAfter(now: Instant): Instant {
    return this.#reconnection.afterLoss(now)
  }

  /** Somebody else starts a run at the same server. */
  othersRun(now: Instant): void {
    this.#reconnection.attempted(now)
  }

  /** When UDP is tried again beside a session over TCP, or a legal path beside another; undefined: not planned. */
  get nextProbeAt(): Instant | undefined {
    return this.#state.kind === 'established' ? this.#nextProbe(this.#state) : undefined
  }

  handle(input: SessionKeeperInput, now: Instant): void {
    switch (input.kind) {
      case 'start':
        if (this.#state.kind === 'stopped') this.#start(now)
        break
      case 'stop':
        this.#stop(now)
        break
      case 'established':
        this.#selection.established(input.connection, now)
        break
      case 'failed':
        this.#reconnection.ended(input.connection, input.reason !== 'local')
        this.#selection.failed(input.connection, input.reason, now)
        this.#closed(input.connection, `failed: ${input.reason}`, now)
        break
      case 'closed':
        if (input.holdOff !== undefined) this.#reconnection.holdOff(after(now, input.holdOff))
        this.#closed(input.connection, input.reason, now)
        break
      case 'silenced':
        this.#silenced(input.connection, now)
        break
      case 'doubted':
        this.#doubted(input.connection, now)
        break
      case 'heard':
        this.#take(heard(this.#state, input.connection), now)
        break
      case 'attack':
        this.#attack(input.isOn, now)
        break
      case 'paths':
        this.#selection.paths = input.paths
        if (this.#state.kind === 'no-path') this.#tryPaths(now)
        break
      case 'legal':
        this.#provide(input.paths, input.strays, now)
        break
      case 'moved':
        this.#selection.paths = input.paths
        if (this.#state.kind !== 'stopped') this.#move(now)
        break
      case 'adopt':
        if (this.#state.kind !== 'established') break
        this.#selection.cancel(now)
        this.#drain(now)
        this.#change(alone(input.session))
        break
      case 'restore':
        this.#selection.restore(input.outcomes)
    }
    this.#drain(now)
  }

  poll(): SessionKeeperOutput | undefined {
    return this.#outputs.shift()
  }

  nextTimeout(): Instant | undefined {
    return earlier(this.#selection.nextTimeout(), this.#nextRun())
  }

  handleTimeout(now: Instant): void {
    this.#selection.handleTimeout(now)
    this.#drain(now)
    const due = this.#nextRun()
    if (due !== undefined && due <= now) this.#run(now)
    this.#drain(now)
  }

  /** When the next run may start; undefined: nothing is to be tried, or it is being tried. */
  #nextRun(): Instant | undefined {
    const state = this.#state
    if (state.kind === 'pausing') return state.until
    if (state.kind === 'silent') return state.rival.kind === 'pausing' ? state.rival.until : undefined
    return this.nextProbeAt
  }

  /** RFC 9132 §4.3: from TCP back to UDP, where UDP leads to the server. Not while an attack is on: the session works. */
  #nextProbe({ path, since, probe }: SessionState & { readonly kind: 'established' }): Instant | undefined {
    const { isUnderAttack, datagramPaths } = this.#selection
    if (!this.#selection.isLegal(path)) return probe === undefined ? this.#moveAt : undefined
    if (path.transport === 'udp' || probe !== undefined || isUnderAttack) return undefined
    return datagramPaths.length === 0 ? undefined : this.#migration.nextAt(since)
  }

  #run(now: Instant): void {
    const state = this.#state
    if (state.kind === 'pausing') this.#connect(now)
    else if (state.kind === 'silent') this.#change({ ...state, rival: this.#rivalAt(now, now) })
    else if (state.kind === 'established') {
      const isToMove = !this.#selection.isLegal(state.path)
      const probe = isToMove ? this.#selection.start(now) : this.#selection.startDatagrams(now)
      if (probe !== undefined) this.#change({ ...state, probe })
    }
  }

  #change(state: SessionState): void {
    this.#state = state
    this.#outputs.push({ kind: 'changed' })
  }

  #take(step: SessionStep | undefined, now: Instant): void {
    if (step === undefined) return
    if (step.endsRun === true) this.#selection.cancel(now)
    if (step.close !== undefined) this.#outputs.push({ kind: 'close', connection: step.close })
    this.#change(step.state)
  }

  /** RFC 9132 §4.7: also after a stop, runs keep their distance. */
  #start(now: Instant): void {
    const until = this.#reconnection.afterLoss(now)
    if (until <= now || this.#selection.paths.paths.length === 0) this.#connect(now)
    else this.#change({ kind: 'pausing', until, reason: 'it was tried less than a minute ago' })
  }

  #connect(now: Instant): void {
    const race = this.#selection.start(now)
    if (race !== undefined) this.#change({ kind: 'connecting', race })
    else {
      const reasons = this.#selection.paths.illegal.map((reason) => describeIllegal(reason))
      this.#change({ kind: 'no-path', reasons })
    }
  }

  /** There was no path, and now there may be one. However often paths come and go, runs keep their distance. */
  #tryPaths(now: Instant): void {
    if (this.#selection.paths.paths.length === 0) return
    const until = this.#reconnection.afterLoss(now)
    if (until <= now) this.#connect(now)
    else this.#change({ kind: 'pausing', until, reason: 'a path has come up' })
  }

  /** A rival to a silent session: at once, or when RFC 9132 §4.7 allows the next run. */
  #rivalAt(until: Instant, now: Instant): Rival {
    const reason = SILENCE
    if (until > now) return { kind: 'pausing', until, reason }
    const race = this.#selection.start(now)
    if (race !== undefined) return { kind: 'connecting', race }
    return { kind: 'pausing', until: this.#reconnection.afterFailure(now, false), reason }
  }

  #drain(now: Instant): void {
    for (let output = this.#selection.poll(); output !== undefined; output = this.#selection.poll())
      this.#perform(output, now)
  }

  #perform(output: PathSelectionOutput, now: Instant): void {
    switch (output.kind) {
      case 'connect':
        this.#reconnection.attempted(now, output.connection)
        if (output.path.transport === 'udp') this.#migration.tried(now)
        this.#outputs.push(output)
        return
      case 'close':
        // What it has sent is not known, and its failure, which is local then, does not tell.
        this.#reconnection.ended(output.connection, true)
        this.#outputs.push(output)
        return
      case 'won':
        this.#outputs.push({ kind: 'remember', outcomes: output.learnt })
        this.#won(output.attempt, output.backup, now)
        return
      case 'failed':
        this.#lost(output, now)
    }
  }

  #won(attempt: Attempt, backup: Race | undefined, now: Instant): void {
    this.#reconnection.established()
    const { state, close } = won(this.#state, this.#options.begin(attempt, now), backup)
    this.#change(state)
    // RFC 9132 §4.7: over a silent session and its rival, requests go in parallel.
    this.#outputs.push({ kind: 'up' })
    // The new one is there before the old one goes.
    if (close !== undefined) this.#outputs.push({ kind: 'close', connection: close })
  }

  #lost(run: PathSelectionOutput & { readonly kind: 'failed' }, now: Instant): void {
    const state = this.#state
    const undisturbed = runOver(state)
    const isToLeave = state.kind === 'established' && !this.#selection.isLegal(state.path)
    // It was kept for the sake of a new one, which it has not come to.
    if (isToLeave) this.#outputs.push({ kind: 'close', connection: state.connection }, { kind: 'down' })
    else if (undisturbed !== undefined) {
      this.#change(undisturbed)
      return
    }
    this.#selection.forget()
    this.#outputs.push({ kind: 'remember', outcomes: undefined })
    const until = this.#reconnection.afterFailure(now, run.reason !== 'local')
    const pause = { kind: 'pausing', until, reason: describeRun(run.outcomes) } as const
    this.#change(state.kind === 'silent' ? { ...state, rival: pause } : pause)
  }

  #closed(connection: ConnectionId, reason: string, now: Instant): void {
    const state = this.#state
    if (!liveSessions(state).some((live) => live.connection === connection)) return
    if (state.kind === 'silent' && state.connection !== connection)
      this.#change(rivalLost(state, this.#reconnection.afterLoss(now), reason))
    else if (state.kind === 'silent') this.#leaveSilent(state, reason, now)
    else this.#reestablish(reason, now)
  }

  /** RFC 9132 §4.7: the client must try to re-establish what was lost. */
  #reestablish(reason: string, now: Instant): void {
    const state = this.#state
    this.#outputs.push({ kind: 'down' })
    const until = this.#reconnection.afterLoss(now)
    const race = state.kind === 'established' ? raceOf(state) : undefined
    // What was to replace the session is under way already.
    if (race !== undefined) this.#change({ kind: 'connecting', race })
    else if (until <= now) this.#connect(now)
    else this.#change({ kind: 'pausing', until, reason })
  }

  /** The silent session is gone: its rival takes its place, as far as it has come. */
  #leaveSilent(state: Silent, reason: string, now: Instant): void {
    const { rival } = state
    if (rival.kind === 'established') {
      this.#change(rival)
      return
    }
    if (rival.kind === 'pausing' && rival.until <= now) {
      this.#reestablish(reason, now)
      return
    }
    this.#outputs.push({ kind: 'down' })
    this.#change(rival)
  }

  #stop(now: Instant): void {
    this.#selection.cancel(now)
    for (const { connection } of liveSessions(this.#state)) this.#outputs.push({ kind: 'close', connection })
    this.#outputs.push({ kind: 'down' })
    this.#change({ kind: 'stopped' })
  }

  #move(now: Instant): void {
    this.#selection.cancel(now)
    this.#drain(now)
    for (const { connection } of liveSessions(this.#state)) this.#outputs.push({ kind: 'close', connection })
    this.#outputs.push({ kind: 'down' })
    this.#connect(now)
  }

  /**
   * RFC 9132 §4.7: the link may be full in one direction during an attack, so the session must not be given up then, and
   * a new one is tried beside it; without an attack it counts as disconnected.
   */
  #silenced(connection: ConnectionId, now: Instant): void {
    const state = this.#state
    const isFirst =
      (state.kind === 'established' || state.kind === 'silent') && state.connection === connection
    if (this.#selection.isUnderAttack || !isFirst) {
      this.#doubted(connection, now)
      return
    }
    this.#outputs.push({ kind: 'close', connection })
    if (state.kind === 'silent') this.#leaveSilent(state, SILENCE, now)
    else this.#reestablish(SILENCE, now)
  }

  /** Another session is tried beside it: its server may have lost it, and may hear us all the same. */
  #doubted(connection: ConnectionId, now: Instant): void {
    const state = this.#state
    if (!liveSessions(state).some((live) => live.connection === connection)) return
    if (state.kind === 'silent' && state.connection !== connection) {
      // The rival, too: the server may have lost both sessions, so another is tried in its place.
      this.#outputs.push({ kind: 'close', connection })
      this.#change({ ...state, rival: this.#rivalAt(this.#reconnection.afterLoss(now), now) })
    } else if (state.kind === 'established') {
      const { probe } = state
      const rival: Rival =
        probe === undefined
          ? this.#rivalAt(this.#reconnection.afterLoss(now), now)
          : { kind: 'connecting', race: probe }
      this.#change(fallenSilent(state, rival))
    }
  }

  /**
   * RFC 9284 §5.1: nothing goes on by a path that the site does not allow any more. Where another is allowed, the session
   * is there before the old one goes; runs keep their distance, however often the site changes.
   */
  #restrict(former: LegalPaths, strays: readonly ConnectionId[], now: Instant): void {
    if (this.#state.kind === 'stopped') return
    this.#selection.revise(isConnecting(this.#state), now)
    this.#drain(now)
    const { paths } = this.#selection.paths
    for (const { connection, path } of liveSessions(this.#state))
      if (paths.length === 0 || (strays.includes(connection) && !this.#selection.isLegal(path)))
        this.#cut(connection, now)
    const state = this.#state
    if (state.kind === 'silent') this.#settleSilent(state, now)
    else if (state.kind === 'established' && !this.#selection.isLegal(state.path)) this.#leave(state, now)
    else if (state.kind === 'no-path') this.#tryPaths(now)
    else if (state.kind === 'pausing' && paths.length === 0) this.#connect(now)
    else if (state.kind === 'pausing' && paths.some((path) => !hasPath(former, path)))
      this.#change({ ...state, until: sooner(state.until, this.#reconnection.afterLoss(now)) })
  }

  #provide(paths: LegalPaths, strays: readonly ConnectionId[], now: Instant): void {
    const former = this.#selection.paths
    this.#selection.paths = paths
    this.#restrict(former, strays, now)
  }

  #cut(connection: ConnectionId, now: Instant): void {
    this.#outputs.push({ kind: 'close', connection })
    this.#closed(connection, NOT_LEGAL, now)
  }

  /** Of a silent session and its rival, what is legal stays. */
  #settleSilent(state: Silent, now: Instant): void {
    const { rival } = state
    const isLegal = this.#selection.isLegal(state.path)
    if (rival.kind === 'established' && !this.#selection.isLegal(rival.path)) this.#cut(rival.connection, now)
    else if (rival.kind === 'established' && !isLegal) this.#cut(state.connection, now)
    else if (rival.kind === 'pausing') this.#hasten(state, rival, now)
  }

  /** There may be new paths for a rival. */
  #hasten(state: Silent, rival: Rival & { readonly kind: 'pausing' }, now: Instant): void {
    const until = sooner(rival.until, this.#reconnection.afterLoss(now))
    if (until < rival.until) this.#change({ ...state, rival: { ...rival, until } })
  }

  /** To a legal path, when the next run may start. */
  #leave(state: SessionState & { readonly kind: 'established' }, now: Instant): void {
    if (state.backup !== undefined) this.#selection.cancel(now)
    if (state.probe === undefined) this.#change(alone(state))
    this.#moveAt = this.#reconnection.afterLoss(now)
    if (this.#moveAt <= now) this.#run(now)
  }

  #attack(isOn: boolean, now: Instant): void {
    const state = this.#state
    this.#selection.attack(isOn, now)
    if (state.kind === 'established' && !this.#selection.isLegal(state.path)) return
    this.#take(attackChanged(state, isOn), now)
    if (isOn || state.kind !== 'silent') return
    const step = attackOver(state)
    this.#take(step, now)
    if (step !== undefined) return
    this.#outputs.push({ kind: 'close', connection: state.connection })
    this.#leaveSilent(state, SILENCE, now)
  }
}

/** A run over all ways to the server is under way, for the want of a session. */
function isConnecting(state: SessionState): boolean {
  return state.kind === 'connecting' || (state.kind === 'silent' && state.rival.kind === 'connecting')
}

function hasPath({ paths }: LegalPaths, path: LegalPath): boolean {
  return paths.some((each) => isSamePath(each, path))
}

function sooner(a: Instant, b: Instant): Instant {
  return a < b ? a : b
}
