import type { Instant } from '@breakwater/core'
import type { LiveSession } from '../connection/session-state.ts'

/** Sessions as their turn to send comes: what is most urgent first, then whoever waited longest. */
export function inTurn(live: readonly LiveSession[], now: Instant): readonly LiveSession[] {
  if (live.length < 2) return live
  return live
    .map((each) => ({ each, urgency: each.session.urgency(now), sentAt: each.session.sentAt ?? -Infinity }))
    .toSorted((one, other) =>
      one.urgency === other.urgency ? one.sentAt - other.sentAt : one.urgency - other.urgency
    )
    .map(({ each }) => each)
}
