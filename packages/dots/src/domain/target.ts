import { prefixKey } from '@breakwater/core'
import type { IpPrefix } from '@breakwater/core'

/** Inclusive; `lower` ≤ `upper`, 0 … 65535. */
export interface PortRange {
  readonly lower: number
  readonly upper: number
}

/**
 * What is to be protected (RFC 9132 §4.4.1.1): any of the prefixes, narrowed to the ports and protocols where these are
 * given; empty lists narrow nothing.
 */
export interface Target {
  readonly prefixes: readonly IpPrefix[]
  readonly ports: readonly PortRange[]
  /** IANA protocol numbers, 0 … 255. */
  readonly protocols: readonly number[]
}

/** Whether two targets say the same; order and repetition say nothing. */
export function sameTarget(a: Target, b: Target): boolean {
  return (
    sameSet(a.prefixes.map(prefixKey), b.prefixes.map(prefixKey)) &&
    sameSet(
      a.ports.map(({ lower, upper }) => `${lower}-${upper}`),
      b.ports.map(({ lower, upper }) => `${lower}-${upper}`)
    ) &&
    sameSet(a.protocols, b.protocols)
  )
}

function sameSet<Item>(a: readonly Item[], b: readonly Item[]): boolean {
  const left = new Set(a)
  const right = new Set(b)
  return left.size === right.size && [...left].every((item) => right.has(item))
}
