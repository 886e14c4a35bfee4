import { Code, OptionNumber, uriPath } from '@breakwater/coap'
import type { CoapOption } from '@breakwater/coap'
import { BreakwaterError, decodeUtf8, encodeUtf8, equalBytes } from '@breakwater/core'
import { mitigationId, parseCuid } from '../domain/identifier.ts'
import type { Cuid, MitigationId } from '../domain/identifier.ts'
import { accepted, refused } from './problem.ts'
import type { Checked } from './problem.ts'

/** What a Uri-Path names (RFC 9132 §4.2, Table 1). */
export type SignalResource =
  | {
      readonly kind: 'mitigate'
      readonly cuid?: Cuid
      readonly mitigationId?: MitigationId
      /** Who the client is, as the gateway says that it came by (RFC 9132 §4.4.1.2). Of anybody else it says nothing. */
      readonly cdid?: string
    }
  | { readonly kind: 'heartbeat' }
  | {
      readonly kind: 'config'
      /** RFC 9132 §4.5.2: names a negotiated configuration. */
      readonly sid?: number
    }

/** Segments of a path at most: `.well-known`, `dots`, `mitigate`, `cdid=`, `cuid=`, `mid=`. */
const MOST_SEGMENTS = 6

const WELL_KNOWN = encodeUtf8('.well-known')
const DOTS = encodeUtf8('dots')
const HEARTBEAT = encodeUtf8('hb')

/** The Uri-Path options of `/.well-known/dots/mitigate/cuid=…/mid=…`; without a mitigation id, of all of a cuid. */
export function mitigatePath(cuid: Cuid, id?: MitigationId): CoapOption[] {
  const parameters = id === undefined ? [`cuid=${cuid}`] : [`cuid=${cuid}`, `mid=${id}`]
  return uriPath('.well-known', 'dots', 'mitigate', ...parameters)
}

/** The Uri-Path options of `/.well-known/dots/hb`. */
export function heartbeatPath(): CoapOption[] {
  return uriPath('.well-known', 'dots', 'hb')
}

/** The Uri-Path options of `/.well-known/dots/config`, and of the configuration that a sid names. */
export function configPath(sid?: number): CoapOption[] {
  return uriPath('.well-known', 'dots', 'config', ...(sid === undefined ? [] : [`sid=${sid}`]))
}

/**
 * Whether the options name `/.well-known/dots/hb` and no other: the question that a server answers most often, so it
 * makes no text of the segments.
 */
export function isHeartbeatPath(options: readonly CoapOption[]): boolean {
  let seen = 0
  for (const option of options) {
    if (option.number !== OptionNumber.uriPath) continue
    const expected = seen === 0 ? WELL_KNOWN : seen === 1 ? DOTS : seen === 2 ? HEARTBEAT : undefined
    if (expected === undefined || !equalBytes(option.value, expected)) return false
    seen++
  }
  return seen === 3
}

/**
 * Reads the Uri-Path options of a request. What is not ours is 4.04; a parameter that is unknown, empty, double or out
 * of order is 4.00 (RFC 9132 §4.4.1.1, §4.4.1.3, §4.7).
 */
export function parseResource(options: readonly CoapOption[]): Checked<SignalResource> {
  const segments = readSegments(options)
  if (!segments.ok) return segments
  const [first, second, operation, ...parameters] = segments.value
  if (first !== '.well-known' || second !== 'dots') return noSuchResource()
  if (operation === 'mitigate') return parseMitigate(parameters)
  if (operation === 'hb')
    return parameters.length === 0 ? accepted({ kind: 'heartbeat' }) : unexpected('hb', parameters)
  if (operation === 'config') return parseConfig(parameters)
  return noSuchResource()
}

/** The path as text, for logs; bytes that are not UTF-8 show as `?`. */
export function pathText(options: readonly CoapOption[]): string {
  const segments = readSegments(options)
  return segments.ok ? `/${segments.value.join('/')}` : '?'
}

