import type { Instant } from '@breakwater/core'
import type { LegalPaths } from '../../multihoming/legal-path.ts'
import type { AssociationOutput } from '../association-io.ts'
import type { SessionKeeper } from '../connection/session-keeper.ts'
import type { SessionKeeperInput } from '../connection/session-keeper-io.ts'
import { liveSessions, raceOf } from '../connection/session-state.ts'
import type { Attempt, ConnectionId, LiveSession, SessionState } from '../connection/session-state.ts'
import { isMitigationRequest } from '../session/errand.ts'
import type { Errand } from '../session/errand.ts'
import { orderCandidates } from './candidate-doubts.ts'
import { PathReporter } from './path-reporter.ts'
import type { SessionNews } from './path-reporter.ts'
import { pathDecision } from './path-decision.ts'
import type { PathPool } from './path-pool.ts'
import { SLOW_UP } from './path-record.ts'
import type { PathRecord } from './path-record.ts'
import { StandBy } from './stand-by.ts'
import type { StandByInput, StandByMode, StandByOptions, StandByOutput } from './stand-by.ts'
import { SwitchRule } from './switch-rule.ts'
import { usedPath } from './used-path.ts'

/** What is between the first session with a server and the one that stands by. */
export interface WarmPathOptions extends Omit<StandByOptions, 'order'> {
  readonly pathPool: PathPool
  /** Keeps the first one. */
  readonly keeper: SessionKeeper
  readonly isUnderAttack: () => boolean
  /** Tells the keeper, and does what it wants. */
  readonly keep: (input: SessionKeeperInput, now: Instant) => void
  /** Asks once more all that is asked of the server. */
  readonly askAll: (now: Instant) => void
  readonly tell: (output: AssociationOutput) => void
}

/** A session that stands by, and what goes over it. */
export interface StandingBy {
  readonly session: LiveSession
  readonly mode: StandByMode
}

/** What the situation of the session that stands by was last worked out from. */
interface Tended {
  readonly state: SessionState
  readonly paths: LegalPaths
}

/**
 * Decides what goes over a session that stands by. An answer that is missing is reason enough to ask over it, too, for that
 * costs a datagram; to change over takes more: the first path is down, the second one has answered since, and the last change
 * was a minute ago. In an attack nothing is changed over, and all is asked over both (RFC 9132 §4.7: the link may be full in one
 * direction only).
 */
export class WarmPath {
  readonly #options: WarmPathOptions
  readonly #standBy: StandBy
  readonly #rule = new SwitchRule()
  readonly #reports: PathReporter
  #tended: Tended | undefined
  /** What is asked at this moment is asked over this one alone. */
  #joining: LiveSession | undefined

