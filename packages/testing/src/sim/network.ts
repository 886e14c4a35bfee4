import { formatIpAddress, InternalError, prefixContainsAddress, Seconds } from '@breakwater/core'
import type {
  Clock,
  Duration,
  Entropy,
  Instant,
  IpAddress,
  IpPrefix,
  NetworkPath,
  SocketAddress,
  Transport
} from '@breakwater/core'
import { derivedSeed, seededEntropy } from '../seeded-entropy.ts'
import { clearConditions } from './conditions.ts'
import type { LinkConditions } from './conditions.ts'
import { SimulatedHost } from './host.ts'
import type { HostRouting } from './host.ts'
import type { IcmpMessage } from './icmp-message.ts'
import { SimulatedInterface } from './interface.ts'
import { Link } from './link.ts'
import { SimulatedRouter } from './router.ts'
import type { RouterOptions } from './router.ts'
import type { DatagramFate, NetworkTap } from './trace.ts'

export interface SimulatedNetworkOptions {
  readonly clock: Clock
  /** The same seed gives the same losses, delays and random numbers in every run. */
  readonly seed: number
  /** What every link starts with; default `clearConditions`. */
  readonly conditions?: Partial<LinkConditions>
  /** A handshake that is not complete after this time has failed. Default 60 s, as `@breakwater/dtls` has it. */
  readonly handshakeLimit?: Duration
  /**
   * Every client holds a good ticket of every server: sessions are resumed, in the five flights of RFC 6347 §4.2.4, Figure
   * 2, with the cookie before them. Over TLS 1.3 the round trips stay the same. Default false.
   */
  readonly resumesSessions?: boolean
  /**
   * Hosts say where nobody listens, and links what they do not carry, to whoever sent it (RFC 792, RFC 4443). Default: no, as
   * where all ICMP is filtered.
   */
  readonly saysIcmp?: boolean
  /** Takes what a handler of an endpoint throws. Default: whoever moves the clock gets it. */
  readonly uncaught?: (error: unknown) => void
}

export interface InterfaceOptions {
  readonly name: string
  readonly addresses: readonly IpAddress[]
  /** Provider-independent prefixes that are routed to this link. Default none. */
  readonly routedPrefixes?: readonly IpPrefix[]
  /** BCP 38 at the far end of the link. Default true. */
  readonly ingressFilter?: boolean
  /** It is no link of the network's, but one to this router: see `SimulatedNetwork.addRouter`. Default none. */
  readonly behind?: SimulatedRouter
  /** What differs from the conditions of the network. */
  readonly conditions?: Partial<LinkConditions>
}

export interface HostOptions {
  readonly interfaces: readonly InterfaceOptions[]
  /** Default `by-source`. */
  readonly routing?: HostRouting
}

/** Whether a packet is stopped on its way, judged by what stands in its headers. */
export type Middlebox = (packet: { readonly transport: Transport; readonly path: NetworkPath }) => boolean

/** A datagram under way. */
interface Datagram {
  readonly number: number
  readonly transport: Transport
  readonly from: SimulatedHost
  readonly path: NetworkPath
  /** As the far end sees it, who sent it. */
  readonly source: SocketAddress
  readonly bytes: Uint8Array
}

/**
 * An internet in one process: every host reaches every other one, over the link of the interface that it sends by and
 * the link of the interface that has the destination address. Chance comes from the seed only.
 */
export class SimulatedNetwork {
  readonly clock: Clock
  readonly handshakeLimit: Duration
  readonly resumesSessions: boolean
  readonly #saysIcmp: boolean
  readonly #seed: number
  readonly #conditions: LinkConditions
  readonly #uncaught: (error: unknown) => void
  readonly #hosts = new Map<string, SimulatedHost>()
  readonly #taps = new Set<NetworkTap>()
  readonly #middleboxes = new Set<Middlebox>()
  #datagrams = 0
  #endpoints = 0

  constructor(options: SimulatedNetworkOptions) {
    this.clock = options.clock
    this.#seed = options.seed
    this.#conditions = { ...clearConditions, ...options.conditions }
    this.handshakeLimit = options.handshakeLimit ?? Seconds(60)
    this.resumesSessions = options.resumesSessions ?? false
    this.#saysIcmp = options.saysIcmp ?? false
    this.#uncaught =
      options.uncaught ??
      ((error) =>
        this.clock.schedule(this.clock.now(), () => {
          throw error
        }))
  }

