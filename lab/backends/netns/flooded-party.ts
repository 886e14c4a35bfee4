import { createHash } from 'node:crypto'

import { customerName } from '../../agents/flooded-link-agents.ts'

/** What the processes of `flooded-link` say to the lab, one JSON object a line. Times are milliseconds since 1970. */
export type Told =
  | { readonly kind: 'ready' }
  | { readonly kind: 'asked'; readonly customer: number; readonly atMs: number }
  | {
      readonly kind: 'accepted'
      readonly customer: number
      readonly atMs: number
      /** Where the customer's session comes from. */
      readonly address: string
      readonly port: number
    }
  | { readonly kind: 'known'; readonly customer: number; readonly atMs: number }
  /** A session ended, or its client gave it up. */
  | { readonly kind: 'lost'; readonly customer: number }
  | { readonly kind: 'wrong-request'; readonly customer: number }
  | { readonly kind: 'pacing'; readonly judged: number; readonly violations: readonly string[] }

export function tell(told: Told): void {
  process.stdout.write(`${JSON.stringify(told)}\n`)
}

/** The same clock in all processes of this machine, finer than `Date`. */
export function nowMs(): number {
  return performance.timeOrigin + performance.now()
}

/** The customers of one act: so many, from a number on, all at one address. */
export interface CustomerGroup {
  readonly first: number
  readonly count: number
  readonly source: string
}

/** For the client process. */
export interface ClientsPlan {
  readonly server: string
  readonly groups: readonly CustomerGroup[]
  /** Each customer asks within this time after it is told to, at a moment of its own. */
  readonly spreadSeconds: number
}

/** For the server process. */
export interface ServerPlan {
  readonly server: string
  readonly customers: number
}

/** A key for each customer, the same on both sides. */
export function keyOf(customer: number): Uint8Array {
  return createHash('sha256').update(customerName(customer)).digest().subarray(0, 16)
}