  constructor(options: WarmPathOptions) {
    const { pathPool } = options
    this.#options = options
    this.#reports = new PathReporter(pathPool)
    this.#standBy = new StandBy({
      ...options,
      order: (candidates, now) => orderCandidates(pathPool, candidates, now)
    })
  }

  /** The session that stands by. */
  get session(): LiveSession | undefined {
    return this.#standBy.session
  }

  get mode(): StandByMode | undefined {
    return this.#standBy.mode
  }

  get standingBy(): StandingBy | undefined {
    const { session, mode } = this
    return session === undefined || mode === undefined ? undefined : { session, mode }
  }

  /** All sessions that there are, whatever goes over them. */
  get all(): readonly LiveSession[] {
    const live = liveSessions(this.#options.keeper.state)
    const { session } = this
    return session === undefined ? live : [...live, session]
  }

  /** Those that an errand goes over. */
  carriersOf(errand: Errand): readonly LiveSession[] {
    if (this.#joining !== undefined) return [this.#joining]
    const isShared = this.mode === 'joined' || (this.mode === 'parallel' && isMitigationRequest(errand))
    return isShared ? this.all : liveSessions(this.#options.keeper.state)
  }

  /** What was asked over both sessions needs one answer only; each observes for itself. */
  forgetElsewhere(errand: Errand, { connection }: LiveSession, now: Instant): void {
    if (errand.kind !== 'put' && errand.kind !== 'delete') return
    for (const live of this.all)
      if (live.connection !== connection) live.session.handle({ kind: 'forget', errand }, now)
  }

  /** Of its attempts, and of its session. */
  owns(connection: ConnectionId): boolean {
    return this.#standBy.owns(connection)
  }

  handle(input: StandByInput, now: Instant): void {
    this.#standBy.handle(input, now)
    this.#drain(now)
  }

  nextTimeout(): Instant | undefined {
    return this.#standBy.nextTimeout()
  }

  handleTimeout(now: Instant): void {
    this.#standBy.handleTimeout(now)
    this.#drain(now)
  }

  /** Looks how it is with the first session, after whatever may have changed that. @returns whether it is otherwise. */
  tend(now: Instant): boolean {
    const { keeper } = this.#options
    const { state, paths } = keeper
    const before = this.#tended
    if (before?.state === state && before.paths === paths) return false
    this.#tended = { state, paths }
    const [first] = liveSessions(state)
    const [former] = before === undefined ? [] : liveSessions(before.state)
    if (first?.connection !== former?.connection) this.#settleDown(now)
    if (state.kind === 'stopped') this.handle({ kind: 'stop' }, now)
    if (state.kind === 'connecting') this.#rule.begunAnew()
    const mayRun = state.kind === 'established' && raceOf(state) === undefined
    const earliest = keeper.nextRunAfter(now)
    this.handle({ kind: 'situation', first: first?.path, paths: paths.paths, mayRun, earliest }, now)
    this.attackChanged(now)
    return true
  }

  /** What was put off until the attack is over. */
  attackChanged(now: Instant): void {
    if (!this.#options.isUnderAttack()) this.#judge(now)
  }

  /** A handshake succeeded. */
  begun(attempt: Attempt, now: Instant): void {
    this.#reports.established(attempt, now)
  }

  /** A handshake has come to nothing. @returns whether it was for the session that stands by. */
  failed(input: StandByInput & { readonly kind: 'failed' }, now: Instant): boolean {
    const { connection, reason } = input
    const running = [...(raceOf(this.#options.keeper.state)?.run.running ?? []), ...this.#standBy.running]
    const attempt = running.find((each) => each.connection === connection)
    if (attempt !== undefined) this.#reports.handshakeFailed(attempt, reason, now)
    if (!this.owns(connection)) return false
    this.handle(input, now)
    return true
  }

  /** What a session has to say of its path. */
  news(news: SessionNews, live: LiveSession, now: Instant): void {
    this.#reports.session(news, live, now)
    if (news.kind === 'answered') this.#answered(live, now)
    else if (news.kind === 'unanswered') this.#unanswered(live, now)
  }

  /** An answer is missing over a session. */
  #unanswered(live: LiveSession, now: Instant): void {
    if (live.connection !== this.#first?.connection) return
    this.#ask('an answer by the first one is missing', live, now)
    this.#judge(now)
  }

  #answered(live: LiveSession, now: Instant): void {
    const { session, mode } = this.#standBy
    if (live.connection === session?.connection) {
      this.#judge(now)
      this.#comeHome(now)
    } else if (session !== undefined && mode !== 'warm' && live.session.pendingRequests.length === 0)
      this.#standDown(now)
  }

  /**
   * The first session counts as lost (RFC 9132 §4.7: as many heartbeats as allowed have no answer), or may be gone at the server.
   * @returns whether the other one is there for it.
   */
  standsInFor(live: LiveSession, now: Instant): boolean {
    const { session } = this.#standBy
    if (session === undefined || live.connection !== this.#first?.connection) return false
    if (!this.#isAnswering(session)) return false
    const { isSilenced } = live.session
    const because = isSilenced
      ? 'heartbeats over the first path count as lost (RFC 9132 §4.7)'
      : 'nothing has come over the first path for two heartbeat intervals'
    if (this.#options.isUnderAttack()) this.#join(because, session, now)
    else if (isSilenced || this.#rule.mayAt(now)) this.#change(because, now)
    return true
  }

  /** The first session is gone. @returns whether the other one has taken its place. */
  replaces(connection: ConnectionId, now: Instant): boolean {
    if (this.#standBy.session === undefined || connection !== this.#first?.connection) return false
    this.#change('the first session is gone', now, false)
    return true
  }

  /** A carrier was lost. */
  linkLost(now: Instant): void {
    const first = this.#first
    const { session } = this.#standBy
    if (first === undefined || session === undefined) return
    const { pathPool } = this.#options
    if (!pathPool.isLinkDown(usedPath(first.path)) || !this.#isAnswering(session)) return
    const because = 'the first path has no carrier'
    this.#ask(because, first, now)
    this.#decide(because, session, now)
  }

  /** Whether the first path is down and the second one has answered since. */
  #judge(now: Instant): void {
    const first = this.#first
    const { session } = this.#standBy
    if (first === undefined || session === undefined) return
    const [own, other] = [this.#record(first), this.#record(session)]
    const since = own?.unansweredSince
    if (since === undefined || own?.state !== 'down') return
    if (other?.lastGood !== undefined && other.lastGood > since)
      this.#decide('the first path is down, and the second one has answered since', session, now)
  }

  #decide(because: string, session: LiveSession, now: Instant): void {
    if (this.#options.isUnderAttack()) this.#join(because, session, now)
    else if (this.#rule.mayAt(now)) this.#change(because, now)
  }

  /** Looking at a path means asking what is to be asked; where there is nothing, a heartbeat. */
  #ask(because: string, first: LiveSession, now: Instant): void {
    const { session, mode } = this.#standBy
    if (session === undefined || mode !== 'warm') return
    this.#note('asks by a second path, too', because, first, session, now)
    this.#standBy.changeMode('parallel')
    this.#drain(now)
    const pending = first.session.pendingRequests
    for (const each of pending) session.session.handle({ kind: 'ask', ...each }, now)
    if (pending.length === 0) session.session.handle({ kind: 'look' }, now)
  }

  #join(because: string, session: LiveSession, now: Instant): void {
    const first = this.#first
    if (this.#standBy.mode === 'joined' || first === undefined) return
    const reason = `${because}; in an attack it is kept all the same (RFC 9132 §4.7)`
    this.#note('asks everything by a second path, too', reason, first, session, now)
    this.#standBy.changeMode('joined')
    this.#drain(now)
    this.#askAll(session, now)
  }

  #askAll(session: LiveSession, now: Instant): void {
    this.#joining = session
    this.#options.askAll(now)
    this.#joining = undefined
  }

  /** The first session is another one: doubts about the former are over. */
  #settleDown(now: Instant): void {
    const { mode } = this.#standBy
    if (mode !== undefined && mode !== 'warm') this.#standDown(now)
  }

  #standDown(now: Instant): void {
    this.#standBy.session?.session.handle({ kind: 'stand-down' }, now)
    this.#standBy.changeMode('warm')
    this.#drain(now)
  }

  /** What was left because it failed is taken again when it has been good for long enough; UDP before TCP (RFC 9132 §4.3). */
  #comeHome(now: Instant): void {
    const first = this.#first
    const { session, mode } = this.#standBy
    if (first === undefined || session === undefined || mode !== 'warm') return
    const isBetter = first.path.transport === 'tcp' && session.path.transport === 'udp'
    if (!this.#rule.isHome(session.path) && !isBetter) return
    const record = this.#record(session)
    const goodFor = record?.goodFor(now)
    if (record?.state !== 'up' || goodFor === undefined || goodFor < SLOW_UP) return
    if (!this.#rule.mayAt(now) || this.#options.isUnderAttack()) return
    const because = isBetter ? 'UDP goes before TCP (RFC 9132 §4.3)' : 'it was left because it failed'
    this.#change(`${because}, and was good for two minutes`, now)
  }

  #change(because: string, now: Instant, isFirstLeft = true): void {
    const first = this.#first
    const { mode, session: second } = this.#standBy
    if (first !== undefined && second !== undefined)
      this.#note('changes over to another path', because, first, second, now)
    const isLost = first?.session.isSilenced === true
    const session = this.#standBy.swap(isFirstLeft && !isLost ? first : undefined)
    if (first === undefined || session === undefined) return
    this.#rule.switched(first.path, session.path, now)
    this.#options.keep({ kind: 'adopt', session }, now)
    if (mode !== 'joined') this.#askAll(session, now)
    if (isLost) this.#options.tell({ kind: 'close', connection: first.connection })
    else first.session.handle({ kind: 'stand-down' }, now)
  }

  #note(decision: string, because: string, first: LiveSession, second: LiveSession, now: Instant): void {
    const { pathPool, tell } = this.#options
    tell({
      kind: 'path-decided',
      decision: pathDecision(decision, because, [first, second], pathPool, now)
    })
  }

  /** Nothing that it was asked lacks an answer, as far as that is known. */
  #isAnswering(session: LiveSession): boolean {
    if (this.#options.pathPool.isLinkDown(usedPath(session.path))) return false
    const condition = this.#record(session)?.condition
    return condition === undefined || condition === 'clear'
  }

  #record({ path }: LiveSession): PathRecord | undefined {
    return this.#options.pathPool.record(usedPath(path))
  }

  /** The established session; undefined: there is none, or a rival is beside it already. */
  get #first(): LiveSession | undefined {
    const { state } = this.#options.keeper
    return state.kind === 'established' ? state : undefined
  }

  #drain(now: Instant): void {
    for (let output = this.#standBy.poll(); output !== undefined; output = this.#standBy.poll())
      this.#perform(output, now)
  }

  #perform(output: StandByOutput, now: Instant): void {
    switch (output.kind) {
      case 'connect':
        this.#options.tell({ ...output, serverName: output.path.referenceName })
        return
      case 'close':
        this.#options.tell(output)
        return
      case 'running':
        this.#options.keeper.othersRun(now)
        return
      case 'changed':
        this.#options.tell({ kind: 'session-changed' })
    }
  }
}
