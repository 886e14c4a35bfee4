import { createHash, randomBytes } from 'node:crypto'
import type { SocketAddress } from '@breakwater/core'
import type { MemoryEngine } from '../src/memory-engine.ts'
import {
  ContentType,
  HandshakeType,
  decodeHandshake,
  decodeRecords,
  encodeRecord,
  handshakeMessage,
  prf,
  seal,
  uint,
  unseal,
  vector
} from './dtls-wire.ts'
import type { RecordHeader, WireRecord, WriteKey } from './dtls-wire.ts'

const dtls12 = 0xfefd
const pskAes128GcmSha256 = 0x00a8
const noRenegotiationScsv = 0x00ff

interface Keys {
  readonly master: Buffer
  readonly ours: WriteKey
  readonly theirs: WriteKey
}

/**
 * A DTLS client of our own, with a pre-shared key, against an engine in memory. It keeps every key in hand, so it can say
 * anything: replay, tamper, lie about lengths, renegotiate, stop in the middle.
 */
export class ForgingClient {
  readonly address: SocketAddress
  /** Sequence number of the next record that we seal; free to set. */
  sequence = 0n
  /** What stands behind the compression methods of each hello; free to set. */
  extensions: Uint8Array | undefined
  readonly #server: MemoryEngine
  readonly #identity: string
  readonly #psk: Uint8Array
  readonly #random: Buffer = randomBytes(32)
  #plainSequence = 0n
  #messageSequence = 0
  #transcript: Buffer[] = []
  #serverRandom: Buffer = Buffer.alloc(0)
  #keys: Keys | undefined

  constructor(server: MemoryEngine, address: SocketAddress, identity: string, psk: Uint8Array) {
    this.#server = server
    this.address = address
    this.#identity = identity
    this.#psk = psk
  }

  feed(...datagrams: readonly Uint8Array[]): void {
    for (const datagram of datagrams) this.#server.feed(this.address, datagram)
  }

  /** The ClientHello, as a datagram. */
  hello(cookie: Uint8Array = Buffer.alloc(0)): Buffer {
    const suites = Buffer.concat([uint(pskAes128GcmSha256, 2), uint(noRenegotiationScsv, 2)])
    const start = [uint(dtls12, 2), this.#random, vector(Buffer.alloc(0), 1), vector(cookie, 1)]
    const extensions = this.extensions === undefined ? Buffer.alloc(0) : vector(this.extensions, 2)
    const body = Buffer.concat([...start, vector(suites, 2), vector(Buffer.of(0), 1), extensions])
    const message = handshakeMessage(HandshakeType.clientHello, this.#messageSequence++, body)
    this.#transcript = [message]
    return this.plaintext(ContentType.handshake, message)
  }

  /** An unencrypted record, as a datagram. */
  plaintext(type: number, fragment: Uint8Array, overrides: Partial<RecordHeader> = {}): Buffer {
    const sequence = this.#plainSequence++
    return encodeRecord({ type, version: dtls12, epoch: 0, sequence, ...overrides }, fragment)
  }

  /** An encrypted record, as a datagram. */
  sealed(type: number, plaintext: Uint8Array, overrides: Partial<RecordHeader> = {}): Buffer {
    const header = { type, version: dtls12, epoch: 1, sequence: this.sequence++, ...overrides }
    return seal(this.#established().ours, header, plaintext)
  }

  data(text: string): Buffer {
    return this.sealed(ContentType.applicationData, Buffer.from(text))
  }

  /** Plaintexts of one type among what the server has sent to us; what does not verify is an error. */
  opened(datagrams: readonly Uint8Array[], type: number): readonly Buffer[] {
    const encrypted = datagrams.flatMap(decodeRecords).filter((record) => record.epoch === 1)
    return encrypted
      .filter((record) => record.type === type)
      .map((record) => unseal(this.#established().theirs, record))
  }

  /** First flight and second: the cookie of the server, and its flight in answer to the hello that carries it. */
  begin(): readonly WireRecord[] {
    this.feed(this.hello())
    const [verify] = this.answers()
    if (verify === undefined) throw new Error('no HelloVerifyRequest')
    const [message] = decodeHandshake(verify.fragment)
    if (message?.type !== HandshakeType.helloVerifyRequest) throw new Error('not a HelloVerifyRequest')
    this.feed(this.hello(message.body.subarray(3)))
    return this.answers()
  }

  /** The last flight in answer to the server's: key exchange, ChangeCipherSpec, Finished, one datagram each. */
  lastFlight(serverFlight: readonly WireRecord[]): readonly Buffer[] {
    for (const record of serverFlight)
      for (const message of decodeHandshake(record.fragment)) {
        this.#transcript.push(message.whole)
        if (message.type === HandshakeType.serverHello) this.#serverRandom = message.body.subarray(2, 34)
      }
    const exchange = this.#message(HandshakeType.clientKeyExchange, vector(Buffer.from(this.#identity), 2))
    this.#keys = this.#derive()
    const transcript = createHash('sha256').update(Buffer.concat(this.#transcript)).digest()
    const verifyData = prf(this.#keys.master, 'client finished', transcript, 12)
    const finished = this.#message(HandshakeType.finished, verifyData)
    return [
      this.plaintext(ContentType.handshake, exchange),
      this.plaintext(ContentType.changeCipherSpec, Buffer.of(1)),
      this.sealed(ContentType.handshake, finished)
    ]
  }

  /** A whole handshake. Returns the last flight, to be replayed. */
  handshake(): readonly Buffer[] {
    const flight = this.lastFlight(this.begin())
    this.feed(...flight)
    return flight
  }

  /** The records that the server has sent since the last look at it. */
  answers(): readonly WireRecord[] {
    return this.#server.take().datagrams.flatMap(({ bytes }) => decodeRecords(bytes))
  }

  #message(type: number, body: Uint8Array): Buffer {
    const message = handshakeMessage(type, this.#messageSequence++, body)
    this.#transcript.push(message)
    return message
  }

  #established(): Keys {
    if (this.#keys === undefined) throw new Error('no keys yet')
    return this.#keys
  }

  /** RFC 4279 §2 (plain PSK), RFC 5246 §8.1 and §6.3. */
  #derive(): Keys {
    const nothing = Buffer.alloc(this.#psk.length)
    const premaster = Buffer.concat([vector(nothing, 2), vector(this.#psk, 2)])
    const [client, server] = [this.#random, this.#serverRandom]
    const master = prf(premaster, 'master secret', Buffer.concat([client, server]), 48)
    const block = prf(master, 'key expansion', Buffer.concat([server, client]), 40)
    return {
      master,
      ours: { key: block.subarray(0, 16), salt: block.subarray(32, 36) },
      theirs: { key: block.subarray(16, 32), salt: block.subarray(36, 40) }
    }
  }
}
