import { Seconds, parseIpAddress } from '@breakwater/core'
import type { Duration, IpAddress, SocketAddress } from '@breakwater/core'
import type { Resolver } from '@breakwater/dots'
import { getServers } from 'node:dns'
import type { NameServerTools, NameServerWay } from './name-server.ts'
import { PlainNameServer } from './plain-name-server.ts'
import { resolverOfServers } from './resolver-of-servers.ts'

/** What a resolver over UDP and TCP needs to know. */
export interface PlainResolverOptions extends NameServerTools {
  /** Recursive servers, each by the ways that lead to it, in order of preference; undefined: those of the system. */
  readonly servers?: readonly NameServerWay[]
  /** Until a question has failed, all servers and families together. */
  readonly timeLimit: Duration
}

/** A datagram may be lost, and a name server that comes back is to be found soon. */
const LONGEST_PAUSE = Seconds(1)
const ROUNDS = 8

/** Port of DNS (RFC 1035 §4.2). */
const PORT = 53

/**
 * Resolves by plain DNS. Whoever is on the way sees the names, and may lie about them: for a resolver on this host or a
 * network that is trusted (RFC 9132 §11 wants privacy elsewhere: `openTlsResolver`). Letters are asked for as they are:
 * the number and the port of a question, both random, are what a forger has to guess (RFC 5452 §9).
 */
export function openPlainResolver(options: PlainResolverOptions): Resolver {
  const { servers = systemServers(), timeLimit } = options
  const rule = { name: 'dns', timeLimit, rounds: ROUNDS, longestPause: LONGEST_PAUSE }
  return resolverOfServers(
    servers.map((way) => new PlainNameServer(way, options)),
    rule,
    options
  )
}

/** Those that the system asks: with or without a port, IPv6 in brackets then. */
function systemServers(): NameServerWay[] {
  return getServers().flatMap((text) => {
    const [, ipv6, ipv4, port] = /^(?:\[(.+)\]|([\d.]+)):(\d+)$/.exec(text) ?? []
    const address = parseIpAddress(ipv6 ?? ipv4 ?? text)
    return address === undefined ? [] : [wayTo(address, Number(port ?? PORT))]
  })
}

function wayTo(address: IpAddress, port: number): { readonly address: SocketAddress } {
  return { address: { address, port } }
}
