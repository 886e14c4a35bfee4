import { Queue, between, earlier } from '@breakwater/core'
import type { Instant, Machine } from '@breakwater/core'
import type { Cuid } from '../domain/identifier.ts'
import type { DotsServer } from '../domain/site.ts'
import type { LegalPaths } from '../multihoming/legal-path.ts'
import type { SessionParameters } from '../signal/defaults.ts'
import type { AssociationInput, AssociationOutput } from './association-io.ts'
import type { AssociationOptions } from './association-options.ts'
import { isAboutSession } from './session/errand.ts'
import type { ServerLegacy } from './memory/client-records.ts'
import { Negotiations } from './session/negotiations.ts'
import { Pacing } from './session/pacing.ts'
import { isSuccess } from '@breakwater/coap'
import type { SessionLoad } from '@breakwater/coap'
import { RequestBook } from './requests/request-book.ts'
import type { BookedRequest } from './requests/booked-request.ts'
import { RequestStanding } from './requests/request-standing.ts'
import type { RequestBookOutput } from './requests/request-ledger.ts'
import { RedirectFollowing } from './redirection/redirect-following.ts'
import type { RedirectReport } from './redirection/redirect-following.ts'
import type { SentAway } from './redirection/pending-redirect.ts'
import { readRedirect } from './redirection/redirection.ts'
import type { Redirect } from './redirection/redirection.ts'
import { inTurn } from './session/session-turns.ts'
import { SignalSession } from './session/session.ts'
import type { SignalSessionOutput } from './session/session-io.ts'
import { orderCandidates } from './paths/candidate-doubts.ts'
import { holdOffOf } from './session/hold-off.ts'
import { WarmPath } from './paths/warm-path.ts'
import type { StandingBy } from './paths/warm-path.ts'
import { SessionKeeper } from './connection/session-keeper.ts'
import type { SessionKeeperInput, SessionKeeperOutput } from './connection/session-keeper-io.ts'
import type { RememberedOutcomes } from './connection/outcome-memory.ts'
import { reportCandidates } from './connection/race-report.ts'
import type { CandidateReport } from './connection/race-report.ts'
import { liveSessions, raceOf } from './connection/session-state.ts'
import type { Attempt, ConnectionId, LiveSession, SessionState } from './connection/session-state.ts'

/**
 * All that is between us and one DOTS server: a session that is kept up at all times (RFC 9284 §5.1), by legal paths
 * only, and the mitigation requests at that server, which outlive sessions.
 */
export class Association implements Machine<AssociationInput, AssociationOutput> {
  #server: DotsServer
  readonly #options: AssociationOptions
  readonly #keeper: SessionKeeper
  readonly #book: RequestBook
  /** One budget for all sessions with the server (RFC 9132 §4.4). */
  readonly #pacing = new Pacing()
  readonly #outputs = new Queue<AssociationOutput>()
  /** Until their connections have closed. */
  readonly #sessions = new Map<ConnectionId, SignalSession>()
  #standing: RequestStanding | undefined
  /** What follows of that is looked at once, however many have. */
  #haveRequestsChanged = false
  #isUnderAttack = false
  #isMitigating = false
  readonly #negotiations: Negotiations
  readonly #redirects: RedirectFollowing
  readonly #warm: WarmPath

