import type { Instant, SessionFailure } from '@breakwater/core'
import type { Attempt, LiveSession } from '../connection/session-state.ts'
import type { SignalSessionOutput } from '../session/session-io.ts'
import type { PathEvidence } from './path-evidence.ts'
import type { PathPool } from './path-pool.ts'
import { usedPath } from './used-path.ts'

/** What a session has to say of its path. */
export type SessionNews = Extract<
  SignalSessionOutput,
  { readonly kind: 'answered' | 'unanswered' | 'heard' | 'heartbeats-lost' }
>

/** Tells the pool what the sessions with one server learn of their paths. DTLS or TLS proves that it is the server who spoke. */
export class PathReporter {
  readonly #pool: PathPool

  constructor(pool: PathPool) {
    this.#pool = pool
  }

  established(attempt: Attempt, now: Instant): void {
    this.#tell(attempt, { verdict: 'good', because: 'a handshake succeeded' }, now)
  }

  /** A server that refuses us was reached: only silence is about the path. */
  handshakeFailed(attempt: Attempt, reason: SessionFailure, now: Instant): void {
    if (reason !== 'timeout') return
    const because = 'a handshake got no answer'
    this.#tell(attempt, { verdict: 'bad', because, sentAt: attempt.since, isFinal: true }, now)
  }

  session(news: SessionNews, live: LiveSession, now: Instant): void {
    switch (news.kind) {
      case 'answered': {
        const { roundTrip } = news
        this.#tell(live, { verdict: 'good', because: 'a request was answered', roundTrip }, now)
        return
      }
      case 'unanswered':
        this.#tell(live, { verdict: 'bad', because: 'a request got no answer', sentAt: news.since }, now)
        return
      case 'heartbeats-lost':
        this.#tell(live, { verdict: 'bad', because: 'heartbeats got no answer', isFinal: true }, now)
        return
      case 'heard':
        this.#tell(live, { verdict: 'good', because: 'the server was heard', direction: 'inward' }, now)
        if (news.hearsUs !== undefined) this.#word(news.hearsUs, live, now)
    }
  }

  /** RFC 9132 §4.7, `peer-hb-status`: a suggestion. It never switches anything by itself. */
  #word(hearsUs: boolean, live: LiveSession, now: Instant): void {
    const verdict = hearsUs ? 'good' : 'bad'
    const because = hearsUs ? 'the server hears our heartbeats' : 'the server does not hear our heartbeats'
    this.#tell(live, { verdict, because, direction: 'outward' }, now)
  }

  #tell(
    { path, connection }: Attempt,
    evidence: Omit<PathEvidence, 'path' | 'reporter' | 'trust'>,
    now: Instant
  ): void {
    const reporter = `session ${connection}`
    this.#pool.take({ ...evidence, path: usedPath(path), reporter, trust: 'session' }, now)
  }
}
