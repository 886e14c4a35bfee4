// npm run fuzz -- [--seconds N] [--seed N] [--only NAME[,NAME]]: one campaign per decoder, 30 s each by default.
import { parseArgs } from 'node:util'

import { allTargets, campaign } from './campaign.ts'

const { values } = parseArgs({
  options: {
    seconds: { type: 'string', default: '30' },
    seed: { type: 'string', default: String(Date.now() % 1_000_000) },
    only: { type: 'string' }
  }
})
const wanted = values.only?.split(',')
let broken = 0
for (const target of await allTargets()) {
  if (wanted?.includes(target.name) === false) continue
  const { runs, failure } = campaign(target, Number(values.seconds), Number(values.seed))
  console.log(`${target.name}: ${runs} inputs, seed ${values.seed}${failure === undefined ? '' : ', BROKEN'}`)
  if (failure === undefined) continue
  broken++
  console.log(`  input ${failure.hex}`)
  console.log(failure.error)
}
process.exit(broken === 0 ? 0 : 1)
