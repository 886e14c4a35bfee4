import { randomBytes } from 'node:crypto'
import {
  ContentType,
  HandshakeType,
  encodeRecord,
  handshakeMessage,
  uint,
  vector
} from '../../packages/dtls/test/dtls-wire.ts'
import type { Attack } from '../attack.ts'
import type { EngineWorld } from './engine-world.ts'

export type DtlsAttack = Attack<EngineWorld>

export const by = (
  name: string,
  after: string,
  source: string,
  answer: string,
  counter: string,
  run: DtlsAttack['run']
): DtlsAttack => ({
  name,
  who: 'stranger',
  after,
  source,
  answer,
  trace: { counter },
  run
})

export const version = 0xfefd
export const record = (type: number, content: Uint8Array, sequence = 0, epoch = 0, of = version): Buffer =>
  encodeRecord({ type, version: of, epoch, sequence: BigInt(sequence) }, content)

/** A part of a handshake message. */
export function fragment(
  type: number,
  messageSequence: number,
  whole: number,
  at: number,
  part: Uint8Array
): Buffer {
  const head = [uint(type, 1), uint(whole, 3), uint(messageSequence, 2), uint(at, 3), uint(part.length, 3)]
  return Buffer.concat([...head, part])
}

/** An extension of a hello. */
export const extension = (type: number, value: Uint8Array): Buffer =>
  Buffer.concat([uint(type, 2), vector(value, 2)])

/** A hello, without a cookie, whose legacy fields are free. */
export function oddHello(parts: {
  version?: number
  recordVersion?: number
  sessionId?: Uint8Array
}): Buffer {
  const start = [
    uint(parts.version ?? version, 2),
    randomBytes(32),
    vector(parts.sessionId ?? Buffer.alloc(0), 1)
  ]
  const suites = vector(Buffer.concat([uint(0x00a8, 2), uint(0xc02b, 2)]), 2)
  const body = Buffer.concat([...start, vector(Buffer.alloc(0), 1), suites, vector(Buffer.of(0), 1)])
  const message = handshakeMessage(HandshakeType.clientHello, 0, body)
  return record(ContentType.handshake, message, 0, 0, parts.recordVersion)
}

export function residentBytes(): number {
  return process.memoryUsage().rss
}
