import { Minutes, after } from '@breakwater/core'
import type { Duration, Instant, PeerId } from '@breakwater/core'
import { PlanId } from '../domain/mitigator.ts'
import type { NameQuery } from './message.ts'
import { NOTIFY_ALL_TIMER } from './observation/notification-queue.ts'
import { BEAT_TIMER, CHANGES_TIMER } from './sharing/share.ts'
import type { ServerParts } from './server-parts.ts'
import type { ServerState } from './server-state.ts'
import { SIGNAL_LOSS_TIMER } from './sessions/signal-watch.ts'

export const CLOCK_INTERVAL: Duration = Minutes(1)

/** What a server's timers are for. Their names are `<kind>:<of>`, or a kind alone where the whole server has one. */
export class ServerTimers {
  readonly #state: ServerState
  readonly #parts: ServerParts

  constructor(state: ServerState, parts: ServerParts) {
    this.#state = state
    this.#parts = parts
  }

  handleTimeout(now: Instant): void {
    const { timers } = this.#state
    const { observations } = this.#parts
    for (let name = timers.takeDue(now); name !== undefined; name = timers.takeDue(now)) {
      const colon = name.indexOf(':')
      const [kind, of] = colon < 0 ? [name, ''] : [name.slice(0, colon), name.slice(colon + 1)]
      if (kind !== 'notify' && kind !== NOTIFY_ALL_TIMER) observations.forgetTold()
      this.#timer(kind, of, now)
    }
  }

  #timer(kind: string, of: string, now: Instant): void {
    const { lifecycle, preconfigured, resolution } = this.#parts
    switch (kind) {
      case 'session':
      case 'freshness':
      case 'notify':
        this.#sessionTimer(kind, Number(of) as PeerId, now)
        return
      case 'expiry':
      case 'grace':
      case 'told':
      case 'names':
        this.#mitigationTimer(kind, of, now)
        return
      case 'retry':
        lifecycle.enforcement.retry(PlanId(of))
        return
      case SIGNAL_LOSS_TIMER:
        preconfigured.watch.timeout(of, now)
        return
      case 'name':
        resolution.timeout(Number(of) as NameQuery, now)
        return
      default:
        this.#houseTimer(kind, now)
    }
  }

  #sessionTimer(kind: 'session' | 'freshness' | 'notify', peer: PeerId, now: Instant): void {
    const { sessions, config, observations } = this.#parts
    const session = sessions.get(peer)
    if (session === undefined) return
    if (kind === 'session') session.handleTimeout(now)
    else if (kind === 'freshness') config.stale(session, now)
    else observations.notify(session, now)
  }

  #mitigationTimer(kind: 'expiry' | 'grace' | 'told' | 'names', key: string, now: Instant): void {
    const { lifecycle, preconfigured, names } = this.#parts
    const mitigation = this.#parts.find(key)
    if (mitigation === undefined) return
    if (kind === 'told') preconfigured.told(mitigation, now)
    else if (kind === 'names') names.timeout(mitigation, now)
    else lifecycle.timeIsUp(mitigation, kind, now)
  }

  #houseTimer(kind: string, now: Instant): void {
    const { commits, observations, lifecycle } = this.#parts
    const { timers, policy, clients, mitigations } = this.#state
    switch (kind) {
      case 'sweep':
        commits.retrySweep()
        return
      case NOTIFY_ALL_TIMER:
        observations.notifyReady(now)
        return
      case 'restamp':
        lifecycle.records.restamp(clients)
        return
      case 'in-force':
        lifecycle.enforcement.readInForce()
        return
      case 'clock':
        this.#state.emit({ kind: 'read-clock' })
        timers.set('clock', after(now, CLOCK_INTERVAL))
        return
      case CHANGES_TIMER:
        this.#parts.share.readChanges(now)
        return
      case BEAT_TIMER:
        this.#parts.share.beat(now)
        return
      case 'status':
        if (!this.#state.leads) lifecycle.tellStatus(now)
        else if (mitigations.total > 0) this.#state.emit({ kind: 'read-counters' })
        timers.set('status', after(now, policy.statusInterval))
    }
  }
}
