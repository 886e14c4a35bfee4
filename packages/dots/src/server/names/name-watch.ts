import { Seconds, after, formatIpPrefix } from '@breakwater/core'
import type { Instant, IpPrefix } from '@breakwater/core'
import { checkAddresses } from '../../signal/request-check.ts'
import { effectiveTarget, hostNames } from '../../domain/requested-target.ts'
import { WATCHED_NAME_SECONDS } from '../../domain/resolver.ts'
import { sameTarget } from '../../domain/target.ts'
import { POSTPONEMENT } from '../mitigations/lifecycle.ts'
import type { Lifecycle } from '../mitigations/lifecycle.ts'
import { isLive } from '../mitigations/mitigation.ts'
import type { Mitigation } from '../mitigations/mitigation.ts'
import { isChanging } from '../requests/mutation-queue.ts'
import type { NameResolution, NamesResolved } from './name-resolution.ts'
import type { ServerState } from '../server-state.ts'

/** After a failure; what is known stays in force meanwhile. */
const RETRY = Seconds(60)

/**
 * Keeps the addresses of mitigations with names up to date: asks again when the answer's time to live is over, with the
 * same checks as at first (RFC 9132 §4.4.1.1). What resolves is what is mitigated.
 */
export class NameWatch {
  readonly #state: ServerState
  readonly #lifecycle: Lifecycle
  readonly #resolution: NameResolution
  /** When the answers that a mitigation was built on are over; until it is stored. */
  readonly #first = new WeakMap<Mitigation, number>()

  constructor(state: ServerState, lifecycle: Lifecycle, resolution: NameResolution) {
    this.#state = state
    this.#lifecycle = lifecycle
    this.#resolution = resolution
    lifecycle.onStep((mitigation, before, now) => {
      if (!isLive(mitigation)) this.#state.timers.cancel(timerOf(mitigation))
      else if (before.kind === 'requested') this.#plan(mitigation, this.#first.get(mitigation) ?? 0, now)
    })
  }

  /** A new mitigation was built on answers that hold for so long. */
  builtOn(mitigation: Mitigation, ttlSeconds: number): void {
    this.#first.set(mitigation, ttlSeconds)
  }

  /** A mitigation of an earlier process: its addresses are as old as its record. */
  resume(mitigation: Mitigation, now: Instant): void {
    if (hostNames(mitigation.requested).length > 0) this.#state.timers.set(timerOf(mitigation), now)
  }

  /** Timer `names:<key>`. */
  timeout(mitigation: Mitigation, now: Instant): void {
    if (!isLive(mitigation)) return
    if (!this.#state.leads) {
      // The server that leads looks after names; this one does if that is gone.
      this.#state.timers.set(timerOf(mitigation), after(now, RETRY))
      return
    }
    const take = (result: NamesResolved, at: Instant): void => this.#resolved(mitigation, result, at)
    this.#resolution.resolve(hostNames(mitigation.requested), take, now)
  }

  #resolved(mitigation: Mitigation, result: NamesResolved, now: Instant): void {
    if (!isLive(mitigation)) return
    const { client, requested, key } = mitigation
    if (isChanging(client, key)) {
      this.#state.timers.set(timerOf(mitigation), after(now, POSTPONEMENT))
      return
    }
    if (result.kind !== 'resolved') {
      this.#state.timers.set(timerOf(mitigation), after(now, RETRY))
      return
    }
    const allowed = result.prefixes.filter((prefix) => this.#isAllowed(client.principal.domain, prefix))
    if (allowed.length < result.prefixes.length) this.#reportForeign(mitigation, result.prefixes, allowed)
    const target = effectiveTarget(requested, allowed)
    if (target.prefixes.length === 0) {
      this.#lifecycle.end(mitigation, { kind: 'revoked' }, now)
      return
    }
    this.#plan(mitigation, result.ttlSeconds, now)
    if (sameTarget(target, mitigation.target)) return
    this.#lifecycle.retarget(mitigation, target)
    this.#lifecycle.records.rewrite(mitigation)
  }

  #isAllowed(domain: string, prefix: IpPrefix): boolean {
    return (
      checkAddresses([prefix], 'target-fqdn') === undefined &&
      this.#state.authorization.firstForeign(domain, [prefix]) === undefined
    )
  }

  #reportForeign({ client, id }: Mitigation, all: readonly IpPrefix[], allowed: readonly IpPrefix[]): void {
    const refused = all.filter((prefix) => !allowed.includes(prefix))
    this.#state.counters.count('dots_server_resolved_targets_refused_total')
    this.#state.report({
      kind: 'name-foreign',
      cuid: client.cuid,
      mitigationId: id,
      prefixes: refused.map((prefix) => formatIpPrefix(prefix))
    })
  }

  #plan(mitigation: Mitigation, ttlSeconds: number, now: Instant): void {
    if (hostNames(mitigation.requested).length === 0) return
    const { least, most } = WATCHED_NAME_SECONDS
    const seconds = Math.min(most, Math.max(least, ttlSeconds))
    this.#state.timers.set(timerOf(mitigation), after(now, Seconds(seconds)))
  }
}

function timerOf({ key }: Mitigation): string {
  return `names:${key}`
}
