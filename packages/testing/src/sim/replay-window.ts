/** How far behind the newest record one may still come (RFC 6347 §4.1.2.6). */
const width = 64

/** Takes each record number once: a copy that the network made is not delivered twice. */
export class ReplayWindow {
  #newest = -1
  readonly #seen = new Set<number>()

  /** Whether the record is new; it counts as seen from then on. */
  accept(sequence: number): boolean {
    if (sequence <= this.#newest - width || this.#seen.has(sequence)) return false
    this.#seen.add(sequence)
    if (sequence > this.#newest) this.#newest = sequence
    if (this.#seen.size > 2 * width) this.#forgetOld()
    return true
  }

  #forgetOld(): void {
    for (const sequence of this.#seen) if (sequence <= this.#newest - width) this.#seen.delete(sequence)
  }
}