  /** Joins a host to the network. Its name and its addresses must be new. */
  addHost(name: string, options: HostOptions): SimulatedHost {
    if (this.#hosts.has(name)) throw new InternalError('TESTING_HOST_TAKEN', `there is a host ${name}`)
    const interfaces = options.interfaces.map((one) => this.#makeInterface(name, one))
    const host = new SimulatedHost(name, this, interfaces, options.routing ?? 'by-source')
    this.#hosts.set(name, host)
    return host
  }

  /**
   * Joins a router to the network: a CPE, with links to one or several providers. Hosts get behind it by the `behind` of
   * their interfaces; which of their addresses are whose, the uplinks say.
   */
  addRouter(name: string, options: RouterOptions): SimulatedRouter {
    const uplinks = options.uplinks.map((one) => this.#makeInterface(name, one))
    return new SimulatedRouter(name, uplinks, options.routing ?? 'by-source')
  }

  /** Listens to every datagram; the function that is returned ends it. */
  tap(tap: NetworkTap): () => void {
    this.#taps.add(tap)
    return () => void this.#taps.delete(tap)
  }

  /** A middlebox in the middle of the network, which drops what `isBlocked` names; the function that is returned removes it. */
  block(isBlocked: Middlebox): () => void {
    this.#middleboxes.add(isBlocked)
    return () => void this.#middleboxes.delete(isBlocked)
  }

  /** Sockets that are open on all hosts: 0 when every endpoint was destroyed. */
  get openSockets(): number {
    return [...this.#hosts.values()].reduce((sum, host) => sum + host.openSockets, 0)
  }

  /** @internal A stream of chance for one more endpoint. */
  entropyForEndpoint(): Entropy {
    return seededEntropy(derivedSeed(this.#seed, `endpoint ${this.#endpoints++}`))
  }

  /** @internal */
  reportUncaught(error: unknown): void {
    this.#uncaught(error)
  }

  /** @internal Puts one datagram on the link of `exit`; the bytes are copied. */
  transmit(
    from: SimulatedHost,
    exit: SimulatedInterface,
    local: SocketAddress,
    remote: SocketAddress,
    bytes: Uint8Array,
    transport: Transport = 'udp'
  ): void {
    const path = { local, remote, interface: exit.name }
    const isLocal = from.interfaces.some((one) => one.has(remote.address))
    const source = isLocal ? local : translated(exit.link, local)
    const datagram = { number: this.#datagrams++, transport, from, path, source, bytes: bytes.slice() }
    this.#trace(datagram, { kind: 'sent' })
    if (isLocal) {
      this.#at(this.clock.now(), () => this.#deliver(datagram, from, exit))
      return
    }
    const { router } = exit
    if (router === undefined) this.#leave(exit, datagram)
    else this.#through(exit.link, 'up', datagram, () => this.#leave(router.exitFor(local.address), datagram))
  }

  /** By a link of the network's own, whose far end may ask where a datagram comes from. */
  #leave(exit: SimulatedInterface, datagram: Datagram): void {
    if (exit.link.ingressFilter && !exit.mayUse(datagram.path.local.address)) {
      exit.link.up.noteFiltered()
      this.#trace(datagram, { kind: 'dropped', reason: 'ingress-filter' })
      return
    }
    this.#through(exit.link, 'up', datagram, () => this.#route(datagram))
  }

  #route(datagram: Datagram): void {
    if (this.#middleboxes.size > 0 && this.#isBlocked(datagram)) {
      this.#trace(datagram, { kind: 'dropped', reason: 'middlebox' })
      return
    }
    const entry = this.#entryFor(datagram.path.remote.address)
    if (entry === undefined) {
      this.#trace(datagram, { kind: 'dropped', reason: 'no-route' })
      return
    }
    const [host, arrival] = entry
    const arrive = (): void =>
      this.#through(arrival.link, 'down', datagram, () => this.#deliver(datagram, host, arrival))
    const uplink = arrival.router?.entryFor(datagram.path.remote.address)
    if (uplink === undefined) arrive()
    else this.#through(uplink.link, 'down', datagram, arrive)
  }

  #isBlocked({ transport, path }: Datagram): boolean {
    for (const isBlocked of this.#middleboxes) if (isBlocked({ transport, path })) return true
    return false
  }

  #through(link: Link, direction: 'up' | 'down', datagram: Datagram, next: () => void): void {
    const passage = link[direction].pass(datagram.bytes.length, this.clock.now())
    if (passage.kind === 'dropped') {
      this.#trace(datagram, passage)
      if (passage.reason === 'too-long')
        this.#say(datagram, { kind: 'too-big', mtuBytes: mtuOf(link[direction].conditions, datagram) })
      return
    }
    if (passage.at.length > 1) this.#trace(datagram, { kind: 'duplicated' })
    for (const at of passage.at) this.#at(at, next)
  }

  #deliver(datagram: Datagram, host: SimulatedHost, arrival: SimulatedInterface): void {
    const { source } = datagram
    const { remote } = datagram.path
    // An interface may have been renumbered while the datagram was under way.
    const stillThere = host.interfaces.some((one) => one.mayUse(remote.address))
    const { bytes, transport } = datagram
    const isLocal = host === datagram.from
    const port = isLocal ? remote.port : insidePort(arrival.link, remote.port)
    if (port === undefined) {
      this.#trace(datagram, { kind: 'dropped', reason: 'no-mapping' })
      return
    }
    if (host.isFrozen) {
      if (!host.keep(() => this.#deliver(datagram, host, arrival)))
        this.#trace(datagram, { kind: 'dropped', reason: 'no-listener' })
      return
    }
    const destination = { address: remote.address, port }
    const arrived = { transport, source, destination, interface: arrival.name, bytes }
    const delivered = stillThere && host.deliver(arrived)
    if (stillThere && !delivered) this.#say(datagram, { kind: 'port-unreachable' })
    this.#trace(datagram, delivered ? { kind: 'delivered' } : { kind: 'dropped', reason: 'no-listener' })
  }

  /** Comes back by the link that the datagram left by, if that carries anything. */
  #say({ transport, from, path }: Datagram, said: Pick<IcmpMessage, 'kind' | 'mtuBytes'>): void {
    if (!this.#saysIcmp || transport !== 'udp' || path.interface === undefined) return
    const { local, remote } = path
    const passage = from.link(path.interface).down.pass(quotedBytes, this.clock.now())
    if (passage.kind === 'dropped') return
    for (const at of passage.at) this.#at(at, () => from.hearIcmp({ ...said, local, remote }))
  }

  /** The host and interface that has `address`, or to which a prefix with it is routed. */
  #entryFor(address: IpAddress): readonly [SimulatedHost, SimulatedInterface] | undefined {
    let routed: readonly [SimulatedHost, SimulatedInterface] | undefined
    for (const host of this.#hosts.values())
      for (const one of host.interfaces) {
        if (one.has(address)) return [host, one]
        if (one.routedPrefixes.some((prefix) => prefixContainsAddress(prefix, address)))
          routed ??= [host, one]
      }
    return routed
  }

  #makeInterface(host: string, options: InterfaceOptions): SimulatedInterface {
    for (const address of options.addresses) {
      const owner = this.#entryFor(address)
      if (owner?.[1].has(address) === true)
        throw new InternalError(
          'TESTING_ADDRESS_TAKEN',
          `${owner[0].name} has ${formatIpAddress(address)} already`
        )
    }
    const conditions = { ...this.#conditions, ...options.conditions }
    const link = new Link(`${host}/${options.name}`, this.#seed, conditions, options.ingressFilter ?? true)
    const { name, addresses, routedPrefixes = [], behind } = options
    return new SimulatedInterface(name, link, addresses, routedPrefixes, behind)
  }

  #at(moment: Instant, act: () => void): void {
    this.clock.schedule(moment, act)
  }

  #trace(datagram: Datagram, fate: DatagramFate): void {
    const { number, transport, from, path, bytes } = datagram
    for (const tap of this.#taps)
      tap({ at: this.clock.now(), datagram: number, transport, fate, from: from.name, path, bytes })
  }
}

/** Header of ICMP, and of the datagram that it quotes. */
const quotedBytes = 8 + 48

/** What a link carries, headers included. */
function mtuOf({ longestDatagram }: LinkConditions, { path }: Datagram): number {
  return longestDatagram + (path.remote.address.family === 4 ? 20 : 40) + 8
}

function translated({ translation }: Link, local: SocketAddress): SocketAddress {
  return translation === undefined
    ? local
    : { address: local.address, port: translation.outbound(local.port) }
}

function insidePort({ translation }: Link, port: number): number | undefined {
  return translation === undefined ? port : translation.inbound(port)
}
