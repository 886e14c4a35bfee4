import { integerBelow } from '@breakwater/core'
import type { Entropy } from '@breakwater/core'
import type { MitigationView } from '@breakwater/control'
import { derivedSeed, seededEntropy } from '@breakwater/testing'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { until } from '../e2e/dots-process.ts'
import { FakeNft } from '../e2e/fake-nft.ts'
import { places } from './client-place.ts'
import { LeadRecord } from './lead-record.ts'
import { SharingServer } from './sharing-server.ts'
import { SignallingClient } from './signalling-client.ts'
import { nameOf, sharedWritePoints } from './write-point.ts'
import type { WritePoint } from './write-point.ts'

/** Who of the two is killed. */
const ROLES = ['leader', 'follower'] as const
type Role = (typeof ROLES)[number]

/** One death: at this point, of the one that leads or of the other. */
export interface PairDeath {
  readonly point: WritePoint
  readonly role: Role
}

/** All deaths; one that opens the store follows, as the other one is there. */
export const pairDeaths: readonly PairDeath[] = sharedWritePoints.flatMap((point) =>
  (point.phase === 'opening' ? (['follower'] as const) : ROLES).map((role) => ({ point, role }))
)

/** `leader serving/after-commit`. */
export function deathName({ point, role }: PairDeath): string {
  return `${role} ${nameOf(point)}`
}

/** So many of them, spread over all; all, and again from the first, when there are more. */
export function someDeaths(count: number): PairDeath[] {
  const all = pairDeaths.length
  const step = Math.max(1, all / count)
  return Array.from({ length: count }, (_, index) => pairDeaths[Math.floor(index * step) % all]).filter(
    (death) => death !== undefined
  )
}

/** Answers after which one that is to be killed while it closes is told to stop. */
const ANSWERS_BEFORE_CLOSE = 10

/** Answers of the one that is left, before the other comes back. */
const ANSWERS_ALONE = 12

/** Milliseconds after which a server that has not come by its write point is killed wherever it is. */
const LIFE_MS = 20_000

/** ADR 10: a lease of five seconds, a beat of one, and what reading and starting takes on a busy computer. */
const LEAD_PASSES_MS = 8000

/** What another server did is known within a second. */
const KNOWN_MS = 1000

export interface PairCampaignOptions {
  readonly deaths: readonly PairDeath[]
  readonly seed: number
  readonly onKill?: () => void
}

export interface PairReport {
  /** By role and write point. */
  readonly kills: Readonly<Record<string, number>>
  readonly acknowledged: number
  /** How long nobody led after a leader was killed, at most, in milliseconds. */
  readonly longestWithoutLeadMs: number
  readonly violations: readonly string[]
}

/**
 *   4 DOTS clients ─┬─ real DTLS on 127.0.0.1 ── `dots server` one ────┬── one SQLite file, one nftables
 *                   └─ real DTLS on 127.0.0.1 ── `dots server` other ──┘
 *
 * One of the two is killed, the clients go on with the other, and it comes back.
 */
class PairCampaign {
  readonly #options: PairCampaignOptions
  readonly #entropy: Entropy
  readonly #folder = mkdtempSync(join(tmpdir(), 'breakwater-pair-'))
  readonly #nft = new FakeNft()
  readonly #servers: readonly [SharingServer, SharingServer]
  readonly #clients: readonly SignallingClient[]
  readonly #leads = new LeadRecord()
  readonly kills: Record<string, number> = {}
  readonly violations: string[] = []
  longestWithoutLeadMs = 0

