import type { SessionLoad } from '@breakwater/coap'

/** What the CoAP sessions of an agent hold together, and what they have lost since it started. */
export class SessionLoads {
  #dropped = 0
  #evicted = 0

  /** A session is over: what it lost is counted on. */
  ended({ dropped, evicted }: SessionLoad): void {
    this.#dropped += dropped
    this.#evicted += evicted
  }

  /** By the names under which they are exported; `live`: the sessions that there are. */
  counters(live: Iterable<SessionLoad>): Readonly<Record<string, number>> {
    const all = [...live]
    const sum = (of: (load: SessionLoad) => number): number =>
      all.reduce((total, load) => total + of(load), 0)
    return {
      coap_sessions: all.length,
      coap_requests_open: sum(({ requests }) => requests),
      coap_requests_unanswered: sum(({ unanswered }) => unanswered),
      coap_observers: sum(({ observers }) => observers),
      coap_confirmables_waiting: sum(({ confirmables }) => confirmables),
      coap_messages_remembered: sum(({ remembered }) => remembered),
      coap_transfers: sum(({ transfers }) => transfers),
      coap_dropped_total: this.#dropped + sum(({ dropped }) => dropped),
      coap_remembered_evicted_total: this.#evicted + sum(({ evicted }) => evicted)
    }
  }
}
