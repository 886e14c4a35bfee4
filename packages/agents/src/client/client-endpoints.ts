import type {
  ClientCredentials,
  Log,
  OpenSecureEndpoint,
  OpenSecureStream,
  SecureEndpoint,
  SecureStreamEndpoint
} from '@breakwater/core'
import type { DomainName } from '@breakwater/dots'
import { OpenEndpoints } from '../open-endpoints.ts'
import { socketAddressText } from '../socket-address-text.ts'
import type { KeptSessions } from './kept-sessions.ts'

/** RFC 8973 §7: the service of the signal channel, which a certificate may be for (SRV-ID). */
const serviceName = 'dots-signal'

export interface ClientEndpointsOptions {
  readonly open: OpenSecureEndpoint
  readonly openStream: OpenSecureStream
  /** What the servers of each domain are shown; changed in place by a reload. */
  readonly credentials: Map<DomainName, ClientCredentials>
  /** Undefined: no session is kept over a restart. */
  readonly kept: KeptSessions | undefined
  readonly log: Log
}

/** The endpoints of a client: they resume sessions, also those of an earlier life, and take new credentials. */
export class ClientEndpoints {
  readonly #datagrams: OpenEndpoints<SecureEndpoint>
  readonly #streams: OpenEndpoints<SecureStreamEndpoint>
  readonly #credentials: Map<DomainName, ClientCredentials>
  /** Whose a credential is, or was. */
  readonly #owners = new Map<ClientCredentials, DomainName>()

  constructor({ open, openStream, credentials, kept, log }: ClientEndpointsOptions) {
    this.#credentials = credentials
    for (const [domain, each] of credentials) this.#owners.set(each, domain)
    this.#streams = new OpenEndpoints(openStream)
    this.#datagrams = new OpenEndpoints(open, {
      prepare: (options) =>
        options.role === 'server'
          ? options
          : { ...options, serviceName, sessions: kept?.of(options.credentials) ?? [] },
      onEstablished: (endpoint, options, { resumed, path }) => {
        if (resumed === true) log.info('session.resumed', { remote: socketAddressText(path.remote) })
        if (options.role === 'client')
          kept?.keep(this.#current(options.credentials), endpoint.resumableSessions?.() ?? [])
      }
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

  #current(credentials: ClientCredentials): ClientCredentials {
    const owner = this.#owners.get(credentials)
    return (owner === undefined ? undefined : this.#credentials.get(owner)) ?? credentials
  }
}