  constructor(options: PairCampaignOptions) {
    this.#options = options
    this.#entropy = seededEntropy(options.seed)
    const storePath = join(this.#folder, 'shared.db')
    const start = (name: string): SharingServer =>
      new SharingServer(name, storePath, this.#nft.environment, this.#leads)
    this.#servers = [start('one'), start('other')]
    this.#clients = places.map(
      (place) => new SignallingClient(place, seededEntropy(derivedSeed(options.seed, place.cuid)))
    )
  }

  get acknowledged(): number {
    return this.#clients.reduce((sum, { acknowledged }) => sum + acknowledged, 0)
  }

  async run(): Promise<void> {
    try {
      for (const server of this.#servers) await server.start()
      for (const death of this.#options.deaths) {
        if (this.violations.length > 0) break
        await this.#die(death)
      }
      for (const server of this.#servers) await server.start()
      await this.#untilLed()
      await this.#compareAll('at the end')
    } finally {
      for (const server of this.#servers) await server.remove()
      this.#nft.remove()
      rmSync(this.#folder, { recursive: true, force: true })
    }
  }

  async #die(death: PairDeath): Promise<void> {
    const { point, role } = death
    const name = deathName(death)
    const leader = await this.#untilLed()
    const [victim, survivor] =
      (role === 'leader') === (leader === this.#servers[0]) ? this.#servers : this.#servers.toReversed()
    if (victim === undefined || survivor === undefined) return
    const order = `${nameOf(point)}/${1 + integerBelow(this.#entropy, point.occurrences)}`
    if (point.phase === 'opening') await this.#dieOpening(victim, order)
    else await this.#dieServing(victim, order, point, [victim, survivor])
    this.#count(`${role} ${victim.placeOfDeath ?? 'elsewhere'}`)
    await this.#compare(survivor, `after ${name}`)
    // Also while nobody leads.
    const before = this.acknowledged
    const isEnough = (): boolean => this.acknowledged - before >= ANSWERS_ALONE
    await Promise.all(this.#clients.map((client) => client.run([survivor], isEnough)))
    await victim.start()
    const led = await this.#untilLed()
    if (role === 'leader' && point.phase === 'serving')
      this.longestWithoutLeadMs = Math.max(this.longestWithoutLeadMs, led.leadsSince - victim.endedAt)
    if (this.longestWithoutLeadMs > LEAD_PASSES_MS)
      this.violations.push(`${name}: nobody led for ${this.longestWithoutLeadMs} ms`)
    await this.#compareAll(name)
  }

  async #dieOpening(victim: SharingServer, order: string): Promise<void> {
    await victim.stop()
    victim.order(order)
    await victim.start().catch((error: unknown) => {
      if (victim.placeOfDeath === undefined) throw error
    })
    await victim.ended
  }

  /** Lets the clients ask both until one is gone, and sees to it that it goes. */
  async #dieServing(
    victim: SharingServer,
    order: string,
    point: WritePoint,
    both: readonly SharingServer[]
  ): Promise<void> {
    const before = this.acknowledged
    victim.order(order)
    const clients = Promise.all(this.#clients.map((client) => client.run(both, victim.isGone)))
    const deadline = performance.now() + LIFE_MS
    let stopping = false
    while (!victim.isGone()) {
      if (point.phase === 'closing' && !stopping && this.acknowledged - before >= ANSWERS_BEFORE_CLOSE) {
        stopping = true
        void victim.stop()
      }
      if (performance.now() > deadline) await victim.kill()
      await pause(5)
    }
    await clients
    for (const client of this.#clients) this.violations.push(...client.faults)
  }

  async #untilLed(): Promise<SharingServer> {
    return until(
      () => this.#servers.find(({ leads }) => leads),
      () => 'nobody leads'
    )
  }

  async #compareAll(when: string): Promise<void> {
    for (const server of this.#servers) await this.#compare(server, when)
    this.violations.push(...this.#leads.overlaps(this.#servers).map((overlap) => `${when}: ${overlap}`))
    await this.#compareDevice(when)
  }

  /** What a server shows is what is stored, and what the clients were told. */
  async #compare(server: SharingServer, when: string): Promise<void> {
    await pause(KNOWN_MS)
    const views = await this.#settledViews(server, when)
    for (const client of this.#clients)
      this.violations.push(...client.settle(views).map((fault) => `${when}, ${server.name}: ${fault}`))
    if (/record\.damaged|uncaught|unhandled|InternalError/.test(server.log))
      this.violations.push(`${when}: ${server.log}`)
  }

  async #settledViews(server: SharingServer, when: string): Promise<readonly MitigationView[]> {
    let views: readonly MitigationView[] = []
    let [shown, stored] = ['', '']
    await until(
      async () => {
        views = await server.control.mitigations()
        shown = views
          .map(({ cuid, mitigationId }) => `${cuid}/${mitigationId}`)
          .toSorted()
          .join()
        stored = server.storedKeys().toSorted().join()
        return shown === stored ? true : undefined
      },
      () => `${when}: ${server.name} shows ${shown}, stored ${stored}`
    )
    return views
  }

  /** The kernel filters each stored target once, and nothing else. */
  async #compareDevice(when: string): Promise<void> {
    const [server] = this.#servers
    let is: readonly string[] = []
    let wanted: readonly string[] = []
    await until(
      async () => {
        const views = await server.control.mitigations()
        wanted = views
          .flatMap(({ target }) => target.prefixes.map((each) => each.replace('/32', '')))
          .toSorted()
        is = this.#nft.destinations()
        return is.join() === wanted.join() ? true : undefined
      },
      () => `${when}: in force ${is.join()}, stored ${wanted.join()}`
    )
  }

  #count(place: string): void {
    this.kills[place] = (this.kills[place] ?? 0) + 1
    this.#options.onKill?.()
  }
}

function pause(milliseconds: number): Promise<void> {
  return new Promise((resolve) => {
    setTimeout(resolve, milliseconds)
  })
}

/** Kills one of two servers that share a store, death by death; stops at the first violation. */
export async function runPairCampaign(options: PairCampaignOptions): Promise<PairReport> {
  const campaign = new PairCampaign(options)
  await campaign.run()
  const { kills, acknowledged, longestWithoutLeadMs, violations } = campaign
  return { kills, acknowledged, longestWithoutLeadMs, violations }
}
