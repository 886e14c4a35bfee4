import { between, type Instant, Seconds } from '@breakwater/core'

/** The freshest notification so far: its sequence number and when it came. */
export interface Freshness {
  readonly sequence: number
  readonly at: Instant
}

const HALF_RANGE = 2 ** 23
const REORDERING_WINDOW = Seconds(128)

/** RFC 7641 §3.4: whether a notification was sent after the freshest so far, however late it came. */
export function isFresher(freshest: Freshness, sequence: number, now: Instant): boolean {
  const v1 = freshest.sequence
  const v2 = sequence
  if (v1 < v2 && v2 - v1 < HALF_RANGE) return true
  if (v1 > v2 && v1 - v2 > HALF_RANGE) return true
  return between(freshest.at, now) > REORDERING_WINDOW
}
