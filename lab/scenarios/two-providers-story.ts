import type { ProtectionView } from '@breakwater/control'

import type { LiveTable } from '../output/live-table.ts'
import type { Check } from '../scenario.ts'
import type { Flood } from '../traffic/flood.ts'
import type { LegitimateTraffic } from '../traffic/legitimate.ts'
import { type Phases, until } from './phases.ts'
import { twoProviders as plan } from './two-providers-addresses.ts'
import type { Provider, TwoProviderWorld } from './two-providers-world.ts'

/** What one attack and its protection came to. */
export interface AttackReport {
  readonly protection: {
    readonly target: string
    readonly state: string
    readonly requests: readonly { readonly domain: string; readonly status: string }[]
  }
  readonly protectToRuleMs: number
  readonly protectToProtectedMs: number
  /** Mbit/s; null where the backend has no traffic. */
  readonly legitDuring: number | null
  readonly legitAfter: number | null
}

/** IANA protocol number of UDP: the flood's, not the legitimate traffic's. */
const udp = 17
/** No traffic of the story outlives it by more than this. */
const longestTrafficSeconds = 50

/** The acts of the story, each against the same world. */
export class TwoProviderStory {
  readonly #world: TwoProviderWorld
  readonly #table: LiveTable
  readonly #phases: Phases
  #legitimate: LegitimateTraffic | undefined
  #latest: readonly ProtectionView[] = []

  constructor(world: TwoProviderWorld, table: LiveTable, phases: Phases) {
    this.#world = world
    this.#table = table
    this.#phases = phases
  }

  untilSessionsStand(): Promise<void> {
    return this.#phases.step('sessions with both providers stand', () =>
      until(
        'sessions with both providers',
        async () => {
          const sessions = await this.#world.client.sessions()
          return sessions.length === 2 && sessions.every(({ state }) => state === 'established')
        },
        { limitSeconds: 15, everyMs: 50 }
      )
    )
  }

  /** Legitimate traffic alone. */
  async peace(): Promise<number | null> {
    this.#legitimate = await this.#world.startLegitimate('isp1', longestTrafficSeconds)
    await this.#watch('peace', this.#legitimate === undefined ? 0 : 3)
    return this.#throughput(2)
  }

  /** Floods the home's addresses of these providers, asks for protection, waits for peace, ends everything. */
  async attack(providers: readonly Provider[]): Promise<AttackReport> {
    const name = providers.join(' and ')
    const floods = await Promise.all(
      providers.map((provider) => this.#world.startFlood(provider, longestTrafficSeconds))
    )
    try {
      await this.#watch(`flood on ${name}`, this.#legitimate === undefined ? 0 : 3)
      const legitDuring = this.#throughput(1.5)
      const asked = await this.#protect(providers)
      await this.#watch(`${name} asked to protect`, this.#legitimate === undefined ? 0 : 5)
      const report = { ...asked, legitDuring, legitAfter: this.#throughput(2) }
      await this.#end(report.id, floods, name)
      return report
    } finally {
      await stopAll(floods)
    }
  }

  checks(first: AttackReport, second: AttackReport): readonly Check[] {
    const domains = (report: AttackReport): string =>
      report.protection.requests
        .map(({ domain }) => domain)
        .toSorted()
        .join()
    return [
      { name: 'the flood on isp1 is protected against', ok: first.protection.state === 'protected' },
      { name: 'isp1 alone was asked', ok: domains(first) === 'isp1' },
      { name: 'the flood on both is protected against', ok: second.protection.state === 'protected' },
      { name: 'both were asked', ok: domains(second) === 'isp1,isp2' }
    ]
  }

  async #protect(
    providers: readonly Provider[]
  ): Promise<Omit<AttackReport, 'legitDuring' | 'legitAfter'> & { readonly id: string }> {
    const { client } = this.#world
    const prefixes = providers.map((provider) => plan[provider].home)
    const started = performance.now()
    const answer = await client.protect({ prefixes, protocols: [udp] })
    if (!answer.accepted)
      throw new Error(`the protection was refused: ${JSON.stringify(answer.plan.refusals)}`)
    const { id } = answer.protection
    const rules = Promise.all(providers.map((provider) => this.#world.ruleAdded(provider, started)))
    const protectedView = this.#untilProtected(id).then((view) => ({ view, at: performance.now() }))
    const [rulesAt, { view, at }] = await Promise.all([rules, protectedView])
    return {
      id,
      protection: {
        target: prefixes.join(' '),
        state: view.state,
        requests: view.requests.map(({ domain, status, state }) => ({ domain, status: status ?? state }))
      },
      protectToRuleMs: milliseconds(Math.max(...rulesAt) - started),
      protectToProtectedMs: milliseconds(at - started)
    }
  }

  /** An answer may have to come through a link that was full a moment ago: requests are repeated every 3 s. */
  async #untilProtected(id: string): Promise<ProtectionView> {
    let view = await this.#world.client.protection(id)
    const end = performance.now() + 15_000
    while (view.state !== 'protected' && performance.now() < end)
      view = await this.#world.client.protection(id, { revision: view.revision, waitSeconds: 1 })
    return view
  }

  async #end(id: string, floods: readonly (Flood | undefined)[], name: string): Promise<void> {
    await stopAll(floods)
    await this.#world.client.release(id)
    await this.#watch(`flood on ${name} over`, this.#legitimate === undefined ? 0 : 1)
  }

  /** Shows a row every half second. */
  async #watch(phase: string, seconds: number): Promise<void> {
    const end = performance.now() + seconds * 1000
    do {
      await this.#show(phase)
      await new Promise((resolve) => setTimeout(resolve, seconds === 0 ? 0 : 500))
    } while (performance.now() < end)
  }

  async #show(phase: string): Promise<void> {
    const [isp1, isp2, protections] = await Promise.all([
      this.#world.dropped('isp1'),
      this.#world.dropped('isp2'),
      this.#world.client.protections()
    ])
    this.#latest = protections
    this.#table.show({
      phase,
      legitMbps: this.#legitimate?.current(),
      dropped: new Map([
        ['isp1', isp1],
        ['isp2', isp2]
      ]),
      protections: this.#latest.map(({ id, state }) => `${id} ${state}`)
    })
  }

  #throughput(seconds: number): number | null {
    const mean = this.#legitimate?.mean(seconds)
    return mean === undefined ? null : Number(mean.toFixed(2))
  }
}

async function stopAll(floods: readonly (Flood | undefined)[]): Promise<void> {
  for (const flood of floods) await flood?.stop()
}

function milliseconds(duration: number): number {
  return Number(duration.toFixed(1))
}
