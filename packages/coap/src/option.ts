import { Code, isRequest } from './code.ts'
import type { CoapOption } from './message.ts'
import { Method } from './method.ts'

/** Numbers of options (RFC 7252 §5.10; RFC 7641, 7959, 8768, 9177, 9175, 7967). */
export const OptionNumber = {
  ifMatch: 1,
  uriHost: 3,
  etag: 4,
  ifNoneMatch: 5,
  observe: 6,
  uriPort: 7,
  locationPath: 8,
  uriPath: 11,
  contentFormat: 12,
  maxAge: 14,
  uriQuery: 15,
  hopLimit: 16,
  accept: 17,
  qBlock1: 19,
  locationQuery: 20,
  block2: 23,
  block1: 27,
  size2: 28,
  qBlock2: 31,
  proxyUri: 35,
  proxyScheme: 39,
  size1: 60,
  echo: 252,
  noResponse: 258,
  requestTag: 292
} as const

/** How the value of an option is read (RFC 7252 §3.2). */
export type OptionFormat = 'empty' | 'opaque' | 'uint' | 'string'

/** Where an option is defined; `retrieval`: in requests by GET and FETCH, and in responses; `creation`: in 2.01. */
export type OptionPlace = 'request' | 'response' | 'both' | 'retrieval' | 'creation'

/** What the registry says about an option. */
export interface OptionDefinition {
  readonly number: number
  readonly name: string
  readonly format: OptionFormat
  /** In bytes. */
  readonly minimumLength: number
  /** In bytes. */
  readonly maximumLength: number
  readonly repeatable: boolean
  readonly place: OptionPlace
}

type Row = readonly [number, string, OptionFormat, number, number, OptionPlace, 'repeatable'?]

// RFC 7252 table 4, RFC 7641 §2, RFC 7959 §2.1 and §4, RFC 8768 §3, RFC 9175 §2 and §3, RFC 9177 §4.1, RFC 7967 §2.
const rows: readonly Row[] = [
  [OptionNumber.ifMatch, 'If-Match', 'opaque', 0, 8, 'request', 'repeatable'],
  [OptionNumber.uriHost, 'Uri-Host', 'string', 1, 255, 'request'],
  [OptionNumber.etag, 'ETag', 'opaque', 1, 8, 'retrieval', 'repeatable'],
  [OptionNumber.ifNoneMatch, 'If-None-Match', 'empty', 0, 0, 'request'],
  [OptionNumber.observe, 'Observe', 'uint', 0, 3, 'retrieval'],
  [OptionNumber.uriPort, 'Uri-Port', 'uint', 0, 2, 'request'],
  [OptionNumber.locationPath, 'Location-Path', 'string', 0, 255, 'creation', 'repeatable'],
  [OptionNumber.uriPath, 'Uri-Path', 'string', 0, 255, 'request', 'repeatable'],
  [OptionNumber.contentFormat, 'Content-Format', 'uint', 0, 2, 'both'],
  [OptionNumber.maxAge, 'Max-Age', 'uint', 0, 4, 'response'],
  [OptionNumber.uriQuery, 'Uri-Query', 'string', 0, 255, 'request', 'repeatable'],
  [OptionNumber.hopLimit, 'Hop-Limit', 'uint', 1, 1, 'request'],
  [OptionNumber.accept, 'Accept', 'uint', 0, 2, 'request'],
  [OptionNumber.qBlock1, 'Q-Block1', 'uint', 0, 3, 'both'],
  [OptionNumber.locationQuery, 'Location-Query', 'string', 0, 255, 'creation', 'repeatable'],
  [OptionNumber.block2, 'Block2', 'uint', 0, 3, 'both'],
  [OptionNumber.block1, 'Block1', 'uint', 0, 3, 'both'],
  [OptionNumber.size2, 'Size2', 'uint', 0, 4, 'both'],
  [OptionNumber.qBlock2, 'Q-Block2', 'uint', 0, 3, 'both', 'repeatable'],
  [OptionNumber.proxyUri, 'Proxy-Uri', 'string', 1, 1034, 'request'],
  [OptionNumber.proxyScheme, 'Proxy-Scheme', 'string', 1, 255, 'request'],
  [OptionNumber.size1, 'Size1', 'uint', 0, 4, 'both'],
  [OptionNumber.echo, 'Echo', 'opaque', 1, 40, 'both'],
  [OptionNumber.noResponse, 'No-Response', 'uint', 0, 1, 'request'],
  [OptionNumber.requestTag, 'Request-Tag', 'opaque', 0, 8, 'request', 'repeatable']
]

/** By number. Not a Map: it is asked of each option of each message. */
const registry: (OptionDefinition | undefined)[] = []
for (const [number, name, format, minimumLength, maximumLength, place, repeatable] of rows)
  registry[number] = {
    number,
    name,
    format,
    minimumLength,
    maximumLength,
    repeatable: repeatable !== undefined,
    place
  }

/** What is known of an option; undefined when it is not in the registry above. */
export function optionDefinition(number: number): OptionDefinition | undefined {
  return registry[number]
}

/** RFC 7252 §5.4: whether an option means anything with this method or response code. */
export function isDefinedFor(definition: OptionDefinition, code: number): boolean {
  switch (definition.place) {
    case 'both':
      return true
    case 'request':
      return isRequest(code)
    case 'response':
      return !isRequest(code)
    case 'retrieval':
      return !isRequest(code) || code === Method.get || code === Method.fetch
    case 'creation':
      return code === Code.created
  }
}

/** RFC 7252 §5.10.7: numbers kept for more options of the Location kind, whose meaning nobody knows yet. */
const reservedForLocation: ReadonlySet<number> = new Set([128, 132, 136, 140])

function isLocation({ number }: CoapOption): boolean {
  return number === OptionNumber.locationPath || number === OptionNumber.locationQuery
}

/** RFC 7252 §5.10.7: a reserved number beside Location-Path or Location-Query; undefined when there is none. */
export function reservedLocation(options: readonly CoapOption[]): number | undefined {
  const reserved = options.find(({ number }) => reservedForLocation.has(number))
  return reserved !== undefined && options.some((option) => isLocation(option)) ? reserved.number : undefined
}

/** `Uri-Path`, or `option 9999` where there is no name. */
export function formatOptionNumber(number: number): string {
  return registry[number]?.name ?? `option ${number}`
}

/** RFC 7252 §5.4.6: odd numbers must be understood, even ones may be ignored. */
export function isCritical(number: number): boolean {
  return (number & 1) === 1
}

/** RFC 7252 §5.4.6: a proxy that does not know an unsafe option must not forward the message. */
export function isUnsafe(number: number): boolean {
  return (number & 2) === 2
}

/** RFC 7252 §5.4.6: safe to forward, and no part of the cache key. */
export function isNoCacheKey(number: number): boolean {
  return (number & 0x1e) === 0x1c
}
