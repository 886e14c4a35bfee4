import type { SessionView } from '@breakwater/control'
import type { SessionSnapshot } from '@breakwater/dots'
import { socketAddressText } from '../socket-address-text.ts'

/** A session of a server as the control API shows it. */
export function sessionView(session: SessionSnapshot): SessionView {
  const { domain, identity, path, transport, set, parameters, sid, idle, mitigating } = session
  return {
    peer: domain ?? identity,
    state: domain === undefined ? 'stranger' : 'established',
    identity,
    remote: socketAddressText(path.remote),
    local: socketAddressText(path.local),
    transport,
    ...(path.interface === undefined ? {} : { interface: path.interface }),
    ageSeconds: Math.floor(session.ageSeconds),
    silentSeconds: Math.floor(session.silentSeconds),
    unansweredHeartbeats: session.unansweredHeartbeats,
    parameters: { set, ...parameters },
    configuration: { ...(sid === undefined ? {} : { sid }), idle, mitigating },
    cuids: [...session.cuids],
    mitigations: session.mitigations,
    observations: session.observations
  }
}
