import { after, Seconds } from '@breakwater/core'
import type { Clock, NetworkPath, PeerId, PeerIdentity, ScheduledCall } from '@breakwater/core'
import { ByteQueue } from './byte-queue.ts'
import { encodeAlert, encodeHandshake } from './handshake-message.ts'
import type { Alert, HandshakeMessage } from './handshake-message.ts'
import { RecordKind } from './record.ts'
import type { StreamConnection } from './stream-connection.ts'
import { encodeStreamRecord, longestRecord, StreamRecordReader } from './stream-record.ts'

/**
 * Where a peer of a stream endpoint stands. Client: connecting → greeting (→ proving, with a key) → established. Server:
 * awaiting → answering → established.
 */
export type StreamPeerState =
  /** TCP is not ready. */
  | { readonly kind: 'connecting' }
  /** TCP is ready, no ClientHello has come. */
  | { readonly kind: 'awaiting' }
  /** Our ClientHello is out. */
  | { readonly kind: 'greeting' }
  /** Our proof of the key is out. */
  | { readonly kind: 'proving'; readonly identity: PeerIdentity; readonly key: string }
  /** Our ServerHello is out. */
  | { readonly kind: 'answering' }
  | { readonly kind: 'established' }
  | { readonly kind: 'gone' }

/** How long a session that is over may take to get rid of its queue and to end in order. */
const lingerFor = Seconds(2)

/**
 * What a certificate, its proof and what goes with them take on the wire (RFC 8446 §4.4): two segments, so that a loss hits
 * a handshake as often as it does in the real world.
 */
const certificateFlightBytes = 1500

/** One TLS connection in clear text: records both ways, and a bounded queue down. */
export class StreamPeer {
  readonly id: PeerId
  /** Whom a client expects. */
  readonly serverName: string
  readonly reader: StreamRecordReader = new StreamRecordReader()
  state: StreamPeerState = { kind: 'connecting' }
  /** The end of our patience: with a handshake, then with a client that says nothing. */
  deadline: ScheduledCall | undefined
  readonly path: NetworkPath
  readonly #clock: Clock
  readonly #queueLimit: number
  readonly #queue = new ByteQueue()
  readonly #connection: StreamConnection
  #flush: ScheduledCall | undefined
  #linger: ScheduledCall | undefined
  #isEnding = false

  constructor(
    id: PeerId,
    connection: StreamConnection,
    path: NetworkPath,
    serverName: string,
    clock: Clock,
    queueLimit: number
  ) {
    this.id = id
    this.#connection = connection
    this.path = path
    this.serverName = serverName
    this.#clock = clock
    this.#queueLimit = queueLimit
  }

  /** What both sides put into their proofs; the connection's number stands for the random numbers of both. */
  get session(): { readonly client: number; readonly server: number } {
    const { id } = this.#connection
    return { client: id, server: id }
  }

  /** Plaintext that the queue takes just now. */
  get room(): number {
    return Math.max(0, this.#queueLimit - this.#queue.length)
  }

  couldTake(byteCount: number): boolean {
    return byteCount <= this.#queueLimit
  }

  /** Queues a copy; there must be room. All that is sent at one instant shares records. */
  send(bytes: Uint8Array): void {
    this.#queue.add(bytes.slice())
    this.#flush ??= this.#clock.schedule(this.#clock.now(), () => {
      this.#flush = undefined
      this.drain()
    })
  }

  /** Gives the connection what it takes. */
  drain(): void {
    const connection = this.#connection
    while (this.#queue.length > 0 && connection.room > longestRecord)
      connection.write(encodeStreamRecord(RecordKind.plaintext, this.#queue.take(longestRecord)))
    if (this.#isEnding && this.#queue.length === 0) {
      this.#isEnding = false
      connection.write(encodeStreamRecord(RecordKind.alert, encodeAlert('close_notify')))
      connection.end()
    }
  }

  handshake(message: HandshakeMessage): void {
    const plain = encodeHandshake(message)
    const carries = 'certificate' in message && message.certificate !== ''
    const padded = new Uint8Array(Math.max(plain.length, carries ? certificateFlightBytes : 0)).fill(0x20)
    padded.set(plain)
    this.#connection.write(encodeStreamRecord(RecordKind.handshake, padded))
  }

  /** Ends a handshake with an alert. */
  alert(alert: Alert): void {
    this.#connection.write(encodeStreamRecord(RecordKind.alert, encodeAlert(alert)))
    this.#connection.end()
    this.#waitForEnd()
  }

  /** Ends with close_notify behind all that is queued. */
  end(): void {
    this.#isEnding = true
    this.drain()
    this.#waitForEnd()
  }

  /** Takes the connection away. */
  abort(): void {
    this.#connection.abort()
  }

  /** Its connection is over. */
  dispose(): void {
    this.#flush?.cancel()
    this.#linger?.cancel()
    this.deadline?.cancel()
  }

  #waitForEnd(): void {
    if (this.#connection.isClosed) return
    this.#linger ??= this.#clock.schedule(after(this.#clock.now(), lingerFor), () => this.abort())
  }
}
