import { spawnSync } from 'node:child_process'
import { join } from 'node:path'
import { expect, it } from 'vitest'

const root = join(import.meta.dirname, '../../..')

// Compiling takes most of it the first time; later runs find the program.
it(
  'under AddressSanitizer and UndefinedBehaviorSanitizer, our record layer says of each record what OpenSSL says, and the engine survives a hostile wire',
  { timeout: 180_000 },
  () => {
    const args = ['tools/native-sanitize.ts', '--seconds', '4', '--records', '400', '--seed', '7']
    const run = spawnSync(process.execPath, args, { cwd: root, encoding: 'utf8' })
    expect(run.stderr).not.toMatch(/Sanitizer|runtime error|FAILED/)
    expect(run.status).toBe(0)
    const [layers, wire] = run.stdout.split('\n', 2).map((line) => JSON.parse(line) as Record<string, number>)
    const { suites, recordsTaken, recordsDropped, recordsSealed } = layers ?? {}
    expect(suites).toBe(10)
    expect(recordsTaken).toBeGreaterThan(400)
    expect(recordsDropped).toBeGreaterThan(100)
    expect(recordsSealed).toBe(2 * 10 * 400)
    const {
      handshakes,
      resumed,
      handedOver,
      sessionsRefused,
      plaintexts,
      recordsRefused,
      credentialsRefused
    } = wire ?? {}
    expect(handshakes).toBeGreaterThan(20)
    expect(resumed).toBeGreaterThan(0)
    expect(handedOver).toBeGreaterThan(20)
    expect(sessionsRefused).toBeGreaterThan(0)
    expect(plaintexts).toBeGreaterThan(200)
    expect(recordsRefused).toBeGreaterThan(50)
    expect(credentialsRefused).toBeGreaterThan(10)
  }
)
