import type { Duration, Instant } from '@breakwater/core'
import type { LegalPath } from '../../multihoming/legal-path.ts'
import type { UsedPath } from './used-path.ts'

/**
 * How sure it is that evidence comes from the peer. `session`: it authenticated itself by DTLS or TLS. `cookie`: it repeated
 * what only somebody on the path can know, as the answer to a query does. `hint`: anybody may have said so, as in ICMP.
 */
export type EvidenceTrust = 'session' | 'cookie' | 'hint'

/** What somebody who used a path learnt of it. */
export interface PathEvidence {
  readonly path: UsedPath
  /** Whose vote it is: one session, one resolver. */
  readonly reporter: string
  readonly verdict: 'good' | 'bad'
  readonly trust: EvidenceTrust
  /** For people: `a heartbeat was answered`. */
  readonly because: string
  /** `inward`: something came. `outward`: the peer says whether it hears us. Undefined: there and back. */
  readonly direction?: 'inward' | 'outward'
  readonly roundTrip?: Duration | undefined
  /** Of something without an answer: when it was sent. */
  readonly sentAt?: Instant
  /** There is no need to wait for more of its kind: a handshake that came to nothing, a session that was lost. */
  readonly isFinal?: true
  /** Somebody says that a link on this legal path carries no more than so many bytes. */
  readonly tooBig?: { readonly path: LegalPath; readonly saidBytes: number }
}

/** The kernel's own word on the carrier of an interface; nobody on the network can forge it. */
export interface LinkEvidence {
  readonly kind: 'link'
  readonly interface: string
  readonly isUp: boolean
}
