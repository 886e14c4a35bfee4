/**
 * What waits to be handed on, in order. Mostly it is one thing for a moment, and an array for that would be made each time;
 * sometimes it is tens of thousands, and none of them is moved when the first one leaves.
 */
export class Queue<Item extends object> {
  #first: Item | undefined
  #others: Item[] | undefined
  /** How many of `#others` have left. */
  #gone = 0

  get isEmpty(): boolean {
    return this.#first === undefined
  }

  push(item: Item): void {
    if (this.#first === undefined) this.#first = item
    else (this.#others ??= []).push(item)
  }

  /** Takes out the first one; undefined when there is none. */
  shift(): Item | undefined {
    const item = this.#first
    if (item !== undefined) this.#first = this.#others === undefined ? undefined : this.#next(this.#others)
    return item
  }

  /** What waits, in order; nothing is taken out. */
  *[Symbol.iterator](): Iterator<Item> {
    if (this.#first !== undefined) yield this.#first
    yield* this.#others?.slice(this.#gone) ?? []
  }

  clear(): void {
    this.#first = undefined
    this.#others = undefined
    this.#gone = 0
  }

  #next(others: Item[]): Item | undefined {
    const next = others[this.#gone++]
    if (this.#gone === others.length) {
      this.#others = undefined
      this.#gone = 0
    }
    return next
  }
}
