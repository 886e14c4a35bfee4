import { formatIpPrefix } from '@breakwater/core'
import type { IpPrefix } from '@breakwater/core'
import type { PortRange, Target } from '../domain/target.ts'

/**
 * Bytes of CBOR that one request may take. RFC 9132 §7.3: the path MTU is 1280 where unknown; IPv6, UDP and DTLS take
 * about 100 of it, the CoAP header with Uri-Path, cuid and mid about 100 more.
 */
const PAYLOAD_BYTES = 1000

/** The two outer maps, the array, lifetime, keys. */
const FIXED_BYTES = 24

/** One of {lower-port, upper-port}: two keys, two numbers of at most three bytes, the map. */
const PORT_RANGE_BYTES = 9

/** Leaves half of the payload to prefixes. */
const MOST_PORT_RANGES = 40

/**
 * Splits a target so that each part fits one datagram: by prefixes only, each part with all ports and protocols. No
 * prefixes: no parts.
 */
export function splitToFit(target: Target): Target[] {
  const ports = widenTo(target.ports, MOST_PORT_RANGES)
  // 2 bytes each: at most 256 of them, in practice a handful. More than fit mean: every protocol.
  const protocols = target.protocols.length > 64 ? [] : target.protocols
  const room = PAYLOAD_BYTES - FIXED_BYTES - ports.length * PORT_RANGE_BYTES - protocols.length * 2
  return chunks(target.prefixes, room).map((prefixes) => ({ prefixes, ports, protocols }))
}

function chunks(prefixes: readonly IpPrefix[], room: number): IpPrefix[][] {
  const parts: IpPrefix[][] = []
  let current: IpPrefix[] = []
  let used = 0
  for (const prefix of prefixes) {
    const bytes = formatIpPrefix(prefix).length + 2
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
