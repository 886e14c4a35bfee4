import { DecodeError, decodeUtf8, formatIpAddress, parseIpAddress } from '@breakwater/core'
import type { CoapOption } from '../message.ts'
import { readString, readUint } from '../option-value.ts'
import { OptionNumber } from '../option.ts'
import type { UriDestination } from './parse-uri.ts'
import { inArgument, inRegName, inSegment, percentEncode } from './percent.ts'
import { type CoapScheme, schemeDefinition } from './scheme.ts'

/**
 * The URI that a request is for, in normal form (RFC 7252 §6.5, §6.3).
 * @param scheme What it came by: `coaps` where it was secured by DTLS.
 * @throws DecodeError `COAP_URI_INVALID` on a Uri-Host that is no host, `CORE_UTF8_INVALID` on options that are no text.
 */
export function composeCoapUri(
  scheme: CoapScheme,
  options: readonly CoapOption[],
  destination: UriDestination
): string {
  const port = readUint(options, OptionNumber.uriPort) ?? destination.port
  const portText = port === schemeDefinition(scheme).defaultPort ? '' : `:${port}`
  return `${scheme}://${hostText(options, destination)}${portText}${resourceOf(options)}`
}

function hostText(options: readonly CoapOption[], { address }: UriDestination): string {
  const host = readString(options, OptionNumber.uriHost)
  if (host === undefined) {
    const literal = formatIpAddress(address)
    return address.family === 6 ? `[${literal}]` : literal
  }
  const inner = /^\[(.*)\]$/.exec(host)?.[1]
  if (inner !== undefined && parseIpAddress(inner)?.family === 6) return host
  if (!isRegName(host)) throw new DecodeError('COAP_URI_INVALID', 'a Uri-Host that is no host')
  return percentEncode(host, inRegName)
}

/** RFC 7252 §6.5 step 2: only what is not ASCII is encoded, and must be all that needs it. */
function isRegName(host: string): boolean {
  for (const character of host) if (character.charCodeAt(0) < 0x80 && !inRegName.test(character)) return false
  return host !== ''
}

/** Steps 6 to 9. */
function resourceOf(options: readonly CoapOption[]): string {
  let path = ''
  let query = ''
  for (const { number, value } of options)
    if (number === OptionNumber.uriPath) path += `/${percentEncode(decodeUtf8(value), inSegment)}`
    else if (number === OptionNumber.uriQuery)
      query += `${query === '' ? '?' : '&'}${percentEncode(decodeUtf8(value), inArgument)}`
  return `${path === '' ? '/' : path}${query}`
}
