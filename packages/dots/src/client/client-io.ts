import type { IpAddress, IpPrefix, SessionEnd, SessionFailure, WallTime } from '@breakwater/core'
import type { Consent } from '../domain/consent.ts'
import type { DefaultRouter } from '../domain/default-routers.ts'
import type { Cuid, DomainName, ProtectionId, ServerName } from '../domain/identifier.ts'
import type { Site } from '../domain/site.ts'
import type { Turn } from '../multihoming/turn.ts'
import type { AttackStatus } from '../signal/efficacy-update.ts'
import type { RecordChange, StoredRecord } from '../domain/record-store.ts'
import type { RememberedOutcomes } from './connection/outcome-memory.ts'
import type { ConnectionOutput } from './connection/connection-io.ts'
import type { ConnectionId } from './connection/session-state.ts'
import type { RememberedLocation, ServerLocation } from './location/server-locator.ts'
import type { KnownNextHops } from './paths/next-hop.ts'
import type { LinkEvidence, PathEvidence } from './paths/path-evidence.ts'
import type { NameStanding } from './names/name-standing.ts'
import type { NameOutcome } from './names/name-outcome.ts'
import type { ProtectionRequest, ProtectionStatus } from './protection.ts'
import type { SessionReport } from './status.ts'

/** What a `DotsClient` is told. */
export type ClientInput =
  /** Establishes the sessions with all servers. */
  | { readonly kind: 'start'; readonly wallClock: WallTime }
  /** Closes all sessions; requests at the servers stay. */
  | { readonly kind: 'stop' }
  /** The calendar stepped, or it is time to compare clocks. */
  | { readonly kind: 'clock'; readonly wallClock: WallTime }
  /** What `remember` said last of each server in an earlier life; before `start`. */
  | { readonly kind: 'remembered'; readonly outcomes: ReadonlyMap<ServerName, RememberedOutcomes> }
  /** The answer to `read-routers`; undefined: the system did not tell. */
  | { readonly kind: 'routers'; readonly routers: readonly DefaultRouter[] | undefined }
  /** What `store` said of servers that are known by name, in an earlier life; before `start`. */
  | { readonly kind: 'locations'; readonly locations: ReadonlyMap<ServerName, RememberedLocation> }
  /** The answer to `locate`. */
  | { readonly kind: 'located'; readonly question: number; readonly outcome: NameOutcome }
  /** The answer to `resolve`; no addresses: nobody knows. */
  | {
      readonly kind: 'resolved'
      readonly server: ServerName
      readonly name: string
      readonly addresses: readonly IpAddress[]
    }
  /** The answer to `resolve-target`. */
  | { readonly kind: 'target-resolved'; readonly question: number; readonly outcome: NameOutcome }
  /**
   * What an earlier life left: the records that `store` wrote, by collection, and the protections that the operator still
   * wants. All of it at once, before `start`, lest the one be taken for everything that is wanted. Of a protection that
   * somebody was asked for, what is still the site's goes on, as after `site`.
   */
  | {
      readonly kind: 'resume'
      readonly wallClock: WallTime
      readonly records: ClientRecords
      readonly protections: readonly ProtectionRequest[]
    }
  /**
   * The network is another one now: a whole new description, one that `checkSite` has nothing against. Only the difference
   * is told to servers (RFC 9284 §5.1).
   */
  | {
      readonly kind: 'site'
      readonly site: Site
      /** The cuid of each domain's credential; a domain without one is not talked to. */
      readonly cuids: ReadonlyMap<DomainName, Cuid>
      /** Default: as before. */
      readonly resolvingDomains?: ReadonlySet<DomainName>
    }
  | { readonly kind: 'protect'; readonly request: ProtectionRequest }
  | { readonly kind: 'release'; readonly id: ProtectionId }
  /** Tells the servers that protect it what is seen of the attack (RFC 9132 §4.4.3). */
  | { readonly kind: 'efficacy'; readonly id: ProtectionId; readonly attackStatus: AttackStatus }
  | { readonly kind: 'session-established'; readonly connection: ConnectionId }
  | {
      readonly kind: 'session-failed'
      readonly connection: ConnectionId
      /** `local`: nothing was sent. */
      readonly reason: SessionFailure
    }
  | { readonly kind: 'session-closed'; readonly connection: ConnectionId; readonly reason: SessionEnd }
  /** Somebody else who uses paths of the site, such as a resolver, learnt something of one. */
  | { readonly kind: 'path-evidence'; readonly evidence: PathEvidence }
  | LinkEvidence
  /** By which routers packets leave, of all paths that anybody knows it of: see `leavingOf`. It makes no path and takes none away. */
  | { readonly kind: 'next-hops'; readonly hops: KnownNextHops }
  /** A plaintext came; the view need only live during the call. */
  | { readonly kind: 'datagram'; readonly connection: ConnectionId; readonly bytes: Uint8Array }

