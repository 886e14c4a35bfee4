import type { Target } from '@breakwater/dots'
import { prefix } from './address.ts'

export interface TargetTexts {
  readonly prefixes: readonly string[]
  /** Inclusive ranges. Default: all ports. */
  readonly ports?: readonly (readonly [lower: number, upper: number])[]
  /** Default: all protocols. */
  readonly protocols?: readonly number[]
}

/** `target({ prefixes: ['203.0.113.0/24'], ports: [[53, 53]], protocols: [17] })` */
export function target({ prefixes, ports = [], protocols = [] }: TargetTexts): Target {
  return {
    prefixes: prefixes.map(prefix),
    ports: ports.map(([lower, upper]) => ({ lower, upper })),
    protocols
  }
}
