import { between, earlier } from '@breakwater/core'
import type { Entropy, Instant, Machine, SessionEnd, SessionFailure } from '@breakwater/core'
import type { Cuid } from '../domain/identifier.ts'
import type { DotsServer } from '../domain/site.ts'
import { describeIllegal } from '../multihoming/legal-path.ts'
import type { LegalPath, LegalPaths } from '../multihoming/legal-path.ts'
import type { SessionParameters } from '../signal/defaults.ts'
import type { Calendar } from './calendar.ts'
import { Reconnection } from './reconnection.ts'
import type { ReconnectionRule } from './reconnection.ts'
import { RequestBook } from './request-book.ts'
import type { BookedRequest, LastingWant } from './request-book.ts'
import { SignalSession } from './session.ts'
import type { SignalSessionOutput } from './session.ts'

/** Names one attempt at a session, and the session that comes of it; never given again. */
export type ConnectionId = number & { readonly __brand: 'ConnectionId' }

/**
 * The session with one server.
 *
 * | state | leaves it on |
 * |---|---|
 * | `stopped` | start |
 * | `no-path`: no legal path leads to the server | – |
 * | `connecting` | establishment, failure |
 * | `established` | loss, silence of the server |
 * | `pausing`: the next attempt is at `until` | `until` |
 */
