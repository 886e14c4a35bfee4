import { integerBelow } from '@breakwater/core'
import type { Entropy } from '@breakwater/core'
import { derivedSeed, seededEntropy } from '@breakwater/testing'
import { PskServer } from '../e2e/psk-server.ts'
import { places } from './client-place.ts'
import { buildDiskKiller } from './disk-killer.ts'
import { preloading } from './preload.ts'
import { SignallingClient } from './signalling-client.ts'
import { nameOf, writePoints } from './write-point.ts'
import type { WritePoint } from './write-point.ts'

/** Answers after which a server that is to be killed while it closes is told to stop. */
const ANSWERS_BEFORE_CLOSE = 10

/** Answers after which one that has not come by its write point is killed wherever it is. */
const ANSWERS_AT_MOST = 200

/** A life lasts well under a second. */
const LIFE_MS = 30_000

/** How long the end of a process may take to become known. */
const DEATH_MS = 2000

export interface CampaignOptions {
  readonly kills: number
  readonly seed: number
  /** Where in the list of write points to begin. */
  readonly first?: number
  readonly activeButTerminatingSeconds: number
  readonly onKill?: () => void
  /** Lets the store lie, to see whether that is found out. */
  readonly canary?: 'forget' | 'tear' | 'revive' | 'unsynced'
  /** Each death takes with it what was not synchronised. */
  readonly losesPower?: boolean
}

export interface CampaignReport {
  /** Kills by write point; `elsewhere`: where the server was when it had not come by its point for long. */
  readonly kills: Readonly<Record<string, number>>
  readonly acknowledged: number
  readonly violations: readonly string[]
}

/** One server that is killed again and again, and its clients. */
class Campaign {
  readonly #options: CampaignOptions
  readonly #entropy: Entropy
  readonly #environment: Record<string, string>
  readonly #server: PskServer
  readonly #clients: readonly SignallingClient[]
  #killed = 0
  readonly kills: Record<string, number> = {}
  readonly violations: string[] = []

