import type { ProtectionRequest } from '@breakwater/dots'
import type { TraceEntry, VirtualClock } from '@breakwater/testing'
import type { Layout } from '../layout.ts'
import type { Course } from '../scenario.ts'
import type { Customer } from '../world/customer.ts'
import type { Ledger } from '../world/ledger.ts'
import type { Provider } from '../world/provider.ts'
import type { Traffic } from '../world/traffic.ts'
import type { Weather } from '../world/weather/weather.ts'

/** What invariants may look at. */
export interface WorldView {
  readonly scenario: Course
  readonly layout: Layout
  readonly clock: VirtualClock
  readonly customers: readonly Customer[]
  readonly providers: readonly Provider[]
  readonly weather: Weather
  readonly ledger: Ledger
}

/** Says what is wrong, for people. */
export type Report = (text: string) => void

/** Something that must be true in every world at all times. */
export interface Invariant {
  /** Kebab-case; the same as its file. */
  readonly name: string
  /** Looks at a datagram that leaves or arrives. */
  traffic?(traffic: Traffic, report: Report): void
  /** Looks at whatever happens to a packet. */
  trace?(entry: TraceEntry, report: Report): void
  /** Hears what an operator is about to want, too; undefined: less than before. */
  wish?(site: number, request: ProtectionRequest | undefined): void
  /** Looks at everything, every few seconds of virtual time. */
  sample?(report: Report): void
}

/** Made anew for each world. */
export type MakeInvariant = (view: WorldView) => Invariant
