import { between, inSeconds } from '@breakwater/core'
import type { Instant, NetworkPath, PeerId, Transport } from '@breakwater/core'
import type { Cuid } from '../../domain/identifier.ts'
import type { SessionParameters } from '../../signal/defaults.ts'
import type { ServerSession } from './server-session.ts'

/** A session as the operator of a server gets to see it. */
export interface SessionSnapshot {
  readonly peer: PeerId
  /** Who the peer proved to be. */
  readonly identity: string
  /** Undefined: no client domain knows it; it gets 4.01. */
  readonly domain: string | undefined
  readonly path: NetworkPath
  readonly transport: Transport
  readonly ageSeconds: number
  /** Since anything last came. */
  readonly silentSeconds: number
  /** Our heartbeats since the last answer. */
  readonly unansweredHeartbeats: number
  /** Which of the two sets of the configuration holds (RFC 9132 §4.5). */
  readonly set: 'idle' | 'mitigating'
  /** What holds now. */
  readonly parameters: SessionParameters
  /** Of the configuration that the client conveyed; undefined: it conveyed none, and the defaults hold. */
  readonly sid: number | undefined
  readonly idle: SessionParameters
  readonly mitigating: SessionParameters
  readonly cuids: readonly Cuid[]
  /** Of the client, over whatever session they were asked for. */
  readonly mitigations: number
  readonly observations: number
}

/** What there is to say of a session at a moment. */
export function sessionSnapshotOf(
  session: ServerSession,
  mitigationsOf: (owner: string) => number,
  now: Instant
): SessionSnapshot {
  const { peer, identityText: identity, principal, path, transport, clients, negotiated } = session
  const { idle, mitigating } = session.configuration
  return {
    peer,
    identity,
    domain: principal?.domain,
    path,
    transport,
    ageSeconds: inSeconds(between(session.establishedAt, now)),
    silentSeconds: inSeconds(between(session.heardAt, now)),
    unansweredHeartbeats: session.unansweredHeartbeats,
    set: session.mitigating ? 'mitigating' : 'idle',
    parameters: session.parameters,
    sid: negotiated?.sid,
    idle,
    mitigating,
    cuids: [...clients].map(({ cuid }) => cuid),
    mitigations: principal === undefined ? 0 : mitigationsOf(principal.owner),
    observations: session.observations.size
  }
}
