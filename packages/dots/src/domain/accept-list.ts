import type { PlanId } from './mitigator.ts'

/** A filter of a client's own that accepts traffic (RFC 8783 §7). */
export interface AcceptingFilter {
  /** `acl-name` */
  readonly name: string
  /** `acl-type`: `ipv4-acl-type` and the like. */
  readonly type?: string
}

/**
 * The accept-list port: which filters that clients installed accept sources that attack what they want protected
 * (RFC 9132 §4.4.1.3, conflict cause 2). Belongs to the data channel.
 */
export interface AcceptLists {
  /** Of every plan in force that is in such a conflict, the filters. Rejects with `UnavailableError`. */
  conflicts(): Promise<ReadonlyMap<PlanId, readonly AcceptingFilter[]>>
}
