import { execFileSync } from 'node:child_process'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { TestAuthority } from '../packages/dtls/test/pki.ts'
import type { Benchmark, Measurement } from './benchmark.ts'
import { pinned, startServer } from './dtls-echo.ts'
import type { Server } from './dtls-echo.ts'
import { buildBenchAddon } from './native/bench-addon.ts'

const rounds = 5
const party = join(import.meta.dirname, 'native/party.ts')

/** What a client comes with. */
type Kind = 'full' | 'resumed' | 'psk'

/** Handshakes per second of processor time of the server. */
function sample(server: Server, addon: string, credentials: string, kind: Kind): number {
  const load = [party, 'handshakes', addon, credentials, server.port, String(server.process.pid), kind]
  const [command, args] = pinned(1, load)
  const line = execFileSync(command, args, { encoding: 'utf8', timeout: 20_000 })
  const { handshakes: finished, cpuSeconds } = JSON.parse(line) as { handshakes: number; cpuSeconds: number }
  if (finished < 0 || cpuSeconds <= 0) throw new Error(`the load generator failed: ${line}`)
  return finished / cpuSeconds
}

/**
 * Handshakes of mutual ECDHE-ECDSA P-256 certificates (`full`), of those with a session ticket (`resumed`), and of
 * pre-shared keys with ECDHE (`psk`), goodbye included, per second of processor time of the server. The ceiling is the same
 * engine and socket in a loop of C++ alone: what it costs that JavaScript hears of each session.
 */
async function handshakes(kind: Kind): Promise<Measurement> {
  const addon = buildBenchAddon()
  const authority = new TestAuthority('Breakwater bench CA')
  const credentials = join(authority.folder, 'credentials.json')
  const [server, client] = ['server.example', 'client.example'].map((name) => authority.credentials(name))
  writeFileSync(credentials, JSON.stringify({ server, client }))
  const batched = await startServer('batched', addon, credentials)
  const native = await startServer('native', addon, credentials)
  let [value, ceiling] = [0, 0]
  try {
    for (let round = 0; round < rounds; round++) {
      value = Math.max(value, sample(batched, addon, credentials, kind))
      ceiling = Math.max(ceiling, sample(native, addon, credentials, kind))
    }
  } finally {
    for (const one of [batched, native]) one.process.kill('SIGKILL')
    authority.remove()
  }
  return { value, unit: '1/s', ceiling, ratio: value / ceiling }
}

export const benchmarks: readonly Benchmark[] = [
  { name: 'handshake-full', run: () => handshakes('full') },
  { name: 'handshake-resumed', run: () => handshakes('resumed') },
  { name: 'handshake-psk', run: () => handshakes('psk') }
]
