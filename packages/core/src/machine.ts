import type { Instant } from './time.ts'

/**
 * Protocol logic without I/O. It never asks for the time, never waits and never calls back: a host feeds inputs, drains
 * `poll()` fully after each one, and wakes the machine at `nextTimeout()`.
 */
export interface Machine<Input, Output> {
  /** Feeds one input. Drain `poll()` before the next call. */
  handle(input: Input, now: Instant): void
  /** The next thing to send or to report; undefined when there is none left. */
  poll(): Output | undefined
  /** When `handleTimeout` wants to be called next; undefined when never. */
  nextTimeout(): Instant | undefined
  /** Does what is due at `now`. Calling early does no harm. */
  handleTimeout(now: Instant): void
}
