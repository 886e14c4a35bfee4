import { createCipheriv, createDecipheriv, createHmac } from 'node:crypto'

/** The pieces of DTLS 1.2 (RFC 6347, RFC 5246) that a client needs that says what it likes. */

export const ContentType = { changeCipherSpec: 20, alert: 21, handshake: 22, applicationData: 23 } as const
export const HandshakeType = {
  helloRequest: 0,
  clientHello: 1,
  serverHello: 2,
  helloVerifyRequest: 3,
  serverHelloDone: 14,
  clientKeyExchange: 16,
  finished: 20
} as const

export const recordHeaderBytes = 13
const handshakeHeaderBytes = 12

/** Big-endian. */
export function uint(value: number | bigint, bytes: number): Buffer {
  const out = Buffer.alloc(8)
  out.writeBigUInt64BE(BigInt(value))
  return out.subarray(8 - bytes)
}

/** A length of `bytes` bytes, then the value. */
export function vector(value: Uint8Array, bytes: number): Buffer {
  return Buffer.concat([uint(value.length, bytes), value])
}

export interface RecordHeader {
  readonly type: number
  readonly epoch: number
  readonly sequence: bigint
  readonly version: number
}

export function encodeRecord(header: RecordHeader, fragment: Uint8Array): Buffer {
  const start = [
    uint(header.type, 1),
    uint(header.version, 2),
    uint(header.epoch, 2),
    uint(header.sequence, 6)
  ]
  return Buffer.concat([...start, vector(fragment, 2)])
}

export interface WireRecord extends RecordHeader {
  readonly fragment: Buffer
}

export function decodeRecords(datagram: Uint8Array): readonly WireRecord[] {
  const bytes = Buffer.from(datagram)
  const records: WireRecord[] = []
  for (let at = 0; at < bytes.length;) {
    const end = at + recordHeaderBytes + bytes.readUInt16BE(at + 11)
    records.push({
      type: bytes.readUInt8(at),
      version: bytes.readUInt16BE(at + 1),
      epoch: bytes.readUInt16BE(at + 3),
      sequence: BigInt(bytes.readUIntBE(at + 5, 6)),
      fragment: bytes.subarray(at + recordHeaderBytes, end)
    })
    at = end
  }
  return records
}

/** A handshake message in one fragment. */
export function handshakeMessage(type: number, messageSequence: number, body: Uint8Array): Buffer {
  const length = uint(body.length, 3)
  return Buffer.concat([uint(type, 1), length, uint(messageSequence, 2), uint(0, 3), length, body])
}

export interface WireHandshake {
  readonly type: number
  readonly body: Buffer
  /** Header and body. */
  readonly whole: Buffer
}

/** The unfragmented messages of one handshake record. */
export function decodeHandshake(fragment: Buffer): readonly WireHandshake[] {
  const messages: WireHandshake[] = []
  for (let at = 0; at < fragment.length;) {
    const end = at + handshakeHeaderBytes + fragment.readUIntBE(at + 1, 3)
    const body = fragment.subarray(at + handshakeHeaderBytes, end)
    messages.push({ type: fragment.readUInt8(at), body, whole: fragment.subarray(at, end) })
    at = end
  }
  return messages
}

function hmac(secret: Uint8Array, ...parts: readonly Uint8Array[]): Buffer {
  const digest = createHmac('sha256', secret)
  for (const part of parts) digest.update(part)
  return digest.digest()
}

/** RFC 5246 §5, with SHA-256. */
export function prf(secret: Uint8Array, label: string, seed: Uint8Array, length: number): Buffer {
  const labelled = Buffer.concat([Buffer.from(label), seed])
  let out = Buffer.alloc(0)
  for (let a = hmac(secret, labelled); out.length < length; a = hmac(secret, a))
    out = Buffer.concat([out, hmac(secret, a, labelled)])
  return out.subarray(0, length)
}

/** AES-128-GCM in one direction (RFC 5288). */
export interface WriteKey {
  readonly key: Uint8Array
  readonly salt: Uint8Array
}

function additionalData(header: RecordHeader, length: number): Buffer {
  const { epoch, sequence, type, version } = header
  return Buffer.concat([uint(epoch, 2), uint(sequence, 6), uint(type, 1), uint(version, 2), uint(length, 2)])
}

export function seal(write: WriteKey, header: RecordHeader, plaintext: Uint8Array): Buffer {
  const explicit = Buffer.concat([uint(header.epoch, 2), uint(header.sequence, 6)])
  const cipher = createCipheriv('aes-128-gcm', write.key, Buffer.concat([write.salt, explicit]))
  cipher.setAAD(additionalData(header, plaintext.length))
  const sealed = Buffer.concat([cipher.update(plaintext), cipher.final()])
  return encodeRecord(header, Buffer.concat([explicit, sealed, cipher.getAuthTag()]))
}

/** Throws when it does not verify. */
export function unseal(write: WriteKey, record: WireRecord): Buffer {
  const { fragment } = record
  const body = fragment.subarray(8, -16)
  const decipher = createDecipheriv(
    'aes-128-gcm',
    write.key,
    Buffer.concat([write.salt, fragment.subarray(0, 8)])
  )
  decipher.setAAD(additionalData(record, body.length))
  decipher.setAuthTag(fragment.subarray(-16))
  return Buffer.concat([decipher.update(body), decipher.final()])
}
