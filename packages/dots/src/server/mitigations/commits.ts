import { Seconds, after } from '@breakwater/core'
import type { Instant } from '@breakwater/core'
import type { RecordChange } from '../../domain/record-store.ts'
import { MITIGATION_COLLECTION } from '../message.ts'
import type { Failure, StoreOperation } from '../message.ts'
import type { ServerState } from '../server-state.ts'

type Settled = (failure: Failure | undefined, now: Instant) => void

const SWEEP_RETRY = Seconds(30)
const SWEEP_SOON = Seconds(1)

/** Not stored, because other servers have changed something that was not known; it is by now. */
export const OUTDATED: Failure = {
  code: 'OUTDATED',
  message: 'another server that shares the store has changed something',
  retryable: true
}

/** What is on its way to the store, and records of ended mitigations that are still to be deleted. */
export class Commits {
  readonly #state: ServerState
  readonly #open = new Map<StoreOperation, Settled>()
  /** Keys whose deletion failed. */
  readonly #unswept = new Set<string>()
  readonly #inUse: (key: string) => boolean
  #next = 1

  /** @param inUse Whether a record of this key is wanted, or about to be. */
  constructor(state: ServerState, inUse: (key: string) => boolean) {
    this.#state = state
    this.#inUse = inUse
  }

  /** Commits all changes or none; `settled` learns how it went. */
  commit(changes: readonly RecordChange[], settled: Settled): void {
    const operation = this.#next++ as StoreOperation
    this.#open.set(operation, settled)
    const { sharing } = this.#state
    this.#state.emit({
      kind: 'store',
      operation,
      changes,
      ...(sharing === undefined ? {} : { seen: sharing.seen })
    })
  }

  /** Deletes the record of a mitigation that is over. Nobody waits for it: a record that stays is found out by its dates. */
  sweep(key: string): void {
    this.#sweepAll([key])
  }

  /** Another server has deleted it. */
  isGone(key: string): void {
    this.#unswept.delete(key)
  }

  settle(operation: StoreOperation, failure: Failure | undefined, now: Instant): void {
    const settled = this.#open.get(operation)
    this.#open.delete(operation)
    if (failure !== undefined && failure !== OUTDATED)
      this.#state.report({ kind: 'store-failed', code: failure.code, message: failure.message })
    settled?.(failure, now)
  }

  /** Timer `sweep`. */
  retrySweep(): void {
    // A key that is used again has a record that must stay.
    const keys = [...this.#unswept].filter((key) => !this.#inUse(key))
    this.#unswept.clear()
    if (keys.length > 0) this.#sweepAll(keys)
  }

  #sweepAll(keys: readonly string[]): void {
    this.commit(keys.map(deletion), (failure, now) => {
      if (failure === undefined) return
      for (const key of keys) this.#unswept.add(key)
      this.#state.timers.set('sweep', after(now, failure === OUTDATED ? SWEEP_SOON : SWEEP_RETRY))
    })
  }
}

/** The change that deletes the record of a mitigation. */
export function deletion(key: string): RecordChange {
  return { kind: 'delete', collection: MITIGATION_COLLECTION, key }
}