function parseMitigate(parameters: readonly string[]): Checked<SignalResource> {
  // RFC 9132 §4.4.1.1, §4.4.1.2: the order is part of the resource's name.
  const [cdid, afterCdid] = take(parameters, 'cdid')
  const [cuidText, afterCuid] = take(afterCdid, 'cuid')
  const [midText, rest] = take(afterCuid, 'mid')
  if (rest.length > 0) return unexpected('mitigate', rest)
  for (const [name, value] of [
    ['cdid', cdid],
    ['cuid', cuidText],
    ['mid', midText]
  ] as const)
    if (value === '')
      return refused('DOTS_SIGNAL_PATH_VALUE_EMPTY', Code.badRequest, `${name} is empty (Uri-Path)`)
  const cuid = cuidText === undefined ? undefined : parseCuid(cuidText)
  const id = midText === undefined ? undefined : parseMitigationId(midText)
  if (cuidText !== undefined && cuid === undefined)
    return refused(
      'DOTS_SIGNAL_CUID_INVALID',
      Code.badRequest,
      'cuid is not 1 … 96 of the characters A-Z a-z 0-9 . _ ~ - (Uri-Path)'
    )
  if (midText !== undefined && id === undefined)
    return refused(
      'DOTS_SIGNAL_MID_INVALID',
      Code.badRequest,
      'mid is not an integer of 0 … 4294967295 (Uri-Path)'
    )
  return accepted({
    kind: 'mitigate',
    ...(cdid === undefined ? {} : { cdid }),
    ...(cuid === undefined ? {} : { cuid }),
    ...(id === undefined ? {} : { mitigationId: id })
  })
}

function parseConfig(parameters: readonly string[]): Checked<SignalResource> {
  const [sidText, rest] = take(parameters, 'sid')
  if (rest.length > 0) return unexpected('config', rest)
  if (sidText === undefined) return accepted({ kind: 'config' })
  // A sid has the range of a mid: uint32 (RFC 9132 §5.3).
  const sid = parseMitigationId(sidText)
  if (sid !== undefined) return accepted({ kind: 'config', sid })
  return refused(
    'DOTS_SIGNAL_SID_INVALID',
    Code.badRequest,
    'sid is not an integer of 0 … 4294967295 (Uri-Path)'
  )
}

/** The value of the first parameter if it is named `name`, and the parameters that follow it. */
function take(
  parameters: readonly string[],
  name: string
): [value: string | undefined, rest: readonly string[]] {
  const [first, ...rest] = parameters
  return first?.startsWith(`${name}=`) === true
    ? [first.slice(name.length + 1), rest]
    : [undefined, parameters]
}

/** Decimal without sign and leading zeros: one number has one name. */
function parseMitigationId(text: string): MitigationId | undefined {
  return /^(?:0|[1-9][0-9]{0,9})$/.test(text) ? mitigationId(Number(text)) : undefined
}

function readSegments(options: readonly CoapOption[]): Checked<string[]> {
  const segments: string[] = []
  for (const option of options) {
    if (option.number !== OptionNumber.uriPath) continue
    if (segments.length === MOST_SEGMENTS) return noSuchResource()
    const text = readText(option.value)
    if (text === undefined)
      return refused('DOTS_SIGNAL_PATH_INVALID', Code.badRequest, 'a segment is not UTF-8 (Uri-Path)')
    segments.push(text)
  }
  return accepted(segments)
}

function readText(bytes: Uint8Array): string | undefined {
  try {
    return decodeUtf8(bytes)
  } catch (error) {
    if (error instanceof BreakwaterError) return undefined
    throw error
  }
}

function noSuchResource(): Checked<never> {
  return refused(
    'DOTS_SIGNAL_RESOURCE_UNKNOWN',
    Code.notFound,
    'no such resource; there are mitigate, config and hb below /.well-known/dots'
  )
}

function unexpected(operation: string, parameters: readonly string[]): Checked<never> {
  // Only the name: the value may be long, and the sender knows it.
  const name = parameters[0]?.split('=', 1)[0]?.slice(0, 32) ?? ''
  return refused(
    'DOTS_SIGNAL_PATH_PARAMETER_UNEXPECTED',
    Code.badRequest,
    `parameter ${JSON.stringify(name)} is unknown, double or out of order in /${operation} (Uri-Path)`
  )
}
