import {
  WallTime,
  addressBits,
  equalPrefixes,
  ipAddressFromBytes,
  ipAddressToBytes,
  prefixOf
} from '@breakwater/core'
import type { IpPrefix } from '@breakwater/core'
import { mitigationId, parseCuid } from '../../domain/identifier.ts'
import type { Cuid, MitigationId } from '../../domain/identifier.ts'
import type { PortRange, Target } from '../../domain/target.ts'
import type { Expiry } from '../../signal/lifetime.ts'
import { plainRequest } from '../../domain/requested-target.ts'
import type { RequestedTarget } from '../../domain/requested-target.ts'
import { normalName, parseTargetUri } from '../../signal/target-uri.ts'
import type { TargetUri } from '../../domain/requested-target.ts'
import type { Principal } from '../requests/authorization.ts'
import type { Trigger } from './mitigation.ts'
import { RecordReader, RecordWriter, damaged } from './record-bytes.ts'

/** A mitigation as it survives a restart: all moments are calendar time. */
export interface MitigationRecord {
  readonly cuid: Cuid
  readonly id: MitigationId
  readonly principal: Principal
  readonly requested: RequestedTarget
  /** What its names meant when this was written. */
  readonly resolved: readonly IpPrefix[]
  readonly trigger: Trigger
  /** `armed`: waits for the loss of the signal; `inactive`: out of force because of another client's request. */
  readonly standing: 'in-force' | 'armed' | 'inactive'
  /** What is known of it at the device, where other servers want to know. */
  readonly progress?: 'active' | 'failing'
  readonly startedAt: WallTime
  readonly expiresAt: Expiry<WallTime>
  /** Withdrawn, with its filter in force until then (RFC 9132 §4.4.4). */
  readonly terminatingUntil?: WallTime
  readonly graceSeconds: number
}

/**
 * The value of a record, version 2, numbers in network order:
 * `version u8 | flags u8 | started f64 | expires f64 | terminating-until f64 | grace u16 | domain | owner | prefixes | ports
 * | protocols | names | uris | resolved prefixes`; a text is `bytes u16 | UTF-8`, a list `entries u16 | …`, a prefix
 * `family u8 | length u8 | address`, a port range `u16 u16`, a protocol `u8`. cuid and mid stand in the key. Version 1 ends
 * behind the protocols and knows no flags but the first two.
 */
const VERSION = 2
const FLAG_INDEFINITE = 1
const FLAG_TERMINATING = 2
const FLAG_PRECONFIGURED = 4
const FLAG_ARMED = 8
const FLAG_INACTIVE = 16
/** These two are written where the store is shared. */
const FLAG_ACTIVE = 32
const FLAG_FAILING = 64
/** Of version 1, and of all. */
const OLD_FLAGS = FLAG_INDEFINITE | FLAG_TERMINATING
const KNOWN_FLAGS = OLD_FLAGS | FLAG_PRECONFIGURED | FLAG_ARMED | FLAG_INACTIVE | FLAG_ACTIVE | FLAG_FAILING

/** Writes the value of a record. */
export function encodeRecord(record: MitigationRecord): Uint8Array {
  const { principal, requested, resolved, expiresAt, terminatingUntil } = record
  const writer = new RecordWriter()
  writer.u8(VERSION)
  writer.u8(flagsOf(record))
  writer.f64(record.startedAt)
  writer.f64(expiresAt === 'never' ? 0 : expiresAt)
  writer.f64(terminatingUntil ?? 0)
  writer.u16(Math.ceil(record.graceSeconds))
  writer.text(principal.domain)
  writer.text(principal.owner)
  writer.list(requested.prefixes, writePrefix)
  writer.list(requested.ports, writeRange)
  writer.list(requested.protocols, (to, protocol) => to.u8(protocol))
  writer.list(requested.names, (to, name) => to.text(name))
  writer.list(requested.uris, (to, { text }) => to.text(text))
  writer.list(resolved, writePrefix)
  return writer.finish()
}

