import { createECDH, createHash, createSign, randomBytes, X509Certificate } from 'node:crypto'
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
  vector
} from '../../packages/dtls/test/dtls-wire.ts'
import type { Issued } from '../../packages/dtls/test/pki.ts'
import { attacker } from './engine-world.ts'
import type { EngineWorld } from './engine-world.ts'

const dtls12 = 0xfefd
const ecdheEcdsaAes128GcmSha256 = 0xc02b
const certificateMessage = 11
const serverKeyExchange = 12
const certificateVerify = 15
const ecdsaSecp256r1Sha256 = 0x0403

/** What a client leaves out of its proof, or forges. */
export interface Proof {
  /** The certificate that is shown; undefined: an empty list; `skip`: no Certificate message at all. */
  readonly shown: Issued | undefined | 'skip'
  /** The key that signs CertificateVerify; undefined: there is none. */
  readonly signer: Issued | undefined
}

/** Numbers of the TLS ExtensionType registry: groups, point formats, signature algorithms. */
const extensions = Buffer.concat(
  [
    [10, vector(uint(23, 2), 2)] as const,
    [11, vector(Buffer.of(0), 1)] as const,
    [13, vector(uint(ecdsaSecp256r1Sha256, 2), 2)] as const
  ].map(([type, value]) => Buffer.concat([uint(type, 2), vector(value, 2)]))
)

/** A client that handshakes by hand, with ECDHE and a certificate, and proves as much as it likes (RFC 5246 §7.4). */
export function handshakeByCertificate(world: EngineWorld, { shown, signer }: Proof): void {
  const random = randomBytes(32)
  const ecdh = createECDH('prime256v1')
  const own = ecdh.generateKeys()
  let sequence = 0n
  let messageSequence = 0
  let transcript: Buffer[] = []
  const plain = (type: number, fragment: Uint8Array): Buffer =>
    encodeRecord({ type, version: dtls12, epoch: 0, sequence: sequence++ }, fragment)
  const message = (type: number, body: Uint8Array): Buffer => {
    const whole = handshakeMessage(type, messageSequence++, body)
    transcript.push(whole)
    return whole
  }
  const hello = (cookie: Uint8Array): Buffer => {
    transcript = []
    const start = [uint(dtls12, 2), random, vector(Buffer.alloc(0), 1), vector(cookie, 1)]
    const suites = vector(uint(ecdheEcdsaAes128GcmSha256, 2), 2)
    const body = Buffer.concat([...start, suites, vector(Buffer.of(0), 1), vector(extensions, 2)])
    return plain(ContentType.handshake, message(HandshakeType.clientHello, body))
  }
  const [verify] = world.feed(hello(Buffer.alloc(0))).flatMap(decodeRecords)
  if (verify === undefined) throw new Error('no HelloVerifyRequest')
  const flight = world
    .feed(hello(verify.fragment.subarray(15)))
    .flatMap(decodeRecords)
    .flatMap(({ fragment }) => decodeHandshake(fragment))
  transcript.push(...flight.map(({ whole }) => whole))
  const bodyOf = (type: number): Buffer => {
    const found = flight.find((each) => each.type === type)
    if (found === undefined) throw new Error(`no message ${type} in the flight of the server`)
    return found.body
  }
  const serverRandom = bodyOf(HandshakeType.serverHello).subarray(2, 34)
  const exchange = bodyOf(serverKeyExchange)
  const premaster = ecdh.computeSecret(exchange.subarray(4, 4 + exchange.readUInt8(3)))
  const master = prf(premaster, 'master secret', Buffer.concat([random, serverRandom]), 48)
  const block = prf(master, 'key expansion', Buffer.concat([serverRandom, random]), 40)
  const write = { key: block.subarray(0, 16), salt: block.subarray(32, 36) }

  const datagrams: Buffer[] = []
  const say = (type: number, body: Uint8Array): void =>
    void datagrams.push(plain(ContentType.handshake, message(type, body)))
  if (shown !== 'skip') {
    const chain =
      shown === undefined ? Buffer.alloc(0) : vector(new X509Certificate(shown.certificate).raw, 3)
    say(certificateMessage, vector(chain, 3))
  }
  say(HandshakeType.clientKeyExchange, vector(own, 1))
  if (signer !== undefined) {
    const signature = createSign('sha256').update(Buffer.concat(transcript)).sign(signer.privateKey)
    say(certificateVerify, Buffer.concat([uint(ecdsaSecp256r1Sha256, 2), vector(signature, 2)]))
  }
  const digest = createHash('sha256').update(Buffer.concat(transcript)).digest()
  const finished = message(HandshakeType.finished, prf(master, 'client finished', digest, 12))
  datagrams.push(plain(ContentType.changeCipherSpec, Buffer.of(1)))
  datagrams.push(
    seal(write, { type: ContentType.handshake, version: dtls12, epoch: 1, sequence: 0n }, finished)
  )
  for (const datagram of datagrams) world.server.feed(attacker, datagram)
}
