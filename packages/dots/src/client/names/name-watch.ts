import { Milliseconds, Seconds, TimerTable, after } from '@breakwater/core'
import type { Duration, Instant, Machine } from '@breakwater/core'
import { ProtectionId } from '../../domain/identifier.ts'
import { NameMemory } from './name-memory.ts'
import type { RememberedName } from './name-memory.ts'
import { GIVEN_UP, QUESTION_GIVEN_UP_AFTER, unusable } from './name-outcome.ts'
import type { NameOutcome } from './name-outcome.ts'
import { NameQuestions } from './name-questions.ts'
import { sameAddresses, unknownName } from './name-standing.ts'
import type { NameStanding } from './name-standing.ts'

/** Names that are watched at a time. */
export const MOST_NAMES = 10_000

/** Until a name is asked for again that got no usable answer; doubled with every failure … */
const FIRST_RETRY: Duration = Seconds(5)

/** … up to this. */
const MOST_RETRY: Duration = Seconds(300)

/** What a watch is told. */
export type NameWatchInput =
  /** These are the names of a protection now; none: it is over, or has none. */
  | { readonly kind: 'hold'; readonly protection: ProtectionId; readonly names: readonly string[] }
  /** The answer to `ask`. */
  | { readonly kind: 'answered'; readonly question: number; readonly outcome: NameOutcome }
  /** What an earlier life knew; after the first `hold` of every protection. */
  | { readonly kind: 'remembered'; readonly names: ReadonlyMap<string, RememberedName> }
  | { readonly kind: 'stop' }

/** What a watch wants done. */
export type NameWatchOutput =
  /** What does this name mean to the site? Answered by `answered`. */
  | { readonly kind: 'ask'; readonly question: number; readonly name: string }
  /** A name means something else, or it is another thing that is wrong with it: what names it is to be placed again. */
  | {
      readonly kind: 'changed'
      readonly standing: NameStanding
      readonly protections: readonly ProtectionId[]
    }
  /** To be stored where a restart finds it; undefined: nobody needs it any more. */
  | { readonly kind: 'remember'; readonly name: string; readonly record: RememberedName | undefined }

interface WatchedName {
  readonly name: string
  readonly holders: Set<ProtectionId>
  readonly memory: NameMemory
  failures: number
  /** What was wrong with the last answer. */
  trouble: string
}

/**
 * Knows what the names of live protections mean (RFC 9132 §4.4.1.1): asks for each when it is first needed and again when
 * the answer is no longer good. A failure takes nothing away: what was known stays in force, for an attack on a name
 * service must not end the protection of what it named. Nor does an answer that takes all addresses away.
 *
 * | a name that is | hold | usable answer | failure | time |
 * |---|---|---|---|---|
 * | not watched | asked | – | – | – |
 * | being asked for | – | known for its TTL | retry, later each time | given up: as failure |
 * | known | – | – | – | asked; an address that was left out leaves |
 */
export class NameWatch implements Machine<NameWatchInput, NameWatchOutput> {
  readonly #names = new Map<string, WatchedName>()
  readonly #byProtection = new Map<ProtectionId, ReadonlySet<string>>()
  /** Names for which there was no room, and who names them. */
  readonly #turnedAway = new Map<string, Set<ProtectionId>>()
  readonly #questions = new NameQuestions()
  readonly #timers = new TimerTable<`ask:${string}` | `leave:${string}` | `patience:${number}`>()
  readonly #outputs: NameWatchOutput[] = []
  #isStopped = false

  handle(input: NameWatchInput, now: Instant): void {
    switch (input.kind) {
      case 'hold':
        this.#hold(input.protection, new Set(input.names))
        break
      case 'answered':
        this.#answered(input.question, input.outcome, now)
        break
      case 'remembered':
        this.#restore(input.names)
        break
      case 'stop':
        this.#isStopped = true
    }
    this.#askNext(now)
  }

  poll(): NameWatchOutput | undefined {
    return this.#outputs.shift()
  }

  nextTimeout(): Instant | undefined {
    return this.#isStopped ? undefined : this.#timers.next()
  }

  handleTimeout(now: Instant): void {
    if (this.#isStopped) return
    for (let due = this.#timers.takeDue(now); due !== undefined; due = this.#timers.takeDue(now))
      this.#due(due, now)
    this.#askNext(now)
  }

  standing(name: string): NameStanding {
    const watched = this.#names.get(name)
    if (watched !== undefined) return this.#standingOf(watched)
    return this.#names.size >= MOST_NAMES
      ? { ...unknownName(name), state: 'no-room', text: `${MOST_NAMES} names are watched already` }
      : unknownName(name)
  }

  #standingOf({ name, memory, trouble, failures }: WatchedName): NameStanding {
    const addresses = memory.addresses
    const known = addresses.length > 0
    const isGood = failures === 0
    const state = isGood ? (known ? 'resolved' : 'resolving') : known ? 'kept' : 'unresolved'
    const askedAgainAt = this.#timers.at(`ask:${name}`)
    return { name, state, addresses, leaving: memory.leaving, askedAgainAt, text: trouble }
  }

  #hold(protection: ProtectionId, names: ReadonlySet<string>): void {
    const before = this.#byProtection.get(protection) ?? new Set()
    if (names.size === 0) this.#byProtection.delete(protection)
    else this.#byProtection.set(protection, names)
    for (const name of names) if (!before.has(name)) this.#add(name, protection)
    for (const name of before) if (!names.has(name)) this.#drop(name, protection)
  }

