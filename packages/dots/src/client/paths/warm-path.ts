import type { Instant } from '@breakwater/core'
import type { ConnectionId, LiveSession } from '../connection/session-state.ts'
import type { PathPool } from './path-pool.ts'
import { SLOW_UP } from './path-record.ts'
import type { PathRecord } from './path-record.ts'
import { StandBy } from './stand-by.ts'
import type { StandByInput, StandByMode, StandByOptions, StandByOutput } from './stand-by.ts'
import { SwitchRule } from './switch-rule.ts'
import { usedPath } from './used-path.ts'

/** What is between the first session with a server and the one that stands by. */
export interface WarmPathOptions extends StandByOptions {
  readonly pathPool: PathPool
  /** The established session; undefined: there is none, or a rival is beside it already. */
  readonly first: () => LiveSession | undefined
  readonly isUnderAttack: () => boolean
  /** This one is the first from now on. */
  readonly adopt: (session: LiveSession, now: Instant) => void
  /** Everything that is asked of the server goes over this one, too. */
  readonly join: (session: LiveSession, now: Instant) => void
  readonly tell: (output: StandByOutput, now: Instant) => void
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

  constructor(options: WarmPathOptions) {
    this.#options = options
    this.#standBy = new StandBy(options)
  }

  /** The session that stands by. */
  get session(): LiveSession | undefined {
    return this.#standBy.session
  }

  get mode(): StandByMode | undefined {
    return this.#standBy.mode
  }

  /** Of its attempts, and of its session. */
  owns(connection: ConnectionId): boolean {
    return this.#standBy.owns(connection)
  }

  get running(): StandBy['running'] {
    return this.#standBy.running
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

  /** The first session comes of a run over all paths. */
  begunAnew(): void {
    this.#rule.begunAnew()
  }

  /** An answer is missing over a session. */
  unanswered(live: LiveSession, now: Instant): void {
    if (live.connection !== this.#options.first()?.connection) return
    this.#ask(live, now)
    this.judge(now)
  }

  answered(live: LiveSession, now: Instant): void {
    const { session, mode } = this.#standBy
    if (live.connection === session?.connection) {
      this.judge(now)
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
    if (session === undefined || live.connection !== this.#options.first()?.connection) return false
    if (!this.#isAnswering(session)) return false
    if (this.#options.isUnderAttack()) this.#join(session, now)
    else if (live.session.isSilenced || this.#rule.mayAt(now)) this.#change(now)
    return true
  }

  /** The first session is another one: doubts about the former are over. */
  settleDown(now: Instant): void {
    const { mode } = this.#standBy
    if (mode !== undefined && mode !== 'warm') this.#standDown(now)
  }

  /** The first session is gone. @returns whether the other one has taken its place. */
  replaces(connection: ConnectionId, now: Instant): boolean {
    if (this.#standBy.session === undefined || connection !== this.#options.first()?.connection) return false
    this.#change(now, false)
    return true
  }

  /** A carrier was lost. */
  linkLost(now: Instant): void {
    const first = this.#options.first()
    const { session } = this.#standBy
    if (first === undefined || session === undefined) return
    const { pathPool } = this.#options
    if (!pathPool.isLinkDown(usedPath(first.path)) || !this.#isAnswering(session)) return
    this.#ask(first, now)
    this.#decide(session, now)
  }

  /** Whether the first path is down and the second one has answered since. */
  judge(now: Instant): void {
    const first = this.#options.first()
    const { session } = this.#standBy
    if (first === undefined || session === undefined) return
    const [own, other] = [this.#record(first), this.#record(session)]
    const since = own?.unansweredSince
    if (since === undefined || own?.state !== 'down') return
    if (other?.lastGood !== undefined && other.lastGood > since) this.#decide(session, now)
  }

  #decide(session: LiveSession, now: Instant): void {
    if (this.#options.isUnderAttack()) this.#join(session, now)
    else if (this.#rule.mayAt(now)) this.#change(now)
  }

  /** Looking at a path means asking what is to be asked; where there is nothing, a heartbeat. */
  #ask(first: LiveSession, now: Instant): void {
    const { session, mode } = this.#standBy
    if (session === undefined || mode !== 'warm') return
    this.#standBy.changeMode('parallel')
    this.#drain(now)
    const pending = first.session.pendingRequests
    for (const each of pending) session.session.handle({ kind: 'ask', ...each }, now)
    if (pending.length === 0) session.session.handle({ kind: 'look' }, now)
  }

  #join(session: LiveSession, now: Instant): void {
    if (this.#standBy.mode === 'joined') return
    this.#standBy.changeMode('joined')
    this.#drain(now)
    this.#options.join(session, now)
  }

  #standDown(now: Instant): void {
    this.#standBy.session?.session.handle({ kind: 'stand-down' }, now)
    this.#standBy.changeMode('warm')
    this.#drain(now)
  }

  /** What was left because it failed is taken again when it has been good for long enough; UDP before TCP (RFC 9132 §4.3). */
  #comeHome(now: Instant): void {
    const first = this.#options.first()
    const { session, mode } = this.#standBy
    if (first === undefined || session === undefined || mode !== 'warm') return
    const isBetter = first.path.transport === 'tcp' && session.path.transport === 'udp'
    if (!this.#rule.isHome(session.path) && !isBetter) return
    const record = this.#record(session)
    const goodFor = record?.goodFor(now)
    if (record?.state !== 'up' || goodFor === undefined || goodFor < SLOW_UP) return
    if (this.#rule.mayAt(now) && !this.#options.isUnderAttack()) this.#change(now)
  }

  #change(now: Instant, isFirstLeft = true): void {
    const first = this.#options.first()
    const { mode } = this.#standBy
    const isLost = first?.session.isSilenced === true
    const session = this.#standBy.swap(isFirstLeft && !isLost ? first : undefined)
    if (first === undefined || session === undefined) return
    this.#rule.switched(first.path, session.path, now)
    this.#options.adopt(session, now)
    if (mode !== 'joined') this.#options.join(session, now)
    if (isLost) this.#options.tell({ kind: 'close', connection: first.connection }, now)
    else first.session.handle({ kind: 'stand-down' }, now)
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

  #drain(now: Instant): void {
    for (let output = this.#standBy.poll(); output !== undefined; output = this.#standBy.poll())
      this.#options.tell(output, now)
  }
}
