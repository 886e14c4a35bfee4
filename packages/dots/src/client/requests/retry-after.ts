import { inSeconds } from '@breakwater/core'
import { PACING_WITHOUT_RTT } from '../../signal/defaults.ts'

/** RFC 9132 §4.4: the rhythm of who knows nothing of the way. To ask sooner than this is no waiting at all. */
const LEAST_SECONDS: number = inSeconds(PACING_WITHOUT_RTT)

/** RFC 7252 §5.10.5: the Max-Age of a server that says nothing of it. */
const LONGEST_SECONDS = 60

/**
 * In how many seconds a server may be asked again that has just put us off. As it says, by Max-Age (RFC 7252 §5.9.3.4,
 * RFC 8516 §4) or `retry-timer` (RFC 9132 §4.4.1.3); but one that names no time worth the name is not asked over and over:
 * 3 s, then twice as long each time, up to a minute.
 * @param said In seconds.
 * @param before How often in a row it has put off the same request before.
 */
export function secondsToWait(said: number, before: number): number {
  if (said >= LEAST_SECONDS) return said
  return Math.min(LEAST_SECONDS * 2 ** Math.min(before, 10), LONGEST_SECONDS)
}
