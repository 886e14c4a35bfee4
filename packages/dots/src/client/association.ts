import { between, earlier } from '@breakwater/core'
import type { Entropy, Instant, Machine, SessionEnd, SessionFailure } from '@breakwater/core'
import type { Cuid, ProtectionId } from '../domain/identifier.ts'
import type { DotsServer } from '../domain/site.ts'
import { describeIllegal } from '../multihoming/legal-path.ts'
import type { LegalPath, LegalPaths } from '../multihoming/legal-path.ts'
import type { SessionParameters } from '../signal/defaults.ts'
import type { Calendar } from './calendar.ts'
import { Pacing } from './pacing.ts'
import { Reconnection } from './reconnection.ts'
import type { ReconnectionRule } from './reconnection.ts'
import { RequestBook } from './request-book.ts'
import type { BookedRequest, LastingWant, RequestBookOutput } from './request-book.ts'
import { SignalSession } from './session.ts'
import type { SignalSessionOutput } from './session.ts'
import { liveSessions, openConnections } from './session-state.ts'
import type { Attempt, ConnectionId, LiveSession, Rival, SessionState } from './session-state.ts'

export type AssociationInput =
  | { readonly kind: 'start' }
  | { readonly kind: 'stop' }
  | { readonly kind: 'established'; readonly connection: ConnectionId }
  | { readonly kind: 'failed'; readonly connection: ConnectionId; readonly reason: SessionFailure }
  | { readonly kind: 'closed'; readonly connection: ConnectionId; readonly reason: SessionEnd }
  | { readonly kind: 'datagram'; readonly connection: ConnectionId; readonly bytes: Uint8Array }
  | { readonly kind: 'want'; readonly wants: readonly LastingWant[] }

export type AssociationOutput =
  | {
      readonly kind: 'connect'
      readonly connection: ConnectionId
      readonly path: LegalPath
      readonly serverName: string
    }
  | { readonly kind: 'send'; readonly connection: ConnectionId; readonly bytes: Uint8Array }
  | { readonly kind: 'close'; readonly connection: ConnectionId }
  | { readonly kind: 'session-changed' }
  | { readonly kind: 'requests-changed'; readonly protections: readonly ProtectionId[] }
  | { readonly kind: 'cuid-changed'; readonly cuid: Cuid }
  | { readonly kind: 'malformed'; readonly text: string }

export interface AssociationOptions {
  readonly server: DotsServer
  readonly paths: LegalPaths
  readonly cuid: Cuid
  readonly calendar: Calendar
  readonly entropy: Entropy
  readonly reconnection: ReconnectionRule
  readonly parameters: SessionParameters
  readonly newConnection: () => ConnectionId
}

/**
 * All that is between us and one DOTS server: a session that is kept up at all times (RFC 9284 §5.1), by legal paths
 * only, and the mitigation requests at that server, which outlive sessions.
 */
export class Association implements Machine<AssociationInput, AssociationOutput> {
  readonly server: DotsServer
  readonly #options: AssociationOptions
  readonly #reconnection: Reconnection
  readonly #book: RequestBook
  /** One budget for all sessions with the server (RFC 9132 §4.4). */
  readonly #pacing = new Pacing()
  readonly #outputs: AssociationOutput[] = []
  #state: SessionState = { kind: 'stopped' }
  /** Index of the path to try next: after a failure, another one gets its chance. */
  #nextPath = 0

  constructor(options: AssociationOptions) {
    this.server = options.server
    this.#options = options
    this.#reconnection = new Reconnection(options.reconnection)
    this.#book = new RequestBook(options.cuid, options.calendar, options.entropy)
  }

  get state(): SessionState {
    return this.#state
  }

  get requests(): readonly BookedRequest[] {
    return this.#book.requests
  }

  get cuid(): Cuid {
    return this.#book.cuid
  }

