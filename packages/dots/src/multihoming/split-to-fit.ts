import { formatIpPrefix } from '@breakwater/core'
import type { IpPrefix } from '@breakwater/core'
import type { PortRange, Target } from '../domain/target.ts'

/** RFC 9132 §7.3: the path MTU, IP and UDP headers included, where nobody knows it. */
export const ASSUMED_PATH_MTU = 1280

/** IPv6, UDP and DTLS take about 100 bytes, the CoAP header with Uri-Path, cuid and mid about 100 more. */
const OVERHEAD_BYTES = 280

/** The two outer maps, the array, lifetime, keys. */
const FIXED_BYTES = 24

/** One of {lower-port, upper-port}: two keys, two numbers of at most three bytes, the map. */
const PORT_RANGE_BYTES = 9

/** 2 bytes each: a handful in practice. More than this mean: every protocol. */
const MOST_PROTOCOLS = 64

/**
 * Splits a target so that each part fits one datagram: by prefixes only, each part with all ports and protocols. Where the
 * ports of a single prefix do not fit, they are widened until they do. No prefixes: no parts.
 * @param pathMtu The smallest of all legal paths to the server, in bytes: a request is to fit whichever of them is used.
 */
export function splitToFit(target: Target, pathMtu: number = ASSUMED_PATH_MTU): Target[] {
  const payload = pathMtu - OVERHEAD_BYTES - FIXED_BYTES
  // No more than a quarter of a small datagram.
  const mostProtocols = Math.min(MOST_PROTOCOLS, payload / 8)
  const protocols = target.protocols.length > mostProtocols ? [] : target.protocols
  const narrowing = payload - protocols.length * 2
  const longest = Math.max(0, ...target.prefixes.map(bytesOf))
  const ports = widenTo(target.ports, Math.max(1, Math.floor((narrowing - longest) / PORT_RANGE_BYTES)))
  const room = narrowing - ports.length * PORT_RANGE_BYTES
  return chunks(target.prefixes, room).map((prefixes) => ({ prefixes, ports, protocols }))
}

/** Its text with the head of a CBOR string. */
function bytesOf(prefix: IpPrefix): number {
  return formatIpPrefix(prefix).length + 2
}

function chunks(prefixes: readonly IpPrefix[], room: number): IpPrefix[][] {
  const parts: IpPrefix[][] = []
  let current: IpPrefix[] = []
  let used = 0
  for (const prefix of prefixes) {
    const bytes = bytesOf(prefix)
    if (current.length > 0 && used + bytes > room) {
      parts.push(current)
      current = []
      used = 0
    }
    current.push(prefix)
    used += bytes
  }
  if (current.length > 0) parts.push(current)
  return parts
}

/** At most `most` ranges that hold at least these ports: the narrowest gaps are closed first. */
function widenTo(ranges: readonly PortRange[], most: number): readonly PortRange[] {
  if (ranges.length <= most) return ranges
  const gaps = ranges.slice(1).map((range, index) => range.lower - (ranges[index]?.upper ?? 0))
  const widest = gaps
    .map((gap, index) => ({ gap, index }))
    .toSorted((a, b) => b.gap - a.gap)
    .slice(0, most - 1)
    .map(({ index }) => index)
    .sort((a, b) => a - b)
  const starts = [0, ...widest.map((index) => index + 1)]
  return starts.map((start, at) => {
    const end = (starts[at + 1] ?? ranges.length) - 1
    return { lower: ranges[start]?.lower ?? 0, upper: ranges[end]?.upper ?? 65_535 }
  })
}
