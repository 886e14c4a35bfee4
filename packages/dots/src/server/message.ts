import type { Beat, ChangesOfOthers, Revision } from '../domain/shared-record-store.ts'
import type {
  NetworkPath,
  OutgoingBatch,
  PeerId,
  PeerIdentity,
  SessionEnd,
  Transport,
  WallTime
} from '@breakwater/core'
import type { AcceptingFilter } from '../domain/accept-list.ts'
import type { DropCounters, MitigationPlan, PlanId } from '../domain/mitigator.ts'
import type { NameAnswer } from '../domain/resolver.ts'
import type { RecordChange, StoredRecord } from '../domain/record-store.ts'
import type { ClientDomain } from './requests/authorization.ts'
import type { ServerEvent } from './event.ts'
import type { Redirection } from './redirection.ts'

/** Collection of the record store that mitigations live in. */
export const MITIGATION_COLLECTION = 'mitigations'

/** Names one commit. */
export type StoreOperation = number & { readonly __brand: 'StoreOperation' }

/** Names one question to the name service. */
export type NameQuery = number & { readonly __brand: 'NameQuery' }

/** Why a store, mitigator or resolver did not do its part. */
export interface Failure {
  readonly code: string
  readonly message: string
  /** Whether trying again later may help. */
  readonly retryable: boolean
}

/** What a server is told. First a `clock`, then `loaded`; only then sessions. */
export type ServerInput =
  /** A reading of the calendar. Asked for by `read-clock`. */
  | { readonly kind: 'clock'; readonly wallClock: WallTime }
  | {
      readonly kind: 'loaded'
      readonly records: readonly StoredRecord[]
      readonly damaged: readonly string[]
      /** Given where other servers share the store: of before it was read. */
      readonly revision?: Revision
    }
  /** Nothing of a commit was applied, because others have changed something meanwhile. */
  | { readonly kind: 'outdated'; readonly operation: StoreOperation; readonly others: ChangesOfOthers }
  | { readonly kind: 'changes'; readonly others: ChangesOfOthers }
  | { readonly kind: 'changes-failed'; readonly failure: Failure }
  | { readonly kind: 'beat'; readonly beat: Beat }
  | { readonly kind: 'beat-failed'; readonly failure: Failure }
  | { readonly kind: 'domains'; readonly domains: readonly ClientDomain[] }
  | {
      readonly kind: 'session-established'
      readonly peer: PeerId
      readonly identity: PeerIdentity
      readonly path: NetworkPath
      readonly transport: Transport
    }
  | { readonly kind: 'session-closed'; readonly peer: PeerId; readonly reason: SessionEnd }
  /** Of a stream, bytes as they come. The view need only live during the call. */
  | { readonly kind: 'datagram'; readonly peer: PeerId; readonly bytes: Uint8Array }
  | { readonly kind: 'stored'; readonly operation: StoreOperation }
  | { readonly kind: 'store-failed'; readonly operation: StoreOperation; readonly failure: Failure }
  | { readonly kind: 'applied'; readonly plan: PlanId }
  | { readonly kind: 'apply-failed'; readonly plan: PlanId; readonly failure: Failure }
  | { readonly kind: 'withdrawn'; readonly plan: PlanId }
  | { readonly kind: 'withdraw-failed'; readonly plan: PlanId; readonly failure: Failure }
  | { readonly kind: 'in-force'; readonly plans: readonly PlanId[] }
  | { readonly kind: 'in-force-failed'; readonly failure: Failure }
  | { readonly kind: 'counters'; readonly counters: ReadonlyMap<PlanId, DropCounters> }
  | { readonly kind: 'counters-failed'; readonly failure: Failure }
  /** Asked for with the counters, where there is somebody to ask. */
  | { readonly kind: 'accept-lists'; readonly conflicts: ReadonlyMap<PlanId, readonly AcceptingFilter[]> }
  | { readonly kind: 'resolved'; readonly query: NameQuery; readonly answer: NameAnswer }
  | { readonly kind: 'resolve-failed'; readonly query: NameQuery; readonly failure: Failure }
  /** Undefined: nobody is sent elsewhere any more. */
  | { readonly kind: 'redirection'; readonly redirection: Redirection | undefined }

/** What a server wants done. */
export type ServerOutput =
  | { readonly kind: 'send'; readonly peer: PeerId; readonly bytes: Uint8Array }
  | { readonly kind: 'send-batch'; readonly batch: OutgoingBatch }
  | { readonly kind: 'close'; readonly peer: PeerId }
  /** Commit in the order of these outputs; answer with `stored` or `store-failed`. */
  | {
      readonly kind: 'store'
      readonly operation: StoreOperation
      readonly changes: readonly RecordChange[]
      /** What it was decided on, where other servers share the store; answered with `outdated` if there is more. */
      readonly seen?: Revision
    }
  /** What other servers have changed behind `seen`; answer with `changes` or `changes-failed`. */
  | { readonly kind: 'read-changes'; readonly seen: Revision }
  /** Answer with `beat` or `beat-failed`. */
  | { readonly kind: 'beat'; readonly notice: Uint8Array }
  /** One call per plan at a time; answered before the next comes. */
  | { readonly kind: 'apply'; readonly plan: MitigationPlan }
  | { readonly kind: 'withdraw'; readonly plan: PlanId }
  | { readonly kind: 'read-in-force' }
  | { readonly kind: 'read-counters' }
  | { readonly kind: 'read-clock' }
  /** Answer with `resolved` or `resolve-failed`. */
  | { readonly kind: 'resolve'; readonly query: NameQuery; readonly name: string }
  | { readonly kind: 'event'; readonly event: ServerEvent }