  handle(input: AssociationInput, now: Instant): void {
    switch (input.kind) {
      case 'start':
        if (this.#state.kind === 'stopped') this.#connect(now)
        break
      case 'stop':
        this.#stop(now)
        break
      case 'established':
        this.#established(input.connection, now)
        break
      case 'failed':
        this.#failed(input.connection, input.reason, now)
        break
      case 'closed':
        this.#closed(input.connection, `closed: ${input.reason}`, now)
        break
      case 'datagram':
        this.#received(input.connection, input.bytes, now)
        break
      case 'want':
        this.#book.want(input.wants, now)
        break
    }
    this.#drain(now)
  }

  poll(): AssociationOutput | undefined {
    return this.#outputs.shift()
  }

  nextTimeout(): Instant | undefined {
    let next = earlier(this.#book.nextTimeout(), this.#nextAttempt())
    for (const { session } of liveSessions(this.#state)) next = earlier(next, session.nextTimeout())
    return next
  }

  handleTimeout(now: Instant): void {
    const attemptAt = this.#nextAttempt()
    if (attemptAt !== undefined && attemptAt <= now) this.#attempt(now)
    for (const { session } of this.#inTurn(now)) session.handleTimeout(now)
    this.#book.handleTimeout(now)
    this.#drain(now)
  }

  #nextAttempt(): Instant | undefined {
    const state = this.#state
    if (state.kind === 'pausing') return state.until
    return state.kind === 'silent' && state.rival.kind === 'pausing' ? state.rival.until : undefined
  }

  #attempt(now: Instant): void {
    if (this.#state.kind === 'pausing') this.#connect(now)
    else if (this.#state.kind === 'silent') this.#change({ ...this.#state, rival: this.#rivalAt(now, now) })
  }

  #change(state: SessionState): void {
    this.#state = state
    this.#outputs.push({ kind: 'session-changed' })
  }

  #connect(now: Instant): void {
    const attempt = this.#startHandshake(now)
    if (attempt !== undefined) this.#change({ kind: 'connecting', ...attempt })
    else {
      const reasons = this.#options.paths.illegal.map((reason) => describeIllegal(reason))
      this.#change({ kind: 'no-path', reasons })
    }
  }

  /** Undefined when no legal path leads to the server. */
  #startHandshake(now: Instant): Attempt | undefined {
    const paths = datagramsFirst(this.#options.paths.paths)
    const path = paths[this.#nextPath % Math.max(paths.length, 1)]
    if (path === undefined) return undefined
    const connection = this.#options.newConnection()
    this.#reconnection.attempted(now)
    this.#outputs.push({ kind: 'connect', connection, path, serverName: path.referenceName })
    return { connection, path, since: now }
  }

  /** A rival to a silent session: at once, or when RFC 9132 §4.7 allows the next handshake. */
  #rivalAt(until: Instant, now: Instant): Rival {
    const reason = 'no answer to heartbeats'
    if (until > now) return { kind: 'pausing', until, reason }
    const attempt = this.#startHandshake(now)
    return attempt === undefined ? { kind: 'pausing', until, reason } : { kind: 'connecting', ...attempt }
  }

  #established(connection: ConnectionId, now: Instant): void {
    const state = this.#state
    if (state.kind === 'connecting' && state.connection === connection) {
      this.#change({ kind: 'established', ...this.#begin(state, now) })
      this.#book.sessionUp(now)
      return
    }
    if (
      state.kind === 'silent' &&
      state.rival.kind === 'connecting' &&
      state.rival.connection === connection
    ) {
      const rival: Rival = { kind: 'established', ...this.#begin(state.rival, now) }
      this.#change({ ...state, rival })
      // RFC 9132 §4.7: requests go over both sessions.
      this.#book.sessionUp(now)
      return
    }
    // Of an attempt that was given up: nobody would serve it.
    this.#outputs.push({ kind: 'close', connection })
  }

  #begin(attempt: Attempt, now: Instant): LiveSession {
    const { entropy, parameters } = this.#options
    const { connection, path, since } = attempt
    this.#reconnection.established()
    this.#pacing.handshakeTook(between(since, now))
    const session = new SignalSession(entropy, this.#pacing, now, parameters)
    return { connection, path, since: now, session }
  }

  #failed(connection: ConnectionId, reason: SessionFailure, now: Instant): void {
    const state = this.#state
    if (state.kind === 'connecting' && state.connection === connection) {
      this.#change({ kind: 'pausing', until: this.#afterFailure(reason, now), reason })
      return
    }
    if (
      state.kind === 'silent' &&
      state.rival.kind === 'connecting' &&
      state.rival.connection === connection
    ) {
      const rival: Rival = { kind: 'pausing', until: this.#afterFailure(reason, now), reason }
      this.#change({ ...state, rival })
      return
    }
    this.#closed(connection, `failed: ${reason}`, now)
  }

  #afterFailure(reason: SessionFailure, now: Instant): Instant {
    this.#nextPath++
    return this.#reconnection.afterFailure(now, reason !== 'local')
  }

  #closed(connection: ConnectionId, reason: string, now: Instant): void {
    const state = this.#state
    if (!openConnections(state).includes(connection)) return
    if (state.kind === 'silent' && state.connection !== connection) {
      const rival: Rival = { kind: 'pausing', until: this.#reconnection.afterLoss(now), reason }
      this.#change({ ...state, rival })
    } else if (state.kind === 'silent') this.#leaveSilent(state, reason, now)
    else this.#lost(reason, now)
  }

  /** RFC 9132 §4.7: the client must try to re-establish what was lost. */
  #lost(reason: string, now: Instant): void {
    this.#book.sessionDown(now)
    const until = this.#reconnection.afterLoss(now)
    if (until <= now) this.#connect(now)
    else this.#change({ kind: 'pausing', until, reason })
  }

  /** The silent session is gone: its rival takes its place, as far as it has come. */
  #leaveSilent(state: SessionState & { readonly kind: 'silent' }, reason: string, now: Instant): void {
    const { rival } = state
    if (rival.kind === 'established') {
      this.#change(rival)
      return
    }
    this.#book.sessionDown(now)
    if (rival.kind === 'connecting' || rival.until > now) this.#change(rival)
    else this.#lost(reason, now)
  }