  #add(name: string, protection: ProtectionId): void {
    const holders = this.#names.get(name)?.holders ?? this.#turnedAway.get(name)
    if (holders !== undefined) holders.add(protection)
    else if (this.#names.size >= MOST_NAMES) this.#turnedAway.set(name, new Set([protection]))
    else this.#watch(name, new Set([protection]))
  }

  #watch(name: string, holders: Set<ProtectionId>): WatchedName {
    const watched: WatchedName = {
      name,
      holders,
      memory: new NameMemory(),
      failures: 0,
      trouble: ''
    }
    this.#names.set(name, watched)
    this.#questions.add(name, false)
    return watched
  }

  #drop(name: string, protection: ProtectionId): void {
    const turnedAway = this.#turnedAway.get(name)
    if (turnedAway?.delete(protection) === true && turnedAway.size === 0) this.#turnedAway.delete(name)
    const watched = this.#names.get(name)
    if (watched === undefined || !watched.holders.delete(protection) || watched.holders.size > 0) return
    this.#names.delete(name)
    this.#timers.cancel(`ask:${name}`)
    this.#timers.cancel(`leave:${name}`)
    const question = this.#questions.drop(name)
    if (question !== undefined) this.#timers.cancel(`patience:${question}`)
    this.#outputs.push({ kind: 'remember', name, record: undefined })
    this.#takeNext()
  }

  /** There is room for one that had none. */
  #takeNext(): void {
    for (const [name, holders] of this.#turnedAway) {
      this.#turnedAway.delete(name)
      this.#tell(this.#watch(name, holders))
      return
    }
  }

  #restore(names: ReadonlyMap<string, RememberedName>): void {
    for (const [name, record] of names) {
      const watched = this.#names.get(name)
      if (watched === undefined) this.#outputs.push({ kind: 'remember', name, record: undefined })
      else if (watched.memory.addresses.length === 0) watched.memory.restore(record)
    }
  }

  #due(timer: `ask:${string}` | `leave:${string}` | `patience:${number}`, now: Instant): void {
    const [kind, subject = ''] = timer.split(':')
    if (kind === 'patience') return this.#answered(Number(subject), GIVEN_UP, now)
    const watched = this.#names.get(subject)
    if (watched === undefined) return
    if (kind === 'ask') return this.#questions.add(subject, watched.memory.addresses.length > 0)
    watched.memory.expire(now)
    this.#planLeave(watched)
    this.#tell(watched)
  }

  #askNext(now: Instant): void {
    if (this.#isStopped) return
    for (let next = this.#questions.open(); next !== undefined; next = this.#questions.open()) {
      this.#timers.set(`patience:${next.question}`, after(now, QUESTION_GIVEN_UP_AFTER))
      this.#outputs.push({ kind: 'ask', ...next })
    }
  }

  #answered(question: number, outcome: NameOutcome, now: Instant): void {
    const name = this.#questions.close(question)
    const watched = name === undefined ? undefined : this.#names.get(name)
    if (watched === undefined) return
    this.#timers.cancel(`patience:${question}`)
    const before = this.#standingOf(watched)
    const wrong = unusable(outcome)
    if (wrong === undefined && outcome.kind === 'addresses') {
      watched.memory.learn(outcome, now)
      watched.failures = 0
      watched.trouble = ''
      this.#timers.set(`ask:${watched.name}`, after(now, watched.memory.lifetime))
      this.#planLeave(watched)
    } else {
      watched.trouble = wrong ?? ''
      const pause = Math.min(MOST_RETRY, FIRST_RETRY * 2 ** watched.failures)
      watched.failures = Math.min(watched.failures + 1, 10)
      this.#timers.set(`ask:${watched.name}`, after(now, Milliseconds(pause)))
    }
    const standing = this.#standingOf(watched)
    const isSame = sameAddresses(before.addresses, standing.addresses)
    if (!isSame || before.state !== standing.state || before.text !== standing.text) this.#tell(watched)
  }

  #planLeave({ name, memory }: WatchedName): void {
    const next = memory.nextLeave
    if (next === undefined) this.#timers.cancel(`leave:${name}`)
    else this.#timers.set(`leave:${name}`, next)
  }

  #tell(watched: WatchedName): void {
    const { name, holders, memory } = watched
    const { addresses, lifetime } = memory
    if (addresses.length > 0) this.#outputs.push({ kind: 'remember', name, record: { addresses, lifetime } })
    this.#outputs.push({ kind: 'changed', standing: this.#standingOf(watched), protections: [...holders] })
  }
}

/** What a watch would know of a name that was asked for once. */
export function standingAfter(name: string, outcome: NameOutcome, now: Instant): NameStanding {
  const watch = new NameWatch()
  watch.handle({ kind: 'hold', protection: ProtectionId('plan'), names: [name] }, now)
  watch.handle({ kind: 'answered', question: 1, outcome }, now)
  return watch.standing(name)
}
