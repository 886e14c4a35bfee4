import type { ControlClient } from './client.ts'
import type { ProtectionState, ProtectionView } from './commands.ts'

/** One long poll lasts no longer, so that a lost agent is noticed. */
const longestPollSeconds = 20

/**
 * Yields a protection as it is and after each change, until `remainingSeconds` says that time is up. Stop earlier by
 * leaving the loop.
 */
export async function* watchProtection(
  client: ControlClient,
  id: string,
  remainingSeconds: () => number
): AsyncGenerator<ProtectionView, void, undefined> {
  let view = await client.protection(id)
  yield view
  for (let left = remainingSeconds(); left > 0; left = remainingSeconds()) {
    const { revision } = view
    const next = await client.protection(id, { revision, waitSeconds: Math.min(left, longestPollSeconds) })
    if (next.revision !== revision) yield next
    view = next
  }
}

/** What a protection has come to, for somebody who waits for it. */
export type ProtectionOutcome = 'good' | 'bad' | 'open'

const outcomes: Readonly<Record<ProtectionState, ProtectionOutcome>> = {
  protected: 'good',
  refused: 'bad',
  ended: 'bad',
  planned: 'open',
  asking: 'open',
  // Servers that are out of reach may come back within seconds.
  waiting: 'open',
  'partly-protected': 'open',
  ending: 'open'
}

/** `good` and `bad` are final; `open` may still change by itself. */
export function outcomeOf(state: ProtectionState): ProtectionOutcome {
  return outcomes[state]
}
