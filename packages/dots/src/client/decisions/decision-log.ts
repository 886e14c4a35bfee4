import type { Instant } from '@breakwater/core'

/** What a decision was about; a path is named as people are shown it: `udp wan-a 198.51.100.1 to 192.0.2.1:4646`. */
export interface DecisionSubject {
  readonly kind: 'protection' | 'server' | 'path' | 'name'
  readonly name: string
}

/** Why something was decided, for people; nothing in it is secret. */
export interface DecisionReason {
  readonly because: string
  /** What it was decided by, by names. */
  readonly inputs: Readonly<Record<string, string>>
}

export interface Decision extends DecisionReason {
  readonly at: Instant
  readonly subject: DecisionSubject
  /** What was decided, in a few words. */
  readonly decision: string
}

/** The last ones of each subject are kept. */
export const MOST_DECISIONS_OF_ONE = 64

/** Of all subjects together; those about which nothing was decided for longest are forgotten first. */
export const MOST_DECISIONS = 16_384

interface Noted {
  readonly at: Instant
  readonly decision: string
  readonly explain: () => DecisionReason
}

interface History {
  readonly subject: DecisionSubject
  readonly noted: Noted[]
}

/**
 * The last decisions of a client with their reasons, so that it can be asked why it did what it did. Bounded, and in memory
 * only. Reasons are put into words when somebody asks.
 */
export class DecisionLog {
  /** By subject; about which something was decided last, comes last. */
  readonly #histories = new Map<string, History>()
  /** Stands behind all that was forgotten: to begin anew each time is to pass by every place that was left. */
  readonly #oldest = this.#histories.entries()
  #count = 0

  /** @param explain Must not depend on anything that changes. */
  note(subject: DecisionSubject, decision: string, explain: () => DecisionReason, now: Instant): void {
    const key = `${subject.kind} ${subject.name}`
    const history = this.#histories.get(key) ?? { subject, noted: [] }
    this.#histories.delete(key)
    this.#histories.set(key, history)
    history.noted.push({ at: now, decision, explain })
    this.#count++
    if (history.noted.length > MOST_DECISIONS_OF_ONE) {
      history.noted.shift()
      this.#count--
    }
    if (this.#count > MOST_DECISIONS) this.#forgetOldest()
  }

  /**
   * What was decided about everything of this name, the oldest first: about a protection or a server, about a path, or about
   * all paths with this word in their name (an address, an interface). Empty: nothing is known.
   */
  about(name: string): readonly Decision[] {
    const histories = [...this.#histories.values()]
    const exact = histories.filter(({ subject }) => subject.name === name)
    const found =
      exact.length > 0
        ? exact
        : histories.filter(({ subject }) => subject.kind === 'path' && hasWord(subject.name, name))
    return found
      .flatMap(({ subject, noted }) =>
        noted.map(({ at, decision, explain }) => ({ at, subject, decision, ...explain() }))
      )
      .toSorted((x, y) => x.at - y.at)
  }

  /** Names of what something was decided about, for who asks for something else. */
  get subjects(): readonly DecisionSubject[] {
    return [...this.#histories.values()].map(({ subject }) => subject)
  }

  #forgetOldest(): void {
    const { value: oldest } = this.#oldest.next()
    if (oldest === undefined) return
    this.#histories.delete(oldest[0])
    this.#count -= oldest[1].noted.length
  }
}

/** An address with or without its port. */
function hasWord(name: string, word: string): boolean {
  const isAddress = (each: string): boolean => each.startsWith(`${word}:`) || each.startsWith(`[${word}]:`)
  return name.split(' ').some((each) => each === word || isAddress(each))
}
