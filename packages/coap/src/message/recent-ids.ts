/** So many messages of one sender are still known when a Reset comes; older ones count as lost on the way. */
const KEPT = 8

const IDS = 65_536

/** The Message IDs of what one sender sent last. */
export class RecentIds {
  /** Ordinal × 65,536 + Message ID, the latest last. */
  readonly #messages: number[] = []

  /** @param ordinal Larger with each message of any sender: ids come round again. */
  add(messageId: number, ordinal: number): void {
    if (this.#messages.length === KEPT) this.#messages.shift()
    this.#messages.push(ordinal * IDS + messageId)
  }

  /** The ordinal of the last message with this id; 0: none that is still known. */
  ordinalOf(messageId: number): number {
    const message = this.#messages.findLast((each) => each % IDS === messageId) ?? 0
    return Math.floor(message / IDS)
  }
}
