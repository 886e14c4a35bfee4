//                     198.51.100.0/28        +------+
//                  +--- wan1 10 Mbit/s ------| isp1 |----+
//   +------+    +-----+                      +------+    |   +----------+
//   | home |----| CPE |                      DOTS server +---| internet |
//   +------+    +-----+                      +------+    |   +----------+
//  one address     +--- wan2 10 Mbit/s ------| isp2 |----+   attacker and
//  of each prefix     203.0.113.16/28        +------+        legitimate peer
//
// RFC 9284 Figures 2 and 5: a residential site with two providers, provider-aggregatable prefixes, ingress filters.
// A flood on the address of isp1 must be stopped by isp1, and isp2 must not hear of it; a flood on both by both.

import { parseIpPrefix } from '@breakwater/core'

import type { PacingReport } from '../agents/audited-agent.ts'
import { wrongServerRequests } from '../agents/transcript.ts'
import { openWorld } from '../backends/two-provider-world.ts'
import { LiveTable } from '../output/live-table.ts'
import type { Check, Scenario, ScenarioOptions, ScenarioResult } from '../scenario.ts'
import { interruption } from './interruption.ts'
import { Phases } from './phases.ts'
import { twoProviders as plan } from './two-providers-addresses.ts'
import { type AttackReport, TwoProviderStory } from './two-providers-story.ts'
import type { TwoProviderWorld } from './two-providers-world.ts'

/** The result of this scenario: what every scenario has, and what `npm run demo` promises. */
export interface TwoProvidersResult extends ScenarioResult {
  readonly protections: readonly AttackReport['protection'][]
  /** Mbit/s before, during and after the first flood; null where the backend has no traffic. */
  readonly legitMbps: Readonly<Record<'before' | 'during' | 'after', number | null>>
  /** From the command to the rule in force at the first provider. */
  readonly protectToRuleMs: number
}

export const scenario: Scenario = {
  name: 'two-providers',
  summary: 'RFC 9284 Figures 2 and 5: each flood is stopped by the provider whose address it hits',
  backends: ['netns', 'loopback'],
  run
}

async function run(options: ScenarioOptions): Promise<TwoProvidersResult> {
  const { print } = options
  const phases = new Phases(print)
  const world = await openWorld(options.backend, phases)
  try {
    const result = await Promise.race([play(world, options, phases), interruption(options.stopped)])
    summarise(result, print)
    if (options.stay) await stayUp(world, options)
    return result
  } finally {
    await world.destroy()
  }
}

async function play(
  world: TwoProviderWorld,
  { print }: ScenarioOptions,
  phases: Phases
): Promise<TwoProvidersResult> {
  const story = new TwoProviderStory(world, new LiveTable(['isp1', 'isp2'], print), phases)
  await story.untilSessionsStand()
  const before = await story.peace()
  const first = await story.attack(['isp1'])
  const second = await story.attack(['isp1', 'isp2'])
  const seen = world.transcripts()
  const wrong = wrongServerRequests(seen, entitlement())
  const foreign = await Promise.all((['isp1', 'isp2'] as const).map((name) => world.foreignSourceDrops(name)))
  const legitMbps = { before, during: first.legitDuring, after: first.legitAfter }
  return {
    scenario: scenario.name,
    backend: world.backend,
    checks: [
      ...story.checks(first, second),
      { name: 'requests were seen, so that the count of wrong ones means something', ok: seen.length >= 3 },
      { name: 'no request at a server that is not entitled', ok: wrong === 0 },
      ...filterChecks(foreign),
      ...pacingChecks(world.pacing(), print),
      ...trafficChecks(world, legitMbps, second)
    ],
    wrongServerRequests: wrong,
    figures: { ...figuresOf('first', first), ...figuresOf('second', second) },
    protections: [first.protection, second.protection],
    legitMbps,
    protectToRuleMs: first.protectToRuleMs
  }
}

/** Provider → what it may be asked to protect: written down here, not derived from what is tested. */
function entitlement(): ReadonlyMap<string, readonly NonNullable<ReturnType<typeof parseIpPrefix>>[]> {
  return new Map(
    (['isp1', 'isp2'] as const).map((name) => {
      const prefix = parseIpPrefix(plan[name].prefix)
      return [name, prefix === undefined ? [] : [prefix]]
    })
  )
}

/** RFC 9132 §4.3: sessions go over UDP where it works; of what goes over TCP there is nothing to judge. */
function pacingChecks({ judged, violations }: PacingReport, print: (line: string) => void): readonly Check[] {
  print(`datagrams that the pacing auditors judged: ${judged}`)
  for (const violation of violations) print(`pacing: ${violation}`)
  return [
    { name: 'the pacing auditors saw the traffic', ok: judged >= 20 },
    { name: 'the pacing of RFC 9132 §4.4 and probing-rate are kept', ok: violations.length === 0 }
  ]
}

/** Says nothing where there is no ingress filter to count. */
function filterChecks(foreign: readonly (bigint | undefined)[]): readonly Check[] {
  const counts = foreign.filter((count) => count !== undefined)
  return counts.length === 0
    ? []
    : [{ name: 'no datagram from a foreign source', ok: counts.every((count) => count === 0n) }]
}

function trafficChecks(
  world: TwoProviderWorld,
  { before, during, after }: TwoProvidersResult['legitMbps'],
  second: AttackReport
): readonly Check[] {
  if (world.backend !== 'netns' || before === null || during === null || after === null) return []
  return [
    { name: 'the flood hurts: less than a quarter of the throughput is left', ok: during < before / 4 },
    { name: 'legitimate traffic recovers to 80 % of what it was', ok: after >= before * 0.8 },
    { name: 'and recovers after the second flood, too', ok: (second.legitAfter ?? 0) >= before * 0.8 }
  ]
}

function figuresOf(name: string, report: AttackReport): Record<string, number | null> {
  return {
    [`${name}ProtectToRuleMs`]: report.protectToRuleMs,
    [`${name}ProtectToProtectedMs`]: report.protectToProtectedMs,
    [`${name}LegitDuringMbps`]: report.legitDuring,
    [`${name}LegitAfterMbps`]: report.legitAfter
  }
}

function summarise(result: TwoProvidersResult, print: (line: string) => void): void {
  print('')
  for (const { target, state, requests } of result.protections)
    print(
      `${target}: ${state}; asked: ${requests.map(({ domain, status }) => `${domain} (${status})`).join(', ')}`
    )
  const { before, during, after } = result.legitMbps
  if (before !== null)
    print(`legitimate traffic: ${before} Mbit/s before, ${during} during the first flood, ${after} after`)
  print(`from the command to the rule in force: ${result.protectToRuleMs} ms`)
  print(`requests at a server not entitled to their targets: ${result.wrongServerRequests}`)
  for (const { name, ok } of result.checks) print(`${ok ? 'ok  ' : 'FAIL'} ${name}`)
}

async function stayUp(world: TwoProviderWorld, { print, stopped }: ScenarioOptions): Promise<void> {
  print('\nThe agents stay up. Try, in another terminal:')
  for (const command of world.commandsToTry) print(`  ${command}`)
  print('Ctrl-C ends everything.')
  await stopped
}
