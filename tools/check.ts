// `npm run check`: everything that can be judged without running the product.
import { spawnSync } from 'node:child_process'

const steps: readonly (readonly [name: string, command: string, ...args: string[]])[] = [
  ['format', 'oxfmt', '--check', '.'],
  ['lint', 'oxlint', '--type-aware'],
  ['layers', process.execPath, 'tools/layers.ts'],
  ['types', 'tsc', '-b'],
  ['model', process.execPath, 'tools/model-against-yang.ts']
]

let failed = 0
for (const [name, command, ...args] of steps) {
  const started = performance.now()
  const done = spawnSync(command, args, { stdio: 'inherit' })
  const verdict = done.status === 0 ? 'ok' : 'FAILED'
  console.log(`check: ${name} ${verdict} (${((performance.now() - started) / 1000).toFixed(1)} s)`)
  if (done.status !== 0) failed++
}
process.exit(failed === 0 ? 0 : 1)
