import { ProtectionId } from '@breakwater/dots'
import type { ClientEvent, ProtectionStatus } from '@breakwater/dots'

/** Protections that ended: kept so that somebody who waits for the end gets to see it. */
const endedKept = 1000

interface Entry {
  status: ProtectionStatus
  revision: number
}

/** The protections of a client with a revision each, so that a change can be waited for. */
export class ProtectionBook {
  readonly #entries = new Map<ProtectionId, Entry>()
  readonly #ended: ProtectionId[] = []
  readonly #listeners = new Set<() => void>()

  /** The protections that have not ended. */
  list(): readonly Entry[] {
    return [...this.#entries.values()].filter(({ status }) => status.state !== 'ended')
  }

  get(id: string): Readonly<Entry> | undefined {
    return this.#entries.get(ProtectionId(id))
  }

  /** Calls `listener` after each change. @returns how to stop that. */
  onChange(listener: () => void): () => void {
    this.#listeners.add(listener)
    return () => void this.#listeners.delete(listener)
  }

  /** Takes note of what the client reports. */
  take(event: ClientEvent): void {
    if (event.kind === 'protection') this.#put(event.status)
  }

  #put(status: ProtectionStatus): void {
    const entry = this.#entries.get(status.id)
    if (entry === undefined) this.#entries.set(status.id, { status, revision: 1 })
    else {
      entry.status = status
      entry.revision++
    }
    if (status.state === 'ended') this.#retire(status.id)
    for (const listener of this.#listeners) listener()
  }

  #retire(id: ProtectionId): void {
    this.#ended.push(id)
    if (this.#ended.length <= endedKept) return
    const oldest = this.#ended.shift()
    if (oldest !== undefined) this.#entries.delete(oldest)
  }
}
