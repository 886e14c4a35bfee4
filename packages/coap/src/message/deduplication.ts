import type { Instant } from '@breakwater/core'

/** One message of the peer's that must not be processed twice. */
export interface Remembered {
  readonly messageId: number
  readonly expiresAt: Instant
  /** The Acknowledgement or Reset that answered it, to be sent again for each copy; undefined: say nothing. */
  reply: Uint8Array | undefined
  /** When the reply was composed. */
  repliedAt: Instant | undefined
}

/**
 * The peer's messages of the last EXCHANGE_LIFETIME or NON_LIFETIME (RFC 7252 §4.5): a ring in order of arrival with an
 * index by Message ID. It has no timer: what has expired is dropped when something new comes or `expire` is called.
 * Beyond `capacity` the oldest go first, so that a busy peer costs memory only up to there.
 */
export class Deduplication {
  readonly #capacity: number
  readonly #byId = new Map<number, Remembered>()
  /** A ring: `#count` entries from `#head` on. It doubles until it has `#capacity` places. */
  #ring: (Remembered | undefined)[] = [undefined, undefined, undefined, undefined]
  #head = 0
  #count = 0

  constructor(capacity: number) {
    this.#capacity = Math.max(1, capacity)
  }

  get size(): number {
    return this.#count
  }

  /** The entry of a Message ID that has not expired. */
  find(messageId: number, now: Instant): Remembered | undefined {
    const entry = this.#byId.get(messageId)
    return entry !== undefined && now < entry.expiresAt ? entry : undefined
  }

  /** Whether the next message takes the place of one that has not expired. */
  isFull(now: Instant): boolean {
    this.expire(now)
    return this.#count === this.#capacity
  }

  /** Takes down a message that `find` does not know. */
  remember(messageId: number, now: Instant, expiresAt: Instant): Remembered {
    this.expire(now)
    if (this.#count === this.#capacity) this.#dropOldest()
    if (this.#count === this.#ring.length) this.#grow()
    const entry: Remembered = { messageId, expiresAt, reply: undefined, repliedAt: undefined }
    this.#ring[(this.#head + this.#count) % this.#ring.length] = entry
    this.#count++
    this.#byId.set(messageId, entry)
    return entry
  }

  /** Drops the oldest entries as far as they have expired. */
  expire(now: Instant): void {
    while (this.#count > 0) {
      const oldest = this.#ring[this.#head]
      if (oldest !== undefined && now < oldest.expiresAt) return
      this.#dropOldest()
    }
  }

  #dropOldest(): void {
    const entry = this.#ring[this.#head]
    this.#ring[this.#head] = undefined
    this.#head = (this.#head + 1) % this.#ring.length
    this.#count--
    // The id may have come again after this entry expired behind a longer-lived one: then the index is not ours.
    if (entry !== undefined && this.#byId.get(entry.messageId) === entry) this.#byId.delete(entry.messageId)
  }

  #grow(): void {
    const inOrder = [...this.#ring.slice(this.#head), ...this.#ring.slice(0, this.#head)]
    const places = Math.min(this.#capacity, 2 * this.#ring.length)
    while (inOrder.length < places) inOrder.push(undefined)
    this.#ring = inOrder
    this.#head = 0
  }
}
