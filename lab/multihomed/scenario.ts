import { wrongServerRequests } from '../agents/transcript.ts'
import { openMultihomedWorld } from '../backends/multihomed-world.ts'
import type { Backend, Check, Scenario, ScenarioOptions, ScenarioResult } from '../scenario.ts'
import { interruption } from '../scenarios/interruption.ts'
import { isWithin, prefixOf } from './prefix.ts'
import { Story } from './story.ts'
import { type Topology, assignedBy, entitlements, sourcesOver, swapped } from './topology.ts'
import type { CapturedSource, MultihomedWorld, StartPart } from './world.ts'

export interface MultihomedPlan {
  readonly name: string
  readonly summary: string
  readonly topology: Topology
  /** What happens after all agents were started. `missing`: what isp1 was started without. */
  readonly story: (story: Story, missing: readonly StartPart[]) => Promise<void>
  /** Where time is real, drawn and swapped at the same time: it waits for minutes and computes next to nothing. */
  readonly isToldAtOnce?: true
  /** It is told once for each of these, which name what of isp1 is missing at the start. Default: nothing is. */
  readonly starts?: (backend: Backend) => readonly (readonly StartPart[])[]
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
  const starts = plan.starts?.(options.backend) ?? [[]]
  const all: Telling[] = []
  for (const missing of starts) all.push(...(await tellBothWays(plan, missing, options)))
  return {
    scenario: plan.name,
    backend: options.backend,
    checks: all.flatMap(({ checks }) => checks),
    wrongServerRequests: all.reduce((sum, { wrong }) => sum + wrong, 0),
    figures: Object.assign({}, ...all.map(({ figures }) => figures)) as ScenarioResult['figures'],
    notes: all.flatMap(({ notes }) => notes)
  }
}

/** As drawn, and with the uplinks swapped; at the end stands whether both came to the same. */
async function tellBothWays(
  plan: MultihomedPlan,
  missing: readonly StartPart[],
  options: ScenarioOptions
): Promise<readonly Telling[]> {
  const start = missing.length === 0 ? '' : `without ${missing.join(', ')}`
  if (start !== '') options.print(`isp1 ${start}`)
  const [drawn, other] = await tellBoth(plan, missing, options)
  const isSame = drawn.outcome.toSorted().join('\n') === other.outcome.toSorted().join('\n')
  const same = { name: 'the uplinks swapped, the result is the same', ok: isSame }
  return [
    {
      ...drawn,
      checks: [...drawn.checks, same].map((check) => told(check, [start])),
      figures: renamed(drawn.figures, start, '')
    },
    {
      ...other,
      checks: other.checks.map((check) => told(check, [start, 'swapped'])),
      figures: renamed(other.figures, start, 'Swapped')
    }
  ]
}

async function tellBoth(
  plan: MultihomedPlan,
  missing: readonly StartPart[],
  options: ScenarioOptions
): Promise<readonly [drawn: Telling, other: Telling]> {
  const mirrored = swapped(plan.topology)
  if (plan.isToldAtOnce === true && options.backend !== 'sim') {
    const print = (line: string): void => options.print(`swapped: ${line}`)
    options.print('at the same time with the uplinks swapped')
    return Promise.all([
      tell(plan, plan.topology, missing, options),
      tell(plan, mirrored, missing, { ...options, print })
    ])
  }
  const drawn = await tell(plan, plan.topology, missing, options)
  options.print('once more with the uplinks swapped')
  return [drawn, await tell(plan, mirrored, missing, options)]
}

/** `without uplink: swapped: home refuses …` */
function told({ name, ok }: Check, circumstances: readonly string[]): Check {
  return { name: [...circumstances, name].filter((word) => word !== '').join(': '), ok }
}

/** `sessionsSeconds` → `withoutUplinkServer.sessionsSecondsSwapped`. */
function renamed(figures: Telling['figures'], start: string, end: string): Telling['figures'] {
  const prefix = start.replaceAll(/,? (.)/g, (_, letter: string) => letter.toUpperCase())
  return Object.fromEntries(
    Object.entries(figures).map(([name, value]) => [
      `${prefix === '' ? '' : `${prefix}.`}${name}${end}`,
      value
    ])
  )
}

async function tell(
  plan: MultihomedPlan,
  topology: Topology,
  parts: readonly StartPart[],
  options: ScenarioOptions
): Promise<Telling> {
  const { backend, seed = 1, print, stopped } = options
  const missing = parts.length === 0 ? {} : { missing: { provider: 'isp1', parts } }
  const world = await openMultihomedWorld(backend, topology, { seed, ...missing })
  try {
    const story = new Story(world, topology, print)
    await Promise.race([plan.story(story, parts), interruption(stopped)])
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
  topology: Topology,
  backend: Backend
): Promise<readonly string[]> {
  const heard = world.heard()
  const leaked = heard.filter(({ provider, targets }) => hasStrange(topology, provider, targets)).length
  story.check('no transcript has an address that another provider assigned', leaked === 0)
  const drops = await world.foreignSourceDrops()
  story.check('ingress filters dropped nothing for a foreign source', drops === 0)
  const captured = await world.captured()
  const foreign = captured.filter((each) => !isOfItsLink(topology, each))
  const isOwnOnly = captured.length > 0 && foreign.length === 0
  story.check('what links carry to DOTS ports is from sources of their own', isOwnOnly)
  const { judged, violations } = world.pacing()
  story.check('the auditor of pacing is content', judged > 0 && violations.length === 0)
  story.figures['requestsHeard'] = heard.length
  story.figures['foreignSourceDrops'] = drops
  story.figures['dotsDatagrams'] = sumOf(captured)
  story.figures['dotsDatagramsFromForeignSources'] = sumOf(foreign)
  story.figures['pacingJudged'] = judged
  return violations.map((text) => `${backend}: ${text}`)
}

/** Whether its provider would say that this source may use the link. */
function isOfItsLink(topology: Topology, { link, source }: CapturedSource): boolean {
  return sourcesOver(topology, link).some((prefix) => isWithin(prefix, `${source}/32`))
}

function sumOf(captured: readonly CapturedSource[]): number {
  return captured.reduce((sum, { packets }) => sum + packets, 0)
}

/** Whether something of another provider's is among the targets, to which nobody consented. */
function hasStrange(topology: Topology, server: string, targets: readonly string[]): boolean {
  const { providers, consents = [] } = topology
  const own = providers.find(({ servers }) => server in servers)?.name
  const strange = providers.filter(({ name }) => name !== own).flatMap((other) => assignedBy(other))
  const consented = consents.filter(({ to }) => to === own).map(({ prefix }) => prefix)
  return targets.some(
    (target) =>
      strange.some((prefix) => isWithin(target, prefix)) &&
      !consented.some((prefix) => isWithin(target, prefix))
  )
}

function entitledPrefixes(topology: Topology): Parameters<typeof wrongServerRequests>[1] {
  return new Map([...entitlements(topology)].map(([server, prefixes]) => [server, prefixes.map(prefixOf)]))
}
