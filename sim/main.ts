// npm run sim -- [--family providers|multihomed] [--seeds N | --sites N] [--from N] [--seed S] [--threads N] [--json] [--canary]: random
// worlds against the invariants. `--sites N` is short for `--family multihomed --seeds N`.
import { availableParallelism } from 'node:os'
import { parseArgs } from 'node:util'

import { missedCanaries } from './campaign.ts'
import { withFamily } from './every-family.ts'
import { FAMILIES } from './family.ts'
import type { Family, FamilyName } from './family.ts'
import type { CampaignReport } from './campaign.ts'
import { parallelCampaign } from './parallel-campaign.ts'
import type { Violation } from './run-world.ts'
import type { Course } from './scenario.ts'
import { shrink } from './shrink.ts'

const { values } = parseArgs({
  options: {
    family: { type: 'string' },
    sites: { type: 'string' },
    seeds: { type: 'string', default: '50' },
    from: { type: 'string', default: '1' },
    seed: { type: 'string' },
    threads: { type: 'string', default: String(availableParallelism()) },
    json: { type: 'boolean', default: false },
    canary: { type: 'boolean', default: false }
  }
})

/** Ends the program when the text is no whole number. */
function wholeNumber(name: string, text: string): number {
  const number = Number(text)
  if (Number.isSafeInteger(number) && number >= 0) return number
  console.error(`--${name} ${text} is no whole number`)
  process.exit(2)
}

function familyToRun(): FamilyName {
  const asked = values.family ?? (values.sites === undefined ? 'providers' : 'multihomed')
  const found = FAMILIES.find((name) => name === asked)
  if (found !== undefined) return found
  console.error(`--family ${asked} is none of ${FAMILIES.join(', ')}`)
  process.exit(2)
}

function seedsToRun(): number[] {
  if (values.canary) return []
  if (values.seed !== undefined) return [wholeNumber('seed', values.seed)]
  const first = wholeNumber('from', values.from)
  return Array.from(
    { length: wholeNumber('seeds', values.sites ?? values.seeds) },
    (_, index) => first + index
  )
}

/** Progress and findings go to stderr: the last line of stdout is the report. */
async function explain<Scenario extends Course>(
  family: Family<Scenario>,
  violation: Violation
): Promise<void> {
  const { seed, invariant, text, at } = violation
  console.error(`seed ${seed}: ${invariant} broken at ${at} s: ${text}`)
  console.error(`  replay: npm run sim -- --family ${family.name} --seed ${seed}`)
  const smallest = await shrink(family, family.randomScenario(seed), violation)
  const { faults, actions } = smallest.scenario
  console.error(`  smallest: ${faults.length} faults, ${actions.length} actions: ${smallest.violation.text}`)
  console.error(JSON.stringify(smallest.scenario, undefined, 1).replaceAll(/^/gm, '  '))
}

const threads = wholeNumber('threads', values.threads)
const name = familyToRun()
const found = await parallelCampaign(name, seedsToRun(), threads, (seed, violation) => {
  if (violation !== undefined) console.error(`seed ${seed}: ${violation.invariant}: ${violation.text}`)
})
const missed = await withFamily(name, (family) => missedCanaries(family))
for (const bug of missed) console.error(`nobody noticed ${bug}`)
for (const violation of found.violations.slice(0, 3))
  await withFamily(name, (family) => explain(family, violation))

const report: CampaignReport = { ...found, canaryCaught: missed.length === 0 }
if (values.json) console.log(JSON.stringify(report))
else
  console.log(
    `${report.worlds} worlds, ${report.virtualSeconds} virtual seconds, ${report.eventsPerSecond} events/s, ` +
      `${report.violations.length} violations, planted bugs ${report.canaryCaught ? 'caught' : 'MISSED'}`
  )
process.exit(found.violations.length === 0 && missed.length === 0 ? 0 : 1)
