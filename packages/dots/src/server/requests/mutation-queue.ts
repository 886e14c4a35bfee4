import { equalBytes } from '@breakwater/core'
import type { Instant } from '@breakwater/core'
import type { RecordChange } from '../../domain/record-store.ts'
import type { ClientState } from '../client-state.ts'
import { OUTDATED } from '../mitigations/commits.ts'
import type { Commits } from '../mitigations/commits.ts'
import type { Answer } from './response.ts'
import { unavailable } from './response.ts'
import type { ServerState } from '../server-state.ts'

/** What a request that changes something comes to. */
export type Decision =
  | { readonly kind: 'answer'; readonly answer: Answer }
  | {
      readonly kind: 'commit'
      readonly changes: readonly RecordChange[]
      /** Carries out what is now on stable storage. */
      readonly stored: (now: Instant) => Answer
      /** Undoes what was prepared. */
      readonly notStored: (now: Instant) => void
    }

/** One request that may change the mitigations of a client. */
export interface Mutation {
  /** What was asked: equal for copies of a request that came as messages of their own. */
  readonly method: number
  readonly key: string
  readonly payload: Uint8Array
  /** Decides when its turn has come, on what all earlier ones have left. */
  readonly decide: (now: Instant) => Decision
  readonly reply: (answer: Answer, now: Instant) => void
}

/** A mutation in the queue, with those who wait for its answer and the records that its commit changes. */
export interface QueuedMutation {
  readonly mutation: Mutation
  readonly replies: Mutation['reply'][]
  touches: ReadonlySet<string>
  /** How often others were faster. */
  outdated: number
}

/** Seconds after which a request that could not be stored may come again. */
const RETRY_SECONDS = 5

/** So often a request is decided, each time on what other servers have changed before it could be stored. */
const MOST_DECISIONS = 16

/**
 * The changes of one client, one after the other: the next is decided when the one before it is on stable storage or has
 * failed, so that nothing is ever built on a promise that was not kept. Other clients do not wait.
 */
export class MutationQueue {
  readonly #state: ServerState
  readonly #commits: Commits
  readonly #idle: (client: ClientState, now: Instant) => void

  /** @param idle Called when a client has nothing left to wait for. */
  constructor(state: ServerState, commits: Commits, idle: (client: ClientState, now: Instant) => void) {
    this.#state = state
    this.#commits = commits
    this.#idle = idle
  }

  submit(client: ClientState, mutation: Mutation, now: Instant): void {
    const last = client.mutations.at(-1)
    if (last !== undefined && same(last.mutation, mutation)) {
      // The client repeats what it got no answer to yet (RFC 9132 §4.4): done once, answered to all.
      this.#state.counters.count('dots_server_requests_repeated_total')
      last.replies.push(mutation.reply)
      return
    }
    if (client.mutations.length >= this.#state.policy.limits.waitingPerClient) {
      mutation.reply(
        unavailable('DOTS_SERVER_BUSY', 'too many requests wait for the store', RETRY_SECONDS),
        now
      )
      return
    }
    client.mutations.push({ mutation, replies: [mutation.reply], touches: new Set(), outdated: 0 })
    if (client.mutations.length === 1) this.#run(client, now)
  }

  #run(client: ClientState, now: Instant): void {
    for (let head = client.mutations[0]; head !== undefined; head = client.mutations[0]) {
      const decision = this.#confirmed(head.mutation.decide(now))
      if (decision.kind === 'commit') {
        head.touches = new Set(decision.changes.map(({ key }) => key))
        this.#commit(client, head, decision)
        return
      }
      this.#finish(client, head, decision.answer, now)
    }
    this.#idle(client, now)
  }

  /**
   * What changes nothing was decided on what is known here. Where others share the store that may be old, and a withdrawal of
   * what another server has just granted would be acknowledged and not done: a commit of nothing asks whether it holds.
   */
  #confirmed(decision: Decision): Decision {
    if (decision.kind === 'commit' || this.#state.sharing === undefined) return decision
    return { kind: 'commit', changes: [], stored: () => decision.answer, notStored: () => undefined }
  }

  #commit(client: ClientState, head: QueuedMutation, decision: Extract<Decision, { kind: 'commit' }>): void {
    this.#commits.commit(decision.changes, (failure, now) => {
      let answer: Answer
      if (failure === undefined) answer = decision.stored(now)
      else {
        decision.notStored(now)
        if (failure === OUTDATED && ++head.outdated < MOST_DECISIONS) {
          // Decided again, on what is known now.
          this.#run(client, now)
          return
        }
        answer =
          failure === OUTDATED
            ? unavailable(
                'DOTS_SERVER_STORE_CONTENDED',
                'other servers keep changing what this request depends on',
                RETRY_SECONDS
              )
            : unavailable('DOTS_SERVER_STORE_FAILED', 'the request could not be stored', RETRY_SECONDS)
      }
      this.#finish(client, head, answer, now)
      this.#run(client, now)
    })
  }

  #finish(client: ClientState, head: QueuedMutation, answer: Answer, now: Instant): void {
    client.mutations.shift()
    for (const reply of head.replies) reply(answer, now)
  }
}

/** Whether a commit that changes this record is on its way. */
export function isChanging(client: ClientState, key: string): boolean {
  return client.mutations[0]?.touches.has(key) === true
}

function same(a: Mutation, b: Mutation): boolean {
  return a.method === b.method && a.key === b.key && equalBytes(a.payload, b.payload)
}
