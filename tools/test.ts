// Runs every test and closes with the plain line `N passed, N failed, N skipped`.
import { spawnSync } from 'node:child_process'
import { existsSync, mkdirSync, readFileSync, rmSync } from 'node:fs'

interface Report {
  readonly numPassedTests: number
  readonly numFailedTests: number
  readonly numPendingTests: number
  readonly testResults: readonly { readonly status: string; readonly assertionResults: readonly unknown[] }[]
}

const file = 'reports/vitest.json'
// An old report would go on proving statements that no test proves any more.
rmSync('reports', { recursive: true, force: true })
mkdirSync('reports', { recursive: true })
const done = spawnSync(
  process.execPath,
  [
    'node_modules/vitest/vitest.mjs',
    'run',
    ...process.argv.slice(2),
    '--reporter=default',
    '--reporter=json',
    `--outputFile.json=${file}`
  ],
  { stdio: 'inherit' }
)
if (!existsSync(file)) {
  console.log('0 passed, 1 failed')
  process.exit(1)
}
const report = JSON.parse(readFileSync(file, 'utf8')) as Report
// A file that fails to load has no tests of its own: count it, or a broken import would read "0 failed".
const brokenFiles = report.testResults.filter(
  (result) => result.status === 'failed' && result.assertionResults.length === 0
).length
const failed = report.numFailedTests + brokenFiles
const skipped = report.numPendingTests
// A skip is for a machine that lacks something. CI has everything, so there a skip hides a failure.
const forbidden = process.env.CI !== undefined && skipped > 0
if (forbidden) console.log('tests were skipped, which CI does not allow')
console.log(`${report.numPassedTests} passed, ${failed} failed, ${skipped} skipped`)
process.exit(failed > 0 || forbidden ? 1 : (done.status ?? 1))
