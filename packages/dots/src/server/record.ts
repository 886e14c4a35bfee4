import {
  BreakwaterError,
  DecodeError,
  WallTime,
  addressBits,
  decodeUtf8,
  encodeUtf8,
  equalPrefixes,
  ipAddressFromBytes,
  ipAddressToBytes,
  prefixOf
} from '@breakwater/core'
import type { IpPrefix } from '@breakwater/core'
import { mitigationId, parseCuid } from '../domain/identifier.ts'
import type { Cuid, MitigationId } from '../domain/identifier.ts'
import type { PortRange, Target } from '../domain/target.ts'
import type { Expiry } from '../signal/lifetime.ts'
import type { Principal } from './authorization.ts'

/** A mitigation as it survives a restart: all moments are calendar time. */
export interface MitigationRecord {
  readonly cuid: Cuid
  readonly id: MitigationId
  readonly principal: Principal
  readonly target: Target
  readonly startedAt: WallTime
  readonly expiresAt: Expiry<WallTime>
  /** Withdrawn, with its filter in force until then (RFC 9132 §4.4.4). */
  readonly terminatingUntil?: WallTime
  readonly graceSeconds: number
}

/**
 * The value of a record, version 1, numbers in network order:
 * `version u8 | flags u8 | started f64 | expires f64 | terminating-until f64 | grace u16 | domain | owner | prefixes | ports
 * | protocols`; a text is `bytes u16 | UTF-8`, a list `entries u16 | …`, a prefix `family u8 | length u8 | address`, a port
 * range `u16 u16`, a protocol `u8`. cuid and mid stand in the key.
 */
const VERSION = 1
const FLAG_INDEFINITE = 1
const FLAG_TERMINATING = 2
const KNOWN_FLAGS = FLAG_INDEFINITE | FLAG_TERMINATING

/** Writes the value of a record. */
export function encodeRecord(record: MitigationRecord): Uint8Array {
  const { principal, target, expiresAt, terminatingUntil } = record
  const writer = new RecordWriter()
  writer.u8(VERSION)
  writer.u8(
    (expiresAt === 'never' ? FLAG_INDEFINITE : 0) | (terminatingUntil === undefined ? 0 : FLAG_TERMINATING)
  )
  writer.f64(record.startedAt)
  writer.f64(expiresAt === 'never' ? 0 : expiresAt)
  writer.f64(terminatingUntil ?? 0)
  writer.u16(Math.ceil(record.graceSeconds))
  writer.text(principal.domain)
  writer.text(principal.owner)
  writer.u16(target.prefixes.length)
  for (const { address, length } of target.prefixes) {
    writer.u8(address.family)
    writer.u8(length)
    writer.bytes(ipAddressToBytes(address))
  }
  writer.u16(target.ports.length)
  for (const { lower, upper } of target.ports) {
    writer.u16(lower)
    writer.u16(upper)
  }
  writer.u16(target.protocols.length)
  for (const protocol of target.protocols) writer.u8(protocol)
  return writer.finish()
}

/**
 * Reads a record.
 * @throws DecodeError `DOTS_SERVER_RECORD_…` when it is not one that `encodeRecord` writes: another version, cut off, or
 * with values that no request may have.
 */
export function decodeRecord(key: string, value: Uint8Array): MitigationRecord {
  const identifiers = parseKey(key)
  const reader = new RecordReader(value)
  const version = reader.u8()
  if (version !== VERSION)
    throw damaged('VERSION_UNKNOWN', `version ${version}; this server reads ${VERSION}`)
  const flags = reader.u8()
  if ((flags & ~KNOWN_FLAGS) !== 0) throw damaged('INVALID', `unknown flags ${flags}`)
  const startedAt = WallTime(reader.moment())
  const expiresAt = WallTime(reader.moment())
  const terminatingUntil = WallTime(reader.moment())
  const graceSeconds = reader.u16()
  const principal = { domain: reader.text(), owner: reader.text() }
  const target = readTarget(reader)
  reader.end()
  return {
    ...identifiers,
    principal,
    target,
    startedAt,
    expiresAt: (flags & FLAG_INDEFINITE) === 0 ? expiresAt : 'never',
    graceSeconds,
    ...((flags & FLAG_TERMINATING) === 0 ? {} : { terminatingUntil })
  }
}

