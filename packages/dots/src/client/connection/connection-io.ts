import type { LegalPath } from '../../multihoming/legal-path.ts'
import type { ConnectionId } from './session-state.ts'

/** What is wanted of the endpoints for one session, from its handshake to its end. */
export type ConnectionOutput =
  /** Start a handshake on this very path, and no other. */
  | {
      readonly kind: 'connect'
      readonly connection: ConnectionId
      readonly path: LegalPath
      /** Reference identifier for the server's certificate. */
      readonly serverName: string
      /** An attack is on: haste is allowed where the operator allowed it. */
      readonly duringAttack?: true
    }
  /** An attack has begun while this handshake was under way, or is over: its timer is another one from now on. */
  | { readonly kind: 'retime'; readonly connection: ConnectionId; readonly duringAttack: boolean }
  | { readonly kind: 'send'; readonly connection: ConnectionId; readonly bytes: Uint8Array }
  | { readonly kind: 'close'; readonly connection: ConnectionId }
