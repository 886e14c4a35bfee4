import { spawnSync } from 'node:child_process'
import { join } from 'node:path'
import { expect, it } from 'vitest'

const root = join(import.meta.dirname, '../../..')

// Compiling takes most of it the first time; later runs find the program.
it(
  'the engine survives a hostile wire under AddressSanitizer and UndefinedBehaviorSanitizer',
  { timeout: 180_000 },
  () => {
    const args = ['tools/native-sanitize.ts', '--seconds', '4', '--seed', '7']
    const run = spawnSync(process.execPath, args, { cwd: root, encoding: 'utf8' })
    expect(run.stderr).not.toMatch(/Sanitizer|runtime error|FAILED/)
    expect(run.status).toBe(0)
    const { handshakes, resumed, sessionsRefused, plaintexts, recordsRefused, credentialsRefused } =
      JSON.parse(run.stdout) as Record<string, number>
    expect(handshakes).toBeGreaterThan(20)
    expect(resumed).toBeGreaterThan(0)
    expect(sessionsRefused).toBeGreaterThan(0)
    expect(plaintexts).toBeGreaterThan(200)
    expect(recordsRefused).toBeGreaterThan(50)
    expect(credentialsRefused).toBeGreaterThan(10)
  }
)