/** What a `DotsClient` wants done. */
export type ClientOutput =
  | ConnectionOutput
  /** Which default routers does this host have? Answered by `routers`. */
  | { readonly kind: 'read-routers' }
  /** What does this name mean, to the resolver of this domain? Answered by `resolved`. */
  | {
      readonly kind: 'resolve'
      readonly domain: DomainName
      readonly server: ServerName
      readonly name: string
    }
  /** What does this name mean, to the resolver of the site? Something is protected by it. Answered by `target-resolved`. */
  | { readonly kind: 'resolve-target'; readonly question: number; readonly name: string }
  /** Where is this server, to the name servers of its own domain (RFC 9284 §5.1)? Answered by `located`. */
  | {
      readonly kind: 'locate'
      readonly question: number
      readonly domain: DomainName
      readonly name: string
    }
  /** What was learnt of the paths to a server, to be stored where a restart finds it; undefined: nothing any more. */
  | {
      readonly kind: 'remember'
      readonly server: ServerName
      readonly outcomes: RememberedOutcomes | undefined
    }
  /** To be stored where a restart finds it. */
  | { readonly kind: 'store'; readonly change: RecordChange }
  | { readonly kind: 'event'; readonly event: ClientEvent }

/** What of a record store is a client's own. */
export interface ClientRecords {
  readonly requests: readonly StoredRecord[]
  readonly numberings: readonly StoredRecord[]
  /** What names meant. */
  readonly names?: readonly StoredRecord[]
}

/** What people and logs hear of. */
export type ClientEvent =
  | { readonly kind: 'protection'; readonly status: ProtectionStatus }
  | { readonly kind: 'session'; readonly session: SessionReport }
  /** RFC 9284 §6: a server is asked for another domain's prefixes, because the administrator consents. */
  | {
      readonly kind: 'consent-used'
      readonly protection: ProtectionId
      readonly server: ServerName
      readonly prefixes: readonly IpPrefix[]
      readonly consent: Consent
    }
  /** RFC 9284 §5.2 would have others asked, too, and the operator's policy has not. */
  | {
      readonly kind: 'policy-used'
      readonly protection: ProtectionId
      readonly prefixes: readonly IpPrefix[]
      readonly turn: Turn
    }
  /** A name by which something is protected means something else, or nobody says any more what it means. */
  | { readonly kind: 'target-name'; readonly standing: NameStanding }
  /** A server that is known by its name is somewhere else, or nobody says any more where it is, or what was said is refused. */
  | {
      readonly kind: 'server-located'
      readonly server: ServerName
      readonly domain: DomainName
      readonly name: string
      readonly location: ServerLocation
    }
  /** Of servers that stand in for one another, another one is asked from now on. */
  | {
      readonly kind: 'stood-in'
      readonly server: ServerName
      readonly by: ServerName
      readonly because: string
      /** What was known of the two. */
      readonly inputs: Readonly<Record<string, string>>
    }
  /** RFC 9132 §4.4.1.1: another client had our cuid. */
  | { readonly kind: 'cuid-changed'; readonly server: ServerName; readonly domain: DomainName }
  /** RFC 9132 §4.6: another server stands in; undefined: the provisioned one again. */
  | { readonly kind: 'redirected'; readonly server: ServerName; readonly alternate: string | undefined }
  /** A redirect was not followed, because it leads in circles or out of the domain. */
  | {
      readonly kind: 'redirect-refused'
      readonly server: ServerName
      readonly alternate: string
      readonly reason: string
    }
  /** RFC 9132 §4.6: the server sends us there, and there is nobody: neither of the two serves us. */
  | {
      readonly kind: 'alternate-unreachable'
      readonly server: ServerName
      readonly alternate: string
      readonly reason: string
    }
  /** A stored record is none that we wrote: it was not taken up, and stays for people to look at. */
  | { readonly kind: 'record-damaged'; readonly key: string; readonly reason: string }
  /** A server wants session parameters that RFC 7252 §4.8.1 forbids; the nearest that are allowed are used. */
  | { readonly kind: 'configuration-unsafe'; readonly server: ServerName; readonly text: string }
  /** A server sent what is not CoAP or against its rules. */
  | { readonly kind: 'malformed'; readonly server: ServerName; readonly text: string }
