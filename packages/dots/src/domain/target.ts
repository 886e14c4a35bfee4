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
