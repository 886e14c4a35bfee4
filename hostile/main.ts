// npm run hostile -- [--hellos N] [--honest N] [--table]: a flood of hellos from forged addresses; or honest handshakes while
// floods go on; or the page of all attacks, written.
import { spawnSync } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { honestFigures } from './honest-figures.ts'

const { values } = parseArgs({
  options: {
    hellos: { type: 'string' },
    honest: { type: 'string' },
    table: { type: 'boolean', default: false }
  }
})

if (values.table) {
  // The catalogue holds the attacks themselves, whose expectations exist only inside the test runner.
  const done = spawnSync(
    process.execPath,
    ['node_modules/vitest/vitest.mjs', 'run', '--reporter=dot', 'hostile/catalogue.test.ts'],
    { stdio: 'inherit', env: { ...process.env, WRITE_TABLE: '1' } }
  )
  process.exit(done.status ?? 1)
}
if (values.honest !== undefined) {
  for await (const figures of honestFigures(Number(values.honest))) console.log(JSON.stringify(figures))
  process.exit(0)
}
const flood = fileURLToPath(new URL('flood.ts', import.meta.url))
const done = spawnSync(process.execPath, ['--expose-gc', flood, values.hellos ?? '1000000'], {
  stdio: 'inherit'
})
process.exit(done.status ?? 1)
