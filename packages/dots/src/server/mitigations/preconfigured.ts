import { after } from '@breakwater/core'
import type { Instant } from '@breakwater/core'
import { overlapping } from '../requests/admission.ts'
import type { Admission } from '../requests/admission.ts'
import { isBehindGateway } from '../requests/authorization.ts'
import { POSTPONEMENT } from './lifecycle.ts'
import type { Lifecycle } from './lifecycle.ts'
import { isInForce, isLive } from './mitigation.ts'
import type { Mitigation } from './mitigation.ts'
import type { ServerState } from '../server-state.ts'
import { SIGNAL_LOSS_TIMER, SignalWatch } from '../sessions/signal-watch.ts'

/**
 * Requests that come into force when the signal channel is lost (`trigger-mitigation` false; RFC 9132 §4.4.1.1): what
 * brings them there, and what takes them back. That the channel recovers does not (RFC 9132 §4.4.4).
 */
export class Preconfigured {
  readonly watch: SignalWatch
  readonly #state: ServerState
  readonly #lifecycle: Lifecycle
  readonly #admission: Admission
  readonly #byOwner = new Map<string, Set<Mitigation>>()

  constructor(state: ServerState, lifecycle: Lifecycle, admission: Admission) {
    this.#state = state
    this.#lifecycle = lifecycle
    this.#admission = admission
    this.watch = new SignalWatch(state, (owner, now) => this.#signalLost(owner, now))
    lifecycle.onStep((mitigation, _before, now) => {
      if (mitigation.trigger === 'signal-loss') this.keep(mitigation, now)
    })
  }

  /** Takes note of what has become of a preconfigured request. */
  keep(mitigation: Mitigation, now: Instant): void {
    const { client, state, key } = mitigation
    const { owner } = client.principal
    const ofOwner = this.#byOwner.get(owner) ?? new Set()
    if (isLive(mitigation)) this.#byOwner.set(owner, ofOwner.add(mitigation))
    else ofOwner.delete(mitigation)
    if (ofOwner.size === 0) this.#forget(owner)
    const isWatched = state.kind === 'armed' || state.kind === 'stood-down'
    // RFC 9132 §4.7: heartbeats are between neighbours. What a gateway does not hear any more, it has to tell.
    if (isWatched && !isBehindGateway(owner)) this.watch.watch(owner, now)
    if (state.kind === 'stood-down')
      this.#state.timers.set(`told:${key}`, after(now, this.#state.policy.statusInterval))
    else this.#state.timers.cancel(`told:${key}`)
  }

  /** Timer `told:<key>`: the status of one that was stood down is told once more (RFC 9132 §4.4.2, Table 3). */
  told(mitigation: Mitigation, now: Instant): void {
    this.#lifecycle.step(mitigation, { kind: 'told' }, now)
  }

  /** The preconfigured requests that a new immediate one of the same client deactivates (RFC 9132 §4.4.1.3). */
  standingDownFor(immediate: Mitigation): Mitigation[] {
    if (immediate.trigger !== 'immediate' || this.#state.policy.onOverlap === 'keep') return []
    return overlapping(this.#state, immediate.target).filter(
      (other) => other.client === immediate.client && other.trigger === 'signal-loss' && isInForce(other)
    )
  }

  /** Their filters stay until that of `successor` is in force. */
  standDown(mitigations: readonly Mitigation[], successor: Mitigation, now: Instant): void {
    const still = mitigations.filter((each) => isInForce(each))
    this.#lifecycle.inherit(still, successor)
    for (const mitigation of still)
      this.#lifecycle.step(mitigation, { kind: 'stood-down', because: 'overlap' }, now)
  }

  /** Those whose signal is waited for, and heard here. */
  heard(now: Instant): string[] {
    return [...this.#byOwner.keys()].filter((owner) => this.watch.hearsHere(owner, now))
  }

  #forget(owner: string): void {
    this.#byOwner.delete(owner)
    this.watch.forget(owner)
  }

  #signalLost(owner: string, now: Instant): void {
    const waiting = [...(this.#byOwner.get(owner) ?? [])].filter(isWaiting)
    if (waiting.length === 0 || this.#state.policy.onSignalLoss === 'ignore') return
    if (waiting.some(({ client }) => client.mutations.length > 0)) {
      // What is on its way to the store was decided without this: looked at again when it is there.
      this.#state.timers.set(`${SIGNAL_LOSS_TIMER}:${owner}`, after(now, POSTPONEMENT))
      return
    }
    this.#state.counters.count('dots_server_signals_lost_total')
    this.#state.report({ kind: 'signal-lost', client: owner, mitigations: waiting.length })
    for (const mitigation of waiting) {
      this.#preempt(mitigation, now)
      this.#admission.activate(mitigation, now)
    }
  }

  /** RFC 9132 §4.4.1.3: preconfigured requests take precedence, as the client has nothing to say any more. */
  #preempt(mitigation: Mitigation, now: Instant): void {
    if (this.#state.policy.onSignalLoss !== 'replace') return
    const { client, target } = mitigation
    const preempted = overlapping(this.#state, target).filter(
      (other) => other.client === client && other.trigger === 'immediate' && isLive(other)
    )
    this.#lifecycle.supersede(preempted, mitigation, now, 'preempted')
    for (const other of preempted) this.#lifecycle.records.sweep(other)
  }
}

function isWaiting({ state: { kind } }: Mitigation): boolean {
  return kind === 'armed' || kind === 'stood-down'
}
