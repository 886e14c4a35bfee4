/**
 * Two clocks, never mixed: `Instant` is monotonic and drives protocol timers; `WallTime` is the calendar and is what is
 * stored or shown. Both count milliseconds; `Duration` is the distance between two of the same kind.
 */

/** A length of time in milliseconds; may be fractional, never NaN. */
export type Duration = number & { readonly __brand: 'Duration' }

/** A moment of a monotonic clock: milliseconds since an origin that means nothing. */
export type Instant = number & { readonly __brand: 'Instant' }

/** A moment of the calendar: milliseconds since 1970-01-01T00:00:00Z. */
export type WallTime = number & { readonly __brand: 'WallTime' }

/** @param count May be fractional. */
export function Milliseconds(count: number): Duration {
  return count as Duration
}

/** @param count May be fractional. */
export function Seconds(count: number): Duration {
  return (count * 1000) as Duration
}

/** @param count May be fractional. */
export function Minutes(count: number): Duration {
  return (count * 60_000) as Duration
}

/** A moment of a monotonic clock, of which the caller knows the reading. */
export function Instant(milliseconds: number): Instant {
  return milliseconds as Instant
}

/** A moment of the calendar, of which the caller knows the reading. */
export function WallTime(millisecondsSince1970: number): WallTime {
  return millisecondsSince1970 as WallTime
}

/** For what counts in seconds: the wire, configurations, people. Not rounded. */
export function inSeconds(duration: Duration): number {
  return duration / 1000
}

/** The moment `duration` after `moment`, on the same clock. */
export function after<Moment extends Instant | WallTime>(moment: Moment, duration: Duration): Moment {
  return (moment + duration) as Moment
}

/** How long it is from `start` to `end`; negative when `end` lies before. */
export function between<Moment extends Instant | WallTime>(start: Moment, end: Moment): Duration {
  return (end - start) as Duration
}

/** The earlier of two moments, where `undefined` means never. */
export function earlier(a: Instant | undefined, b: Instant | undefined): Instant | undefined {
  if (a === undefined) return b
  if (b === undefined) return a
  return a < b ? a : b
}

/** The later of two moments, where `undefined` means not yet. */
export function later(a: Instant, b: Instant | undefined): Instant {
  return b === undefined || a > b ? a : b
}
