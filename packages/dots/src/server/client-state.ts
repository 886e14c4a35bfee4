import type { Cuid, MitigationId } from '../domain/identifier.ts'
import type { Principal } from './requests/authorization.ts'
import type { Mitigation } from './mitigations/mitigation.ts'
import type { QueuedMutation } from './requests/mutation-queue.ts'
import type { MitigationObservation } from './observation/observation.ts'
import { Tally } from './tally.ts'

/**
 * What there is of one cuid: one DOTS client, as the RFC counts them. It lives as long as something of it does, and with
 * it the binding of the cuid to its owner (RFC 9132 §4.4.1.1).
 */
export interface ClientState {
  readonly cuid: Cuid
  /** Its owner stays; its domain follows the operator's list. */
  principal: Principal
  readonly mitigations: Map<MitigationId, Mitigation>
  readonly observations: Set<MitigationObservation>
  /** Changes that wait for their turn; the first is on its way to the store. */
  readonly mutations: QueuedMutation[]
  /** Sessions that used this cuid and are still open. */
  sessions: number
  /** Requests whose names are being resolved. */
  resolving: number
  /** Mitigations of it that are being taken over from another server. */
  arriving: number
  /** Authorization changed while a change was on its way. */
  recheck: boolean
  /** The calendar stepped while a change was on its way. */
  restamp: boolean
}

/** All clients that there is something of. */
export class ClientTable {
  readonly #clients = new Map<Cuid, ClientState>()
  readonly #byOwner = new Tally()

  get size(): number {
    return this.#clients.size
  }

  /** How many cuids of this owner there is something of. */
  countOf(owner: string): number {
    return this.#byOwner.of(owner)
  }

  get(cuid: Cuid): ClientState | undefined {
    return this.#clients.get(cuid)
  }

  /** The client of a cuid, new if need be. Whether it belongs to `principal` is for the caller to check. */
  ensure(cuid: Cuid, principal: Principal): ClientState {
    let client = this.#clients.get(cuid)
    if (client === undefined) {
      client = {
        cuid,
        principal,
        mitigations: new Map(),
        observations: new Set(),
        mutations: [],
        sessions: 0,
        resolving: 0,
        arriving: 0,
        recheck: false,
        restamp: false
      }
      this.#clients.set(cuid, client)
      this.#byOwner.add(principal.owner)
    }
    return client
  }

  /** Another owner has the cuid, as another server has stored: whoever still holds this client finds another in its place. */
  evict(client: ClientState): void {
    this.#clients.delete(client.cuid)
    this.#byOwner.remove(client.principal.owner)
  }

  /** Forgets a client that nothing is left of. */
  release(client: ClientState): void {
    const { cuid, principal, mitigations, observations, mutations } = client
    const { sessions, resolving, arriving } = client
    const left = mitigations.size + observations.size + mutations.length + sessions + resolving + arriving
    if (left > 0 || this.#clients.get(cuid) !== client) return
    this.#clients.delete(cuid)
    this.#byOwner.remove(principal.owner)
  }

  [Symbol.iterator](): IterableIterator<ClientState> {
    return this.#clients.values()
  }
}
