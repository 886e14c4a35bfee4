import { type IpPrefix, formatIpAddress, mergePrefixes } from '@breakwater/core'
import type { MitigationPlan, PortRange } from '@breakwater/dots'

/** One expression of a rule in nftables' JSON form (libnftables-json(5)). */
export type NftExpression = Readonly<Record<string, unknown>>

/** IANA numbers of the protocols that carry ports where nftables looks for them: TCP, UDP, DCCP, SCTP, UDP-Lite. */
const protocolsWithPorts: readonly number[] = [6, 17, 33, 132, 136]

/**
 * The rules that a plan needs: one per address family in use, each with a counter of its own. No rule at all when
 * nothing could match it (ports asked for a protocol that has none).
 */
export function rulesOfPlan(plan: MitigationPlan): readonly (readonly NftExpression[])[] {
  const { prefixes, ports, protocols } = plan.target
  const transport = transportMatches(protocols, ports)
  if (transport === undefined) return []
  return ([4, 6] as const)
    .map((family) => mergePrefixes(prefixes.filter((prefix) => prefix.address.family === family)))
    .filter((merged) => merged.length > 0)
    .map((merged) => [
      destinationMatch(merged),
      ...transport,
      { counter: { packets: 0, bytes: 0 } },
      { drop: null }
    ])
}

/** Matches on protocol and port; undefined when they exclude each other. */
function transportMatches(
  protocols: readonly number[],
  ports: readonly PortRange[]
): readonly NftExpression[] | undefined {
  if (ports.length === 0) return protocols.length === 0 ? [] : [protocolMatch(protocols)]
  const carrying =
    protocols.length === 0
      ? protocolsWithPorts
      : protocols.filter((protocol) => protocolsWithPorts.includes(protocol))
  return carrying.length === 0 ? undefined : [protocolMatch(carrying), portMatch(ports)]
}

function destinationMatch(prefixes: readonly IpPrefix[]): NftExpression {
  const protocol = prefixes[0]?.address.family === 6 ? 'ip6' : 'ip'
  const elements = prefixes.map((prefix) => ({
    prefix: { addr: formatIpAddress(prefix.address), len: prefix.length }
  }))
  return match({ payload: { protocol, field: 'daddr' } }, elements)
}

function protocolMatch(protocols: readonly number[]): NftExpression {
  return match({ meta: { key: 'l4proto' } }, [...new Set(protocols)])
}

function portMatch(ports: readonly PortRange[]): NftExpression {
  return match({ payload: { protocol: 'th', field: 'dport' } }, joinedRanges(ports).map(portElement))
}

function portElement({ lower, upper }: PortRange): unknown {
  return lower === upper ? lower : { range: [lower, upper] }
}

/** A set must not overlap itself: ranges that touch or overlap become one. */
function joinedRanges(ports: readonly PortRange[]): readonly PortRange[] {
  const joined: PortRange[] = []
  for (const range of ports.toSorted((a, b) => a.lower - b.lower)) {
    const last = joined.at(-1)
    if (last === undefined || range.lower > last.upper + 1) joined.push(range)
    else joined[joined.length - 1] = { lower: last.lower, upper: Math.max(last.upper, range.upper) }
  }
  return joined
}

function match(left: unknown, elements: readonly unknown[]): NftExpression {
  return { match: { op: '==', left, right: elements.length === 1 ? elements[0] : { set: elements } } }
}
