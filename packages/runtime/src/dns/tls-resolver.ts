import { UnavailableError } from '@breakwater/core'
import type { Duration, IpAddress, SocketAddress } from '@breakwater/core'
import type { NameAnswer, Resolver } from '@breakwater/dots'
import type { Packet } from 'dns-packet'
import { answerOfPackets } from './answer-of-packets.ts'
import { TlsNameServer } from './tls-name-server.ts'

/** One recursive server that speaks DNS over TLS (RFC 7858). */
export interface TlsNameServerOptions {
  /** Port 853 unless agreed otherwise. */
  readonly address: SocketAddress
  /** Its authentication domain name: its certificate must carry it (RFC 8310 §8.1). */
  readonly name: string
  /** PEM; undefined: the public authorities that Node knows. */
  readonly trustAnchors?: string
  /** Local addresses that it is asked from: the first of its family; none: by the routes. */
  readonly sources?: readonly IpAddress[]
}

export interface TlsResolverOptions {
  /** In order of preference. */
  readonly servers: readonly TlsNameServerOptions[]
  /** Until a question has failed, all servers together. */
  readonly timeLimit: Duration
  /** Of servers that have none of their own. */
  readonly sources?: readonly IpAddress[]
}

/**
 * Resolves by DNS over TLS, in the strict profile of RFC 8310: a server that does not prove its name is not asked. Nobody
 * on the way learns which resources an attack makes a client name (RFC 9132 §11).
 */
export function openTlsResolver({ servers, timeLimit, sources = [] }: TlsResolverOptions): Resolver {
  const share = timeLimit / Math.max(1, servers.length)
  const all = servers.map((server) => new TlsNameServer({ sources, ...server }))
  return {
    name: 'dns-over-tls',
    resolve: (name) => resolveByFirst(all, name, share),
    close() {
      for (const server of all) server.close()
      return Promise.resolve()
    }
  }
}

async function resolveByFirst(
  servers: readonly TlsNameServer[],
  name: string,
  shareMilliseconds: number
): Promise<NameAnswer> {
  let failure: unknown
  for (const server of servers) {
    try {
      return answerOfPackets(name, await askBoth(server, name, shareMilliseconds))
    } catch (error) {
      failure = error
    }
  }
  throw failure instanceof UnavailableError
    ? failure
    : new UnavailableError('DNS_FAILED', `${name}: ${String(failure)}`, true, { cause: failure })
}

function askBoth(server: TlsNameServer, name: string, milliseconds: number): Promise<Packet[]> {
  return Promise.all([server.ask(name, 'A', milliseconds), server.ask(name, 'AAAA', milliseconds)])
}
