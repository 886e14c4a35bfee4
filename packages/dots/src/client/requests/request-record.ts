import { DecodeError, encodeUtf8, formatIpPrefix, parseIpPrefix } from '@breakwater/core'
import type { WallTime } from '@breakwater/core'
import { ProtectionId, ServerName, mitigationId, parseCuid } from '../../domain/identifier.ts'
import type { Cuid, MitigationId } from '../../domain/identifier.ts'
import type { Target } from '../../domain/target.ts'
import { isWallTime, listOf, objectOf, oneOf, parseRecord, textOf, wholeOf } from '../memory/json-record.ts'
import { INDEFINITE_LIFETIME } from '../../signal/lifetime.ts'
import type { Expiry, Lifetime } from '../../signal/lifetime.ts'
import type { Trigger } from '../../signal/mapper.ts'
import type { IdReservation } from './mitigation-id.ts'
import type { Refusal } from './request-state.ts'

/** A mitigation request as it survives a restart: all moments are calendar time. */
export interface RequestRecord {
  readonly mitigationId: MitigationId
  readonly trigger: Trigger
  readonly target: Target
  readonly lifetime: Lifetime
  readonly protections: readonly ProtectionId[]
  readonly state: RecordedState
}

export type RecordedState =
  /** The server may have it. */
  | { readonly kind: 'asked' }
  | { readonly kind: 'granted'; readonly until: Expiry<WallTime>; readonly refreshAt: Expiry<WallTime> }
  /** `retryAt`: never again before (RFC 9132 §4.4.2.1). */
  | { readonly kind: 'refused'; readonly refusal: Refusal; readonly retryAt: WallTime | undefined }
  | { readonly kind: 'withdrawing'; readonly until: Expiry<WallTime> }

/** What a client goes by at one server. */
export interface NumberingRecord {
  /** The cuid of its credential. With another credential, nothing of what was asked is ours any more. */
  readonly configured: Cuid
  /** The same, unless another client had it. */
  readonly cuid: Cuid
  readonly reservation: IdReservation
}

export function requestKey(server: ServerName, id: MitigationId): string {
  return `${server}/${id}`
}

/** Whose a record is. Names of servers may have a slash, ids have none. */
export function parseRequestKey(key: string): { readonly server: ServerName; readonly id: MitigationId } {
  const match = /^(.+)\/(0|[1-9][0-9]{0,9})$/s.exec(key)
  const id = match === null ? undefined : mitigationId(Number(match[2]))
  if (id === undefined) throw damaged('the key is not <server>/<mid>')
  return { server: ServerName(match?.[1] ?? ''), id }
}

export function encodeRequest({ trigger, target, lifetime, protections, state }: RequestRecord): Uint8Array {
  return encodeUtf8(
    JSON.stringify({
      version: 1,
      trigger,
      prefixes: target.prefixes.map(formatIpPrefix),
      ports: target.ports.map(({ lower, upper }) => [lower, upper]),
      protocols: target.protocols,
      lifetimeSeconds: lifetime === 'indefinite' ? INDEFINITE_LIFETIME : lifetime,
      protections,
      state
    })
  )
}

/**
 * Reads a record.
 * @throws DecodeError `DOTS_CLIENT_RECORD_INVALID` when it is none that `encodeRequest` writes.
 */
export function decodeRequest(id: MitigationId, value: Uint8Array): RequestRecord {
  const record = parseRecord(value)
  const seconds = wholeOf(record['lifetimeSeconds'], 'lifetimeSeconds', INDEFINITE_LIFETIME)
  return {
    mitigationId: id,
    trigger: oneOf(record['trigger'], 'trigger', ['immediate', 'signal-loss'] as const),
    target: {
      prefixes: listOf(record['prefixes'], 'prefixes').map(prefixOf),
      ports: listOf(record['ports'], 'ports').map(rangeOf),
      protocols: listOf(record['protocols'], 'protocols').map((each) => wholeOf(each, 'protocols', 0, 255))
    },
    lifetime: seconds === INDEFINITE_LIFETIME ? 'indefinite' : seconds,
    protections: listOf(record['protections'], 'protections').map((each) =>
      ProtectionId(textOf(each, 'protections'))
    ),
    state: stateOf(objectOf(record['state'], 'state'))
  }
}

export function encodeNumbering(record: NumberingRecord): Uint8Array {
  return encodeUtf8(JSON.stringify({ version: 1, ...record }))
}

/** @throws DecodeError `DOTS_CLIENT_RECORD_INVALID` when it is none that `encodeNumbering` writes. */
export function decodeNumbering(value: Uint8Array): NumberingRecord {
  const record = parseRecord(value)
  const { upTo, isRolledOver } = objectOf(record['reservation'], 'reservation')
  return {
    configured: cuidOf(record['configured']),
    cuid: cuidOf(record['cuid']),
    reservation: { upTo: wholeOf(upTo, 'upTo', 0), isRolledOver: isRolledOver === true }
  }
}

function stateOf(state: Readonly<Record<string, unknown>>): RecordedState {
  const kind = oneOf(state['kind'], 'state.kind', ['asked', 'granted', 'refused', 'withdrawing'])
  switch (kind) {
    case 'asked':
      return { kind }
    case 'granted':
      return { kind, until: expiryOf(state['until']), refreshAt: expiryOf(state['refreshAt']) }
    case 'withdrawing':
      return { kind, until: expiryOf(state['until']) }
    case 'refused': {
      const { retryAt } = state
      const refusal = refusalOf(objectOf(state['refusal'], 'state.refusal'))
      return { kind, refusal, retryAt: retryAt === undefined ? undefined : momentOf(retryAt) }
    }
  }
}

function refusalOf({ kind, cause, text }: Readonly<Record<string, unknown>>): Refusal {
  const causes = ['overlapping-targets', 'accept-list', 'cuid-collision', 'unknown'] as const
  const common = {
    kind: oneOf(kind, 'refusal.kind', ['conflict', 'refused', 'unavailable', 'terminated'] as const),
    text: textOf(text, 'refusal.text')
  }
  return cause === undefined ? common : { ...common, cause: oneOf(cause, 'refusal.cause', causes) }
}

function expiryOf(value: unknown): Expiry<WallTime> {
  return value === 'never' ? 'never' : momentOf(value)
}

function momentOf(value: unknown): WallTime {
  if (isWallTime(value)) return value
  throw damaged('a moment is none')
}

function prefixOf(value: unknown): Target['prefixes'][number] {
  const prefix = parseIpPrefix(textOf(value, 'prefixes'))
  if (prefix === undefined) throw damaged('a prefix is none')
  return prefix
}

function rangeOf(value: unknown): Target['ports'][number] {
  const [lower, upper] = listOf(value, 'ports').map((port) => wholeOf(port, 'ports', 0, 65_535))
  if (lower === undefined || upper === undefined || lower > upper) throw damaged('a range of ports is none')
  return { lower, upper }
}

function cuidOf(value: unknown): Cuid {
  const cuid = parseCuid(textOf(value, 'cuid'))
  if (cuid === undefined) throw damaged('a cuid is none')
  return cuid
}

function damaged(problem: string): DecodeError {
  return new DecodeError('DOTS_CLIENT_RECORD_INVALID', problem)
}
