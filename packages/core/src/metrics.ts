/** One counter, for whoever counts so often that to look it up by its name each time would tell. */
export class Counter {
  #value = 0

  /** Adds `by` (default 1). */
  add(by = 1): void {
    this.#value += by
  }

  get value(): number {
    return this.#value
  }
}

/**
 * Counters for hot paths: a plain number per name and label, read out by whoever exports them.
 * A name follows Prometheus: `coap_datagrams_malformed_total`.
 */
export class Counters {
  readonly #counters = new Map<string, Counter>()

  /** Adds `by` (default 1) to a counter; `label` tells the kinds of one counter apart. */
  count(name: string, label = '', by = 1): void {
    this.counter(name, label).add(by)
  }

  /** The counter itself. */
  counter(name: string, label = ''): Counter {
    const key = keyOf(name, label)
    let counter = this.#counters.get(key)
    if (counter === undefined) this.#counters.set(key, (counter = new Counter()))
    return counter
  }

  /** The value of a counter; 0 when it never counted. */
  value(name: string, label = ''): number {
    return this.#counters.get(keyOf(name, label))?.value ?? 0
  }

  /** All counters that have counted, by name. */
  snapshot(): Readonly<Record<string, number>> {
    const counted = [...this.#counters].filter(([, { value }]) => value !== 0)
    return Object.fromEntries(
      counted.map(([key, { value }]) => [key, value] as const).toSorted(([a], [b]) => (a < b ? -1 : 1))
    )
  }
}

function keyOf(name: string, label: string): string {
  return label === '' ? name : `${name}{${label}}`
}
