import { Seconds, after, inSeconds } from '@breakwater/core'
import type { Duration, Instant } from '@breakwater/core'
import type { RecordChange } from '../../domain/record-store.ts'
import type { ClientState } from '../client-state.ts'
import { OUTDATED } from './commits.ts'
import type { Commits } from './commits.ts'
import { MITIGATION_COLLECTION } from '../message.ts'
import { isInForce, progressOf } from './mitigation.ts'
import type { Mitigation, MitigationState } from './mitigation.ts'
import { encodeRecord } from './record.ts'
import type { ServerState } from '../server-state.ts'

const RESTAMP_RETRY = Seconds(30)
const RESTAMP_SOON = Seconds(1)

/** The records of mitigations: what each says, and writing them anew when no request of their client's does. */
export class MitigationRecords {
  readonly #state: ServerState
  readonly #commits: Commits

  constructor(state: ServerState, commits: Commits) {
    this.#state = state
    this.#commits = commits
  }

  /** The record that a mitigation has now, or will have in another state or with other dates. */
  change(mitigation: Mitigation, state: MitigationState, expiresAt: Mitigation['expiresAt']): RecordChange {
    const { key, client, id, requested, target, trigger, startedAt, grace } = mitigation
    const asked = new Set(requested.prefixes)
    const value = encodeRecord({
      cuid: client.cuid,
      id,
      principal: client.principal,
      requested,
      resolved: target.prefixes.filter((prefix) => !asked.has(prefix)),
      trigger,
      standing: state.kind === 'inactive' ? 'inactive' : isWaiting(state, trigger) ? 'armed' : 'in-force',
      startedAt,
      expiresAt: expiresAt === 'never' ? 'never' : this.#state.wallAt(expiresAt),
      graceSeconds: inSeconds(grace),
      ...(this.#state.sharing === undefined ? {} : progressOf(state)),
      ...(state.kind === 'terminating' ? { terminatingUntil: this.#state.wallAt(state.until) } : {})
    })
    return { kind: 'put', collection: MITIGATION_COLLECTION, key, value }
  }

  /** The record that it has as it is. */
  current(mitigation: Mitigation): RecordChange {
    return this.change(mitigation, mitigation.state, mitigation.expiresAt)
  }

  /** Something of a mitigation changed that no request asked for. */
  rewrite(mitigation: Mitigation): void {
    const { client } = mitigation
    // What is on its way to the store would come before this, and say less: written anew when it is there.
    if (client.mutations.length > 0) client.restamp = true
    else
      this.#write([this.current(mitigation)], () => {
        // What others did is known by now: it may be another one's.
        if (client.mitigations.get(mitigation.id) === mitigation) this.rewrite(mitigation)
      })
  }

  /** The calendar stepped: the moments in the records were of the old one, and a restart would go by them. */
  restamp(clients: Iterable<ClientState>): void {
    const changes: RecordChange[] = []
    for (const client of clients) {
      // What is on its way to the store has dates of its own: written anew when it is there.
      client.restamp = client.mutations.length > 0
      if (client.restamp) continue
      for (const mitigation of client.mitigations.values()) changes.push(this.current(mitigation))
    }
    if (changes.length > 0) this.#write(changes, (at) => this.#restampSoon(at, RESTAMP_SOON))
  }

  /** Deletes the record of a mitigation that is over. */
  sweep(mitigation: Mitigation): void {
    this.#commits.sweep(mitigation.key)
  }

  /** @param outdated Others have changed something meanwhile. */
  #write(changes: readonly RecordChange[], outdated: (now: Instant) => void): void {
    this.#commits.commit(changes, (failure, at) => {
      if (failure === OUTDATED) outdated(at)
      else if (failure !== undefined) this.#restampSoon(at, RESTAMP_RETRY)
    })
  }

  #restampSoon(now: Instant, pause: Duration): void {
    this.#state.timers.set('restamp', after(now, pause))
  }
}

/** Whether a restart must not bring it into force. */
function isWaiting(state: MitigationState, trigger: Mitigation['trigger']): boolean {
  if (trigger === 'immediate' || state.kind === 'terminating') return false
  return state.kind !== 'requested' && !isInForce({ state })
}