export type SessionState =
  | { readonly kind: 'stopped' }
  | { readonly kind: 'no-path'; readonly reasons: readonly string[] }
  | {
      readonly kind: 'connecting'
      readonly connection: ConnectionId
      readonly path: LegalPath
      readonly since: Instant
    }
  | {
      readonly kind: 'established'
      readonly connection: ConnectionId
      readonly path: LegalPath
      readonly since: Instant
      readonly session: SignalSession
      /** Heartbeats get no answer, but an attack is on, so the session is kept (RFC 9132 §4.7). */
      readonly isSilent: boolean
    }
  | { readonly kind: 'pausing'; readonly until: Instant; readonly reason: string }

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
  | { readonly kind: 'requests-changed' }
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
        if (this.#isCurrent(input.connection)) this.#failed(input.reason, now)
        break
      case 'closed':
        if (this.#isCurrent(input.connection)) this.#lost(`closed: ${input.reason}`, now)
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
    const next = this.#book.nextTimeout()
    if (this.#state.kind === 'pausing') return earlier(next, this.#state.until)
    if (this.#state.kind === 'established') return earlier(next, this.#state.session.nextTimeout())
    return next
  }

  handleTimeout(now: Instant): void {
    if (this.#state.kind === 'pausing' && this.#state.until <= now) this.#connect(now)
    if (this.#state.kind === 'established') this.#state.session.handleTimeout(now)
    this.#book.handleTimeout(now)
    this.#drain(now)
  }

  #isCurrent(connection: ConnectionId): boolean {
    const state = this.#state
    return (state.kind === 'connecting' || state.kind === 'established') && state.connection === connection
  }

  #change(state: SessionState): void {
    this.#state = state
    this.#outputs.push({ kind: 'session-changed' })
  }

  #connect(now: Instant): void {
    const { paths, illegal } = this.#options.paths
    const path = paths[this.#nextPath % Math.max(paths.length, 1)]
    if (path === undefined) {
      this.#change({ kind: 'no-path', reasons: illegal.map((reason) => describeIllegal(reason)) })
      return
    }
    const connection = this.#options.newConnection()
    this.#reconnection.attempted(now)
    this.#outputs.push({ kind: 'connect', connection, path, serverName: path.referenceName })
    this.#change({ kind: 'connecting', connection, path, since: now })
  }

  #established(connection: ConnectionId, now: Instant): void {
    const state = this.#state
    if (state.kind !== 'connecting' || state.connection !== connection) {
      // Of an attempt that was given up: nobody would serve it.
      this.#outputs.push({ kind: 'close', connection })
      return
    }
    const handshake = between(state.since, now)
    const session = new SignalSession(this.#options.entropy, handshake, now, this.#options.parameters)
    this.#reconnection.established()
    this.#change({
      kind: 'established',
      connection,
      path: state.path,
      since: now,
      session,
      isSilent: false
    })
    this.#book.sessionUp(now)
  }

  #failed(reason: SessionFailure, now: Instant): void {
    if (this.#state.kind === 'established') {
      this.#lost(`failed: ${reason}`, now)
      return
    }
    this.#nextPath++
    const until = this.#reconnection.afterFailure(now, reason !== 'local')
    this.#change({ kind: 'pausing', until, reason })
  }

  /** RFC 9132 §4.7: the client must try to re-establish what was lost. */
  #lost(reason: string, now: Instant): void {
    const wasEstablished = this.#state.kind === 'established'
    if (wasEstablished) this.#book.sessionDown(now)
    const until = this.#reconnection.afterLoss(now)
    if (until <= now) this.#connect(now)
    else this.#change({ kind: 'pausing', until, reason })
  }

  #stop(now: Instant): void {
    const state = this.#state
    if (state.kind === 'connecting' || state.kind === 'established')
      this.#outputs.push({ kind: 'close', connection: state.connection })
    if (state.kind === 'established') this.#book.sessionDown(now)
    this.#change({ kind: 'stopped' })
  }

  #received(connection: ConnectionId, bytes: Uint8Array, now: Instant): void {
    if (this.#state.kind !== 'established' || this.#state.connection !== connection) return
    this.#state.session.handle({ kind: 'datagram', bytes }, now)
  }

  /** Carries what the session says to the book and back until both have nothing more to say. */
  #drain(now: Instant): void {
    do {
      for (let output = this.#book.poll(); output !== undefined; output = this.#book.poll())
        this.#performForBook(output, now)
    } while (this.#drainSession(now))
  }

  /** @returns whether the session had anything to say. */
  #drainSession(now: Instant): boolean {
    const state = this.#state
    if (state.kind !== 'established') return false
    state.session.handle({ kind: 'send' }, now)
    const output = state.session.poll()
    if (output === undefined) return false
    this.#performForSession(output, state, now)
    return true
  }

  #performForBook(output: ReturnType<RequestBook['poll']> & object, now: Instant): void {
    switch (output.kind) {
      case 'ask':
      case 'forget':
        if (this.#state.kind === 'established') this.#state.session.handle(output, now)
        return
      case 'changed':
        this.#outputs.push({ kind: 'requests-changed' })
        if (this.#state.kind === 'established' && this.#state.isSilent) this.#silence(this.#state, now)
        return
      case 'cuid-changed':
        this.#outputs.push(output)
    }
  }

  #performForSession(
    output: SignalSessionOutput,
    state: SessionState & { readonly kind: 'established' },
    now: Instant
  ): void {
    switch (output.kind) {
      case 'send':
        this.#outputs.push({ kind: 'send', connection: state.connection, bytes: output.bytes })
        return
      case 'answer':
        this.#book.answer(output.errand, output.response, now)
        return
      case 'heartbeats-lost':
        if (!output.hearing) this.#silence(state, now)
        return
      case 'heartbeats-back':
        this.#change({ ...state, isSilent: false })
        return
      case 'malformed':
        this.#outputs.push(output)
    }
  }

  /**
   * RFC 9132 §4.7: the link may be full in one direction during an attack, so the session must not be given up then;
   * without an attack it counts as disconnected.
   */
  #silence(state: SessionState & { readonly kind: 'established' }, now: Instant): void {
    if (this.#book.requests.length > 0) {
      if (!state.isSilent) this.#change({ ...state, isSilent: true })
      return
    }
    this.#outputs.push({ kind: 'close', connection: state.connection })
    this.#lost('no answer to heartbeats', now)
  }
}
