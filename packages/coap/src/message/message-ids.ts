import { after, type Duration, type Entropy, type Instant, integerBelow } from '@breakwater/core'

/** Ids are handed out in blocks, so that it takes 16 times and not 65,536 to know which are still taken. */
const BLOCK = 4096
const BLOCKS = 65_536 / BLOCK

/**
 * Message IDs towards one peer: a random start, then counting, and none twice within EXCHANGE_LIFETIME (RFC 7252 §4.4).
 * What is left when a peer gets more than some 60,000 messages in that time is waiting.
 */
export class MessageIds {
  #next: number
  /** When the last id of each block was given; undefined until one block has been left. */
  #leftAt: (Instant | undefined)[] | undefined

  constructor(entropy: Entropy) {
    this.#next = integerBelow(entropy, 65_536)
  }

  /** The next id where that needs no look at what is taken; undefined: ask `allocate`. */
  take(): number | undefined {
    const id = this.#next
    if (id % BLOCK === 0) return undefined
    this.#next = (id + 1) & 0xffff
    return id
  }

  /** The next id; undefined while all are taken. */
  allocate(now: Instant, lifetime: Duration): number | undefined {
    const id = this.#next
    if (id % BLOCK === 0 && !this.#enter(id / BLOCK, now, lifetime)) return undefined
    this.#next = (id + 1) & 0xffff
    return id
  }

  /** When `allocate` may succeed again; `now` or before when it would at once. */
  availableAt(now: Instant, lifetime: Duration): Instant {
    if (this.#next % BLOCK !== 0) return now
    const leftAt = this.#leftAt?.[this.#next / BLOCK]
    return leftAt === undefined ? now : after(leftAt, lifetime)
  }

  #enter(block: number, now: Instant, lifetime: Duration): boolean {
    this.#leftAt ??= Array.from({ length: BLOCKS }, () => undefined)
    const leftAt = this.#leftAt[block]
    if (leftAt !== undefined && now < after(leftAt, lifetime)) return false
    this.#leftAt[(block + BLOCKS - 1) % BLOCKS] = now
    return true
  }
}
