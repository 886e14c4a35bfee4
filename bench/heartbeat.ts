import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { encodeMessage } from '@breakwater/coap'
import { heartbeatRequest } from '@breakwater/dots'
import { TestAuthority } from '../packages/dtls/test/pki.ts'
import type { Benchmark, Measurement } from './benchmark.ts'
import { sample, startServer } from './dtls-echo.ts'
import { startDotsAgent } from './load/dots-agent.ts'
import type { DotsAgent } from './load/dots-agent.ts'
import { buildBenchAddon } from './native/bench-addon.ts'

const rounds = 5

/** A heartbeat as every client sends it (RFC 9132 §4.7): Non-confirmable PUT, 38 bytes. */
function heartbeat(): Uint8Array {
  const { method, options, payload } = heartbeatRequest(true)
  const token = new Uint8Array(4)
  return encodeMessage({ type: 'non-confirmable', code: method, messageId: 0, token, options, payload })
}

function startWholeServer(authority: TestAuthority): Promise<DotsAgent> {
  const { certificateFile, keyFile } = authority.issue('server.example')
  return startDotsAgent({
    role: 'server',
    folder: authority.folder,
    core: 0,
    nodeOptions: (process.env['BENCH_NODE_OPTIONS'] ?? '').split(' ').filter((option) => option !== ''),
    config: {
      listen: [{ address: '127.0.0.1', port: 0 }],
      credentials: {
        certificate: certificateFile,
        privateKey: keyFile,
        trustAnchors: authority.certificateFile
      },
      clients: [{ name: 'home', identity: { dnsName: 'client.example' }, prefixes: ['192.0.2.0/24'] }],
      mitigator: { kind: 'dry-run' },
      store: { path: join(authority.folder, 'store.db') }
    }
  })
}

/**
 * Heartbeats per second of processor time of a whole `dots server` (its control API, log and SQLite store with it), of 64
 * sessions with 4 in flight each; against the echo in C++ with the same requests.
 */
async function run(): Promise<Measurement> {
  const addon = buildBenchAddon()
  const authority = new TestAuthority('Breakwater bench CA')
  const credentials = join(authority.folder, 'credentials.json')
  const [server, client] = ['server.example', 'client.example'].map((name) => authority.credentials(name))
  writeFileSync(credentials, JSON.stringify({ server, client }))
  const whole = await startWholeServer(authority)
  const native = await startServer('native', addon, credentials)
  const request = heartbeat()
  let [value, ceiling] = [0, 0]
  try {
    for (let round = 0; round < rounds; round++) {
      value = Math.max(value, sample(whole, addon, credentials, request))
      ceiling = Math.max(ceiling, sample(native, addon, credentials, request))
    }
    await checkAnswers(whole)
  } finally {
    native.process.kill('SIGKILL')
    await whole.stop()
    authority.remove()
  }
  return { value, unit: '1/s', ceiling, ratio: value / ceiling }
}

/** The generator counts replies unread: only a server that took them for heartbeats answered them as such. */
async function checkAnswers({ control }: DotsAgent): Promise<void> {
  const counters = await control.counters()
  const heartbeats = counters['dots_server_heartbeats_received_total'] ?? 0
  const arrived = counters['dtls_plaintextsIn'] ?? 0
  if (heartbeats === 0 || heartbeats < arrived)
    throw new Error(`of ${arrived} requests, the server took ${heartbeats} for heartbeats`)
}

export const benchmarks: readonly Benchmark[] = [{ name: 'heartbeat', run }]
