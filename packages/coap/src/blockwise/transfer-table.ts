import type { Instant } from '@breakwater/core'

interface Transfer {
  expiresAt: Instant
}

/** Transfers of one direction by what they are about: at most `limit`, the one that stood still longest makes room. */
export class TransferTable<Kept extends Transfer> {
  readonly #limit: number
  readonly #byKey = new Map<string, Kept>()

  constructor(limit: number) {
    this.#limit = limit
  }

  get size(): number {
    return this.#byKey.size
  }

  find(key: string, now: Instant): Kept | undefined {
    const transfer = this.#byKey.get(key)
    return transfer !== undefined && now < transfer.expiresAt ? transfer : undefined
  }

  /** Begins a transfer, or notes that one has moved on: it is the last to make room now. */
  keep(key: string, transfer: Kept): void {
    this.#byKey.delete(key)
    this.#byKey.set(key, transfer)
    if (this.#byKey.size <= this.#limit) return
    for (const oldest of this.#byKey.keys()) {
      this.#byKey.delete(oldest)
      return
    }
  }

  drop(key: string): void {
    this.#byKey.delete(key)
  }

  expire(now: Instant): void {
    for (const [key, transfer] of this.#byKey) if (transfer.expiresAt <= now) this.#byKey.delete(key)
  }
}
