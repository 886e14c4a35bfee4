import { parseIpPrefix } from '@breakwater/core'
import type { PlanRequest } from '@breakwater/control'
import { usageError } from './usage-error.ts'

/** Options of `dots protect` and `dots plan` that name a target, or narrow it. */
export interface TargetOptions {
  readonly fqdn?: readonly string[]
  readonly uri?: readonly string[]
  readonly alias?: readonly string[]
  readonly port?: readonly string[]
  readonly protocol?: readonly string[]
  readonly allowPartial?: boolean
  readonly policy?: 'all' | 'serial' | 'divide'
}

/** IANA numbers of the protocols that people name; any other is given as its number. */
const protocolNumbers: Readonly<Record<string, number>> = {
  icmp: 1,
  igmp: 2,
  tcp: 6,
  udp: 17,
  gre: 47,
  esp: 50,
  ah: 51,
  'ipv6-icmp': 58,
  icmpv6: 58,
  sctp: 132
}

/** Turns the words of the command line into a target, or says which word is wrong. */
export function parseTarget(targets: readonly string[], options: TargetOptions): PlanRequest {
  const prefixes = targets.map((text) => checkPrefix(text))
  const ports = (options.port ?? []).flatMap((text) => text.split(',').map((part) => parsePorts(part)))
  const protocols = (options.protocol ?? []).flatMap((text) =>
    text.split(',').map((part) => parseProtocol(part))
  )
  const { fqdn = [], uri = [], alias = [] } = options
  if (prefixes.length + fqdn.length + uri.length + alias.length === 0)
    throw usageError('name a target: an address, a prefix, --fqdn, --uri or --alias')
  return {
    ...(prefixes.length === 0 ? {} : { prefixes }),
    ...(fqdn.length === 0 ? {} : { fqdns: [...fqdn] }),
    ...(uri.length === 0 ? {} : { uris: [...uri] }),
    ...(alias.length === 0 ? {} : { aliases: [...alias] }),
    ...(ports.length === 0 ? {} : { ports }),
    ...(protocols.length === 0 ? {} : { protocols }),
    ...(options.allowPartial === true ? { allowPartial: true } : {}),
    ...(options.policy === undefined ? {} : { policy: options.policy })
  }
}

function checkPrefix(text: string): string {
  if (parseIpPrefix(withLength(text)) !== undefined) return withLength(text)
  throw usageError(`${JSON.stringify(text)} is no address and no prefix${hintFor(text)}`)
}

function hintFor(text: string): string {
  if (parseIpPrefix(text, 'clear') !== undefined) return ' (bits are set behind its length)'
  if (text.includes('://')) return '; a URI goes with --uri'
  return /[a-z]$/i.test(text) ? '; a domain name goes with --fqdn, an alias with --alias' : ''
}

function withLength(text: string): string {
  if (text.includes('/')) return text
  return `${text}/${text.includes(':') ? 128 : 32}`
}

function parsePorts(text: string): { lower: number; upper: number } {
  const match = /^(\d{1,5})(?:-(\d{1,5}))?$/.exec(text.trim())
  const lower = Number(match?.[1])
  const upper = Number(match?.[2] ?? match?.[1])
  if (match === null || lower > upper || upper > 65_535)
    throw usageError(`${JSON.stringify(text)} is no port and no range of ports (80, 8000-8010)`)
  return { lower, upper }
}

function parseProtocol(text: string): number {
  const word = text.trim().toLowerCase()
  const number = /^\d{1,3}$/.test(word) ? Number(word) : protocolNumbers[word]
  if (number === undefined || number > 255)
    throw usageError(
      `${JSON.stringify(text)} is no protocol: a number of 0 to 255 or ${Object.keys(protocolNumbers).join(', ')}`
    )
  return number
}

/** `udp`, or the number where there is no word. */
export function protocolName(number: number): string {
  return Object.entries(protocolNumbers).find(([, value]) => value === number)?.[0] ?? String(number)
}

/** Seconds, or a number with a unit: `90`, `90s`, `15m`, `2h`; `indefinite`. */
export function parseLifetime(text: string): number {
  if (text === 'indefinite') return -1
  const match = /^(\d{1,9})([smh]?)$/.exec(text)
  const seconds = Number(match?.[1]) * ({ s: 1, m: 60, h: 3600 }[match?.[2] ?? ''] ?? 1)
  if (match === null || seconds < 1 || seconds > 2_147_483_647)
    throw usageError(`${JSON.stringify(text)} is no lifetime: seconds (3600, 90m, 2h) or "indefinite"`)
  return seconds
}
