import type { CertificateCredentials } from '@breakwater/core'

import type { PacingReport } from '../../agents/audited-agent.ts'
import type { Act, FloodedLinkWorld, RunOutcome, SessionEnding } from '../../scenarios/flooded-link-world.ts'
import { type DualStack, type FloodedNetwork, buildFloodedNetwork } from './flooded-network.ts'
import {
  type ClientsPlan,
  type NewcomerGroup,
  type NewcomersPlan,
  type Numbers,
  type ServerPlan,
  type Told,
  nowMs,
  numbersOf
} from './flooded-party.ts'
import { FloodedProcess } from './flooded-process.ts'

/** The flood is noticed so late, at most. */
const SPREAD_SECONDS = 3

/** A rule that is to be in force within a second is given its way to the kernel. */
const RELIEF_MARGIN_SECONDS = 0.3

/**
 * The world of `flooded-link` in network namespaces: many customers at once, each with real DTLS of its own, and real TLS
 * where a session is new; the kernel loses what they send.
 */
export class NetnsFloodedLink implements FloodedLinkWorld {
  readonly backend = 'netns'
  readonly #print: (line: string) => void
  readonly #asked = new Map<number, number>()
  readonly #accepted = new Map<number, number>()
  readonly #known = new Map<number, number>()
  readonly #ends: (Told & { readonly kind: 'lost' })[] = []
  readonly #violations: string[] = []
  readonly #reliefs = new Set<NodeJS.Timeout>()
  #floodedAtMs = 0
  #judged = 0
  #wrongRequests = 0
  #network: FloodedNetwork | undefined

  constructor(print: (line: string) => void) {
    this.#print = print
  }

