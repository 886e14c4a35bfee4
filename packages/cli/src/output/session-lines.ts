import type { SessionView } from '@breakwater/control'
import { table } from './table.ts'

/** Sessions for people. `peers` is what stands at the other end. */
export function sessionLines(peers: 'client' | 'server', sessions: readonly SessionView[]): string[] {
  if (sessions.length === 0) return [`no sessions with any ${peers}`]
  const rows = sessions.map(
    ({ peer, state, transport, interface: device, local, remote, text, parameters }) => {
      const path = [transport, device, local, remote === undefined ? undefined : `to ${remote}`].filter(
        (part) => part !== undefined
      )
      return [
        peer,
        state,
        [path.join(' '), parametersText(parameters), text]
          .filter((part) => part !== undefined && part !== '')
          .join('; ')
      ]
    }
  )
  return [...table([peers.toUpperCase(), 'SESSION', 'PATH'], rows), ...sessions.flatMap(candidateLines)]
}

/** RFC 9132 §4.5: the heartbeats decide how soon a loss is seen; all the rest is in `--json`. */
function parametersText(parameters: SessionView['parameters']): string | undefined {
  if (parameters === undefined) return undefined
  const { set, heartbeatIntervalSeconds, missingHeartbeatsAllowed } = parameters
  const heartbeats =
    heartbeatIntervalSeconds === 0
      ? 'no heartbeats'
      : `heartbeats every ${heartbeatIntervalSeconds} s, ${missingHeartbeatsAllowed} may be missing`
  return `${set}: ${heartbeats}`
}

/** The ways to one server, and how they fare. */
function candidateLines({ peer, candidates = [] }: SessionView): string[] {
  if (candidates.length === 0) return []
  return ['', `paths to ${peer}`, ...candidates.map(({ path, text }) => `  ${path}: ${text}`)]
}
