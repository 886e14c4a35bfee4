import { execFileSync } from 'node:child_process'
import { join } from 'node:path'
import type { Benchmark, Measurement } from './benchmark.ts'
import { onDtlsBed } from './dtls-bed.ts'
import type { DtlsBed } from './dtls-bed.ts'
import { startServer } from './dtls-echo.ts'

const party = join(import.meta.dirname, 'native/party.ts')
const sessions = 10_000

/**
 * How much the memory of a server grows (VmRSS) with each of 10,000 sessions that say nothing: clients with certificates, or
 * with pre-shared keys. The ceiling is the same engine without JavaScript.
 */
function memory(kind: 'certificate' | 'psk'): Promise<Measurement> {
  return onDtlsBed(async (bed) => {
    const value = await bytesOf('batched', kind, bed)
    const ceiling = await bytesOf('native', kind, bed)
    return { value, unit: 'bytes', ceiling, ratio: value / ceiling }
  })
}

async function bytesOf(
  role: 'batched' | 'native',
  kind: 'certificate' | 'psk',
  { addon, credentials }: DtlsBed
): Promise<number> {
  const one = await startServer(role, addon, credentials)
  try {
    const load = [party, 'sessions', addon, credentials, one.port, String(one.process.pid), kind]
    const line = execFileSync(process.execPath, [...load, String(sessions)], {
      encoding: 'utf8',
      timeout: 400_000
    })
    const { held, bytes } = JSON.parse(line) as { held: number; bytes: number }
    if (held !== sessions) throw new Error(`the sessions did not come about: ${line}`)
    return bytes / held
  } finally {
    one.process.kill('SIGKILL')
  }
}

export const benchmarks: readonly Benchmark[] = [
  { name: 'session-memory', run: () => memory('certificate') },
  { name: 'session-memory-psk', run: () => memory('psk') }
]
