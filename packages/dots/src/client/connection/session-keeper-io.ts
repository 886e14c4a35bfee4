import type { Duration, SessionFailure } from '@breakwater/core'
import type { LegalPath, LegalPaths } from '../../multihoming/legal-path.ts'
import type { RememberedOutcomes } from './outcome-memory.ts'
import type { ConnectionId, LiveSession } from './session-state.ts'

/** What a `SessionKeeper` is told. */
export type SessionKeeperInput =
  | { readonly kind: 'start' }
  | { readonly kind: 'stop' }
  | { readonly kind: 'established'; readonly connection: ConnectionId }
  | { readonly kind: 'failed'; readonly connection: ConnectionId; readonly reason: SessionFailure }
  | {
      readonly kind: 'closed'
      readonly connection: ConnectionId
      readonly reason: string
      /** The server wants to be left alone for so long (RFC 8323 §5.5). */
      readonly holdOff?: Duration
    }
  /** As many heartbeats as allowed got no answer over this session. */
  | { readonly kind: 'silenced'; readonly connection: ConnectionId }
  /** Nothing has come over this session for a while, and something waits for an answer. */
  | { readonly kind: 'doubted'; readonly connection: ConnectionId }
  /** The server answers over this session. */
  | { readonly kind: 'heard'; readonly connection: ConnectionId }
  /** An attack begins: something is asked of the server; or it is over. */
  | { readonly kind: 'attack'; readonly isOn: boolean }
  /** Other ways lead to the server now. A session that is there stays. */
  | { readonly kind: 'paths'; readonly paths: LegalPaths }
  /**
   * The site has changed, and no other ways are legal any more: a session by another one is moved, the new one there before
   * the old one goes; `strays` are over at once.
   */
  | { readonly kind: 'legal'; readonly paths: LegalPaths; readonly strays: readonly ConnectionId[] }
  /** Another server stands in, or the own one again (RFC 9132 §4.6): it is asked at once, for it has not failed. */
  | { readonly kind: 'moved'; readonly paths: LegalPaths }
  /** Another session with the server takes the place of the established one, which is somebody else's from now on. */
  | { readonly kind: 'adopt'; readonly session: LiveSession }
  /** What a `remember` of an earlier life said. */
  | { readonly kind: 'restore'; readonly outcomes: RememberedOutcomes }

/** What it wants done, and what it tells. */
export type SessionKeeperOutput =
  | { readonly kind: 'connect'; readonly connection: ConnectionId; readonly path: LegalPath }
  | { readonly kind: 'close'; readonly connection: ConnectionId }
  /** The state is another one. */
  | { readonly kind: 'changed' }
  /** A new session is there: everything that is asked goes over it, too. */
  | { readonly kind: 'up' }
  /** There is no session any more. */
  | { readonly kind: 'down' }
  /** Worth storing, so that a restart need not learn it again; undefined: what was stored is void. */
  | { readonly kind: 'remember'; readonly outcomes: RememberedOutcomes | undefined }
