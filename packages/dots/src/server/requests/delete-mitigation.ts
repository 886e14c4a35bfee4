import type { Instant } from '@breakwater/core'
import type { MitigationId } from '../../domain/identifier.ts'
import type { ClientState } from '../client-state.ts'
import { deletion } from '../mitigations/commits.ts'
import type { Lifecycle } from '../mitigations/lifecycle.ts'
import { isLive, transition } from '../mitigations/mitigation.ts'
import type { Decision } from './mutation-queue.ts'
import { DELETED } from './response.ts'

/**
 * Decides a withdrawal (RFC 9132 §4.4.4): acknowledged also when there is nothing to withdraw; the filter of one that is in
 * force stays for its grace period.
 */
export function decideDelete(
  lifecycle: Lifecycle,
  client: ClientState,
  id: MitigationId,
  now: Instant
): Decision {
  const mitigation = client.mitigations.get(id)
  if (mitigation === undefined || !isLive(mitigation))
    return { kind: 'answer', answer: { response: DELETED, outcome: 'unchanged' } }
  const event = { kind: 'withdrawn', grace: mitigation.grace } as const
  const next = transition(mitigation.state, event, now)
  return {
    kind: 'commit',
    changes: [
      next.kind === 'ended'
        ? deletion(mitigation.key)
        : lifecycle.records.change(mitigation, next, mitigation.expiresAt)
    ],
    stored: (at) => {
      lifecycle.step(mitigation, event, at)
      // Failed while this was on its way: nothing is in force for a while, so nothing may come back after a restart.
      if (mitigation.state.kind === 'ended' && next.kind !== 'ended') lifecycle.records.sweep(mitigation)
      return { response: DELETED, outcome: 'withdrawn' }
    },
    notStored: () => undefined
  }
}
