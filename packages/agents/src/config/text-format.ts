import { WallTime, formatIpPrefix, parseIpAddress, parseIpPrefix } from '@breakwater/core'
import { parseTargetUri } from '@breakwater/dots'
import { nameFault } from './name-format.ts'
import type { OptionFormat } from './option.ts'

/** Says what is wrong with a text, or nothing. */
export type FormatCheck = (text: string) => string | undefined

/** Linux: IFNAMSIZ is 16 with the closing zero. */
const interfacePattern = /^[^\s/:]{1,15}$/

const dnsLabel = /^[a-z0-9_](?:[a-z0-9-]{0,61}[a-z0-9])?$/i

function dnsNameFault(text: string): string | undefined {
  if (text.includes('*')) return 'must be one name, without a wildcard'
  if (text.endsWith('.')) return 'must not end with a dot'
  if (text.length > 253) return 'is longer than the 253 characters of a DNS name'
  const labels = text.split('.')
  if (!labels.every((label) => dnsLabel.test(label))) return `must be a DNS name, not ${JSON.stringify(text)}`
  // RFC 6125 §6.4: reference identifiers are names, addresses are compared in another way.
  return /^\d+$/.test(labels.at(-1) ?? '') ? 'must be a DNS name, not an address' : undefined
}

function prefixFault(text: string): string | undefined {
  if (parseIpPrefix(text) !== undefined) return undefined
  const cleared = parseIpPrefix(text, 'clear')
  if (cleared !== undefined) return `has bits set behind its length: ${formatIpPrefix(cleared)} was meant?`
  if (parseIpAddress(text) !== undefined)
    return `has no length: ${text}/${text.includes(':') ? 128 : 32} was meant?`
  return `must be a prefix like 203.0.113.0/24 or 2001:db8::/32, not ${JSON.stringify(text)}`
}

function uriFault(text: string): string | undefined {
  const uri = parseTargetUri(text, JSON.stringify(text))
  return uri.ok ? undefined : `must say where a service is: ${uri.problem.diagnostic}`
}

function pskIdentityFault(text: string): string | undefined {
  // Erratum-free subset: printable ASCII is UTF-8 in every normalisation (RFC 4279 §5.1 asks for UTF-8).
  return /^[\u0021-\u007e]{1,128}$/.test(text)
    ? undefined
    : 'must be 1 to 128 printable ASCII characters without blanks'
}

function dateFault(text: string): string | undefined {
  return parseDate(text) === undefined
    ? `must be a date like 2026-11-28, not ${JSON.stringify(text)}`
    : undefined
}

/** The moment at which a day begins in UTC. */
export function parseDate(text: string): WallTime | undefined {
  if (!/^\d{4}-\d{2}-\d{2}$/.test(text)) return undefined
  const moment = Date.parse(`${text}T00:00:00Z`)
  // Some days are taken for the first of the next month.
  if (Number.isNaN(moment) || new Date(moment).toISOString().slice(0, 10) !== text) return undefined
  return moment < 0 ? undefined : WallTime(moment)
}

function pathFault(text: string): string | undefined {
  return text === '' ? 'must not be empty' : undefined
}

/** RFC 7252 §9.1.3.2.1: SHA-256, whole or cut to 120 bits. */
const keyDigestPattern = /^(?:[0-9a-f]{64}|[0-9a-f]{30})$/i

/** The formats that a text shows by itself; those of files are in `file-format.ts`. */
export const textFormats: Readonly<Partial<Record<OptionFormat, FormatCheck>>> = {
  name: nameFault,
  'dns-name': dnsNameFault,
  'ip-address': (text) =>
    parseIpAddress(text) === undefined ? `must be an IP address, not ${JSON.stringify(text)}` : undefined,
  'ip-prefix': prefixFault,
  'target-uri': uriFault,
  interface: (text) => (interfacePattern.test(text) ? undefined : 'must be an interface name'),
  'psk-identity': pskIdentityFault,
  'key-digest': (text) =>
    keyDigestPattern.test(text)
      ? undefined
      : `must be a SHA-256 of 64 hexadecimal digits, or its first 30, not ${JSON.stringify(text)}`,
  cdid: (text) => (/^[A-Za-z0-9._~-]{1,96}$/.test(text) ? undefined : 'must be a hash in base64url'),
  date: dateFault,
  note: (text) => (/^[^\p{C}]{1,200}$/u.test(text) ? undefined : 'must be 1 to 200 visible characters'),
  path: pathFault
}
