import { execFileSync } from 'node:child_process'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { TestAuthority } from '../packages/dtls/test/pki.ts'
import type { Benchmark, Measurement } from './benchmark.ts'
import { startServer } from './dtls-echo.ts'
import { buildBenchAddon } from './native/bench-addon.ts'

const party = join(import.meta.dirname, 'native/party.ts')
const sessions = 10_000

/**
 * How much the memory of a server grows (VmRSS) with each of 10,000 sessions that say nothing: clients with certificates, or
 * with pre-shared keys. The ceiling is the same engine without JavaScript.
 */
async function memory(kind: 'certificate' | 'psk'): Promise<Measurement> {
  const addon = buildBenchAddon()
  const authority = new TestAuthority('Breakwater bench CA')
  const credentials = join(authority.folder, 'credentials.json')
  const [server, client] = ['server.example', 'client.example'].map((name) => authority.credentials(name))
  writeFileSync(credentials, JSON.stringify({ server, client }))
  const bytesOf = async (role: 'batched' | 'native'): Promise<number> => {
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
  try {
    const value = await bytesOf('batched')
    const ceiling = await bytesOf('native')
    return { value, unit: 'bytes', ceiling, ratio: value / ceiling }
  } finally {
    authority.remove()
  }
}

export const benchmarks: readonly Benchmark[] = [
  { name: 'session-memory', run: () => memory('certificate') },
  { name: 'session-memory-psk', run: () => memory('psk') }
]
