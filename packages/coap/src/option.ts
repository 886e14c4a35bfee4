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

export type OptionFormat = 'empty' | 'opaque' | 'uint' | 'string'

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
}

type Row = readonly [number, string, OptionFormat, number, number, ('repeatable' | undefined)?]

// RFC 7252 table 4, RFC 7641 §2, RFC 7959 §2.1 and §4, RFC 8768 §3, RFC 9175 §2 and §3, RFC 9177 §4.1, RFC 7967 §2.
const rows: readonly Row[] = [
  [OptionNumber.ifMatch, 'If-Match', 'opaque', 0, 8, 'repeatable'],
  [OptionNumber.uriHost, 'Uri-Host', 'string', 1, 255],
  [OptionNumber.etag, 'ETag', 'opaque', 1, 8, 'repeatable'],
  [OptionNumber.ifNoneMatch, 'If-None-Match', 'empty', 0, 0],
  [OptionNumber.observe, 'Observe', 'uint', 0, 3],
  [OptionNumber.uriPort, 'Uri-Port', 'uint', 0, 2],
  [OptionNumber.locationPath, 'Location-Path', 'string', 0, 255, 'repeatable'],
  [OptionNumber.uriPath, 'Uri-Path', 'string', 0, 255, 'repeatable'],
  [OptionNumber.contentFormat, 'Content-Format', 'uint', 0, 2],
  [OptionNumber.maxAge, 'Max-Age', 'uint', 0, 4],
  [OptionNumber.uriQuery, 'Uri-Query', 'string', 0, 255, 'repeatable'],
  [OptionNumber.hopLimit, 'Hop-Limit', 'uint', 1, 1],
  [OptionNumber.accept, 'Accept', 'uint', 0, 2],
  [OptionNumber.qBlock1, 'Q-Block1', 'uint', 0, 3],
  [OptionNumber.locationQuery, 'Location-Query', 'string', 0, 255, 'repeatable'],
  [OptionNumber.block2, 'Block2', 'uint', 0, 3],
  [OptionNumber.block1, 'Block1', 'uint', 0, 3],
  [OptionNumber.size2, 'Size2', 'uint', 0, 4],
  [OptionNumber.qBlock2, 'Q-Block2', 'uint', 0, 3, 'repeatable'],
  [OptionNumber.proxyUri, 'Proxy-Uri', 'string', 1, 1034],
  [OptionNumber.proxyScheme, 'Proxy-Scheme', 'string', 1, 255],
  [OptionNumber.size1, 'Size1', 'uint', 0, 4],
  [OptionNumber.echo, 'Echo', 'opaque', 1, 40],
  [OptionNumber.noResponse, 'No-Response', 'uint', 0, 1],
  [OptionNumber.requestTag, 'Request-Tag', 'opaque', 0, 8, 'repeatable']
]

const registry: ReadonlyMap<number, OptionDefinition> = new Map(
  rows.map(([number, name, format, minimumLength, maximumLength, repeatable]) => [
    number,
    { number, name, format, minimumLength, maximumLength, repeatable: repeatable !== undefined }
  ])
)

/** What is known of an option; undefined when it is not in the registry above. */
export function optionDefinition(number: number): OptionDefinition | undefined {
  return registry.get(number)
}

/** `Uri-Path`, or `option 9999` where there is no name. */
export function formatOptionNumber(number: number): string {
  return registry.get(number)?.name ?? `option ${number}`
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
