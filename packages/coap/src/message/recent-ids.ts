/** So many messages of one sender are still known when a Reset comes; older ones count as lost on the way. */
const KEPT = 8

/** The Message IDs of what one sender sent last. */
export class RecentIds {
  /** Ids, and beside them what number each message had among those of all senders. */
  readonly #ids: number[] = []
  readonly #ordinals: number[] = []

  /** @param ordinal Larger with each message of any sender: ids come round again. */
  add(messageId: number, ordinal: number): void {
    if (this.#ids.length === KEPT) {
      this.#ids.shift()
      this.#ordinals.shift()
    }
    this.#ids.push(messageId)
    this.#ordinals.push(ordinal)
  }

  /** The ordinal of the last message with this id; 0: none that is still known. */
  ordinalOf(messageId: number): number {
    return this.#ordinals[this.#ids.lastIndexOf(messageId)] ?? 0
  }
}
