import type { RecordChange, RecordStore } from './record-store.ts'

/** Place of a commit in the order of all commits of a shared store; they only grow. */
export type Revision = number & { readonly __brand: 'Revision' }

/**
 * A store that several servers of one provider share, each by an instance of its own (RFC 9284 §5.4). Nothing is told of
 * its own: a server asks. Calls are carried out, and answered, in the order in which they were made, so that whoever
 * hears of what others did has heard before what became of its own earlier commits.
 */
export interface SharedRecordStore extends RecordStore {
  /** Of the last commit. */
  revision(): Promise<Revision>
  /** What others have changed behind `seen`. Rejects with `UnavailableError` when the store cannot be read. */
  changes(collection: string, seen: Revision): Promise<ChangesOfOthers>
  /**
   * Commits what was decided on what is known up to `seen`: if others have changed anything of the collection since,
   * nothing is applied, and the answer says what they changed. Rejects as `commit` does.
   */
  commitAsOf(seen: Revision, collection: string, changes: readonly RecordChange[]): Promise<CommitOutcome>
  /**
   * Says that this server is there and what the others should know of it, and hears the same of them. One of those that say
   * so leads; when it has not said so for `LEASE_MS`, or has closed the store, another one does.
   */
  beat(notice: Uint8Array): Promise<Beat>
}

/** The latest of every record that others have changed; own later changes of these records included. */
export interface ChangesOfOthers {
  readonly revision: Revision
  readonly changes: readonly RecordChange[]
  /** So much has happened that these are all records of the collection: what is not among them is gone. */
  readonly isWhole: boolean
  /** Keys whose checksum does not hold. */
  readonly damaged: readonly string[]
}

export type CommitOutcome =
  | { readonly kind: 'committed' }
  | { readonly kind: 'outdated'; readonly others: ChangesOfOthers }

/** Who else is there. */
export interface Beat {
  /** Whether this server leads until `LEASE_MS` after the call. */
  readonly leads: boolean
  /** Notices of the other servers that have said within `LEASE_MS` that they are there. */
  readonly notices: readonly Uint8Array[]
}

/** Milliseconds that a server counts as being there after it has said so. */
export const LEASE_MS = 5000
