/** Questions that are open at a time: a resolver that is attacked, too, is not to be buried. */
export const MOST_QUESTIONS = 16

/** A name that is asked for. */
export interface NameQuestion {
  /** Never given to another one. */
  readonly question: number
  readonly name: string
}

/** Which names are being asked for, and which are due and wait until fewer questions are open. */
export class NameQuestions {
  readonly #open = new Map<number, string>()
  readonly #unknown = new Set<string>()
  readonly #outdated = new Set<string>()
  #next = 1

  /** A name is due. One that is not known goes first: what it names is unprotected. */
  add(name: string, isKnown: boolean): void {
    const queue = isKnown ? this.#outdated : this.#unknown
    queue.add(name)
  }

  /** Opens the next question; undefined: nothing is due, or too many are open. */
  open(): NameQuestion | undefined {
    if (this.#open.size >= MOST_QUESTIONS) return undefined
    for (const queue of [this.#unknown, this.#outdated])
      for (const name of queue) {
        queue.delete(name)
        const question = this.#next++
        this.#open.set(question, name)
        return { question, name }
      }
    return undefined
  }

  /** Closes a question and says for what name it asked; undefined: it is not open. */
  close(question: number): string | undefined {
    const name = this.#open.get(question)
    this.#open.delete(question)
    return name
  }

  /** Nobody wants to know a name any more. Closes its question and says which that was. */
  drop(name: string): number | undefined {
    this.#unknown.delete(name)
    this.#outdated.delete(name)
    for (const [question, asked] of this.#open)
      if (asked === name) {
        this.#open.delete(question)
        return question
      }
    return undefined
  }
}
