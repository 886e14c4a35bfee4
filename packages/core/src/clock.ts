import type { Instant, WallTime } from './time.ts'

/** What a host needs from time. Real: `@breakwater/runtime`; virtual: `@breakwater/testing`. */
export interface Clock {
  /** Now on the monotonic clock. */
  now(): Instant
  /** Now on the calendar; may step in either direction. */
  wallClock(): WallTime
  /** Calls `act` once at `at` or as soon after as it can; never synchronously, even when `at` has passed. */
  schedule(at: Instant, act: () => void): ScheduledCall
}

/** A call that `schedule` has promised. */
export interface ScheduledCall {
  /** After this, `act` is not called any more. Harmless when it was called already. */
  cancel(): void
}