  constructor(options: AssociationOptions) {
    this.#server = options.server
    this.#options = options
    this.#keeper = new SessionKeeper({
      ...options,
      order: (candidates, now) => orderCandidates(options.pathPool, candidates, now),
      begin: (attempt, now) => this.#begin(attempt, now)
    })
    this.#warm = new WarmPath({
      ...options,
      ...options.rules,
      keeper: this.#keeper,
      begin: (attempt, now) => this.#begin(attempt, now),
      isUnderAttack: () => this.#isUnderAttack,
      keep: (input, now) => this.#keep(input, now),
      askAll: (now) => {
        this.#book.sessionUp(now)
        this.#drainBook(now)
      },
      tell: (output) => this.#outputs.push(output)
    })
    this.#redirects = this.#followRedirects(options)
    this.#negotiations = new Negotiations({
      wanted: options.configuration,
      defaults: options.parameters,
      calendar: options.calendar,
      object: (text) => this.#outputs.push({ kind: 'configuration-unsafe', text })
    })
    this.#book = new RequestBook({ ...options, pathMtu: options.pathPool.mtuOf(() => this.paths) })
  }

  get server(): DotsServer {
    return this.#server
  }

  /** The cuid that the site gave it; a server may have made us take another one since. */
  get configuredCuid(): Cuid {
    return this.#options.cuid
  }

  /** What a later association with the same server goes on from. */
  legacy(): ServerLegacy {
    return this.#book.legacy()
  }

  /** What the next run over the paths would go by. */
  outcomes(now: Instant): RememberedOutcomes | undefined {
    return this.#keeper.outcomes(now)
  }

  /** What the CoAP of its sessions holds. */
  loads(): readonly SessionLoad[] {
    return [...this.#sessions.values()].map((session) => session.load())
  }

  get state(): SessionState {
    return this.#keeper.state
  }

  /** The ways to the server, or to the one that stands in for it. */
  get paths(): LegalPaths {
    return this.#keeper.paths
  }

  /** All sessions with it: also a silent one, its rival, and the one that stands by. */
  get live(): readonly LiveSession[] {
    return this.#warm.all
  }

  /** The session that stands by, and what it carries. */
  get standingBy(): StandingBy | undefined {
    return this.#warm.standingBy
  }

  /** How the paths to the server fare. */
  candidates(now: Instant): readonly CandidateReport[] {
    const wallClock = this.#options.calendar.at(now)
    return reportCandidates(raceOf(this.state), this.#keeper.outcomes(now), { monotonic: now, wallClock })
  }

  /** Where the server sends us, if it does (RFC 9132 §4.6). */
  get redirect(): RedirectReport | undefined {
    return this.#redirects.report
  }

  /** When UDP is tried again beside a session over TCP; undefined: not planned. */
  get nextProbeAt(): Instant | undefined {
    return this.#keeper.nextProbeAt
  }

  /** What a session goes by now. */
  parametersOf(session: SignalSession): SessionParameters {
    return this.#negotiations.parametersOf(session)
  }

  /** A mitigation is active: of the two sets of a configuration, the one for that holds (RFC 9132 §4.5). */
  get isMitigating(): boolean {
    return this.#isMitigating
  }

  /** Something that is wanted of the server has no answer yet. */
  get isAsking(): boolean {
    return this.#book.isAsking
  }

  get requests(): readonly BookedRequest[] {
    return this.standing.requests
  }

  /** How its requests stand until it is told something. */
  get standing(): RequestStanding {
    this.#standing ??= new RequestStanding(this.#book.requests)
    return this.#standing
  }

  get cuid(): Cuid {
    return this.#book.cuid
  }

  handle(input: AssociationInput, now: Instant): void {
    this.#standing = undefined
    switch (input.kind) {
      case 'datagram':
        this.live.find(({ connection }) => connection === input.connection)?.session.handle(input, now)
        break
      case 'want':
        this.#book.want(input.wants, now, input)
        break
      case 'closed': {
        this.#ended(input.connection)
        // RFC 8323 §5.5: the server may close a connection that it has released before we do.
        const closed = this.#warm.all.find(({ connection }) => connection === input.connection)
        const holdOff = closed === undefined ? {} : { holdOff: holdOffOf(closed.session) }
        this.#closed({ ...input, ...holdOff, reason: `closed: ${input.reason}` }, now)
        break
      }
      case 'link':
        this.#warm.linkLost(now)
        break
      case 'look':
        for (const { session } of liveSessions(this.state)) session.handle(input, now)
        this.#book.refit(now)
        break
      case 'doubt':
        this.#book.refreshOne(now)
        break
      case 'paths':
        if (this.#redirects.provision(input.paths)) this.#keep(input, now)
        break
      case 'site': {
        this.#server = input.server
        this.#book.narrow(input.mayHear, now)
        const paths = this.#redirects.reprovision(input.paths, now)
        if (paths !== undefined) this.#keep({ kind: 'legal', paths, strays: input.strays }, now)
        break
      }
      case 'failed':
        if (!this.#warm.failed(input, now)) this.#keep(input, now)
        break
      case 'established':
        if (this.#warm.owns(input.connection)) this.#warm.handle(input, now)
        else this.#keep(input, now)
        break
      case 'start':
      case 'stop':
      case 'restore':
        this.#keep(input, now)
        break
      case 'resume':
        this.#book.resume(input.legacy, now)
        this.#book.narrow(input.mayHear, now)
        break
      case 'resolved':
        this.#redirects.resolved(input.name, input.addresses, now)
        break
      case 'coordinate':
        this.#book.coordinate(now, input.isLeaving === true)
        break
      case 'efficacy':
        this.#book.updateEfficacy(input.protection, input.attackStatus, now)
        break
    }
    this.#drain(now)
  }

  poll(): AssociationOutput | undefined {
    return this.#outputs.shift()
  }

  nextTimeout(): Instant | undefined {
    let next = earlier(this.#book.nextTimeout(), this.#keeper.nextTimeout())
    next = earlier(next, earlier(this.#redirects.nextTimeout(), this.#warm.nextTimeout()))
    for (const { session } of this.#warm.all) {
      next = earlier(next, earlier(session.nextTimeout(), this.#negotiations.nextTimeout(session)))
    }
    return next
  }

  handleTimeout(now: Instant): void {
    this.#standing = undefined
    this.#redirects.handleTimeout(now)
    this.#keeper.handleTimeout(now)
    this.#drainKeeper(now)
    this.#warm.handleTimeout(now)
    for (const { session } of inTurn(this.#warm.all, now)) {
      this.#negotiations.handleTimeout(session, now)
      session.handleTimeout(now)
    }
    this.#book.handleTimeout(now)
    this.#drain(now)
  }

  #followRedirects({ redirection, paths }: AssociationOptions): RedirectFollowing {
    return new RedirectFollowing({
      ...redirection,
      provisioned: paths,
      isUnderAttack: () => this.#isUnderAttack,
      tell: (news) => this.#outputs.push(news),
      move: (to, now) => this.#keep({ kind: 'moved', paths: to }, now),
      answer: (errand, response, now) => this.#book.answer(errand, response, now)
    })
  }

  #drainBook(now: Instant): void {
    for (let output = this.#book.poll(); output !== undefined; output = this.#book.poll())
      this.#performForBook(output, now)
  }

  /** Also of sessions that the keeper has let go before. */
  #ended(connection: ConnectionId): void {
    const session = this.#sessions.get(connection)
    if (session === undefined) return
    this.#sessions.delete(connection)
    this.#options.loads.ended(session.load())
  }

  /** RFC 8323 §5.5: a server that wants to be left alone is not asked over another session either. */
  #closed(input: SessionKeeperInput & { readonly kind: 'closed' }, now: Instant): void {
    const { connection, holdOff = 0 } = input
    if (this.#warm.owns(connection)) this.#warm.handle({ kind: 'closed', connection }, now)
    else if (holdOff > 0 || !this.#warm.replaces(connection, now)) {
      if (holdOff > 0) this.#warm.handle({ kind: 'stop' }, now)
      this.#keep(input, now)
    }
  }

  #begin(attempt: Attempt, now: Instant): LiveSession {
    const { connection, path, since } = attempt
    this.#warm.begun(attempt, now)
    const { entropy, parameters } = this.#options
    const { transport } = path
    // What was measured over another session is better than a handshake.
    const isSecond = liveSessions(this.state).length > 0 && this.#pacing.roundTrip !== undefined
    if (transport === 'udp' && !isSecond) this.#pacing.handshakeTook(between(since, now))
    const session = new SignalSession({ entropy, transport, pacing: this.#pacing, parameters }, now)
    this.#sessions.set(connection, session)
    this.#negotiations.begin(session, transport, this.#book.isMitigating, now)
    return { connection, path, since: now, session }
  }

  #keep(input: SessionKeeperInput, now: Instant): void {
    this.#keeper.handle(input, now)
    this.#drainKeeper(now)
  }

  #drainKeeper(now: Instant): void {
    for (let output = this.#keeper.poll(); output !== undefined; output = this.#keeper.poll())
      this.#performForKeeper(output, now)
  }

  #performForKeeper(output: SessionKeeperOutput, now: Instant): void {
    switch (output.kind) {
      case 'connect':
        this.#outputs.push({
          ...output,
          serverName: output.path.referenceName,
          ...(this.#isUnderAttack ? { duringAttack: true } : {})
        })
        return
      case 'close':
      case 'remember':
        this.#outputs.push(output)
        return
      case 'changed':
        this.#outputs.push({ kind: 'session-changed' })
        if (this.state.kind === 'pausing') this.#redirects.unreachable(this.state.reason, now)
        return
      case 'up':
        this.#book.sessionUp(now)
        return
      case 'down':
        this.#redirects.sessionDown()
        this.#book.sessionDown(now)
    }
  }

  /** Carries what the sessions say to the book and back until nobody has anything more to say. */
  #drain(now: Instant): void {
    do {
      this.#drainBook(now)
      if (this.#haveRequestsChanged) this.#tellAttack(now)
    } while (this.#drainSessions(now) || this.#warm.tend(now))
  }

  /** @returns whether a session had anything to say. */
  #drainSessions(now: Instant): boolean {
    for (const live of inTurn(this.#warm.all, now)) {
      this.#negotiations.drain(live.session, now)
      live.session.handle({ kind: 'send' }, now)
      const output = live.session.poll()
      if (output === undefined) continue
      this.#performForSession(output, live, now)
      return true
    }
    return false
  }

  #performForBook(output: RequestBookOutput, now: Instant): void {
    switch (output.kind) {
      case 'ask':
        for (const { session } of this.#warm.carriersOf(output.errand)) session.handle(output, now)
        return
      case 'forget':
        for (const { session } of this.#warm.all) session.handle(output, now)
        return
      case 'changed':
        this.#outputs.push({ kind: 'requests-changed', protections: output.protections })
        this.#haveRequestsChanged = true
        return
      case 'cuid-changed':
      case 'note-request':
      case 'note-numbering':
        this.#outputs.push(output)
    }
  }

  #performForSession(output: SignalSessionOutput, live: LiveSession, now: Instant): void {
    switch (output.kind) {
      case 'send':
        this.#outputs.push({ kind: 'send', connection: live.connection, bytes: output.bytes })
        return
      case 'answer':
        this.#answered(output, live, now)
        return
      case 'answered':
      case 'unanswered':
      case 'heard':
        this.#warm.news(output, live, now)
        return
      case 'heartbeats-lost':
        this.#warm.news(output, live, now)
        this.#lost(live, now)
        return
      case 'unresponsive':
        // RFC 9132 §4.7 waits for missing-hb-allowed before it gives a session up: this one is kept, with another beside it.
        if (!this.#book.isWaiting || this.#warm.owns(live.connection)) return
        if (!this.#warm.standsInFor(live, now))
          this.#keep({ kind: 'doubted', connection: live.connection }, now)
        return
      case 'heartbeats-back':
        this.#heardOver(live, now)
        return
      case 'malformed':
        this.#outputs.push(output)
        return
      case 'ended': {
        const { connection } = live
        this.#outputs.push({ kind: 'close', connection })
        this.#closed({ kind: 'closed', connection, reason: output.reason, holdOff: holdOffOf(output) }, now)
      }
    }
  }

  /** Which of a silent session and its rival stays, an answer over the one that stands by does not say. */
  #heardOver({ connection }: LiveSession, now: Instant): void {
    if (!this.#warm.owns(connection)) this.#keep({ kind: 'heard', connection }, now)
  }

  #lost(live: LiveSession, now: Instant): void {
    const { connection } = live
    if (this.#warm.owns(connection)) {
      this.#outputs.push({ kind: 'close', connection })
      this.#warm.handle({ kind: 'closed', connection }, now)
    } else if (!this.#warm.standsInFor(live, now)) this.#keep({ kind: 'silenced', connection }, now)
  }

  #answered(
    output: SignalSessionOutput & { readonly kind: 'answer' },
    live: LiveSession,
    now: Instant
  ): void {
    const { errand, response } = output
    const redirect = readRedirect(response)
    if (redirect !== undefined && this.#redirected(redirect, output, live, now)) return
    // A server that sends us away takes withdrawals all the same.
    if (isSuccess(response.code) && errand.kind !== 'delete') this.#redirects.served()
    if (isAboutSession(errand)) {
      this.#heardOver(live, now)
      this.#negotiations.answer(live.session, errand, response, now)
      return
    }
    this.#warm.forgetElsewhere(errand, live, now)
    this.#heardOver(live, now)
    this.#book.answer(errand, response, now)
  }

  /** RFC 9132 §4.6. @returns whether what was asked waits: for an answer from there, or until it is known where that is. */
  #redirected(redirect: Redirect, sentAway: SentAway, live: LiveSession, now: Instant): boolean {
    const outcome = this.#redirects.sentAway(redirect, sentAway, live.path.referenceName, now)
    if (outcome !== 'waiting') return outcome === 'followed'
    this.#heardOver(live, now)
    return !isAboutSession(sentAway.errand)
  }

  /** An attack is on while anything is asked of the server. */
  #tellAttack(now: Instant): void {
    this.#haveRequestsChanged = false
    this.#tellActivity(now)
    const isOn = this.#book.isUnderAttack
    if (isOn === this.#isUnderAttack) return
    this.#isUnderAttack = isOn
    this.#keep({ kind: 'attack', isOn }, now)
    this.#warm.attackChanged(now)
    // A handshake over TCP has no timer of ours.
    for (const { connection, path } of raceOf(this.state)?.run.running ?? [])
      if (path.transport === 'udp') this.#outputs.push({ kind: 'retime', connection, duringAttack: isOn })
    if (!isOn) return
    for (const live of liveSessions(this.state)) if (live.session.isUnresponsive(now)) this.#lost(live, now)
  }

  /** RFC 9132 §4.5: while a mitigation is active, the other set of the configuration holds. */
  #tellActivity(now: Instant): void {
    const { isMitigating } = this.#book
    if (isMitigating === this.#isMitigating) return
    this.#isMitigating = isMitigating
    for (const { session } of this.#warm.all) this.#negotiations.activity(session, isMitigating, now)
  }
}
