// npm run crash -- --kills N [--seed S] [--json]: kills a real server at one write point after the other; with --shared, one of two
// that share a store.
import { parseArgs } from 'node:util'

import { runCampaigns } from './campaign.ts'
import { deathName, pairDeaths, runPairCampaign, someDeaths } from './pair-campaign.ts'
import { nameOf, writePoints } from './write-point.ts'

const { values } = parseArgs({
  options: {
    kills: { type: 'string', default: '100' },
    seed: { type: 'string', default: String(Date.now() % 1_000_000) },
    shared: { type: 'boolean', default: false },
    json: { type: 'boolean', default: false }
  }
})
const [kills, seed] = [Number(values.kills), Number(values.seed)]
if (!Number.isSafeInteger(kills) || kills < 1 || !Number.isSafeInteger(seed)) {
  console.error('--kills takes a whole number from 1, --seed a whole number')
  process.exit(2)
}
let done = 0
const started = performance.now()
const onKill = (): void => {
  done++
  if (done % (values.shared ? 10 : 100) === 0)
    console.error(`${done} kills in ${Math.round((performance.now() - started) / 1000)} s`)
}
const report = values.shared
  ? await runPairCampaign({ deaths: someDeaths(kills), seed, onKill })
  : await runCampaigns(kills, seed, onKill)
const seconds = Number(((performance.now() - started) / 1000).toFixed(1))
const points = values.shared ? pairDeaths.map(deathName) : writePoints.map(nameOf)
const missed = points.filter((name) => report.kills[name] === undefined)
const result = {
  kills: done,
  seed,
  seconds,
  acknowledged: report.acknowledged,
  missed,
  violations: report.violations
}
if (values.json) console.log(JSON.stringify({ ...result, killsByWritePoint: report.kills }))
else {
  for (const [name, count] of Object.entries(report.kills).toSorted(([a], [b]) => (a < b ? -1 : 1)))
    console.log(`${name.padEnd(34)} ${count}`)
  for (const violation of report.violations) console.log(`VIOLATION ${violation}`)
  console.log(
    `${done} kills at ${points.length - missed.length} of ${points.length} write points, seed ${seed}, ` +
      `${report.acknowledged} answers kept, ${report.violations.length} violations, ${seconds} s`
  )
}
process.exit(report.violations.length === 0 ? 0 : 1)
