import { DecodeError, formatIpAddress, type IpAddress, parseIpAddress } from '@breakwater/core'
import type { CoapOption } from '../message.ts'
import { stringOption, uintOption } from '../option-value.ts'
import { OptionNumber } from '../option.ts'
import { inArgument, inRegName, inSegment, percentDecode } from './percent.ts'
import { type CoapScheme, readScheme, schemeDefinition } from './scheme.ts'

/** A URI taken apart; nothing in it is percent-encoded any more. */
export interface CoapUri {
  readonly scheme: CoapScheme
  /** A literal address, or a name in lower case. */
  readonly host: IpAddress | string
  readonly port: number
  readonly path: readonly string[]
  readonly query: readonly string[]
}

/** Longest URI that is read: what Proxy-Uri may carry (RFC 7252 §5.10). */
const MAXIMUM_URI_LENGTH = 1034

/** Bytes of a Uri-Host, Uri-Path or Uri-Query option (RFC 7252 §5.10, table 4). */
const MAXIMUM_COMPONENT_BYTES = 255

/**
 * Takes a URI apart (RFC 7252 §6.4): what to connect to, and, with `uriOptions`, what to ask for there.
 * @throws DecodeError `COAP_URI_INVALID` on a relative reference, another scheme, no authority or an empty host (§6.1), user
 * information, a fragment, a port that is none, and what cannot be decoded or put into options.
 */
export function parseCoapUri(text: string): CoapUri {
  if (text.length > MAXIMUM_URI_LENGTH) throw invalid(`${text.length} characters`)
  const [, schemeText = '', authority, pathText = '', , queryText] = uriPattern.exec(text) ?? []
  const scheme = readScheme(schemeText)
  if (scheme === undefined) throw invalid('no scheme of CoAP')
  if (authority === undefined) throw invalid('no authority')
  if (text.includes('#')) throw invalid('a fragment')
  const [, hostText = '', , portText = ''] = authorityPattern.exec(authority) ?? []
  return {
    scheme,
    host: hostOf(hostText),
    port: portText === '' ? schemeDefinition(scheme).defaultPort : portOf(portText),
    path: pathOf(pathText),
    query: queryText === undefined ? [] : queryText.split('&').map((each) => decoded(each, inArgument))
  }
}

/** RFC 3986 Appendix B, with a scheme. */
const uriPattern = /^([a-z][a-z0-9+.-]*):(?:\/\/([^/?#]*))?([^?#]*)(\?([^#]*))?(?:#.*)?$/i
const authorityPattern = /^(\[[^\]]*\]|[^:@]*)(:([0-9]*))?$/

function hostOf(text: string): IpAddress | string {
  if (text === '') throw invalid('an empty host')
  const isLiteral = text.startsWith('[')
  const address = parseIpAddress(isLiteral ? text.slice(1, -1) : text)
  if (isLiteral !== (address?.family === 6)) throw invalid('a host that is no IP-literal')
  return address ?? checkedLength(decoded(text.toLowerCase(), inRegName).toLowerCase())
}

function portOf(text: string): number {
  const port = Number(text)
  if (text.length > 5 || port > 0xffff) throw invalid(`port ${text.slice(0, 10)}`)
  return port
}

/** RFC 3986 §5.2.4: dot segments are resolved before; RFC 7252 §6.4 step 8: a single slash is no segment. */
function pathOf(text: string): string[] {
  if (text === '' || text === '/') return []
  const segments: string[] = []
  const parts = text.slice(1).split('/')
  for (const [index, part] of parts.entries()) {
    const segment = decoded(part, inSegment)
    const isLast = index === parts.length - 1
    if (segment === '..') segments.pop()
    if (segment !== '.' && segment !== '..') segments.push(segment)
    else if (isLast && segments.length > 0) segments.push('')
  }
  return segments
}

function decoded(text: string, literal: RegExp): string {
  const value = percentDecode(text, literal)
  if (value === undefined) throw invalid('a percent-encoding that is none, or a character that needs one')
  return checkedLength(value)
}

function checkedLength(value: string): string {
  const { length } = stringOption(OptionNumber.uriPath, value).value
  if (length > MAXIMUM_COMPONENT_BYTES) throw invalid(`a component of ${length} bytes`)
  return value
}

function invalid(what: string): DecodeError {
  return new DecodeError('COAP_URI_INVALID', `no CoAP URI: ${what}`)
}

/** Where a request goes. */
export interface UriDestination {
  readonly address: IpAddress
  readonly port: number
}

/**
 * The options of a request to that destination (RFC 7252 §6.4 steps 5 to 9): Uri-Host and Uri-Port only where they say more
 * than the destination.
 */
export function uriOptions(uri: CoapUri, destination: UriDestination): CoapOption[] {
  const { host, port, path, query } = uri
  const options: CoapOption[] = []
  const hostText = typeof host === 'string' ? host : literalOf(host, destination.address)
  if (hostText !== undefined) options.push(stringOption(OptionNumber.uriHost, hostText))
  if (port !== destination.port) options.push(uintOption(OptionNumber.uriPort, port))
  for (const segment of path) options.push(stringOption(OptionNumber.uriPath, segment))
  for (const argument of query) options.push(stringOption(OptionNumber.uriQuery, argument))
  return options
}

function literalOf(host: IpAddress, destination: IpAddress): string | undefined {
  const text = formatIpAddress(host)
  if (text === formatIpAddress(destination)) return undefined
  return host.family === 6 ? `[${text}]` : text
}
