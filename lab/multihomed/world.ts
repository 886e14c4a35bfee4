import type { PacingReport } from '../agents/audited-agent.ts'
import type { SeenRequest } from '../agents/transcript.ts'
import type { Backend } from '../scenario.ts'
import type { Topology } from './topology.ts'

/** A mitigation request in a server's decrypted transcript. */
export interface HeardRequest extends SeenRequest {
  readonly method: string
  /** What became of it: `created`, `refreshed` … */
  readonly outcome: string
  /** On the clock of `now`. */
  readonly atMs: number
}

/** How a protection stands, as its client says. */
export interface Standing {
  readonly state: string
  readonly requests: readonly { readonly domain: string; readonly state: string }[]
}

/** `cut`: the carrier is gone, and the system knows. `silent`: packets vanish, and nobody is told. */
export type LinkWeather = 'cut' | 'silent' | 'clear'

/** What a resolver says of where the DOTS server of its provider is. */
export type ResolverWords = 'truth' | 'silence' | { readonly lie: string }

/** A question that the resolver of a provider heard. */
export interface HeardQuestion {
  readonly provider: string
  readonly name: string
  /** Where it came from; undefined where resolvers have no network. */
  readonly source?: string
}

/** What was sent from one source over one access link to DOTS ports, whatever became of it there. */
export interface CapturedSource {
  /** Number of the link. */
  readonly link: number
  readonly provider: string
  readonly source: string
  readonly packets: number
}

/** A path to a server, as the client lists it. */
export interface ListedPath {
  readonly interface?: string | undefined
  /** `parallel`: what is asked goes over it, too, because there are doubts about the first one. */
  readonly use: 'session' | 'parallel' | 'stand-by' | 'unused'
  readonly roundTripMilliseconds?: number | undefined
}

/** What an operator sees of an attack (RFC 9132 §4.4.3). */
export type AttackStatus = 'under-attack' | 'mitigated'

/** What a client may have to start without; `clock`: the right one. */
export type StartPart = 'uplink' | 'dns' | 'server' | 'clock'

/** What of one provider is missing when the clients start; the clock is missing to all. */
export interface MissingParts {
  readonly provider: string
  readonly parts: readonly StartPart[]
}

/** How a world is opened. */
export interface WorldOptions {
  readonly seed: number
  readonly missing?: MissingParts
}

/** What a story about a multihomed site needs of a backend; everything stands and runs when it is opened. */
export interface MultihomedWorld {
  readonly backend: Backend
  /** The states of a client's sessions, one for each of its servers. */
  sessions(client: string): Promise<readonly string[]>
  /** Asks a client for a protection; undefined when it refuses and sends nothing. */
  protect(client: string, prefixes: readonly string[]): Promise<string | undefined>
  release(client: string, protection: string): Promise<void>
  standing(client: string, protection: string): Promise<Standing>
  /** Every path of a client, whatever it is used for. */
  paths(client: string): Promise<readonly ListedPath[]>
  /** The operator says whether the attack goes on. */
  reportAttack(client: string, protection: string, status: AttackStatus): Promise<void>
  /** All links between the site and a provider, or those of them that are this interface of a CPE. */
  setLinks(provider: string, weather: LinkWeather, interfaceName?: string): Promise<void>
  /** The whole provider, its servers included: nothing gets in or out while it is cut. */
  setProvider(provider: string, weather: 'cut' | 'clear'): Promise<void>
  /** The resolver of a provider says this from now on. */
  setResolver(provider: string, words: ResolverWords): Promise<void>
  /** What resolvers heard so far. */
  questions(): readonly HeardQuestion[]
  /** What a client tells its operator of each session that does not stand. */
  reasons(client: string): Promise<readonly string[]>
  /** What was missing at the start is there from now on. */
  heal(part: StartPart): Promise<void>
  /** A client is told of another drawing of its site, as by SIGHUP; the network itself was drawn with both. */
  redraw(client: string, topology: Topology): Promise<void>
  /** What a provider assigned is withdrawn, and hosts and CPEs have the next one in its place: no client is told of it. */
  renumber(provider: string): Promise<void>
  /** All that a client and the servers hold of sessions and requests, a line each, in words that time does not change. */
  holdings(client: string): Promise<readonly string[]>
  /** Lets time go on until the condition holds. @returns whether it does within the limit. */
  runUntil(condition: () => Promise<boolean>, limitSeconds: number): Promise<boolean>
  /** Lets so much time pass. */
  pass(seconds: number): Promise<void>
  now(): number
  /** Everything that the servers heard so far, in the order of each server. */
  heard(): readonly HeardRequest[]
  /** Datagrams that ingress filters dropped for a foreign source. */
  foreignSourceDrops(): Promise<number>
  /** What went over access links to DOTS ports, judged by nobody. */
  captured(): Promise<readonly CapturedSource[]>
  /**
   * Sends a datagram to a DOTS port from the end of one CPE's link out of the link before it, as a wrong route would: to see that the ingress
   * filter counts it.
   */
  stray(cpe: string): Promise<void>
  pacing(): PacingReport
  destroy(): Promise<void>
}
