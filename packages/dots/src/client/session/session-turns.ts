import type { Instant } from '@breakwater/core'
import type { LiveSession } from '../connection/session-state.ts'

/** Sessions as their turn to send comes: what is most urgent first, then whoever waited longest. */
export function inTurn(live: readonly LiveSession[], now: Instant): readonly LiveSession[] {
  const [one, other] = live
  if (one === undefined || other === undefined) return live
  const [mine, theirs] = [one.session.urgency(now), other.session.urgency(now)]
  const isFirst = mine === theirs ? sentBefore(one, other) : mine < theirs
  return isFirst ? [one, other] : [other, one]
}

function sentBefore(one: LiveSession, other: LiveSession): boolean {
  return (one.session.sentAt ?? -Infinity) < (other.session.sentAt ?? -Infinity)
}
