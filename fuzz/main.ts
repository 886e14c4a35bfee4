// npm run fuzz -- [--seconds N] [--seed N] [--only NAME[,NAME]] [--keep]: one campaign per target, 30 s each by default.
// With --keep, what made something new happen goes into `corpus/`, as far as there is room; and what broke a target.
import { parseArgs } from 'node:util'

import { fromHex } from '@breakwater/core'

import { allTargets, campaign } from './campaign.ts'
import { keep } from './corpus.ts'

const { values } = parseArgs({
  options: {
    seconds: { type: 'string', default: '30' },
    seed: { type: 'string', default: String(Date.now() % 1_000_000) },
    only: { type: 'string' },
    keep: { type: 'boolean', default: false }
  }
})
const wanted = values.only?.split(',')
let broken = 0
for (const target of await allTargets()) {
  if (wanted?.includes(target.name) === false) continue
  const { runs, found, failure } = campaign(target, Number(values.seconds), Number(values.seed))
  console.log(`${target.name}: ${runs} inputs, seed ${values.seed}${failure === undefined ? '' : ', BROKEN'}`)
  if (values.keep) {
    const broke = failure === undefined ? [] : [fromHex(failure.hex)]
    console.log(`  ${keep(target.name, [...broke, ...found])} inputs kept`)
  }
  if (failure === undefined) continue
  broken++
  console.log(`  input ${failure.hex}`)
  console.log(failure.error)
}
process.exit(broken === 0 ? 0 : 1)
