import type { PacingReport } from '../agents/audited-agent.ts'
import type { Backend } from '../scenario.ts'

/** What a flood does to the customer's access link. Losses are 0 … 1 and hit each datagram by itself. */
export interface LinkFlood {
  readonly lossTowardsClient: number
  readonly lossTowardsServer: number
  /** The provider's rule ends the flood so long after the server accepted; undefined: nothing ends it. */
  readonly endsSecondsAfterAcceptance?: number
}

/** A client that has no session when the flood is on: its addresses and, to resume, its tickets were stored beforehand. */
export interface NewSession {
  readonly isResumed: boolean
  /** `all`: UDP and TCP over IPv6 and IPv4, raced by Happy Eyeballs (RFC 9132 §4.3). */
  readonly candidates: 'all' | 'udp-ipv4'
  /** How long a flight of the DTLS handshake waits at first before it is repeated (RFC 6347 §4.2.4.1: 1000). */
  readonly retransmissionMilliseconds: number
}

/** One act of the story, played again and again by customers of whom each knows nothing of the others. */
export interface Act {
  readonly name: string
  readonly flood: LinkFlood
  /** Undefined: a session stands before the flood. */
  readonly newSession?: NewSession
  /** How often. */
  readonly runs: number
  /** How long each run is watched after the customer asked, at most. */
  readonly watchSeconds: number
}

/** One side let go of a session while the story went on. */
export interface SessionEnding {
  readonly side: 'client' | 'server'
  /** As its endpoint said, or its state. */
  readonly reason: string
  /** Since the flood began. */
  readonly afterSeconds: number
}

/** What became of one request. */
export interface RunOutcome {
  /** From the customer's command until the server had accepted; undefined: not while it was watched. */
  readonly acceptedAfterSeconds: number | undefined
  /** Until the client knew, by a response or a notification. */
  readonly knownAfterSeconds: number | undefined
  /** Who let go of the session that stood before the flood, when and why; empty: it was kept on both sides. */
  readonly sessionEnds: readonly SessionEnding[]
}

/** What the story `flooded-link` needs of a backend. */
export interface FloodedLinkWorld {
  readonly backend: Backend
  /** Plays the acts, side by side where time is real; outcomes in the order of the acts. */
  play(acts: readonly Act[]): Promise<readonly (readonly RunOutcome[])[]>
  pacing(): PacingReport
  /** Mitigation requests that the server saw for targets that are not the customer's own. */
  wrongServerRequests(): number
  destroy(): Promise<void>
}
