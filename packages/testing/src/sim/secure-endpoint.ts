import { InternalError, newPeerId } from '@breakwater/core'
import type {
  ClientCredentials,
  ConnectRequest,
  Duration,
  NetworkPath,
  PeerId,
  SecureEndpoint,
  SecureEndpointHandlers,
  SecureEndpointOptions,
  ServerCredentials,
  SocketAddress
} from '@breakwater/core'
import { readReplacement } from './authentication.ts'
import { connectAsClient, receiveAsClient } from './client-role.ts'
import type { ArrivedDatagram, SimulatedHost } from './host.ts'
import type { SimulatedNetwork } from './network.ts'
import { PeerKeeper } from './peer-keeper.ts'
import { decodeRecord, RecordKind } from './record.ts'
import type { SimulatedRecord } from './record.ts'
import { receiveAsServer } from './server-role.ts'
import { receiveAlert, receivePlaintext } from './session-records.ts'

/** RFC 9132 §7.3. */
const defaultMtu = 1280

const udpHeaderBytes = 8

/** What AES-128-GCM in DTLS 1.2 adds: record header 13, explicit nonce 8, tag 16 (RFC 6347 §4.1, RFC 5288 §3). */
const sealedRecordBytes = 13 + 8 + 16

/**
 * A secure endpoint in clear text on a simulated network: the round trips, timers and failures of DTLS 1.2, without its
 * cryptography. Its datagrams are shorter than real ones, but it keeps to the same largest plaintext.
 */
class SimulatedSecureEndpoint implements SecureEndpoint {
  readonly #cookieSecret: number
  readonly #keeper: PeerKeeper
  readonly #options: SecureEndpointOptions
  #isDestroyed = false

  constructor(
    network: SimulatedNetwork,
    host: SimulatedHost,
    options: SecureEndpointOptions,
    handlers: SecureEndpointHandlers
  ) {
    this.#options = options
    this.#keeper = new PeerKeeper(network, host, options, handlers, (datagram) => this.#receive(datagram))
    this.#cookieSecret = this.#keeper.entropy.uint32()
  }

  get local(): SocketAddress {
    return this.#keeper.socket.local
  }

  connect(request: ConnectRequest): PeerId {
    if (this.#options.role !== 'client')
      throw new InternalError('TESTING_CONNECT_AS_SERVER', 'only a client endpoint connects')
    return this.#isDestroyed ? newPeerId() : connectAsClient(this.#keeper, request)
  }

  useHandshakeRetransmission(id: PeerId, retransmission: Duration | undefined): void {
    const peer = this.#keeper.table.get(id)
    if (peer !== undefined && this.#options.role === 'client') this.#keeper.retime(peer, retransmission)
  }

  send(id: PeerId, bytes: Uint8Array): boolean {
    const peer = this.#keeper.table.get(id)
    if (peer?.state.kind !== 'established' || bytes.length > this.maximumPlaintext(id)) return false
    this.#keeper.counters.count('plaintexts_sent_total')
    this.#keeper.send(peer, RecordKind.plaintext, bytes)
    return true
  }

  close(id: PeerId): void {
    const peer = this.#keeper.table.get(id)
    if (peer === undefined) return
    if (peer.state.kind === 'established') this.#keeper.end(peer, 'local')
    else this.#keeper.fail(peer, 'local', 'user_canceled')
  }

  maximumPlaintext(id: PeerId): number {
    const peer = this.#keeper.table.get(id)
    if (peer?.state.kind !== 'established') return 0
    const ipHeaderBytes = peer.path.remote.address.family === 4 ? 20 : 40
    const mtu = this.#options.mtu ?? defaultMtu
    return Math.max(0, mtu - ipHeaderBytes - udpHeaderBytes - sealedRecordBytes)
  }

  stats(): Readonly<Record<string, number>> {
    const { table, counters } = this.#keeper
    return { ...counters.snapshot(), peers: table.size, handshaking: table.handshaking }
  }

  reload(credentials: ServerCredentials | ClientCredentials): void {
    this.#keeper.authentication = readReplacement(this.#options.role, credentials)
  }

  destroy(): Promise<void> {
    if (!this.#isDestroyed) for (const { id } of this.#keeper.table.all()) this.close(id)
    this.#isDestroyed = true
    this.#keeper.shutDown()
    return Promise.resolve()
  }

  #receive(datagram: ArrivedDatagram): void {
    const { source, destination, interface: arrival, bytes } = datagram
    this.#keeper.counters.count('datagrams_received_total')
    const record = decodeRecord(bytes)
    if (record === undefined) this.#keeper.counters.count('records_dropped_total', 'malformed')
    else this.#take({ local: destination, remote: source, interface: arrival }, record)
  }

  #take(path: NetworkPath, record: SimulatedRecord): void {
    switch (record.kind) {
      case RecordKind.plaintext:
        receivePlaintext(this.#keeper, path, record)
        return
      case RecordKind.alert:
        receiveAlert(this.#keeper, path, record)
        return
      case RecordKind.handshake:
        if (this.#options.role === 'client') receiveAsClient(this.#keeper, path, record)
        else receiveAsServer(this.#keeper, this.#cookieSecret, path, record)
    }
  }
}

/** Opens an endpoint on a simulated host; use it as `host.openSecureEndpoint`. */
export async function openSimulatedEndpoint(
  network: SimulatedNetwork,
  host: SimulatedHost,
  options: SecureEndpointOptions,
  handlers: SecureEndpointHandlers
): Promise<SecureEndpoint> {
  // One turn later, as a real one: nobody may count on having the endpoint at once.
  await Promise.resolve()
  return new SimulatedSecureEndpoint(network, host, options, handlers)
}
