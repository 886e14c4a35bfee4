import type { SessionView } from '@breakwater/control'
import { table } from './table.ts'
import { durationText } from './words.ts'

/** Sessions for people. `peers` is what stands at the other end. */
export function sessionLines(peers: 'client' | 'server', sessions: readonly SessionView[]): string[] {
  if (sessions.length === 0) return [`no sessions with any ${peers}`]
  const rows = sessions.map((session) => [session.peer, session.state, aboutText(session)])
  return [...table([peers.toUpperCase(), 'SESSION', 'PATH'], rows), ...sessions.flatMap(candidateLines)]
}

function aboutText(session: SessionView): string {
  const { transport, interface: device, local, remote, text, identity, parameters } = session
  const path = [transport, device, local, remote === undefined ? undefined : `to ${remote}`]
  return [
    path.filter((part) => part !== undefined).join(' '),
    identity,
    parametersText(parameters),
    configurationText(session.configuration),
    heartbeatText(session),
    loadText(session),
    ageText(session),
    redirectText(session),
    text
  ]
    .filter((part) => part !== undefined && part !== '')
    .join('; ')
}

/** RFC 9132 §4.5.2: whether the client conveyed what holds. */
function configurationText(configuration: SessionView['configuration']): string | undefined {
  if (configuration === undefined) return undefined
  return configuration.sid === undefined ? "the server's defaults" : `negotiated, sid ${configuration.sid}`
}

/** RFC 9132 §4.6. Where neither of the two serves us, somebody has to do something. */
function redirectText({ peer, redirect }: SessionView): string | undefined {
  if (redirect === undefined) return undefined
  const { alternate, state, reason } = redirect
  const because = reason === undefined ? '' : ` (${reason})`
  switch (state) {
    case 'standing-in':
      return `${alternate} stands in for it`
    case 'unreachable':
      return `ALARM: ${peer} sends us to ${alternate}, which cannot be reached${because}`
    case 'refused':
      return `ALARM: ${peer} sends us to ${alternate}, where we do not go${because}`
  }
}

function heartbeatText({ unansweredHeartbeats = 0 }: SessionView): string | undefined {
  // The last one may still be on its way.
  return unansweredHeartbeats < 2 ? undefined : `${unansweredHeartbeats} heartbeats without an answer`
}

function loadText({ mitigations, observations }: SessionView): string | undefined {
  if (mitigations === undefined) return undefined
  return `${countOf(mitigations, 'mitigation')}, ${countOf(observations ?? 0, 'observation')}`
}

function ageText({ ageSeconds, silentSeconds }: SessionView): string | undefined {
  if (ageSeconds === undefined) return undefined
  return `up ${durationText(ageSeconds)}, heard ${durationText(silentSeconds ?? 0)} ago`
}

function countOf(count: number, what: string): string {
  return count === 1 ? `1 ${what}` : `${count} ${what}s`
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
