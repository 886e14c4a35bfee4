import { ipv4, ipv6 } from './address.ts'
import type { IpAddress } from './address.ts'

/** `ffff:ffff:ffff:ffff:ffff:ffff:255.255.255.255` */
const LONGEST_TEXT = 45

const GROUPS = 8

/**
 * Reads one IP address; undefined when `text` is anything else. Strict, because two readers that disagree about a text
 * are a hole in an access check: IPv4 is four decimal octets without leading zeros (no hexadecimal, no short forms);
 * IPv6 is one of the forms of RFC 4291 §2.2; there is no zone, bracket, prefix length or blank.
 */
export function parseIpAddress(text: string): IpAddress | undefined {
  if (text.length > LONGEST_TEXT) return undefined
  if (text.includes(':')) return parseIpv6(text)
  const bits = ipv4Bits(text)
  return bits === undefined ? undefined : ipv4(bits)
}

/** Writes an address as RFC 5952 wants it; IPv4-mapped IPv6 addresses in mixed notation (RFC 5952 §5). */
export function formatIpAddress(address: IpAddress): string {
  if (address.family === 4) return dottedQuad(address.a)
  if (address.a === 0 && address.b === 0 && address.c === 0xffff) return `::ffff:${dottedQuad(address.d)}`
  const groups = groupsOf(address)
  const { start, length } = longestZeroRun(groups)
  // RFC 5952 §4.2.2: `::` must not stand for a single group.
  if (length < 2) return hexGroups(groups)
  return `${hexGroups(groups.slice(0, start))}::${hexGroups(groups.slice(start + length))}`
}

function ipv4Bits(text: string): number | undefined {
  const octets = text.split('.')
  if (octets.length !== 4) return undefined
  let bits = 0
  for (const octet of octets) {
    if (!/^(?:0|[1-9][0-9]{0,2})$/.test(octet)) return undefined
    const value = Number(octet)
    if (value > 255) return undefined
    bits = (bits << 8) | value
  }
  return bits >>> 0
}

function parseIpv6(text: string): IpAddress | undefined {
  const [before = '', after, ...more] = text.split('::')
  if (more.length > 0) return undefined
  const head = parseGroups(before, after === undefined)
  if (after === undefined) return head?.length === GROUPS ? fromGroups(head) : undefined
  const tail = parseGroups(after, true)
  if (head === undefined || tail === undefined) return undefined
  // RFC 4291 §2.2: `::` stands for one or more groups of zeros.
  const omitted = GROUPS - head.length - tail.length
  if (omitted < 1) return undefined
  return fromGroups([...head, ...Array<number>(omitted).fill(0), ...tail])
}

/** The 16-bit groups of one side of `::`; an embedded IPv4 address may only end the whole text. */
function parseGroups(text: string, endsText: boolean): number[] | undefined {
  if (text === '') return []
  const groups: number[] = []
  const parts = text.split(':')
  for (const [index, part] of parts.entries()) {
    if (/^[0-9a-f]{1,4}$/i.test(part)) {
      groups.push(Number.parseInt(part, 16))
      continue
    }
    const bits = endsText && index === parts.length - 1 ? ipv4Bits(part) : undefined
    if (bits === undefined) return undefined
    groups.push(bits >>> 16, bits & 0xffff)
  }
  return groups
}

function fromGroups(groups: readonly number[]): IpAddress {
  const word = (index: number): number => ((groups[2 * index] ?? 0) << 16) | (groups[2 * index + 1] ?? 0)
  return ipv6(word(0), word(1), word(2), word(3))
}

function groupsOf(address: IpAddress): number[] {
  return [address.a, address.b, address.c, address.d].flatMap((word) => [word >>> 16, word & 0xffff])
}

/** RFC 5952 §4.2.3: the longest run of zero groups, the first of equals. */
function longestZeroRun(groups: readonly number[]): { start: number; length: number } {
  let longest = { start: 0, length: 0 }
  let start = 0
  for (const [index, group] of groups.entries()) {
    if (group !== 0) start = index + 1
    else if (index + 1 - start > longest.length) longest = { start, length: index + 1 - start }
  }
  return longest
}

function hexGroups(groups: readonly number[]): string {
  return groups.map((group) => group.toString(16)).join(':')
}

function dottedQuad(bits: number): string {
  return `${bits >>> 24}.${(bits >>> 16) & 0xff}.${(bits >>> 8) & 0xff}.${bits & 0xff}`
}
