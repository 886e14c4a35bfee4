import type { Instant } from '@breakwater/core'

export interface QueuedEvent {
  readonly at: Instant
  /** Order of scheduling: ties of time are broken by it, which makes every run the same. */
  readonly sequence: number
  readonly act: () => void
  state: 'waiting' | 'cancelled' | 'taken'
}

/** Cancelled events that may lie about before the heap is cleaned. */
const tolerated = 256

/** A binary heap of events in the order (time, sequence). Cancelling is cheap; the hole is cleaned up later. */
export class EventQueue {
  #heap: QueuedEvent[] = []
  #sequence = 0
  #cancelled = 0

  /** Events that still wait. */
  get size(): number {
    return this.#heap.length - this.#cancelled
  }

  add(at: Instant, act: () => void): QueuedEvent {
    const event: QueuedEvent = { at, sequence: this.#sequence++, act, state: 'waiting' }
    this.#heap.push(event)
    this.#rise(this.#heap.length - 1)
    return event
  }

  /** Harmless on an event that was taken or cancelled before. */
  cancel(event: QueuedEvent): void {
    if (event.state !== 'waiting') return
    event.state = 'cancelled'
    this.#cancelled++
    if (this.#cancelled > tolerated && this.#cancelled * 2 > this.#heap.length) this.#clean()
  }

  /** The first event that waits. */
  peek(): QueuedEvent | undefined {
    while (this.#heap[0]?.state === 'cancelled') {
      this.#removeFirst()
      this.#cancelled--
    }
    return this.#heap[0]
  }

  /** Takes the first event out. */
  takeFirst(): QueuedEvent | undefined {
    const first = this.peek()
    if (first === undefined) return undefined
    first.state = 'taken'
    this.#removeFirst()
    return first
  }

  #clean(): void {
    // A sorted array is a heap.
    this.#heap = this.#heap.filter((event) => event.state === 'waiting').toSorted(compare)
    this.#cancelled = 0
  }

  #removeFirst(): void {
    const last = this.#heap.pop()
    if (last === undefined || this.#heap.length === 0) return
    this.#heap[0] = last
    this.#sink(0)
  }

  #rise(from: number): void {
    let index = from
    while (index > 0) {
      const parent = (index - 1) >> 1
      if (!this.#swapUnlessOrdered(parent, index)) return
      index = parent
    }
  }

  #sink(from: number): void {
    let index = from
    for (;;) {
      const left = 2 * index + 1
      const right = left + 1
      const child = this.#isBefore(right, left) ? right : left
      if (!this.#swapUnlessOrdered(index, child)) return
      index = child
    }
  }

  #isBefore(a: number, b: number): boolean {
    const first = this.#heap[a]
    const second = this.#heap[b]
    return first !== undefined && second !== undefined && compare(first, second) < 0
  }

  #swapUnlessOrdered(upper: number, lower: number): boolean {
    const above = this.#heap[upper]
    const below = this.#heap[lower]
    if (above === undefined || below === undefined || compare(above, below) < 0) return false
    this.#heap[upper] = below
    this.#heap[lower] = above
    return true
  }
}

function compare(a: QueuedEvent, b: QueuedEvent): number {
  return a.at - b.at || a.sequence - b.sequence
}
