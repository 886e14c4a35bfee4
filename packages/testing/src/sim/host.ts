import { equalIpAddresses, formatIpAddress, UnavailableError } from '@breakwater/core'
import type {
  IpAddress,
  NetworkPath,
  OpenSecureEndpoint,
  OpenSecureStream,
  SocketAddress,
  Transport
} from '@breakwater/core'
import type { IcmpMessage } from './icmp-message.ts'
import type { SimulatedInterface } from './interface.ts'
import type { Link } from './link.ts'
import type { SimulatedNetwork } from './network.ts'
import { openSimulatedEndpoint } from './secure-endpoint.ts'
import { openSimulatedStream } from './stream-endpoint.ts'
import { refusalOf } from './stream-segment.ts'

/** A datagram, or a segment of TCP, at the socket that it was sent to. */
export interface ArrivedDatagram {
  readonly transport: Transport
  readonly source: SocketAddress
  readonly destination: SocketAddress
  readonly interface: string
  readonly bytes: Uint8Array
}

/** What a socket is, other than one for all UDP datagrams to its port. */
export interface SocketKind {
  readonly transport: Transport
  /** Connected: only for what comes from there. Several may share a port. */
  readonly remote?: SocketAddress
  /** Hears what is said of datagrams that it sent. Default: it does not listen. */
  readonly hear?: (message: IcmpMessage) => void
}

/** A socket of a simulated host. */
export interface SimulatedSocket extends SocketKind {
  /** The bound address, with the real port. */
  readonly local: SocketAddress
  /** Name of the interface that it is bound to. */
  readonly interface: string | undefined
  readonly receive: (datagram: ArrivedDatagram) => void
  /** The host crashed: say nothing, do nothing more. */
  readonly vanish: () => void
}

/**
 * Which interface a datagram leaves by when its socket is bound to none: the one that has its source address, as with
 * source address dependent routing (RFC 8043), or always the first one, as with a plain default route.
 */
export type HostRouting = 'by-source' | 'first-interface'

/** Datagrams that the kernel keeps for programs that do not read: a few hundred fill a receive buffer. */
const keptArrivals = 256

const ephemeral = { first: 49_152, last: 65_535 }

/** A computer on a simulated network. Made by `SimulatedNetwork.addHost`. */
export class SimulatedHost {
  readonly name: string
  readonly interfaces: readonly SimulatedInterface[]
  readonly routing: HostRouting
  /** Opens a cleartext secure endpoint with the round trips of DTLS 1.2. */
  readonly openSecureEndpoint: OpenSecureEndpoint
  /** Opens a cleartext stream endpoint with the round trips of TLS over TCP. */
  readonly openSecureStream: OpenSecureStream
  readonly #network: SimulatedNetwork
  readonly #sockets = new Set<SimulatedSocket>()
  #nextPort = ephemeral.first
  /** Undefined: it runs. */
  #kept: (() => void)[] | undefined

  constructor(
    name: string,
    network: SimulatedNetwork,
    interfaces: readonly SimulatedInterface[],
    routing: HostRouting
  ) {
    this.name = name
    this.#network = network
    this.interfaces = interfaces
    this.routing = routing
    this.openSecureEndpoint = (options, handlers) => openSimulatedEndpoint(network, this, options, handlers)
    this.openSecureStream = (options, handlers) => openSimulatedStream(network, this, options, handlers)
  }

  /** The link of the interface of that name. */
  link(interfaceName: string): Link {
    return this.interface(interfaceName).link
  }

  interface(name: string): SimulatedInterface {
    const found = this.interfaces.find((one) => one.name === name)
    if (found === undefined) throw unavailable('INTERFACE_UNKNOWN', `${this.name} has no interface ${name}`)
    return found
  }

  /** Sockets that are open. */
  get openSockets(): number {
    return this.#sockets.size
  }

  get isFrozen(): boolean {
    return this.#kept !== undefined
  }

  /** Its programs stand still, as under SIGSTOP: they send and hear nothing, and the kernel keeps a little for them. */
  freeze(): void {
    this.#kept ??= []
  }

  /** They go on; what the kernel kept comes first. */
  thaw(): void {
    const kept = this.#kept ?? []
    this.#kept = undefined
    for (const arrive of kept) this.#network.clock.schedule(this.#network.clock.now(), arrive)
  }

