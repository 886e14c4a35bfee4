/** Counts things, in all and by kind. A kind of which there is nothing takes no room. */
export class Tally {
  readonly #byKind = new Map<string, number>()
  #total = 0

  get total(): number {
    return this.#total
  }

  /** Kinds of which there is something. */
  get kinds(): number {
    return this.#byKind.size
  }

  of(kind: string): number {
    return this.#byKind.get(kind) ?? 0
  }

  add(kind: string): void {
    this.#total++
    this.#byKind.set(kind, this.of(kind) + 1)
  }

  /** Takes one away that was added before. */
  remove(kind: string): void {
    this.#total--
    const left = this.of(kind) - 1
    if (left > 0) this.#byKind.set(kind, left)
    else this.#byKind.delete(kind)
  }
}
