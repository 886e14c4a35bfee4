import type { Instant } from './time.ts'

/** A timer as the control API shows it. */
export interface Timer<Name extends string> {
  readonly name: Name
  readonly at: Instant
}

interface Entry<Name extends string> extends Timer<Name> {
  at: Instant
  /** Tells timers of the same moment apart: the one set first is due first. */
  order: number
  /** Where it stands in the heap. */
  index: number
}

/**
 * The timers of one machine, by name (`retransmit:17`, `heartbeat`). A name has one moment at most, so that setting it
 * again moves it and leaves nothing behind. Each change costs O(log n).
 */
export class TimerTable<Name extends string = string> {
  readonly #byName = new Map<Name, Entry<Name>>()
  /** Binary heap, the earliest at 0. */
  readonly #heap: Entry<Name>[] = []
  #nextOrder = 0

  get size(): number {
    return this.#heap.length
  }

  /** Sets or moves a timer; a moved one comes last among those of the same moment. */
  set(name: Name, at: Instant): void {
    let entry = this.#byName.get(name)
    if (entry === undefined) {
      entry = { name, at, order: this.#nextOrder++, index: this.#heap.length }
      this.#byName.set(name, entry)
      this.#heap.push(entry)
      this.#rise(entry)
      return
    }
    entry.at = at
    entry.order = this.#nextOrder++
    this.#rise(entry)
    this.#sink(entry)
  }

  /** @returns whether the timer was set. */
  cancel(name: Name): boolean {
    const entry = this.#byName.get(name)
    if (entry === undefined) return false
    this.#remove(entry)
    return true
  }

  /** When a timer is due; undefined when it is not set. */
  at(name: Name): Instant | undefined {
    return this.#byName.get(name)?.at
  }

  /** When the earliest timer is due; undefined when none is set. */
  next(): Instant | undefined {
    return this.#heap[0]?.at
  }

  /** Removes and names the earliest timer that is due at `now`; call it until it says undefined. */
  takeDue(now: Instant): Name | undefined {
    const earliest = this.#heap[0]
    if (earliest === undefined || earliest.at > now) return undefined
    this.#remove(earliest)
    return earliest.name
  }

  /** All timers in the order in which they are due. */
  list(): Timer<Name>[] {
    return this.#heap.toSorted(compare).map(({ name, at }) => ({ name, at }))
  }

  #remove(entry: Entry<Name>): void {
    this.#byName.delete(entry.name)
    const last = this.#heap.pop()
    if (last === undefined || last === entry) return
    this.#place(last, entry.index)
    this.#rise(last)
    this.#sink(last)
  }

  #rise(entry: Entry<Name>): void {
    while (entry.index > 0) {
      const parent = this.#heap[(entry.index - 1) >> 1]
      if (parent === undefined || compare(parent, entry) < 0) return
      this.#swap(parent, entry)
    }
  }

  #sink(entry: Entry<Name>): void {
    for (;;) {
      const child = this.#earlierChild(entry.index)
      if (child === undefined || compare(entry, child) < 0) return
      this.#swap(entry, child)
    }
  }

  #earlierChild(index: number): Entry<Name> | undefined {
    const left = this.#heap[2 * index + 1]
    const right = this.#heap[2 * index + 2]
    if (left === undefined || right === undefined) return left
    return compare(left, right) < 0 ? left : right
  }

  #swap(x: Entry<Name>, y: Entry<Name>): void {
    const { index } = x
    this.#place(x, y.index)
    this.#place(y, index)
  }

  #place(entry: Entry<Name>, index: number): void {
    this.#heap[index] = entry
    entry.index = index
  }
}

function compare<Name extends string>(x: Entry<Name>, y: Entry<Name>): number {
  return x.at - y.at || x.order - y.order
}
