import type { Instant } from '@breakwater/core'
import type { Target } from '../../domain/target.ts'
import { targetKey } from '../../multihoming/compiler.ts'
import type { Trigger } from '../../signal/mapper.ts'
import type { Refusal, RequestState } from './request-state.ts'

type Refused = RequestState & { readonly kind: 'refused' }

/** So many are remembered at most: the operator's hand cannot make us remember without end. */
const MOST_TIMERS = 1024

/**
 * What a server wants to hear again no sooner than it said (RFC 9132 §4.4.2.1). That holds for the request, whatever id it
 * bears: one that is given up and wanted again waits as the first would have.
 */
export class RetryTimers {
  readonly #refused = new Map<string, Refused & { readonly retryAt: Instant }>()

  /** The server put a request off. */
  putOff(target: Target, trigger: Trigger, state: Refused): void {
    const { refusal, retryAt } = state
    if (retryAt === undefined || !isServersWish(refusal)) return
    this.#refused.set(keyOf(target, trigger), { ...state, retryAt })
    const [oldest] = this.#refused.keys()
    if (this.#refused.size > MOST_TIMERS && oldest !== undefined) this.#refused.delete(oldest)
  }

  /** How a request stands that is asked for anew; undefined: nothing is in its way. */
  stateOf(target: Target, trigger: Trigger, now: Instant): Refused | undefined {
    const key = keyOf(target, trigger)
    const found = this.#refused.get(key)
    if (found === undefined || found.retryAt > now) return found
    this.#refused.delete(key)
    return undefined
  }
}

function isServersWish({ kind }: Refusal): boolean {
  return kind === 'conflict' || kind === 'unavailable'
}

function keyOf(target: Target, trigger: Trigger): string {
  return `${trigger} ${targetKey(target)}`
}
