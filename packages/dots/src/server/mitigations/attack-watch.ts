import { between } from '@breakwater/core'
import type { Duration, Instant } from '@breakwater/core'
import type { Lifecycle } from './lifecycle.ts'
import type { Mitigation } from './mitigation.ts'
import type { ServerState } from '../server-state.ts'
import type { SignalWatch } from '../sessions/signal-watch.ts'

/**
 * Sees from what filters discard whether an attack is over (RFC 9132 §4.4.2, Table 3): when something was discarded, and
 * then nothing for a while. Where nothing is known or nothing ever came, nothing is claimed.
 */
export class AttackWatch {
  readonly #state: ServerState
  readonly #lifecycle: Lifecycle
  readonly #signal: SignalWatch

  constructor(state: ServerState, lifecycle: Lifecycle, signal: SignalWatch) {
    this.#state = state
    this.#lifecycle = lifecycle
    this.#signal = signal
  }

  /** Counters were read. */
  look(now: Instant): void {
    const { attackStoppedAfter } = this.#state.policy
    if (attackStoppedAfter === undefined) return
    for (const client of this.#state.clients)
      for (const mitigation of client.mitigations.values()) this.#lookAt(mitigation, attackStoppedAfter, now)
  }

  #lookAt(mitigation: Mitigation, stoppedAfter: Duration, now: Instant): void {
    const { kind } = mitigation.state
    if (kind !== 'active' && kind !== 'stopped') return
    const grewAt = this.#lifecycle.enforcement.drops(mitigation.planId)?.grewAt
    if (grewAt === undefined) return
    if (between(grewAt, now) < stoppedAfter) this.#lifecycle.step(mitigation, { kind: 'attack-resumed' }, now)
    else if (
      mitigation.trigger === 'signal-loss' &&
      this.#signal.hears(mitigation.client.principal.owner, now)
    )
      this.#standDown(mitigation, now)
    else this.#lifecycle.step(mitigation, { kind: 'attack-stopped' }, now)
  }

  /** A preconfigured request waits for the next loss of the signal; while that is lost, its filter stays. */
  #standDown(mitigation: Mitigation, now: Instant): void {
    this.#lifecycle.step(mitigation, { kind: 'stood-down', because: 'attack-stopped' }, now)
    this.#lifecycle.records.rewrite(mitigation)
  }
}
