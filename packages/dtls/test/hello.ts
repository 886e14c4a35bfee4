import type { SocketAddress } from '@breakwater/core'
import type { MemoryEngine } from '../src/memory-engine.ts'
import {
  ContentType,
  HandshakeType,
  decodeHandshake,
  decodeRecords,
  encodeRecord,
  handshakeMessage,
  uint,
  vector
} from './dtls-wire.ts'
import type { WireHandshake } from './dtls-wire.ts'

export const Suite = {
  ecdheEcdsaAes128Gcm: 0xc02b,
  ecdheEcdsaAes128Cbc: 0xc009,
  ecdheEcdsaAes128Ccm8: 0xc0ae,
  rsaAes128Gcm: 0x009c,
  ecdhePskChacha20: 0xccac,
  pskAes128Gcm: 0x00a8,
  pskAes128Ccm8: 0xc0a8,
  pskNull: 0x002c
} as const

/** Numbers of the TLS ExtensionType registry. */
export const Extension = {
  serverName: 0,
  supportedGroups: 10,
  pointFormats: 11,
  signatureAlgorithms: 13,
  extendedMasterSecret: 23,
  clientCertificateType: 19,
  serverCertificateType: 20,
  sessionTicket: 35,
  earlyData: 42,
  supportedVersions: 43
} as const

/** A ClientHello, taken apart. */
export interface Hello {
  readonly version: number
  readonly suites: readonly number[]
  readonly compressions: readonly number[]
  readonly extensions: ReadonlyMap<number, Buffer>
}

const numbers = (bytes: Buffer): readonly number[] =>
  Array.from({ length: bytes.length / 2 }, (_, index) => bytes.readUInt16BE(2 * index))

/** The ClientHello in the first datagram of a client. */
export function readHello(datagram: Uint8Array): Hello {
  const [record] = decodeRecords(datagram)
  const [message] = record === undefined ? [] : decodeHandshake(record.fragment)
  if (message?.type !== HandshakeType.clientHello) throw new Error('not a ClientHello')
  const { body } = message
  let at = 34
  const take = (lengthBytes: number): Buffer => {
    const length = body.readUIntBE(at, lengthBytes)
    const value = body.subarray(at + lengthBytes, at + lengthBytes + length)
    at += lengthBytes + length
    return value
  }
  take(1)
  take(1)
  const suites = numbers(take(2))
  const compressions = [...take(1)]
  const extensions = new Map<number, Buffer>()
  const rest = take(2)
  for (let offset = 0; offset < rest.length;) {
    const end = offset + 4 + rest.readUInt16BE(offset + 2)
    extensions.set(rest.readUInt16BE(offset), rest.subarray(offset + 4, end))
    offset = end
  }
  return { version: body.readUInt16BE(0), suites, compressions, extensions }
}

export interface HelloWishes {
  readonly suites: readonly number[]
  readonly version?: number
  /** Certificate types that both sides may have (RFC 7250 §3). */
  readonly rawKeys?: boolean
}

function extensionsOf({ rawKeys = false }: HelloWishes): Buffer {
  const all: [number, Buffer][] = [
    [Extension.supportedGroups, vector(uint(23, 2), 2)],
    [Extension.pointFormats, vector(Buffer.of(0), 1)],
    // ecdsa_secp256r1_sha256, rsa_pss_rsae_sha256
    [Extension.signatureAlgorithms, vector(Buffer.of(4, 3, 8, 4), 2)]
  ]
  if (rawKeys)
    for (const type of [Extension.clientCertificateType, Extension.serverCertificateType])
      all.push([type, vector(Buffer.of(2), 1)])
  return vector(
    Buffer.concat(all.map(([type, value]) => Buffer.concat([uint(type, 2), vector(value, 2)]))),
    2
  )
}

/** What a server answers to a hello that offers this, behind the cookie: its messages, or the alert. */
export function answerToHello(
  server: MemoryEngine,
  remote: SocketAddress,
  wishes: HelloWishes
): {
  readonly messages: readonly WireHandshake[]
  readonly alert: number | undefined
  readonly suite: number | undefined
} {
  const { suites, version = 0xfefd } = wishes
  const random = Buffer.alloc(32, 7)
  const hello = (cookie: Uint8Array, sequence: number): Buffer => {
    const start = [uint(version, 2), random, vector(Buffer.alloc(0), 1), vector(cookie, 1)]
    const offered = vector(Buffer.concat(suites.map((suite) => uint(suite, 2))), 2)
    const body = Buffer.concat([...start, offered, vector(Buffer.of(0), 1), extensionsOf(wishes)])
    const header = { type: ContentType.handshake, version: 0xfefd, epoch: 0, sequence: BigInt(sequence) }
    return encodeRecord(header, handshakeMessage(HandshakeType.clientHello, sequence, body))
  }
  server.feed(remote, hello(Buffer.alloc(0), 0))
  const [verify] = server.take().datagrams.flatMap(({ bytes }) => decodeRecords(bytes))
  const [request] = verify === undefined ? [] : decodeHandshake(verify.fragment)
  if (request?.type !== HandshakeType.helloVerifyRequest) throw new Error('no HelloVerifyRequest')
  server.feed(remote, hello(request.body.subarray(3), 1))
  const records = server.take().datagrams.flatMap(({ bytes }) => decodeRecords(bytes))
  const messages = records
    .filter(({ type }) => type === ContentType.handshake)
    .flatMap(({ fragment }) => decodeHandshake(fragment))
  const alert = records.find(({ type }) => type === ContentType.alert)?.fragment.readUInt8(1)
  const chosen = messages.find(({ type }) => type === HandshakeType.serverHello)
  const suite = chosen?.body.readUInt16BE(35 + chosen.body.readUInt8(34))
  return { messages, alert, suite }
}
