import type { WallTime } from '@breakwater/core'
import type { ClientDomain, PlanId, ServerPolicy, StoredRecord } from '@breakwater/dots'
import type { SimulatedSharedStore } from '@breakwater/testing'

/** What one test wants of its server. */
export interface BedOptions {
  readonly policy?: Partial<ServerPolicy>
  readonly domains?: readonly ClientDomain[]
  readonly records?: readonly StoredRecord[]
  readonly damaged?: readonly string[]
  /** What the mitigator has from an earlier life. */
  readonly inForce?: readonly PlanId[]
  readonly wallClock?: WallTime
  /** The store, where another server shares it. */
  readonly shared?: SimulatedSharedStore
}
