import type { Instant } from '@breakwater/core'

/** The Acknowledgement or Reset that answered a message, to be sent again for each copy of it. */
export interface Reply {
  readonly bytes: Uint8Array
  /** When it was composed. */
  readonly composedAt: Instant
}

const FIRST_PLACES = 4

/** The index has 2^n slots, twice as many as the ring has places at least: its chains stay short. */
const FIRST_INDEX_BITS = 3

/** Of the golden ratio: ids that follow each other, as most do, get slots that lie apart. */
const SCATTER = 0x9e37_79b1

/**
 * The peer's messages of the last EXCHANGE_LIFETIME or NON_LIFETIME (RFC 7252 §4.5): a ring in order of arrival with an
 * index by Message ID. It has no timer: what has expired is dropped when something new comes or `expire` is called.
 * Beyond `capacity` the oldest go first, so that a busy peer costs memory only up to there.
 *
 * Numbers in arrays, as there may be hundreds for each session, and of most there is nothing to know but that they came: an
 * object for each would live just long enough to be a burden to the collection of garbage.
 */
export class Deduplication {
  readonly #capacity: number
  /** The ring: `#count` messages from `#head` on. It doubles until it has `#capacity` places. */
  #ids = new Uint16Array(FIRST_PLACES)
  #ends = new Float64Array(FIRST_PLACES)
  #head = 0
  #count = 0
  /** Open addressing by Message ID: a place in the ring, plus 1; 0: free. */
  #index = new Uint32Array(2 ** FIRST_INDEX_BITS)
  #indexBits = FIRST_INDEX_BITS
  /** Of the few that are answered by Acknowledgement or Reset. */
  readonly #replies = new Map<number, Reply>()

  constructor(capacity: number) {
    this.#capacity = Math.max(1, capacity)
  }

  get size(): number {
    return this.#count
  }

  /** Whether there is an entry of this Message ID that has not expired. */
  knows(messageId: number, now: Instant): boolean {
    const entry = this.#index[this.#slotOf(messageId)] ?? 0
    return entry > 0 && now < (this.#ends[entry - 1] ?? 0)
  }

  /** What was answered to a message that `knows` knows; undefined: say nothing. */
  replyTo(messageId: number): Reply | undefined {
    return this.#replies.get(messageId)
  }

  /** Whether the next message takes the place of one that has not expired. */
  isFull(now: Instant): boolean {
    this.expire(now)
    return this.#count === this.#capacity
  }

  /** Takes down a message that `knows` does not know. */
  remember(messageId: number, now: Instant, expiresAt: Instant): void {
    this.expire(now)
    if (this.#count === this.#capacity) this.#dropOldest()
    if (this.#count === this.#ids.length) this.#grow()
    const place = (this.#head + this.#count) % this.#ids.length
    this.#ids[place] = messageId
    this.#ends[place] = expiresAt
    this.#count++
    // It may take the place of one that has expired behind a longer-lived one.
    this.#index[this.#slotOf(messageId)] = place + 1
    if (this.#replies.size > 0) this.#replies.delete(messageId)
  }

  /** How a message was answered; one that was forgotten meanwhile needs no answer any more. */
  answered(messageId: number, reply: Reply): void {
    if (this.#index[this.#slotOf(messageId)] !== 0) this.#replies.set(messageId, reply)
  }

  /** Drops the oldest entries as far as they have expired. */
  expire(now: Instant): void {
    while (this.#count > 0 && now >= (this.#ends[this.#head] ?? 0)) this.#dropOldest()
  }

  #dropOldest(): void {
    const place = this.#head
    const messageId = this.#ids[place] ?? 0
    const slot = this.#slotOf(messageId)
    // The id may have come again after this entry expired: then the rest is not ours.
    if (this.#index[slot] === place + 1) {
      this.#free(slot)
      if (this.#replies.size > 0) this.#replies.delete(messageId)
    }
    this.#head = (place + 1) % this.#ids.length
    this.#count--
  }

  /** Where the index has this id, or would have it. */
  #slotOf(messageId: number): number {
    const index = this.#index
    const mask = index.length - 1
    let slot = this.#home(messageId)
    for (;;) {
      const entry = index[slot] ?? 0
      if (entry === 0 || this.#ids[entry - 1] === messageId) return slot
      slot = (slot + 1) & mask
    }
  }

  /** Where the chain of an id begins. */
  #home(messageId: number): number {
    return Math.imul(messageId, SCATTER) >>> (32 - this.#indexBits)
  }

  /** What a chain has behind a slot that gets free moves up, as far as it may. */
  #free(slot: number): void {
    const index = this.#index
    const mask = index.length - 1
    let hole = slot
    for (let next = (slot + 1) & mask; index[next] !== 0; next = (next + 1) & mask) {
      const entry = index[next] ?? 0
      const home = this.#home(this.#ids[entry - 1] ?? 0)
      if (((next - home) & mask) < ((next - hole) & mask)) continue
      index[hole] = entry
      hole = next
    }
    index[hole] = 0
  }

  #grow(): void {
    const [ids, ends, head, count] = [this.#ids, this.#ends, this.#head, this.#count]
    const places = Math.min(this.#capacity, 2 * ids.length)
    this.#ids = new Uint16Array(places)
    this.#ends = new Float64Array(places)
    this.#indexBits++
    this.#index = new Uint32Array(2 ** this.#indexBits)
    this.#head = 0
    for (let i = 0; i < count; i++) {
      const from = (head + i) % ids.length
      this.#ids[i] = ids[from] ?? 0
      this.#ends[i] = ends[from] ?? 0
      // Of two with the same id, the later one counts.
      this.#index[this.#slotOf(this.#ids[i] ?? 0)] = i + 1
    }
  }
}
