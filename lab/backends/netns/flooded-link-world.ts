import type { ChildProcess } from 'node:child_process'
import { join } from 'node:path'
import { createInterface } from 'node:readline'

import type { PacingReport } from '../../agents/audited-agent.ts'
import type { Act, FloodedLinkWorld, RunOutcome } from '../../scenarios/flooded-link-world.ts'
import { type FloodedNetwork, buildFloodedNetwork } from './flooded-network.ts'
import type { ClientsPlan, CustomerGroup, ServerPlan, Told } from './flooded-party.ts'
import type { Namespace } from './namespace.ts'

/** The flood is noticed so late, at most. */
const SPREAD_SECONDS = 5

/** A rule that is to be in force within a second is given its way to the kernel. */
const RELIEF_MARGIN_SECONDS = 0.3

/** How long the processes may take to start, or to end. */
const PATIENCE_SECONDS = 20

/**
 * The world of `flooded-link` in network namespaces: many customers at once, each with a session of real DTLS of its own,
 * and the kernel loses their datagrams.
 */
export class NetnsFloodedLink implements FloodedLinkWorld {
  readonly backend = 'netns'
  readonly #print: (line: string) => void
  readonly #asked = new Map<number, number>()
  readonly #accepted = new Map<number, number>()
  readonly #known = new Map<number, number>()
  readonly #lost = new Set<number>()
  readonly #violations: string[] = []
  readonly #reliefs = new Set<NodeJS.Timeout>()
  #judged = 0
  #wrongRequests = 0
  #network: FloodedNetwork | undefined

  constructor(print: (line: string) => void) {
    this.#print = print
  }

  async play(acts: readonly Act[]): Promise<readonly (readonly RunOutcome[])[]> {
    const network = await buildFloodedNetwork(acts.length)
    this.#network = network
    const groups = groupsOf(acts, network)
    const customers = groups.reduce((sum, { count }) => sum + count, 0)
    const server = await this.#startServer(network, { server: network.server, customers }, acts, groups)
    const plan: ClientsPlan = { server: network.server, groups, spreadSeconds: SPREAD_SECONDS }
    const clients = await this.#startClients(network, plan)
    this.#print(`${customers} customers have sessions with the provider's server`)
    await network.flood(acts)
    clients.child.stdin?.write('the flood is on\n')
    const watchSeconds = Math.max(...acts.map((act) => act.watchSeconds))
    this.#print(`the flood is on, for ${SPREAD_SECONDS + watchSeconds} s`)
    await new Promise((resolve) => setTimeout(resolve, (SPREAD_SECONDS + watchSeconds) * 1000))
    await Promise.all([clients.end(), server.end()])
    return groups.map(({ first, count }) =>
      Array.from({ length: count }, (_, index) => this.#outcome(first + index))
    )
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

  #startServer(
    network: FloodedNetwork,
    plan: ServerPlan,
    acts: readonly Act[],
    groups: readonly CustomerGroup[]
  ): Promise<Party> {
    const flood = (customer: number): Act['flood'] | undefined =>
      acts[groups.findLastIndex(({ first }) => first <= customer)]?.flood
    return startParty(network.isp, 'flooded-server.ts', plan, (told) => {
      this.#take(told)
      if (told.kind !== 'accepted') return
      const seconds = flood(told.customer)?.endsSecondsAfterAcceptance
      if (seconds === undefined) return
      const relief = setTimeout(
        () => {
          this.#reliefs.delete(relief)
          void network.relieve([told])
        },
        (seconds - RELIEF_MARGIN_SECONDS) * 1000
      )
      this.#reliefs.add(relief)
    })
  }

  #startClients(network: FloodedNetwork, plan: ClientsPlan): Promise<Party> {
    return startParty(network.home, 'flooded-clients.ts', plan, (told) => this.#take(told))
  }

  #take(told: Told): void {
    switch (told.kind) {
      case 'ready':
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
        this.#lost.add(told.customer)
        return
      case 'wrong-request':
        this.#wrongRequests++
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
      isSessionKept: asked !== undefined && !this.#lost.has(customer)
    }
  }
}

function groupsOf(acts: readonly Act[], network: FloodedNetwork): readonly CustomerGroup[] {
  let first = 0
  return acts.map(({ runs }, act) => {
    const group = { first, count: runs, source: network.addressOf(act) }
    first += runs
    return group
  })
}

/** A process of the story. */
interface Party {
  readonly child: ChildProcess
  /** Tells it that the story is over, and waits until it has said its last words. */
  end(): Promise<void>
}

/** Starts a process in a namespace and waits until it is ready. */
async function startParty(
  namespace: Namespace,
  script: string,
  plan: ClientsPlan | ServerPlan,
  take: (told: Told) => void
): Promise<Party> {
  const command = [process.execPath, join(import.meta.dirname, script), JSON.stringify(plan)]
  const child = namespace.start(command, ['pipe', 'pipe', 'pipe'])
  if (child.stdout === null || child.stderr === null) throw new Error(`${script} has no pipes`)
  let complaints = ''
  child.stderr.setEncoding('utf8').on('data', (text: string) => (complaints += text))
  const ended = new Promise<void>((resolve) => child.once('close', () => resolve()))
  await new Promise<void>((resolve, reject) => {
    const late = setTimeout(
      () => reject(new Error(`${script} was not ready in time`)),
      PATIENCE_SECONDS * 1000
    )
    child.once('close', () => reject(new Error(`${script} ended: ${complaints}`)))
    child.once('error', reject)
    createInterface({ input: child.stdout ?? process.stdin }).on('line', (line) => {
      const told = JSON.parse(line) as Told
      take(told)
      if (told.kind !== 'ready') return
      clearTimeout(late)
      resolve()
    })
  })
  const end = async (): Promise<void> => {
    child.stdin?.end()
    await Promise.race([
      ended,
      new Promise((resolve) => setTimeout(resolve, PATIENCE_SECONDS * 1000).unref())
    ])
    if (child.exitCode !== 0) throw new Error(`${script} did not end well: ${complaints}`)
  }
  return { child, end }
}
