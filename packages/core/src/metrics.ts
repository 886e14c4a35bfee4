/**
 * Counters for hot paths: a plain number per name and label, read out by whoever exports them.
 * A name follows Prometheus: `coap_datagrams_malformed_total`.
 */
export class Counters {
  readonly #values = new Map<string, number>()

  /** Adds `by` (default 1) to a counter; `label` tells the kinds of one counter apart. */
  count(name: string, label = '', by = 1): void {
    const key = label === '' ? name : `${name}{${label}}`
    this.#values.set(key, (this.#values.get(key) ?? 0) + by)
  }

  /** The value of a counter; 0 when it never counted. */
  value(name: string, label = ''): number {
    return this.#values.get(label === '' ? name : `${name}{${label}}`) ?? 0
  }

  /** All counters, by name. */
  snapshot(): Readonly<Record<string, number>> {
    return Object.fromEntries([...this.#values].toSorted(([a], [b]) => (a < b ? -1 : 1)))
  }
}
