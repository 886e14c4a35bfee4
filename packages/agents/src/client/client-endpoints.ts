import { Counters } from '@breakwater/core'
import type {
  ClientCredentials,
  ClientEndpointOptions,
  Clock,
  Log,
  OpenSecureEndpoint,
  OpenSecureStream,
  ResumableSession,
  SecureEndpoint,
  SecureEndpointOptions,
  SecureStreamEndpoint
} from '@breakwater/core'
import type { DomainName } from '@breakwater/dots'
import { OpenEndpoints } from '../open-endpoints.ts'
import { socketAddressText } from '../socket-address-text.ts'
import type { KeptSessions } from './kept-sessions.ts'
import { TicketRenewal, ticketsOf } from './ticket-renewal.ts'

/** RFC 8973 §7: the service of the signal channel, which a certificate may be for (SRV-ID). */
const serviceName = 'dots-signal'

export interface ClientEndpointsOptions {
  readonly open: OpenSecureEndpoint
  readonly openStream: OpenSecureStream
  /** What the servers of each domain are shown; changed in place by a reload. */
  readonly credentials: Map<DomainName, ClientCredentials>
  /** Undefined: no session is kept over a restart. */
  readonly kept: KeptSessions | undefined
  readonly clock: Clock
  readonly log: Log
  /** No attack is on at any server; then tickets are renewed. */
  readonly isAtPeace: () => boolean
}

/** The endpoints of a client: they resume sessions, also those of an earlier life, and take new credentials. */
export class ClientEndpoints {
  readonly #datagrams: OpenEndpoints<SecureEndpoint>
  readonly #streams: OpenEndpoints<SecureStreamEndpoint>
  readonly counters = new Counters()
  readonly #renewal: TicketRenewal
  readonly #kept: KeptSessions | undefined
  readonly #credentials: Map<DomainName, ClientCredentials>
  /** Whose a credential is, or was; those that nothing uses any more are forgotten. */
  readonly #owners = new WeakMap<ClientCredentials, DomainName>()

  constructor({ open, openStream, credentials, kept, clock, log, isAtPeace }: ClientEndpointsOptions) {
    this.#credentials = credentials
    this.#kept = kept
    for (const [domain, each] of credentials) this.#owners.set(each, domain)
    this.#streams = new OpenEndpoints(openStream, {
      onEstablished: () => this.counters.count('tls_sessions_established_total')
    })
    this.#datagrams = new OpenEndpoints(open, {
      prepare: (options) =>
        options.role === 'server'
          ? options
          : { ...options, serviceName, sessions: this.#known(options.credentials) },
      onHint: ({ kind, origin }) => this.counters.count('path_hints_total', `${kind} ${origin}`),
      onEstablished: (endpoint, options, { peer, resumed, path }) => {
        this.counters.count('dtls_sessions_established_total', resumed === true ? 'resumed' : 'full')
        if (resumed === true) log.info('session.resumed', { remote: socketAddressText(path.remote) })
        if (options.role !== 'client') return
        this.#share(options, ticketsOf(endpoint, path.remote), endpoint)
        this.#renewal.watch(endpoint, { ...options, serviceName }, peer, path.remote)
      }
    })
    this.#renewal = new TicketRenewal({
      clock,
      open: (options, handlers) => open(this.#currently(options), handlers),
      log,
      isAtPeace,
      onRenewed: (options, sessions) => this.#share(options, sessions)
    })
  }

  get open(): OpenSecureEndpoint {
    return this.#datagrams.open
  }

  get openStream(): OpenSecureStream {
    return this.#streams.open
  }

  /**
   * Gives the endpoints of each domain its new credentials, and those that are opened later, too.
   * @returns how many took them
   * @throws {ConfigError} on unusable ones
   */
  reload(next: ReadonlyMap<DomainName, ClientCredentials>): number {
    let count = 0
    for (const each of [this.#datagrams, this.#streams])
      each.each((endpoint, options) => {
        const domain = options.role === 'client' ? this.#owners.get(options.credentials) : undefined
        const credentials = domain === undefined ? undefined : next.get(domain)
        if (credentials === undefined || endpoint.reload === undefined) return
        endpoint.reload(credentials)
        count++
      })
    for (const [domain, credentials] of next) {
      this.#owners.set(credentials, domain)
      this.#credentials.set(domain, credentials)
    }
    return count
  }

  /** Gives up renewals of tickets that are under way; the endpoints belong to who opened them. */
  close(): Promise<void> {
    return this.#renewal.close()
  }

  /**
   * For the next process, and for what this one has open in the same domain: other sources, families and interfaces. A
   * ticket is good at every address of the server that gave it.
   */
  #share(
    { credentials }: ClientEndpointOptions,
    sessions: readonly ResumableSession[],
    from?: SecureEndpoint
  ): void {
    const current = this.#current(credentials)
    const domain = this.#owners.get(credentials)
    if (domain !== undefined) this.#kept?.keep(current, domain, sessions)
    this.#datagrams.each((endpoint, options) => {
      if (endpoint !== from && options.role === 'client' && this.#current(options.credentials) === current)
        endpoint.useSessions?.(sessions)
    })
  }

  /** What an endpoint that opens now may resume: of an earlier process, or of what else is open in its domain. */
  #known(credentials: ClientCredentials): readonly ResumableSession[] {
    const current = this.#current(credentials)
    const domain = this.#owners.get(credentials)
    if (this.#kept !== undefined) return domain === undefined ? [] : this.#kept.of(current, domain)
    const known: ResumableSession[] = []
    this.#datagrams.each((endpoint, options) => {
      if (options.role === 'client' && this.#current(options.credentials) === current)
        known.push(...(endpoint.resumableSessions?.() ?? []))
    })
    return known
  }

  #currently(options: SecureEndpointOptions): SecureEndpointOptions {
    return options.role === 'server'
      ? options
      : { ...options, credentials: this.#current(options.credentials) }
  }

  #current(credentials: ClientCredentials): ClientCredentials {
    const owner = this.#owners.get(credentials)
    return (owner === undefined ? undefined : this.#credentials.get(owner)) ?? credentials
  }
}