function flagsOf({ expiresAt, terminatingUntil, trigger, standing, progress }: MitigationRecord): number {
  return (
    (expiresAt === 'never' ? FLAG_INDEFINITE : 0) |
    (terminatingUntil === undefined ? 0 : FLAG_TERMINATING) |
    (trigger === 'signal-loss' ? FLAG_PRECONFIGURED : 0) |
    (standing === 'armed' ? FLAG_ARMED : 0) |
    (standing === 'inactive' ? FLAG_INACTIVE : 0) |
    (progress === 'active' ? FLAG_ACTIVE : 0) |
    (progress === 'failing' ? FLAG_FAILING : 0)
  )
}

/**
 * Reads a record.
 * @throws DecodeError `DOTS_SERVER_RECORD_…` when it is not one that `encodeRecord` writes or once wrote: another version,
 * cut off, or with values that no request may have.
 */
export function decodeRecord(key: string, value: Uint8Array): MitigationRecord {
  const identifiers = parseKey(key)
  const reader = new RecordReader(value)
  const version = reader.u8()
  if (version !== VERSION && version !== 1)
    throw damaged('VERSION_UNKNOWN', `version ${version}; this server reads 1 and ${VERSION}`)
  const flags = reader.u8()
  if ((flags & ~(version === 1 ? OLD_FLAGS : KNOWN_FLAGS)) !== 0)
    throw damaged('INVALID', `unknown flags ${flags}`)
  const startedAt = WallTime(reader.moment())
  const expiresAt = WallTime(reader.moment())
  const terminatingUntil = WallTime(reader.moment())
  const graceSeconds = reader.u16()
  const principal = { domain: reader.text(), owner: reader.text() }
  const plain = readTarget(reader)
  const requested = version === 1 ? plainRequest(plain) : readNames(reader, plain)
  const resolved = version === 1 ? [] : reader.list(readPrefix)
  reader.end()
  if (requested.prefixes.length + requested.names.length + requested.uris.length === 0)
    throw damaged('INVALID', 'no target')
  return {
    ...identifiers,
    principal,
    requested,
    resolved,
    trigger: (flags & FLAG_PRECONFIGURED) === 0 ? 'immediate' : 'signal-loss',
    standing: (flags & FLAG_INACTIVE) !== 0 ? 'inactive' : (flags & FLAG_ARMED) === 0 ? 'in-force' : 'armed',
    startedAt,
    expiresAt: (flags & FLAG_INDEFINITE) === 0 ? expiresAt : 'never',
    graceSeconds,
    ...((flags & (FLAG_ACTIVE | FLAG_FAILING)) === 0
      ? {}
      : { progress: (flags & FLAG_ACTIVE) === 0 ? ('failing' as const) : ('active' as const) }),
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
  return {
    prefixes: reader.list(readPrefix),
    ports: reader.list(readRange),
    protocols: reader.list((from) => from.u8())
  }
}

function readNames(reader: RecordReader, target: Target): RequestedTarget {
  const names = reader.list((from) => {
    const text = from.text()
    if (normalName(text) !== text) throw damaged('INVALID', 'a name is none')
    return text
  })
  return { ...target, names, uris: reader.list(readUri) }
}

function readUri(reader: RecordReader): TargetUri {
  const uri = parseTargetUri(reader.text(), 'record')
  if (!uri.ok) throw damaged('INVALID', uri.problem.diagnostic)
  return uri.value
}

function readRange(reader: RecordReader): PortRange {
  const range = { lower: reader.u16(), upper: reader.u16() }
  if (range.lower > range.upper) throw damaged('INVALID', `ports ${range.lower}-${range.upper}`)
  return range
}

function writeRange(writer: RecordWriter, { lower, upper }: PortRange): void {
  writer.u16(lower)
  writer.u16(upper)
}

function writePrefix(writer: RecordWriter, { address, length }: IpPrefix): void {
  writer.u8(address.family)
  writer.u8(length)
  writer.bytes(ipAddressToBytes(address))
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