  #stop(now: Instant): void {
    for (const connection of openConnections(this.#state)) this.#outputs.push({ kind: 'close', connection })
    this.#book.sessionDown(now)
    this.#change({ kind: 'stopped' })
  }

  #received(connection: ConnectionId, bytes: Uint8Array, now: Instant): void {
    const live = liveSessions(this.#state).find((each) => each.connection === connection)
    live?.session.handle({ kind: 'datagram', bytes }, now)
  }

  /** Carries what the sessions say to the book and back until nobody has anything more to say. */
  #drain(now: Instant): void {
    do {
      for (let output = this.#book.poll(); output !== undefined; output = this.#book.poll())
        this.#performForBook(output, now)
    } while (this.#drainSessions(now))
  }

  /** @returns whether a session had anything to say. */
  #drainSessions(now: Instant): boolean {
    for (const live of this.#inTurn(now)) {
      live.session.handle({ kind: 'send' }, now)
      const output = live.session.poll()
      if (output === undefined) continue
      this.#performForSession(output, live, now)
      return true
    }
    return false
  }

  /** Sessions as their turn to send comes: what is most urgent first, then whoever waited longest. */
  #inTurn(now: Instant): readonly LiveSession[] {
    const live = liveSessions(this.#state)
    const [one, other] = live
    if (one === undefined || other === undefined) return live
    const [mine, theirs] = [one.session.urgency(now), other.session.urgency(now)]
    const isFirst = mine === theirs ? sentBefore(one, other) : mine < theirs
    return isFirst ? [one, other] : [other, one]
  }

  #performForBook(output: RequestBookOutput, now: Instant): void {
    switch (output.kind) {
      case 'ask':
      case 'forget':
        for (const { session } of liveSessions(this.#state)) session.handle(output, now)
        return
      case 'changed':
        this.#outputs.push({ kind: 'requests-changed', protections: output.protections })
        this.#giveUpSilent(now)
        return
      case 'cuid-changed':
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
      case 'heartbeats-lost':
        this.#silence(live, now)
        return
      case 'heartbeats-back':
        this.#heardAgain(live)
        return
      case 'malformed':
        this.#outputs.push(output)
    }
  }

  #answered(
    output: SignalSessionOutput & { readonly kind: 'answer' },
    live: LiveSession,
    now: Instant
  ): void {
    const { errand, response } = output
    // What was asked over both sessions needs one answer only; each observes for itself.
    if (errand.kind === 'put' || errand.kind === 'delete')
      for (const { session } of liveSessions(this.#state))
        if (session !== live.session) session.handle({ kind: 'forget', errand }, now)
    this.#heardAgain(live)
    this.#book.answer(errand, response, now)
  }

  /** A server whose heartbeats' answers stopped: over which of the sessions it is heard decides which stays. */
  #heardAgain(live: LiveSession): void {
    const state = this.#state
    if (state.kind !== 'silent') return
    const { connection, path, since, session, rival } = state
    if (rival.kind === 'established') {
      // RFC 9132 §4.7: the link is not full any more, and the new session works: the old one may go.
      this.#outputs.push({ kind: 'close', connection })
      this.#change(rival)
    } else if (live.connection === connection) {
      if (rival.kind === 'connecting') this.#outputs.push({ kind: 'close', connection: rival.connection })
      this.#change({ kind: 'established', connection, path, since, session })
    }
  }

  /**
   * RFC 9132 §4.7: the link may be full in one direction during an attack, so the session must not be given up then, and
   * a new one is tried beside it; without an attack it counts as disconnected.
   */
  #silence(live: LiveSession, now: Instant): void {
    const state = this.#state
    if (state.kind === 'silent' && state.connection !== live.connection) {
      // The rival, too: the server may have lost both sessions, so another is tried in its place.
      this.#outputs.push({ kind: 'close', connection: live.connection })
      this.#change({ ...state, rival: this.#rivalAt(this.#reconnection.afterLoss(now), now) })
      return
    }
    if (state.kind !== 'established') return
    if (this.#book.requests.length > 0) {
      const rival = this.#rivalAt(this.#reconnection.afterLoss(now), now)
      this.#change({ ...state, kind: 'silent', rival })
      return
    }
    this.#outputs.push({ kind: 'close', connection: state.connection })
    this.#lost('no answer to heartbeats', now)
  }

  /** The attack is over: a session that has been silent all the while counts as disconnected now. */
  #giveUpSilent(now: Instant): void {
    const state = this.#state
    if (state.kind !== 'silent' || this.#book.requests.length > 0) return
    this.#outputs.push({ kind: 'close', connection: state.connection })
    this.#leaveSilent(state, 'no answer to heartbeats', now)
  }
}

/** Streams only to servers that have nothing else (RFC 9132 §4.3 prefers UDP). */
function datagramsFirst(paths: readonly LegalPath[]): readonly LegalPath[] {
  const datagrams = paths.filter(({ transport }) => transport === 'udp')
  return datagrams.length > 0 ? datagrams : paths
}

function sentBefore(one: LiveSession, other: LiveSession): boolean {
  return (one.session.sentAt ?? -Infinity) < (other.session.sentAt ?? -Infinity)
}
