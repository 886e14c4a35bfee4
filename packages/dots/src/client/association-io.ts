import type { Instant, IpAddress, SessionEnd, SessionFailure } from '@breakwater/core'
import type { Cuid, ProtectionId } from '../domain/identifier.ts'
import type { DotsServer } from '../domain/site.ts'
import type { Target } from '../domain/target.ts'
import type { LegalPaths } from '../multihoming/legal-path.ts'
import type { AttackStatus } from '../signal/efficacy-update.ts'
import type { ConnectionOutput } from './connection/connection-io.ts'
import type { ServerLegacy } from './memory/client-records.ts'
import type { RememberedOutcomes } from './connection/outcome-memory.ts'
import type { LastingWant } from './requests/lasting-want.ts'
import type { RequestBookOutput } from './requests/request-ledger.ts'
import type { ConnectionId } from './connection/session-state.ts'
import type { PathDecision } from './paths/path-decision.ts'

/** What an `Association` is told. */
export type AssociationInput =
  | { readonly kind: 'start' }
  | { readonly kind: 'stop' }
  | { readonly kind: 'established'; readonly connection: ConnectionId }
  | { readonly kind: 'failed'; readonly connection: ConnectionId; readonly reason: SessionFailure }
  | { readonly kind: 'closed'; readonly connection: ConnectionId; readonly reason: SessionEnd }
  | { readonly kind: 'datagram'; readonly connection: ConnectionId; readonly bytes: Uint8Array }
  /** `holdUntil`: what is wanted here no more and in force stays until then, for it has moved to another server. */
  | {
      readonly kind: 'want'
      readonly wants: readonly LastingWant[]
      readonly holdUntil?: Instant | undefined
      /**
       * Of that, what was preconfigured and may be in force since the session was lost stays until the server says that it is
       * not, for elsewhere it only stands by (RFC 9132 §4.4.1.1).
       */
      readonly keepsTriggered?: boolean
    }
  /** Other ways lead to the server now. */
  | { readonly kind: 'paths'; readonly paths: LegalPaths }
  /**
   * The site has changed, and only these ways to the server are legal now: a session by another one is moved. It is the
   * same server (domain, name, reference name); what else is known of it may differ.
   */
  | {
      readonly kind: 'site'
      readonly server: DotsServer
      readonly paths: LegalPaths
      /** Sessions whose source address is another domain's now: they are over at once (RFC 9284 §5.1). */
      readonly strays: readonly ConnectionId[]
      /** Whether the server may hear of a target now. */
      readonly mayHear: (target: Target) => boolean
    }
  /** What `remember` said in an earlier life. */
  | { readonly kind: 'restore'; readonly outcomes: RememberedOutcomes }
  /** What `note-request` and `note-numbering` said in an earlier life; before `start`. `mayHear`: see `site`. */
  | {
      readonly kind: 'resume'
      readonly legacy: ServerLegacy | undefined
      readonly mayHear: (target: Target) => boolean
    }
  /** What `resolve` asked; no addresses: nobody knows. */
  | { readonly kind: 'resolved'; readonly name: string; readonly addresses: readonly IpAddress[] }
  /** Somebody wants to know whether the server answers: a heartbeat goes as soon as it may. */
  | { readonly kind: 'look' }
  /** One answer is missing: something that it protects is refreshed, unless it has something to answer already. */
  | { readonly kind: 'doubt' }
  /** The carrier of an interface was lost, as the pool knows already. */
  | { readonly kind: 'link' }
  /** Another server that shares what it knows with this one has made something of what is asked here. */
  | {
      readonly kind: 'coordinate'
      /** The server is asked nothing any more. */
      readonly isLeaving?: true
    }
  /** Tell the server what we see of an attack. */
  | { readonly kind: 'efficacy'; readonly protection: ProtectionId; readonly attackStatus: AttackStatus }

/** What it wants done, and what it tells. */
export type AssociationOutput =
  | ConnectionOutput
  | { readonly kind: 'session-changed' }
  | { readonly kind: 'path-decided'; readonly decision: PathDecision }
  /** See `SessionKeeperOutput`. */
  | { readonly kind: 'remember'; readonly outcomes: RememberedOutcomes | undefined }
  | { readonly kind: 'requests-changed'; readonly protections: readonly ProtectionId[] }
  | { readonly kind: 'cuid-changed'; readonly cuid: Cuid }
  /** RFC 9132 §4.6: another server stands in; undefined: the provisioned one again. */
  | { readonly kind: 'redirected'; readonly alternate: string | undefined }
  /** What does the name of an alternate mean? Answered by `resolved`. */
  | { readonly kind: 'resolve'; readonly name: string }
  | { readonly kind: 'redirect-refused'; readonly alternate: string; readonly reason: string }
  /** It was to stand in, and no session with it could be had or kept: the provisioned one is asked again. */
  | { readonly kind: 'alternate-unreachable'; readonly alternate: string; readonly reason: string }
  | Extract<RequestBookOutput, { kind: 'note-request' | 'note-numbering' }>
  /** The server wants session parameters that RFC 7252 §4.8.1 forbids. */
  | { readonly kind: 'configuration-unsafe'; readonly text: string }
  | { readonly kind: 'malformed'; readonly text: string }
