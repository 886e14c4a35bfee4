import type { Duration } from '@breakwater/core'
import type { Resolver } from '@breakwater/dots'
import type { NameServerTools, NameServerWay } from './name-server.ts'
import { resolverOfServers } from './resolver-of-servers.ts'
import { TlsNameServer } from './tls-name-server.ts'

/** One recursive server that speaks DNS over TLS (RFC 7858), by one way. Port 853 unless agreed otherwise. */
export interface TlsNameServerOptions extends NameServerWay {
  /** Its authentication domain name: its certificate must carry it (RFC 8310 §8.1). */
  readonly name: string
  /** PEM; undefined: the public authorities that Node knows. */
  readonly trustAnchors?: string
}

export interface TlsResolverOptions extends NameServerTools {
  /** In order of preference. */
  readonly servers: readonly TlsNameServerOptions[]
  /** Until a question has failed, all servers together. */
  readonly timeLimit: Duration
}

/**
 * Resolves by DNS over TLS, in the strict profile of RFC 8310: a server that does not prove its name is not asked. Nobody
 * on the way learns which resources an attack makes a client name (RFC 9132 §11).
 */
export function openTlsResolver(options: TlsResolverOptions): Resolver {
  const { servers, timeLimit } = options
  // TCP repeats what is lost: nobody is asked twice.
  const rule = { name: 'dns-over-tls', timeLimit, rounds: 1, longestPause: timeLimit }
  return resolverOfServers(
    servers.map((server) => new TlsNameServer(server, options)),
    rule,
    options
  )
}
