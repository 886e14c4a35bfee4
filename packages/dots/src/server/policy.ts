import { Seconds } from '@breakwater/core'
import type { Duration } from '@breakwater/core'
import {
  ACTIVE_BUT_TERMINATING,
  DEFAULT_SESSION_PARAMETERS,
  MAXIMUM_ACTIVE_BUT_TERMINATING
} from '../signal/defaults.ts'
import type { SessionParameters } from '../signal/defaults.ts'
import { DEFAULT_LIFETIME_POLICY } from '../signal/lifetime.ts'
import type { LifetimePolicy } from '../signal/lifetime.ts'
import type { Redirection } from './redirection.ts'

/** What the operator of a server decides. */
export interface ServerPolicy {
  readonly lifetime: LifetimePolicy
  /** In force for every session whose client conveyed nothing else (RFC 9132 §4.5.2). */
  readonly session: SessionParameters
  /** How long a filter stays after its withdrawal (RFC 9132 §4.4.4). */
  readonly activeButTerminating: Duration
  /** As far as that time is doubled for a client that asks again before it is over (RFC 9132 §4.4.4). */
  readonly maximumActiveButTerminating: Duration
  /**
   * What becomes of requests of two DOTS clients that overlap (RFC 9132 §4.4.1.3): `accept` keeps both in force, so that
   * neither loses its protection when the other withdraws; `reject` answers 4.09 to the later one; `prefer-latest` takes the
   * earlier one out of force until the later one is over; `reject-all` does both.
   */
  readonly clientConflict: 'accept' | 'reject' | 'prefer-latest' | 'reject-all'
  /**
   * What the loss of a client's signal does (RFC 9132 §4.4.1.3, §4.7): `replace` brings its preconfigured requests into
   * force and withdraws immediate ones that overlap them, `add` leaves these, `ignore` does nothing.
   */
  readonly onSignalLoss: 'replace' | 'add' | 'ignore'
  /** What an immediate request does to an overlapping preconfigured one that is in force (RFC 9132 §4.4.1.3). */
  readonly onOverlap: 'deactivate' | 'keep'
  /**
   * An attack counts as over when so long nothing more was discarded (RFC 9132 §4.4.2, Table 3, status 3). Undefined: the
   * client is never told so, for it will withdraw then, and attackers know how to pause.
   */
  readonly attackStoppedAfter: Duration | undefined
  /** Where clients are sent from the start (RFC 9132 §4.6). */
  readonly redirection: Redirection | undefined
  /** Validity of an answer to GET on `/config`, in seconds (RFC 9132 §4.5.3); not 0. */
  readonly configurationMaxAgeSeconds: number
  /**
   * What becomes of an idle session whose client lets a configuration of its own expire: RFC 9132 §4.5.3 allows to close
   * it. `keep` only reports it: a session that cannot be had back under attack is worth more than fresh parameters.
   */
  readonly staleConfiguration: 'keep' | 'close'
  /** How often counters are read and observers told the state, attack going on (RFC 9132 §4.4.2.1). */
  readonly statusInterval: Duration
  /** Waiting time before a mitigator is asked again: doubled from the first to the longest. */
  readonly retry: { readonly first: Duration; readonly longest: Duration }
  readonly limits: ServerLimits
}

/** How much one client, and all of them, may take of a server (RFC 9132 §11). */
export interface ServerLimits {
  /** Mitigations of one identity, under whatever cuids. */
  readonly mitigationsPerClient: number
  readonly mitigations: number
  /** Requests other than heartbeats, of one identity (RFC 9132 §11): so many in a second on average, above 0, … */
  readonly requestsPerClientPerSecond: number
  /** … and so many at once, 1 or more, after a time without any. */
  readonly requestBurstPerClient: number
  /** Requests of one cuid that wait for an earlier one to be stored. */
  readonly waitingPerClient: number
  readonly observationsPerSession: number
  /** Sessions over TCP of one identity, each an open file; a further one ends the one that was silent for longest. */
  readonly streamsPerClient: number
  /** Prefixes, names and URIs of one request together. */
  readonly targetsPerRequest: number
  /** Cuids that one identity has something of at a time (RFC 9132 §4.4.1.1). */
  readonly cuidsPerClient: number
  /** Names that are being resolved, of all clients together. */
  readonly namesAtOnce: number
  readonly addressesPerName: number
}

/** What holds where the operator says nothing. */
export const DEFAULT_SERVER_POLICY: ServerPolicy = {
  lifetime: DEFAULT_LIFETIME_POLICY,
  session: DEFAULT_SESSION_PARAMETERS,
  activeButTerminating: ACTIVE_BUT_TERMINATING,
  maximumActiveButTerminating: MAXIMUM_ACTIVE_BUT_TERMINATING,
  clientConflict: 'accept',
  onSignalLoss: 'replace',
  onOverlap: 'deactivate',
  attackStoppedAfter: undefined,
  redirection: undefined,
  configurationMaxAgeSeconds: 3600,
  staleConfiguration: 'keep',
  statusInterval: Seconds(30),
  retry: { first: Seconds(1), longest: Seconds(60) },
  limits: {
    mitigationsPerClient: 1000,
    mitigations: 100_000,
    // RFC 9132 §4.4: a client sends one datagram in a round trip, on average; here, of 50 ms. The burst lets a client that
    // comes back ask anew for as many mitigations as one may have.
    requestsPerClientPerSecond: 20,
    requestBurstPerClient: 1000,
    waitingPerClient: 64,
    observationsPerSession: 64,
    streamsPerClient: 16,
    targetsPerRequest: 256,
    cuidsPerClient: 64,
    namesAtOnce: 256,
    addressesPerName: 32
  }
}
