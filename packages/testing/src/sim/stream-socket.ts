import type { Clock, NetworkPath, SocketAddress } from '@breakwater/core'
import type { ArrivedDatagram, SimulatedHost, SimulatedSocket } from './host.ts'
import { StreamConnection } from './stream-connection.ts'
import { decodeSegment, encodeSegment, refusalOf, SegmentKind } from './stream-segment.ts'

/** Who uses a connection. */
export interface StreamUser {
  opened(): void
  data(bytes: Uint8Array): void
  /** The peer sends nothing more. */
  ended(): void
  /** The connection takes bytes again. */
  drained(): void
  broken(why: 'reset' | 'timeout'): void
  /** Nothing is sent or reported any more. */
  released(): void
}

export interface StreamEnds {
  /** Port 0: choose one. */
  readonly local: SocketAddress
  readonly remote: SocketAddress
  readonly interface: string | undefined
}

export interface OpenedStream {
  readonly connection: StreamConnection
  /** With the real port. */
  readonly path: NetworkPath
}

/**
 * Begins a connection from a host.
 * @throws UnavailableError when the host has no such address or interface.
 */
export function connectStream(
  host: SimulatedHost,
  clock: Clock,
  id: number,
  ends: StreamEnds,
  user: StreamUser
): OpenedStream {
  return begin(host, clock, id, 'client', ends, user)
}

/**
 * Waits for connections. `accept` is told of each before it is open; what is used of it comes through the user that it
 * returns.
 * @throws UnavailableError when the address is not the host's, or the port is taken.
 */
export function listenForStreams(
  host: SimulatedHost,
  clock: Clock,
  at: Omit<StreamEnds, 'remote'>,
  accept: (opened: () => OpenedStream) => StreamUser,
  vanish: () => void
): SimulatedSocket {
  const receive = (datagram: ArrivedDatagram): void => {
    const segment = decodeSegment(datagram.bytes)
    if (segment === undefined) return
    const ends = { local: datagram.destination, remote: datagram.source, interface: at.interface }
    if (segment.kind === SegmentKind.syn) {
      const user = accept(() => stream)
      const stream: OpenedStream = begin(host, clock, segment.connection, 'server', ends, user)
      return
    }
    const refusal = refusalOf(datagram.bytes)
    if (refusal !== undefined) host.send(listening, { local: ends.local, remote: ends.remote }, refusal)
  }
  const listening = host.bind(at.local, at.interface, receive, vanish, { transport: 'tcp' })
  return listening
}

function begin(
  host: SimulatedHost,
  clock: Clock,
  id: number,
  role: 'client' | 'server',
  { local: bind, remote, interface: via }: StreamEnds,
  user: StreamUser
): OpenedStream {
  const receive = ({ bytes }: ArrivedDatagram): void => {
    const segment = decodeSegment(bytes)
    if (segment !== undefined) connection.receive(segment)
  }
  const socket = host.bind(bind, via, receive, () => connection.vanish(), { transport: 'tcp', remote })
  const local = host.pathTo(socket, remote)?.local ?? socket.local
  const way = { local, remote }
  const connection: StreamConnection = new StreamConnection(id, role, clock, {
    transmit: (segment) => host.send(socket, way, encodeSegment(segment)),
    opened: () => user.opened(),
    data: (bytes) => user.data(bytes),
    ended: () => user.ended(),
    drained: () => user.drained(),
    broken: (why) => user.broken(why),
    released: () => {
      host.unbind(socket)
      user.released()
    }
  })
  return { connection, path: via === undefined ? way : { ...way, interface: via } }
}
