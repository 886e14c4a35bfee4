import type { ControlClient } from './client.ts'
import type { ProtectionView } from './contract.ts'

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

/**
 * `good`: every server that can be asked protects it. `bad`: some said no, and none is still to answer. `open`: it may
 * still change by itself; a server that is out of reach may come back within seconds.
 */
export function outcomeOf({ state, requests }: ProtectionView): ProtectionOutcome {
  switch (state) {
    case 'protected':
      return 'good'
    case 'refused':
    case 'ended':
      return 'bad'
    case 'partly-protected':
      if (requests.some((request) => isPending(request.state))) return 'open'
      return requests.every((request) => request.state === 'in-force') ? 'good' : 'bad'
    case 'planned':
    case 'asking':
    case 'waiting':
    case 'ending':
      break
  }
  return 'open'
}

function isPending(state: string): boolean {
  return state === 'planned' || state === 'asking' || state === 'waiting'
}
