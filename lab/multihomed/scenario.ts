import { parseIpPrefix } from '@breakwater/core'

import { wrongServerRequests } from '../agents/transcript.ts'
import { openMultihomedWorld } from '../backends/multihomed-world.ts'
import type { Backend, Check, Scenario, ScenarioOptions, ScenarioResult } from '../scenario.ts'
import { interruption } from '../scenarios/interruption.ts'
import { Story, isWithin } from './story.ts'
import { type Topology, entitlements, swapped } from './topology.ts'
import type { MultihomedWorld } from './world.ts'

export interface MultihomedPlan {
  readonly name: string
  readonly summary: string
  readonly topology: Topology
  /** What happens after all agents were started. */
  readonly story: (story: Story) => Promise<void>
}

/** What one telling of a story came to. */
interface Telling {
  readonly checks: readonly Check[]
  readonly wrong: number
  readonly figures: Readonly<Record<string, number>>
  readonly outcome: readonly string[]
  readonly notes: readonly string[]
}

/** A scenario about a multihomed site. It is told twice, the second time with the uplinks swapped: there is no master link. */
export function multihomed(plan: MultihomedPlan): Scenario {
  return {
    name: plan.name,
    summary: plan.summary,
    backends: ['netns', 'sim'],
    run: (options) => run(plan, options)
  }
}

async function run(plan: MultihomedPlan, options: ScenarioOptions): Promise<ScenarioResult> {
  const drawn = await tell(plan, plan.topology, options)
  options.print('once more with the uplinks swapped')
  const other = await tell(plan, swapped(plan.topology), options)
  const same = drawn.outcome.toSorted().join('\n') === other.outcome.toSorted().join('\n')
  const checks = [
    ...drawn.checks,
    ...other.checks.map(({ name, ok }) => ({ name: `swapped: ${name}`, ok })),
    { name: 'the uplinks swapped, the result is the same', ok: same }
  ]
  const swappedFigures = Object.entries(other.figures).map(([name, value]) => [`${name}Swapped`, value])
  return {
    scenario: plan.name,
    backend: options.backend,
    checks,
    wrongServerRequests: drawn.wrong + other.wrong,
    figures: { ...drawn.figures, ...Object.fromEntries(swappedFigures) },
    notes: [...drawn.notes, ...other.notes]
  }
}

async function tell(plan: MultihomedPlan, topology: Topology, options: ScenarioOptions): Promise<Telling> {
  const { backend, seed, print, stopped } = options
  const world = await openMultihomedWorld(backend, topology, seed ?? 1)
  try {
    const story = new Story(world, topology, print)
    await Promise.race([plan.story(story), interruption(stopped)])
    const notes = await conclude(story, world, topology, backend)
    const wrong = wrongServerRequests(world.heard(), entitledPrefixes(topology))
    story.check('no server was asked for what it is not entitled to', wrong === 0)
    return { checks: story.checks, wrong, figures: story.figures, outcome: story.outcome, notes }
  } finally {
    await world.destroy()
  }
}

/** What must hold at the end of every story. */
async function conclude(
  story: Story,
  world: MultihomedWorld,
  { providers }: Topology,
  backend: Backend
): Promise<readonly string[]> {
  const heard = world.heard()
  const leaked = heard.filter(({ provider, targets }) =>
    providers
      .filter(({ servers }) => !(provider in servers))
      .some(({ prefix }) => targets.some((target) => isWithin(target, prefix)))
  ).length
  story.check('no transcript has an address that another provider assigned', leaked === 0)
  const drops = await world.foreignSourceDrops()
  story.check('ingress filters dropped nothing for a foreign source', drops === 0)
  const { judged, violations } = world.pacing()
  story.check('the auditor of pacing is content', judged > 0 && violations.length === 0)
  story.figures['requestsHeard'] = heard.length
  story.figures['foreignSourceDrops'] = drops
  story.figures['pacingJudged'] = judged
  return violations.map((text) => `${backend}: ${text}`)
}

function entitledPrefixes(topology: Topology): Parameters<typeof wrongServerRequests>[1] {
  return new Map(
    [...entitlements(topology)].map(([server, prefixes]) => [
      server,
      prefixes.map((text) => parseIpPrefix(text)).filter((prefix) => prefix !== undefined)
    ])
  )
}