  constructor(options: CampaignOptions) {
    this.#options = options
    this.#entropy = seededEntropy(options.seed)
    const { canary, losesPower = false } = options
    const preloads = canary === undefined ? ['kill-preload.ts'] : ['canary-preload.ts', 'kill-preload.ts']
    this.#environment = {
      LD_PRELOAD: buildDiskKiller(),
      NODE_OPTIONS: preloading(...preloads),
      ...(canary === undefined ? {} : { BREAKWATER_CANARY: canary }),
      ...(losesPower ? { BREAKWATER_POWER_LOSS: '1' } : {})
    }
    const { activeButTerminatingSeconds } = options
    this.#server = new PskServer({
      more: `activeButTerminatingSeconds: ${activeButTerminatingSeconds}`,
      environment: this.#environment
    })
    this.#clients = places.map(
      (place) => new SignallingClient(place, seededEntropy(derivedSeed(options.seed, place.cuid)))
    )
  }

  get acknowledged(): number {
    return this.#clients.reduce((sum, { acknowledged }) => sum + acknowledged, 0)
  }

  async run(): Promise<void> {
    const { kills, first = 0 } = this.#options
    try {
      // Node keeps its compiled code at an orderly end only, and all lives after this one start faster by it.
      await this.#server.start()
      await this.#server.process?.stop('SIGTERM')
      for (let life = 0; this.#killed < kills && this.violations.length === 0; life++) {
        const point = writePoints[(first + life) % writePoints.length]
        if (point !== undefined) await this.#live(point)
      }
      delete this.#environment['BREAKWATER_CRASH']
      await this.#server.start()
      await this.#compare('at the end')
    } finally {
      await this.#server.remove()
    }
  }

  /** From one start to the kill. */
  async #live(point: WritePoint): Promise<void> {
    const occurrence = 1 + integerBelow(this.#entropy, point.occurrences)
    this.#environment['BREAKWATER_CRASH'] = `${nameOf(point)}/${occurrence}`
    try {
      await this.#server.start()
    } catch (error) {
      // It died before it was ready, as it should: also of what it clears away at the start. Or something is wrong.
      if (this.#placeOfDeath() === undefined) throw error
    }
    const ended = this.#server.process?.finished()
    let isGone = false
    void ended?.then(() => (isGone = true))
    try {
      await this.#compare(`before ${nameOf(point)}`)
      await this.#signal(point, () => isGone)
    } catch (error) {
      // What was asked of a server that is dying fails before its end is known.
      await Promise.race([ended, pause(DEATH_MS)])
      if (this.#placeOfDeath() === undefined) throw error
    }
    const end = await ended
    // With an exit code it was not killed: it closed with nothing left to write to the disk.
    if (end?.code === null) this.#count(this.#placeOfDeath() ?? 'elsewhere')
  }

  /** Lets the clients ask until the server is gone, and sees to it that it goes. */
  async #signal(point: WritePoint, isGone: () => boolean): Promise<void> {
    const before = this.acknowledged
    const clients = Promise.all(
      this.#clients.map((client) => client.run([{ server: this.#server, isGone }], isGone))
    )
    let stopping = false
    const deadline = performance.now() + LIFE_MS
    while (!isGone()) {
      const answered = this.acknowledged - before
      if (point.phase === 'closing' && answered >= ANSWERS_BEFORE_CLOSE && !stopping) {
        stopping = true
        void this.#server.process?.stop('SIGTERM')
      }
      const isStuck = performance.now() > deadline
      if (isStuck)
        this.violations.push(`${nameOf(point)}: ${answered} answers and no end after ${LIFE_MS} ms`)
      if (isStuck || answered >= ANSWERS_AT_MOST) await this.#server.process?.stop('SIGKILL')
      await pause(5)
    }
    await clients
    for (const client of this.#clients) this.violations.push(...client.faults)
  }

  async #compare(when: string): Promise<void> {
    const views = await this.#server.control.mitigations()
    for (const client of this.#clients)
      this.violations.push(...client.settle(views).map((fault) => `${when}: ${fault}`))
    const log = this.#server.process?.log ?? ''
    if (/record\.damaged|uncaught|unhandled|InternalError/.test(log)) this.violations.push(`${when}: ${log}`)
  }

  #placeOfDeath(): string | undefined {
    return /^killed at (\S+)$/m.exec(this.#server.process?.log ?? '')?.[1]
  }

  #count(place: string): void {
    this.#killed++
    this.kills[place] = (this.kills[place] ?? 0) + 1
    this.#options.onKill?.()
  }
}

function pause(milliseconds: number): Promise<void> {
  return new Promise((resolve) => {
    setTimeout(resolve, milliseconds)
  })
}

/** Kills a server at one write point after the other, and compares after each start; stops at the first violation. */
export async function runCampaign(options: CampaignOptions): Promise<CampaignReport> {
  const campaign = new Campaign(options)
  await campaign.run()
  const { kills, acknowledged, violations } = campaign
  return { kills, acknowledged, violations }
}

/** Servers at a time: starting one keeps one processor busy. */
const INSTANCES = 2

/**
 * Shares the kills between two servers, which begin at opposite ends of the list of write points. One of them filters no
 * longer once a mitigation is withdrawn, the other goes on for a while (RFC 9132 §4.4.4), so that its record stays, too; and
 * its computer loses power with each kill.
 */
export async function runCampaigns(
  kills: number,
  seed: number,
  onKill?: () => void
): Promise<CampaignReport> {
  const reports = await Promise.all(
    Array.from({ length: INSTANCES }, (_, index) =>
      runCampaign({
        kills: Math.floor((kills + index) / INSTANCES),
        seed: derivedSeed(seed, `server ${index}`),
        first: Math.floor((index * writePoints.length) / INSTANCES),
        activeButTerminatingSeconds: index * 300,
        losesPower: index === 1,
        ...(onKill === undefined ? {} : { onKill })
      })
    )
  )
  const total: Record<string, number> = {}
  for (const [place, count] of reports.flatMap((report) => Object.entries(report.kills)))
    total[place] = (total[place] ?? 0) + count
  return {
    kills: total,
    acknowledged: reports.reduce((sum, { acknowledged }) => sum + acknowledged, 0),
    violations: reports.flatMap(({ violations }) => violations)
  }
}
