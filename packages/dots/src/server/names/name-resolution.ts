import { Seconds, addressBits, after, prefixOf } from '@breakwater/core'
import type { Instant, IpPrefix } from '@breakwater/core'
import type { NameAnswer } from '../../domain/resolver.ts'
import type { Failure, NameQuery } from '../message.ts'
import type { ServerState } from '../server-state.ts'

/** What all names of a request mean together. */
export type NamesResolved =
  | {
      readonly kind: 'resolved'
      readonly prefixes: readonly IpPrefix[]
      readonly ttlSeconds: number
    }
  | { readonly kind: 'no-such-name'; readonly name: string }
  /** The name service did not say, or says more than we take. */
  | { readonly kind: 'failed'; readonly name: string; readonly failure: Failure }

/** Longer than any resolver's own limit: for one that breaks its promise to end by itself. */
const TIME_LIMIT = Seconds(15)

interface Query {
  readonly name: string
  readonly waiting: ((answer: NameAnswer | Failure, now: Instant) => void)[]
}

/**
 * Asks the name service, for many at once and each name once at a time (RFC 9132 §4.4.1.1). Nobody waits for it but those
 * who named the name.
 */
export class NameResolution {
  readonly #state: ServerState
  readonly #queries = new Map<NameQuery, Query>()
  readonly #byName = new Map<string, NameQuery>()
  #next = 1

  constructor(state: ServerState) {
    this.#state = state
  }

  /** @param done Called once, later or at once. */
  resolve(names: readonly string[], done: (result: NamesResolved, now: Instant) => void, now: Instant): void {
    const answers = new Map<string, NameAnswer | Failure>()
    const take = (name: string, answer: NameAnswer | Failure, at: Instant): void => {
      answers.set(name, answer)
      if (answers.size === names.length) done(this.#together(answers), at)
    }
    if (names.length === 0) done({ kind: 'resolved', prefixes: [], ttlSeconds: Infinity }, now)
    for (const name of names) this.#ask(name, (answer, at) => take(name, answer, at), now)
  }

  /** Inputs `resolved` and `resolve-failed`. */
  settle(query: NameQuery, answer: NameAnswer | Failure, now: Instant): void {
    const found = this.#queries.get(query)
    if (found === undefined) return
    this.#queries.delete(query)
    this.#byName.delete(found.name)
    this.#state.timers.cancel(timerOf(query))
    this.#state.counters.count('dots_server_names_resolved_total', outcomeOf(answer))
    if ('code' in answer)
      this.#state.report({ kind: 'name-failed', name: found.name, message: answer.message })
    for (const take of found.waiting) take(answer, now)
  }

  /** Timer `name:<query>`. */
  timeout(query: NameQuery, now: Instant): void {
    this.settle(query, failure('the resolver gave no answer'), now)
  }

  #ask(name: string, take: Query['waiting'][number], now: Instant): void {
    const open = this.#byName.get(name)
    const shared = open === undefined ? undefined : this.#queries.get(open)
    if (shared !== undefined) {
      shared.waiting.push(take)
      return
    }
    if (this.#queries.size >= this.#state.policy.limits.namesAtOnce) {
      this.#state.counters.count('dots_server_names_resolved_total', 'too-many')
      take(failure('too many names are being resolved'), now)
      return
    }
    const query = this.#next++ as NameQuery
    this.#queries.set(query, { name, waiting: [take] })
    this.#byName.set(name, query)
    this.#state.timers.set(timerOf(query), after(now, TIME_LIMIT))
    this.#state.emit({ kind: 'resolve', query, name })
  }

  #together(answers: ReadonlyMap<string, NameAnswer | Failure>): NamesResolved {
    const prefixes: IpPrefix[] = []
    let ttlSeconds = Infinity
    for (const [name, answer] of answers) {
      if ('code' in answer) return { kind: 'failed', name, failure: answer }
      if (answer.kind === 'no-such-name' || answer.addresses.length === 0)
        return { kind: 'no-such-name', name }
      const most = this.#state.policy.limits.addressesPerName
      if (answer.addresses.length > most)
        return { kind: 'failed', name, failure: failure(`it has more than ${most} addresses`) }
      prefixes.push(...answer.addresses.map((each) => prefixOf(each, addressBits(each.family))))
      ttlSeconds = Math.min(ttlSeconds, answer.ttlSeconds)
    }
    return { kind: 'resolved', prefixes, ttlSeconds }
  }
}

function outcomeOf(answer: NameAnswer | Failure): string {
  return 'code' in answer ? 'failed' : answer.kind
}

function timerOf(query: NameQuery): string {
  return `name:${query}`
}

function failure(message: string): Failure {
  return { code: 'DOTS_SERVER_NAME_UNRESOLVED', message, retryable: true }
}
