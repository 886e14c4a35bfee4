import type { Canary } from './canary.ts'
import type { Family, FamilyName } from './family.ts'
import { runWorld } from './run-world.ts'
import type { Violation } from './run-world.ts'
import type { Course, FaultKind } from './scenario.ts'

/** What a campaign comes to; the last line of `npm run sim -- --json`. */
export interface CampaignReport {
  readonly family: FamilyName
  readonly worlds: number
  /** That ran at the same time. */
  readonly threads: number
  readonly virtualSeconds: number
  /** Everything that happened in a world (see `World.events`) counts once. */
  readonly events: number
  readonly eventsPerSecond: number
  /** Of one processor: what others do on the machine does not count. */
  readonly eventsPerProcessorSecond: number
  readonly worldsPerMinute: number
  readonly faults: Readonly<Partial<Record<FaultKind, number>>>
  /** From the end of the storm until all agreed, in the slowest world. */
  readonly slowestAgreementSeconds: number
  readonly canaryCaught: boolean
  readonly violations: readonly Violation[]
}

/** Real time, in milliseconds. */
export interface Stopwatch {
  readonly elapsed: () => number
  /** Time that this program was given by processors. */
  readonly processor: () => number
}

/** Runs the worlds of these seeds, one after the other. */
export async function campaign<Scenario extends Course>(
  family: Family<Scenario>,
  seeds: readonly number[],
  { elapsed, processor }: Stopwatch,
  onWorld: (seed: number, violation: Violation | undefined) => void = () => undefined
): Promise<Omit<CampaignReport, 'canaryCaught' | 'threads'>> {
  const started = elapsed()
  const startedProcessor = processor()
  const faults: Partial<Record<FaultKind, number>> = {}
  const violations: Violation[] = []
  let [virtualSeconds, events, slowest] = [0, 0, 0]
  for (const seed of seeds) {
    const result = await runWorld(family, family.randomScenario(seed))
    virtualSeconds += result.virtualSeconds
    events += result.events
    slowest = Math.max(slowest, result.agreementSeconds ?? 0)
    for (const [kind, count] of result.faults) faults[kind] = (faults[kind] ?? 0) + count
    if (result.violation !== undefined) violations.push(result.violation)
    onWorld(seed, result.violation)
  }
  const realSeconds = Math.max((elapsed() - started) / 1000, 0.001)
  const processorSeconds = Math.max((processor() - startedProcessor) / 1000, 0.001)
  return {
    family: family.name,
    worlds: seeds.length,
    virtualSeconds: Math.round(virtualSeconds),
    events,
    eventsPerSecond: Math.round(events / realSeconds),
    eventsPerProcessorSecond: Math.round(events / processorSeconds),
    worldsPerMinute: Math.round((60 * seeds.length) / realSeconds),
    faults,
    slowestAgreementSeconds: Math.round(slowest),
    violations
  }
}

/** Worlds in which a planted bug must show. */
const CANARY_SEEDS = [1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12]

/** The names of the planted bugs that the invariants did not notice: there must be none. */
export async function missedCanaries<Scenario extends Course>(
  family: Family<Scenario>
): Promise<readonly string[]> {
  const missed: string[] = []
  for (const canary of family.canaries)
    if (!(await whatNotices(family, canary)).has(canary.noticedBy)) missed.push(canary.name)
  return missed
}

/** The invariants that notice a planted bug, until the one that must. */
export async function whatNotices<Scenario extends Course>(
  family: Family<Scenario>,
  canary: Canary<Scenario>
): Promise<ReadonlySet<string>> {
  const noticed = new Set<string>()
  for (const seed of CANARY_SEEDS) {
    const { violation } = await runWorld(family, family.randomScenario(seed), canary)
    if (violation !== undefined) noticed.add(violation.invariant)
    if (noticed.has(canary.noticedBy)) break
  }
  return noticed
}