  async play(acts: readonly Act[]): Promise<readonly (readonly RunOutcome[])[]> {
    const network = await buildFloodedNetwork(acts.length)
    this.#network = network
    const played = playedActs(acts, network)
    const parties = (
      await Promise.all([this.#standing(network, played), this.#newcomers(network, played)])
    ).flat()
    this.#print(`${played.reduce((sum, { count }) => sum + count, 0)} customers and their servers are there`)
    await network.flood(acts)
    this.#floodedAtMs = nowMs()
    for (const party of parties) party.goOn()
    const seconds = SPREAD_SECONDS + Math.max(...acts.map(({ watchSeconds }) => watchSeconds))
    this.#print(`the flood is on, for ${seconds} s`)
    await new Promise((resolve) => setTimeout(resolve, seconds * 1000))
    // Farewells are no part of the story, and would take long in a flood. Nobody says one before all have heard that the
    // story is over: to the other side it would look as if a session was let go of.
    await Promise.all(parties.map((party) => party.hearThatItIsOver()))
    await network.calm()
    await Promise.all(parties.map((party) => party.end()))
    return played.map((numbers) => numbersOf(numbers).map((customer) => this.#outcome(customer)))
  }

  pacing(): PacingReport {
    return { judged: this.#judged, violations: this.#violations }
  }

  wrongServerRequests(): number {
    return this.#wrongRequests
  }

  async destroy(): Promise<void> {
    for (const relief of this.#reliefs) clearTimeout(relief)
    await this.#network?.destroy()
  }

  /** The customers with a session, and their server. */
  async #standing(network: FloodedNetwork, all: readonly PlayedAct[]): Promise<readonly FloodedProcess[]> {
    const played = all.filter(({ act }) => act.newSession === undefined)
    if (played.length === 0) return []
    const [, server] = network.serversOf(0)
    const plan: ServerPlan = { ...spanOf(played), proof: { kind: 'keys', server } }
    const provider = new FloodedProcess(network.isp, 'flooded-server.ts', plan, (told) => {
      this.#take(told)
      if (told.kind === 'accepted') this.#relieveInTime(network, actOf(played, told.customer), told)
    })
    await provider.until('ready')
    const clientsPlan: ClientsPlan = {
      server,
      groups: played.map(({ first, count, sources: [, source] }) => ({ first, count, source })),
      spreadSeconds: SPREAD_SECONDS
    }
    const take = (told: Told): void => this.#take(told)
    const clients = new FloodedProcess(network.home, 'flooded-clients.ts', clientsPlan, take)
    await clients.until('ready')
    return [clients, provider]
  }

  #relieveInTime(
    network: FloodedNetwork,
    act: Act | undefined,
    socket: Told & { readonly kind: 'accepted' }
  ): void {
    const seconds = act?.flood.endsSecondsAfterAcceptance
    if (seconds === undefined) return
    const relief = setTimeout(
      () => {
        this.#reliefs.delete(relief)
        void network.relieve([socket])
      },
      (seconds - RELIEF_MARGIN_SECONDS) * 1000
    )
    this.#reliefs.add(relief)
  }

  /** The customers without a session, and their server. */
  async #newcomers(network: FloodedNetwork, all: readonly PlayedAct[]): Promise<readonly FloodedProcess[]> {
    const played = all.filter(({ act }) => act.newSession !== undefined)
    if (played.length === 0) return []
    const groups = played.flatMap(newcomerGroup)
    const longest = Math.max(...all.map(({ act }) => act.watchSeconds))
    // Whoever is watched for a shorter time may come later; a handshake has its price.
    const spreadSeconds = SPREAD_SECONDS + longest - Math.max(...played.map(({ act }) => act.watchSeconds))
    const plan: NewcomersPlan = { groups, spreadSeconds }
    let credentials: CertificateCredentials | undefined
    const clients = new FloodedProcess(network.home, 'flooded-newcomers.ts', plan, (told) => {
      this.#take(told)
      if (told.kind === 'certified') credentials = told.server
    })
    await clients.until('certified')
    if (credentials === undefined) throw new Error('no certificate for the server')
    const doors = groups.map(({ servers, retransmissionMilliseconds }) => ({
      addresses: servers,
      retransmissionMilliseconds
    }))
    const serverPlan: ServerPlan = {
      ...spanOf(played),
      proof: { kind: 'certificate', credentials, doors }
    }
    const provider = new FloodedProcess(network.isp, 'flooded-server.ts', serverPlan, (told) =>
      this.#take(told)
    )
    await provider.until('ready')
    clients.goOn()
    await clients.until('ready')
    return [clients, provider]
  }

  #take(told: Told): void {
    switch (told.kind) {
      case 'ready':
      case 'over':
      case 'certified':
        return
      case 'asked':
        this.#asked.set(told.customer, told.atMs)
        return
      case 'accepted':
        if (!this.#accepted.has(told.customer)) this.#accepted.set(told.customer, told.atMs)
        return
      case 'known':
        this.#known.set(told.customer, told.atMs)
        return
      case 'lost':
        this.#ends.push(told)
        return
      case 'wrong-request':
        this.#wrongRequests++
        return
      case 'busy':
        this.#print(`the clients without a session were busy for up to ${told.milliseconds} ms at a stretch`)
        return
      case 'pacing':
        this.#judged += told.judged
        this.#violations.push(...told.violations)
    }
  }

  #outcome(customer: number): RunOutcome {
    const asked = this.#asked.get(customer)
    const since = (moment: number | undefined): number | undefined =>
      moment === undefined || asked === undefined ? undefined : (moment - asked) / 1000
    return {
      acceptedAfterSeconds: since(this.#accepted.get(customer)),
      knownAfterSeconds: since(this.#known.get(customer)),
      sessionEnds: this.#sessionEnds(customer)
    }
  }

  #sessionEnds(customer: number): readonly SessionEnding[] {
    const began = this.#floodedAtMs
    return this.#ends
      .filter((end) => end.customer === customer)
      .map(({ side, reason, atMs }) => ({ side, reason, afterSeconds: (atMs - began) / 1000 }))
  }
}

/** An act with its customers and where they are. */
interface PlayedAct extends Numbers {
  readonly act: Act
  readonly sources: DualStack
  readonly servers: DualStack
}

function playedActs(acts: readonly Act[], network: FloodedNetwork): readonly PlayedAct[] {
  let first = 0
  return acts.map((act, index) => {
    const sources = network.sourcesOf(index)
    const played = { act, first, count: act.runs, sources, servers: network.serversOf(index) }
    first += act.runs
    return played
  })
}

/** From the first customer of these acts to the last. */
function spanOf(played: readonly PlayedAct[]): Numbers {
  const first = Math.min(...played.map((each) => each.first))
  return { first, count: Math.max(...played.map((each) => each.first + each.count)) - first }
}

function actOf(played: readonly PlayedAct[], customer: number): Act | undefined {
  return played.findLast(({ first }) => first <= customer)?.act
}

function newcomerGroup({ act, first, count, sources, servers }: PlayedAct): readonly NewcomerGroup[] {
  if (act.newSession === undefined) return []
  const { isResumed, candidates, retransmissionMilliseconds } = act.newSession
  const group = { first, count, isResumed, retransmissionMilliseconds }
  return candidates === 'all'
    ? [{ ...group, sources, servers, transports: ['udp', 'tcp'] }]
    : [{ ...group, sources: [sources[1]], servers: [servers[1]], transports: ['udp'] }]
}
