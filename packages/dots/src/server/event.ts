import type { CloseReason } from '@breakwater/coap'
import type { NetworkPath, PeerId, SessionEnd, Transport } from '@breakwater/core'
import type { Cuid, MitigationId } from '../domain/identifier.ts'
import type { PlanId } from '../domain/mitigator.ts'
import type { EndReason, MitigationState } from './mitigations/mitigation.ts'

/** What happened at a server, for its audit trail, its log and whoever watches it. */
export type ServerEvent =
  | {
      readonly kind: 'session-established'
      readonly peer: PeerId
      readonly identity: string
      /** Undefined: a peer that no client domain knows; it gets 4.01. */
      readonly domain: string | undefined
      readonly path: NetworkPath
      readonly transport: Transport
    }
  /** A session over TCP ended in a way of CoAP (RFC 8323 §5.5, §5.6), or for want of room for the client's next one. */
  | {
      readonly kind: 'stream-ended'
      readonly peer: PeerId
      readonly identity: string
      readonly reason: CloseReason | 'too-many-streams'
      readonly diagnostic: string
    }
  | { readonly kind: 'session-closed'; readonly peer: PeerId; readonly reason: SessionEnd }
  | RequestEvent
  | {
      readonly kind: 'mitigation-changed'
      readonly cuid: Cuid
      readonly mitigationId: MitigationId
      readonly domain: string
      readonly from: MitigationState['kind']
      readonly to: MitigationState['kind']
      readonly reason?: EndReason
    }
  /** Mitigations taken up again after a start, and those whose time was over by then. */
  | { readonly kind: 'resumed'; readonly mitigations: number; readonly expired: number }
  /** The signal of a client was lost, and preconfigured requests of its come into force (RFC 9132 §4.7). */
  | { readonly kind: 'signal-lost'; readonly client: string; readonly mitigations: number }
  | { readonly kind: 'name-failed'; readonly name: string; readonly message: string }
  /** A name means addresses now that its client may not ask protection for; these are left out. */
  | {
      readonly kind: 'name-foreign'
      readonly cuid: Cuid
      readonly mitigationId: MitigationId
      readonly prefixes: readonly string[]
    }
  /** Clients are sent to another server, or no more (RFC 9132 §4.6). */
  | { readonly kind: 'redirection-changed'; readonly to: string | undefined; readonly clients: string }
  | { readonly kind: 'record-damaged'; readonly key: string; readonly reason: string }
  | {
      readonly kind: 'mitigator-failed'
      readonly operation: 'apply' | 'withdraw' | 'in-force' | 'counters'
      readonly plan?: PlanId
      readonly code: string
      readonly message: string
      /** Undefined: not tried again. */
      readonly retryInSeconds?: number
    }
  | { readonly kind: 'orphan-withdrawn'; readonly plan: PlanId }
  /** The mitigator does not have it any more, although nobody withdrew it; it is asked to apply it again. */
  | { readonly kind: 'plan-lost'; readonly plan: PlanId }
  /** Of the servers that share the store, this one asks the mitigator from now on, or no more. */
  | { readonly kind: 'lead-changed'; readonly leads: boolean }
  | { readonly kind: 'store-failed'; readonly code: string; readonly message: string }
  | {
      readonly kind: 'heartbeat'
      readonly peer: PeerId
      readonly identity: string
      /** `silent`: the session counts as disconnected and is closed (RFC 9132 §4.7). */
      readonly state: 'unanswered' | 'silent' | 'answered-again'
    }
  /** The client of an idle session did not refresh its configuration within Max-Age (RFC 9132 §4.5.3). */
  | {
      readonly kind: 'configuration-stale'
      readonly peer: PeerId
      readonly identity: string
      readonly closed: boolean
    }
  /** Reported for the 1st, 2nd, 4th, 8th … of a session: a peer must not fill our logs. */
  | {
      readonly kind: 'malformed'
      readonly peer: PeerId
      readonly identity: string
      readonly code: string
      readonly message: string
      readonly count: number
    }

/** One request that was answered; heartbeats are only counted. */
export interface RequestEvent {
  readonly kind: 'request'
  readonly peer: PeerId
  readonly identity: string
  readonly domain: string | undefined
  readonly method: string
  /** As far as the path could be read. */
  readonly path: string
  readonly cuid?: Cuid
  readonly mitigationId?: MitigationId
  /** Texts of what protection was asked for, as far as it could be read. */
  readonly targets: readonly string[]
  /** `AttackStatusCode` of the model: what an efficacy update says (RFC 9132 §4.4.3). */
  readonly attackStatus?: number
  readonly outcome: RequestOutcome
  /** How many requests of this session have changed nothing, this one included; undefined: it changed something. */
  readonly idleCount?: number
  /** `2.01`; empty when the client had gone before its answer, or gets none. */
  readonly answer: string
  /** Code and text of what was wrong. */
  readonly problem?: string
  readonly diagnostic?: string
}

/** What became of a request, for the audit trail and the counters. */
export type RequestOutcome =
  | 'created'
  | 'refreshed'
  | 'withdrawn'
  /** The configuration of a session was conveyed or reset. */
  | 'configured'
  | 'unchanged'
  | 'answered'
  /** Without an answer: an efficacy update of a mitigation that is gone (RFC 9132 §4.4.3). */
  | 'ignored'
  | 'refused'
  /** The client asks more often than it may (RFC 9132 §11). */
  | 'limited'
  | 'foreign-target'
  /** Sent to another server (RFC 9132 §4.6). */
  | 'redirected'
  | 'conflict'