function parseKey(key: string): { cuid: Cuid; id: MitigationId } {
  const match = /^([^/]+)\/(0|[1-9][0-9]{0,9})$/.exec(key)
  const cuid = parseCuid(match?.[1] ?? '')
  const id = match === null ? undefined : mitigationId(Number(match[2]))
  if (cuid === undefined || id === undefined) throw damaged('KEY_INVALID', 'the key is not <cuid>/<mid>')
  return { cuid, id }
}

function readTarget(reader: RecordReader): Target {
  const prefixes: IpPrefix[] = []
  for (let left = reader.u16(); left > 0; left--) prefixes.push(readPrefix(reader))
  if (prefixes.length === 0) throw damaged('INVALID', 'no prefix')
  const ports: PortRange[] = []
  for (let left = reader.u16(); left > 0; left--) {
    const range = { lower: reader.u16(), upper: reader.u16() }
    if (range.lower > range.upper) throw damaged('INVALID', `ports ${range.lower}-${range.upper}`)
    ports.push(range)
  }
  const protocols: number[] = []
  for (let left = reader.u16(); left > 0; left--) protocols.push(reader.u8())
  return { prefixes, ports, protocols }
}

function readPrefix(reader: RecordReader): IpPrefix {
  const family = reader.u8()
  const length = reader.u8()
  if ((family !== 4 && family !== 6) || length > addressBits(family))
    throw damaged('INVALID', `family ${family}, prefix length ${length}`)
  const address = ipAddressFromBytes(reader.bytes(addressBits(family) / 8))
  const prefix = prefixOf(address, length)
  if (!equalPrefixes(prefix, { address, length })) throw damaged('INVALID', 'bits behind a prefix length')
  return prefix
}

function damaged(kind: string, problem: string): DecodeError {
  return new DecodeError(`DOTS_SERVER_RECORD_${kind}`, problem)
}

class RecordWriter {
  #bytes = new Uint8Array(256)
  #length = 0

  u8(value: number): void {
    this.#room(1)
    this.#bytes[this.#length++] = value
  }

  u16(value: number): void {
    this.u8(value >> 8)
    this.u8(value & 0xff)
  }

  f64(value: number): void {
    this.#room(8)
    new DataView(this.#bytes.buffer).setFloat64(this.#length, value)
    this.#length += 8
  }

  bytes(value: Uint8Array): void {
    this.#room(value.length)
    this.#bytes.set(value, this.#length)
    this.#length += value.length
  }

  text(value: string): void {
    const bytes = encodeUtf8(value)
    this.u16(bytes.length)
    this.bytes(bytes)
  }

  finish(): Uint8Array {
    return this.#bytes.slice(0, this.#length)
  }

  #room(count: number): void {
    if (this.#length + count <= this.#bytes.length) return
    const larger = new Uint8Array(Math.max(2 * this.#bytes.length, this.#length + count))
    larger.set(this.#bytes)
    this.#bytes = larger
  }
}

class RecordReader {
  readonly #bytes: Uint8Array
  #at = 0

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes
  }

  u8(): number {
    return this.bytes(1)[0] ?? 0
  }

  u16(): number {
    return (this.u8() << 8) | this.u8()
  }

  moment(): number {
    const view = this.bytes(8)
    const value = new DataView(view.buffer, view.byteOffset, 8).getFloat64(0)
    if (!Number.isFinite(value)) throw damaged('INVALID', 'a moment is no number')
    return value
  }

  text(): string {
    const bytes = this.bytes(this.u16())
    try {
      return decodeUtf8(bytes)
    } catch (error) {
      if (error instanceof BreakwaterError) throw damaged('INVALID', 'a text is not UTF-8')
      throw error
    }
  }

  bytes(count: number): Uint8Array {
    if (this.#at + count > this.#bytes.length) throw damaged('CUT_OFF', `ends at byte ${this.#bytes.length}`)
    this.#at += count
    return this.#bytes.subarray(this.#at - count, this.#at)
  }

  end(): void {
    if (this.#at !== this.#bytes.length)
      throw damaged('INVALID', `${this.#bytes.length - this.#at} bytes behind its end`)
  }
}
