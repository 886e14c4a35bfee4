import { Code } from '@breakwater/coap'
import { addressBits, parseIpAddress, prefixOf } from '@breakwater/core'
import type { TargetUri } from '../domain/requested-target.ts'
import { accepted, refused } from './problem.ts'
import type { Checked } from './problem.ts'

const TCP = 6
const UDP = 17

/** Schemes with the port and the transports that are registered for them. Of `https`, HTTP/3 is a part (RFC 9114 §3.1). */
const SCHEMES: ReadonlyMap<string, { readonly port: number; readonly protocols: readonly number[] }> =
  new Map([
    ['http', { port: 80, protocols: [TCP] }],
    ['https', { port: 443, protocols: [TCP, UDP] }],
    ['ws', { port: 80, protocols: [TCP] }],
    ['wss', { port: 443, protocols: [TCP] }],
    ['ftp', { port: 21, protocols: [TCP] }],
    ['ssh', { port: 22, protocols: [TCP] }],
    ['dns', { port: 53, protocols: [TCP, UDP] }],
    ['ldap', { port: 389, protocols: [TCP] }],
    ['ldaps', { port: 636, protocols: [TCP] }],
    ['rtsp', { port: 554, protocols: [TCP, UDP] }],
    ['rtsps', { port: 322, protocols: [TCP] }],
    ['mqtt', { port: 1883, protocols: [TCP] }],
    ['coap', { port: 5683, protocols: [UDP] }],
    ['coaps', { port: 5684, protocols: [UDP] }],
    ['coap+tcp', { port: 5683, protocols: [TCP] }],
    ['coaps+tcp', { port: 5684, protocols: [TCP] }]
  ])

/** RFC 3986 §3: scheme, and of the authority the host and the port. */
const PARTS =
  /^([A-Za-z][A-Za-z0-9+.-]*):\/\/(?:[^/?#@]*@)?(\[[0-9A-Fa-f:.]+\]|[^/?#@:[\]]*)(?::([0-9]*))?(?:[/?#]|$)/

const NAME =
  /^(?=.{1,253}$)(?:[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?\.)*[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?$/

/**
 * Reads a URI for its host, port and transports.
 * @param where Its place in the message, for diagnostics.
 */
export function parseTargetUri(text: string, where: string): Checked<TargetUri> {
  const [, schemeText = '', hostText = '', portText = ''] = PARTS.exec(text) ?? []
  const scheme = schemeText.toLowerCase()
  const host = parseHost(hostText)
  if (host === undefined) return bad('URI_INVALID', `the URI names no host (${where})`)
  const known = SCHEMES.get(scheme)
  const port = portText === '' ? known?.port : Number(portText)
  if (port === undefined)
    return bad('URI_SCHEME_UNKNOWN', `no port is known for ${scheme}: name one in the URI (${where})`)
  if (port > 65_535) return bad('URI_INVALID', `${portText} is no port (${where})`)
  return accepted({ text, host, ports: [{ lower: port, upper: port }], protocols: known?.protocols ?? [] })
}

/** RFC 1123 §2.1: a top-level label is never a number, so `192.0.2.999` is a bad address and no name. */
const NUMBER = /(?:^|\.)[0-9]+$/

/** A domain name in one spelling: lower case, without the dot of the root. Undefined: it is none. */
export function normalName(text: string): string | undefined {
  const name = text.toLowerCase().replace(/\.$/, '')
  return NAME.test(name) && !NUMBER.test(name) ? name : undefined
}

function parseHost(text: string): TargetUri['host'] | undefined {
  const literal = text.startsWith('[') ? text.slice(1, -1) : text
  const address = parseIpAddress(literal)
  if (address !== undefined)
    return { kind: 'address', prefix: prefixOf(address, addressBits(address.family)) }
  const name = normalName(text)
  return name === undefined ? undefined : { kind: 'name', name }
}

function bad(kind: string, diagnostic: string): ReturnType<typeof refused> {
  return refused(`DOTS_SIGNAL_${kind}`, Code.badRequest, diagnostic)
}
