/** So many messages before the last one of a sender are known if they were the ones before it to that peer, too. */
const EARLIER = 30

const MASK = 2 ** EARLIER - 1

const IDS = 65_536

/**
 * The Message IDs of what one sender sent last, as a peer counts them: the last one, and which of those just before it. Older
 * ones count as lost on the way when a Reset comes. Three small numbers: a server has very many of these.
 */
export class RecentIds {
  #last = 0
  /** Bit n: the message n + 1 ids before the last one was this sender's, too. */
  #earlier = 0
  /** Of the last one; 0: there was none. */
  #ordinal = 0

  /** @param ordinal From 1, larger with each message of any sender: ids come round again. */
  add(messageId: number, ordinal: number): void {
    const ahead = this.#ordinal === 0 ? IDS : (messageId - this.#last + IDS) % IDS
    this.#earlier =
      ahead === 0 || ahead > EARLIER ? 0 : ((this.#earlier << ahead) | (1 << (ahead - 1))) & MASK
    this.#last = messageId
    this.#ordinal = ordinal
  }

  /** The ordinal of the sender's last message, if one with this id is known; 0: it is not. */
  ordinalOf(messageId: number): number {
    if (this.#ordinal === 0) return 0
    const behind = (this.#last - messageId + IDS) % IDS
    if (behind === 0) return this.#ordinal
    return behind <= EARLIER && ((this.#earlier >> (behind - 1)) & 1) === 1 ? this.#ordinal : 0
  }
}
