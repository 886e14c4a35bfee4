import { UnavailableError, formatIpAddress } from '@breakwater/core'
import type { IpAddress, SocketAddress } from '@breakwater/core'
import type { Packet } from 'dns-packet'
import type { OpenTcpSocket } from '../tls/connector.ts'
import type { DnsQuestion } from './question.ts'

/** Where a name server is, and the one way by which it is asked (RFC 9284 §5.1). */
export interface NameServerWay {
  readonly address: SocketAddress
  /** Local address that questions leave from; undefined: by the routes. */
  readonly source?: IpAddress
  /** Questions leave by this interface and by no other; undefined: by the routes. Needs `source`. */
  readonly interface?: string
}

/** Sockets that are bound to a source and an interface. Without them, a way with an interface cannot be taken. */
export interface ResolverSockets {
  /** Returns the descriptor of a UDP socket, which the caller then owns. `openBoundUdpSocket` is one. */
  readonly openUdp: (options: BoundTo) => number
  readonly openTcp: OpenTcpSocket
}

interface BoundTo {
  readonly local: SocketAddress
  readonly interface?: string
}

/** What happened between a resolver and those whom it asks; for counters. */
export type DnsEvent =
  | 'asked-udp'
  | 'asked-tcp'
  | 'asked-tls'
  | 'answered'
  /** Nobody gave an answer in time, or all failed. */
  | 'unanswered'
  /** What came answers no question of ours: somebody guesses, or is late. */
  | 'stray'
  /** What came is no DNS message. */
  | 'malformed'

/**
 * What a question says of the way that it took. `answered`: its answer came, whatever that says. `silent`: none came for so long
 * that others were asked. That something refused at once says nothing: anybody may forge an ICMP message or a reset.
 */
export type WayVerdict = 'answered' | 'silent'

/** What every name server of a resolver is opened with. */
export interface NameServerTools {
  readonly sockets?: ResolverSockets
  readonly observe?: (event: DnsEvent) => void
  readonly judge?: (way: NameServerWay, verdict: WayVerdict) => void
}

/** A name server by one way. */
export interface NameServer {
  readonly way: NameServerWay
  /**
   * Resolves to the response to this question, whatever it says. Rejects with UnavailableError when there is none within the
   * time, or when `over` is aborted.
   */
  ask(question: DnsQuestion, milliseconds: number, over: AbortSignal): Promise<Packet>
  close(): void
}

/** What a socket of this way is bound to; undefined: to nothing. */
export function boundTo({ source, interface: via }: NameServerWay): BoundTo | undefined {
  if (source === undefined) return undefined
  const local = { address: source, port: 0 }
  return via === undefined ? { local } : { local, interface: via }
}

/** RFC 9284 §5.1: rather no question than one that leaves by another provider. */
export function unboundable(way: NameServerWay): UnavailableError {
  return failed(describeWay(way), 'nothing here binds a socket to an interface')
}

export function describeWay({ address, source, interface: via }: NameServerWay): string {
  const to = `${formatIpAddress(address.address)} port ${address.port}`
  return [to, via && `by ${via}`, source && `from ${formatIpAddress(source)}`].filter(Boolean).join(' ')
}

export function failed(server: string, reason: string): UnavailableError {
  return new UnavailableError('DNS_FAILED', `name server ${server}: ${reason}`, true)
}
