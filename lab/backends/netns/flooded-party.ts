import { createHash } from 'node:crypto'

import type { CertificateCredentials, Transport } from '@breakwater/core'

import { customerName } from '../../agents/flooded-link-agents.ts'

/** What the processes of `flooded-link` say to the lab, one JSON object a line. Times are milliseconds since 1970. */
export type Told =
  | { readonly kind: 'ready' }
  /** It knows that the story is over: what ends from now on was not let go of. */
  | { readonly kind: 'over' }
  /** There is an authority, and this is for the server. */
  | { readonly kind: 'certified'; readonly server: CertificateCredentials }
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
  /** One side let go of a session that stood before the flood. */
  | {
      readonly kind: 'lost'
      readonly customer: number
      readonly side: 'client' | 'server'
      readonly reason: string
      readonly atMs: number
    }
  | { readonly kind: 'wrong-request'; readonly customer: number }
  /** How long the process could not attend to anything, at worst. */
  | { readonly kind: 'busy'; readonly milliseconds: number }
  | { readonly kind: 'pacing'; readonly judged: number; readonly violations: readonly string[] }

export function tell(told: Told): void {
  process.stdout.write(`${JSON.stringify(told)}\n`)
}

/** The same clock in all processes of this machine, finer than `Date`. */
export function nowMs(): number {
  return performance.timeOrigin + performance.now()
}

/** Customers with numbers one after the other. */
export interface Numbers {
  readonly first: number
  readonly count: number
}

export function numbersOf({ first, count }: Numbers): readonly number[] {
  return Array.from({ length: count }, (_, index) => first + index)
}

/** The customers of one act with a session, all at one address. */
export interface CustomerGroup extends Numbers {
  readonly source: string
}

/** For the process of the clients with a session. */
export interface ClientsPlan {
  readonly server: string
  readonly groups: readonly CustomerGroup[]
  /** Each customer asks within this time after it is told to, at a moment of its own. */
  readonly spreadSeconds: number
}

/** The customers of one act without a session. */
export interface NewcomerGroup extends Numbers {
  readonly sources: readonly string[]
  readonly servers: readonly string[]
  readonly transports: readonly Transport[]
  readonly isResumed: boolean
  readonly retransmissionMilliseconds: number
}

/** For the process of the clients without a session. */
export interface NewcomersPlan {
  readonly groups: readonly NewcomerGroup[]
  readonly spreadSeconds: number
}

/** Where the server awaits the customers of one act that have no session: UDP and TCP, and a timer for DTLS. */
export interface Door {
  readonly addresses: readonly string[]
  readonly retransmissionMilliseconds: number
}

/** For a server process: whom it serves, and how both sides prove who they are. */
export interface ServerPlan extends Numbers {
  readonly proof:
    | { readonly kind: 'keys'; readonly server: string }
    | {
        readonly kind: 'certificate'
        readonly credentials: CertificateCredentials
        readonly doors: readonly Door[]
      }
}

/** A key for each customer, the same on both sides. */
export function keyOf(customer: number): Uint8Array {
  return createHash('sha256').update(customerName(customer)).digest().subarray(0, 16)
}
