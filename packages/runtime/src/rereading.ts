/**
 * Reads what may have changed: one reading at a time, and whatever changes meanwhile makes another one after it. However many
 * changes there are, the last one is read.
 */
export class Rereading {
  readonly #read: () => Promise<void>
  #running: Promise<void> | undefined
  #isStale = false
  #isClosed = false

  /** @param read Must not reject. */
  constructor(read: () => Promise<void>) {
    this.#read = read
  }

  get isClosed(): boolean {
    return this.#isClosed
  }

  /** Something may be another now. @returns when that has been read, and all that changed until then. */
  want(): Promise<void> {
    this.#isStale = true
    this.#running ??= this.#readWhileStale()
    return this.#running
  }

  /** No reading begins any more. Resolves when the one under way has ended. */
  async close(): Promise<void> {
    this.#isClosed = true
    await this.#running
  }

  async #readWhileStale(): Promise<void> {
    while (this.#isStale && !this.#isClosed) {
      this.#isStale = false
      await this.#read()
    }
    // At once: a change that came before whoever waits goes on would be read by nobody.
    this.#running = undefined
  }
}
