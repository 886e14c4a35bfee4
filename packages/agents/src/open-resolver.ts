import { InternalError, Seconds, parseIpAddress } from '@breakwater/core'
import type { SocketAddress, Transport } from '@breakwater/core'
import type { Resolver } from '@breakwater/dots'
import { openBoundTcpSocket, openBoundUdpSocket } from '@breakwater/dtls'
import { openPlainResolver, openTlsResolver } from '@breakwater/runtime'
import type { DnsEvent, NameServerTools, NameServerWay } from '@breakwater/runtime'
import type { ConfigFiles } from './config/file-format.ts'
import type { ResolverConfig } from './config/resolver-config.ts'

/** A client asks again every 3 seconds; what is not known after two of its requests comes too late for it. */
const NAME_LIMIT = Seconds(8)

/** By what name servers are asked, and who counts. */
export interface ResolverOptions {
  /** The ways to a name server, the best first. Default: by the routes of the host. */
  readonly waysTo?: (server: SocketAddress) => readonly NameServerWay[]
  readonly observe?: (event: DnsEvent) => void
  readonly judge?: NonNullable<NameServerTools['judge']>
}

/** Ports of DNS (RFC 1035 §4.2) and DNS over TLS (RFC 7858 §3.1). */
const PLAIN_PORT = 53
const TLS_PORT = 853

const sockets = { openUdp: openBoundUdpSocket, openTcp: openBoundTcpSocket }

/** The name servers that a configuration lists; none where it leaves them to the system. */
export function nameServersOf(config: ResolverConfig): {
  readonly servers: readonly SocketAddress[]
  readonly transport: Transport
} {
  if (config.kind === 'tls') {
    const servers = config.servers.map((each) => socketAddress(each.address, each.port ?? TLS_PORT))
    return { servers, transport: 'tcp' }
  }
  return { servers: (config.servers ?? []).map((text) => socketAddress(text, PLAIN_PORT)), transport: 'udp' }
}

/** Opens the resolver that a configuration describes. */
export function openResolver(
  config: ResolverConfig,
  files: ConfigFiles,
  options: ResolverOptions = {}
): Resolver {
  const { waysTo = byRoutes, observe, judge } = options
  const told = { ...(observe === undefined ? {} : { observe }), ...(judge === undefined ? {} : { judge }) }
  const common = { timeLimit: NAME_LIMIT, sockets, ...told }
  const ways = nameServersOf(config).servers.map((server) => waysTo(server))
  if (config.kind === 'plain')
    return openPlainResolver(config.servers === undefined ? common : { ...common, servers: inTurn(ways) })
  const { trustAnchors } = config
  const trust = trustAnchors === undefined ? {} : { trustAnchors: files.text(trustAnchors) }
  const named = config.servers.map(({ name }, index) =>
    (ways[index] ?? []).map((way) => ({ ...way, name, ...trust }))
  )
  return openTlsResolver({ ...common, servers: inTurn(named) })
}

function byRoutes(address: SocketAddress): readonly NameServerWay[] {
  return [{ address }]
}

/** More ways are not tried: a name is asked for within seconds. */
const MOST_WAYS = 8

/** The best way to each, then the second to each. */
function inTurn<Way>(ways: readonly (readonly Way[])[]): readonly Way[] {
  const most = Math.max(0, ...ways.map((each) => each.length))
  const ranks = Array.from({ length: most }, (_, rank) => ways.flatMap((each) => each.slice(rank, rank + 1)))
  return ranks.flat().slice(0, MOST_WAYS)
}

/** The configuration was checked: a text that cannot be read here is a mistake of ours. */
function socketAddress(text: string, port: number): SocketAddress {
  const address = parseIpAddress(text)
  if (address !== undefined) return { address, port }
  throw new InternalError('CONFIG_UNCHECKED', `${JSON.stringify(text)} passed the check of the configuration`)
}