  /** @internal Keeps an arrival until the host goes on; false when its buffers are full. */
  keep(arrive: () => void): boolean {
    if (this.#kept === undefined || this.#kept.length >= keptArrivals) return false
    this.#kept.push(arrive)
    return true
  }

  /** Takes everything on this host away at once: no goodbye, no events. Interfaces stay. */
  crash(): void {
    for (const socket of this.#sockets) socket.vanish()
    this.#sockets.clear()
    this.#kept = undefined
  }

  /**
   * Opens a socket, for UDP unless `kind` says otherwise.
   * @throws UnavailableError when the address is not this host's, the port is taken, or there is no such interface.
   */
  bind(
    local: SocketAddress,
    interfaceName: string | undefined,
    receive: SimulatedSocket['receive'],
    vanish: () => void = () => undefined,
    kind: SocketKind = { transport: 'udp' }
  ): SimulatedSocket {
    const allowed = interfaceName === undefined ? this.interfaces : [this.interface(interfaceName)]
    if (!isWildcard(local.address) && !allowed.some((one) => one.mayUse(local.address)))
      throw unavailable('ADDRESS_UNKNOWN', `${this.name} has no address ${formatIpAddress(local.address)}`)
    const port = local.port === 0 ? this.#freePort(local.address, kind.transport) : local.port
    const bound = { address: local.address, port }
    // A listening port is shared with the connections that came of it.
    if (kind.remote === undefined && this.#isTaken(bound, kind.transport))
      throw unavailable('PORT_TAKEN', `port ${port} of ${this.name} is taken`)
    const socket: SimulatedSocket = { ...kind, local: bound, interface: interfaceName, receive, vanish }
    this.#sockets.add(socket)
    return socket
  }

  /** Closes a socket. Harmless when it is closed. */
  unbind(socket: SimulatedSocket): void {
    this.#sockets.delete(socket)
  }

  /**
   * The way from a socket to `remote`, starting at `source` where that is given: a socket bound to the wildcard else
   * takes the first address of the interface. Undefined when there is none.
   */
  pathTo(
    socket: SimulatedSocket,
    remote: SocketAddress,
    source: IpAddress = socket.local.address
  ): NetworkPath | undefined {
    const exit = this.#exitFor(socket, source)
    const address = isWildcard(source) ? exit?.addressOf(remote.address.family) : source
    if (exit === undefined || address === undefined || address.family !== remote.address.family)
      return undefined
    return { local: { address, port: socket.local.port }, remote, interface: exit.name }
  }

  /** Sends one datagram; the bytes are copied. The interface of the path is only a report: routing decides again. */
  send(socket: SimulatedSocket, path: NetworkPath, bytes: Uint8Array): void {
    if (!this.#sockets.has(socket) || this.isFrozen) return
    const way = this.pathTo(socket, path.remote, path.local.address)
    // A kernel sends nothing from an address that it has no more.
    if (way?.interface === undefined || !this.interfaces.some((one) => one.mayUse(way.local.address))) return
    const { transport } = socket
    this.#network.transmit(this, this.interface(way.interface), way.local, way.remote, bytes, transport)
  }

  /** Sends a datagram with whatever source address, as an attacker does. */
  sendForged(interfaceName: string, source: SocketAddress, remote: SocketAddress, bytes: Uint8Array): void {
    this.#network.transmit(this, this.interface(interfaceName), source, remote, bytes)
  }

  /** Gives a datagram to the socket that it is for; false when there is none. */
  deliver(datagram: ArrivedDatagram): boolean {
    const socket = this.#socketFor(datagram)
    socket?.receive(datagram)
    if (socket === undefined && datagram.transport === 'tcp') this.#refuse(datagram)
    return socket !== undefined
  }

  /** An ICMP message has come, of a router or of whoever forges one: as in a kernel, the socket that it names hears of it. */
  hearIcmp(message: IcmpMessage): void {
    const { local } = message
    for (const { transport, local: bound, hear } of this.#sockets) {
      if (this.isFrozen || transport !== 'udp' || bound.port !== local.port) continue
      if (isWildcard(bound.address) || equalIpAddresses(bound.address, local.address)) hear?.(message)
    }
  }

  /** TCP answers also where nobody listens. */
  #refuse({ source, destination, interface: arrival, bytes }: ArrivedDatagram): void {
    const refusal = refusalOf(bytes)
    if (refusal !== undefined)
      this.#network.transmit(this, this.interface(arrival), destination, source, refusal, 'tcp')
  }

  /** The most particular one: connected before bound to the address before bound to all addresses. */
  #socketFor(datagram: ArrivedDatagram): SimulatedSocket | undefined {
    let found: SimulatedSocket | undefined
    let rank = 0
    for (const socket of this.#sockets) {
      const own = rankOf(socket, datagram)
      if (own <= rank) continue
      found = socket
      rank = own
    }
    return found
  }

  #exitFor(socket: SimulatedSocket, source: IpAddress): SimulatedInterface | undefined {
    if (socket.interface !== undefined) return this.interface(socket.interface)
    if (this.routing === 'first-interface') return this.interfaces[0]
    return this.interfaces.find((one) => one.mayUse(source)) ?? this.interfaces[0]
  }

  #isTaken(local: SocketAddress, transport: Transport): boolean {
    for (const { local: other, remote, transport: otherTransport } of this.#sockets)
      if (
        transport === otherTransport &&
        remote === undefined &&
        other.port === local.port &&
        other.address.family === local.address.family &&
        (equalIpAddresses(other.address, local.address) ||
          isWildcard(other.address) ||
          isWildcard(local.address))
      )
        return true
    return false
  }

  #freePort(address: IpAddress, transport: Transport): number {
    for (let tries = ephemeral.first; tries <= ephemeral.last; tries++) {
      const port = this.#nextPort
      this.#nextPort = port === ephemeral.last ? ephemeral.first : port + 1
      if (!this.#isTaken({ address, port }, transport)) return port
    }
    throw unavailable('PORTS_EXHAUSTED', `${this.name} has no free port`)
  }
}

/** How well a socket fits a datagram; 0: not at all. */
function rankOf(socket: SimulatedSocket, datagram: ArrivedDatagram): number {
  const { local, remote } = socket
  const { destination, source } = datagram
  if (socket.transport !== datagram.transport || local.port !== destination.port) return 0
  if (socket.interface !== undefined && socket.interface !== datagram.interface) return 0
  if (remote !== undefined && !isSameSocketAddress(remote, source)) return 0
  const isConnected = remote === undefined ? 0 : 2
  if (equalIpAddresses(local.address, destination.address)) return isConnected + 2
  return isWildcard(local.address) && local.address.family === destination.address.family
    ? isConnected + 1
    : 0
}

function isSameSocketAddress(a: SocketAddress, b: SocketAddress): boolean {
  return a.port === b.port && equalIpAddresses(a.address, b.address)
}

function isWildcard(address: IpAddress): boolean {
  return address.a === 0 && address.b === 0 && address.c === 0 && address.d === 0
}

function unavailable(what: string, message: string): UnavailableError {
  return new UnavailableError(`TESTING_${what}`, message, false)
}
