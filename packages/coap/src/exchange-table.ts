import type { IncomingExchange } from './session.ts'

/**
 * What is known of the peer's requests until they are answered, in order of arrival. Mostly it is one, answered at once: it
 * has a place of its own, as a Map that is filled and emptied without end is laid out anew now and then.
 */
export class ExchangeTable<Entry> {
  /** The oldest one, if it came when there was no other. */
  #exchange: IncomingExchange | undefined
  #entry: Entry | undefined
  #others: Map<IncomingExchange, Entry> | undefined

  get size(): number {
    return (this.#exchange === undefined ? 0 : 1) + (this.#others?.size ?? 0)
  }

  get(exchange: IncomingExchange): Entry | undefined {
    return exchange === this.#exchange ? this.#entry : this.#others?.get(exchange)
  }

  /** Enters one that is not there. */
  add(exchange: IncomingExchange, entry: Entry): void {
    if (this.size > 0) {
      this.#others ??= new Map()
      this.#others.set(exchange, entry)
      return
    }
    this.#exchange = exchange
    this.#entry = entry
  }

  /** Harmless when it is not there. */
  delete(exchange: IncomingExchange): void {
    if (exchange !== this.#exchange) {
      this.#others?.delete(exchange)
      return
    }
    this.#exchange = undefined
    this.#entry = undefined
  }

  /** Takes out the oldest one if `isOver` says so of it. */
  takeOldest(isOver: (entry: Entry) => boolean): Entry | undefined {
    const [exchange, entry] = this.#oldest()
    if (exchange === undefined || entry === undefined || !isOver(entry)) return undefined
    this.delete(exchange)
    return entry
  }

  #oldest(): readonly [IncomingExchange?, (Entry | undefined)?] {
    if (this.#exchange !== undefined) return [this.#exchange, this.#entry]
    const [oldest = []] = this.#others ?? []
    return oldest
  }
}
