// npm run sim -- [--seeds N] [--from N] [--seed S] [--threads N] [--json] [--canary]: random worlds against the invariants.
import { availableParallelism } from 'node:os'
import { parseArgs } from 'node:util'

import { missedCanaries } from './campaign.ts'
import type { CampaignReport } from './campaign.ts'
import { parallelCampaign } from './parallel-campaign.ts'
import { randomScenario } from './random-scenario.ts'
import type { Violation } from './run-world.ts'
import { shrink } from './shrink.ts'

const { values } = parseArgs({
  options: {
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

function seedsToRun(): number[] {
  if (values.canary) return []
  if (values.seed !== undefined) return [wholeNumber('seed', values.seed)]
  const first = wholeNumber('from', values.from)
  return Array.from({ length: wholeNumber('seeds', values.seeds) }, (_, index) => first + index)
}

/** Progress and findings go to stderr: the last line of stdout is the report. */
async function explain(violation: Violation): Promise<void> {
  const { seed, invariant, text, at } = violation
  console.error(`seed ${seed}: ${invariant} broken at ${at} s: ${text}`)
  console.error(`  replay: npm run sim -- --seed ${seed}`)
  const smallest = await shrink(randomScenario(seed), violation)
  const { faults, actions } = smallest.scenario
  console.error(`  smallest: ${faults.length} faults, ${actions.length} actions: ${smallest.violation.text}`)
  console.error(JSON.stringify(smallest.scenario, undefined, 1).replaceAll(/^/gm, '  '))
}

const threads = wholeNumber('threads', values.threads)
const found = await parallelCampaign(seedsToRun(), threads, (seed, violation) => {
  if (violation !== undefined) console.error(`seed ${seed}: ${violation.invariant}: ${violation.text}`)
})
const missed = await missedCanaries()
for (const name of missed) console.error(`nobody noticed ${name}`)
for (const violation of found.violations.slice(0, 3)) await explain(violation)

const report: CampaignReport = { ...found, canaryCaught: missed.length === 0 }
if (values.json) console.log(JSON.stringify(report))
else
  console.log(
    `${report.worlds} worlds, ${report.virtualSeconds} virtual seconds, ${report.eventsPerSecond} events/s, ` +
      `${report.violations.length} violations, planted bugs ${report.canaryCaught ? 'caught' : 'MISSED'}`
  )
process.exit(found.violations.length === 0 && missed.length === 0 ? 0 : 1)
