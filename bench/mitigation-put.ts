import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Benchmark, Measurement } from './benchmark.ts'
import { startDotsAgent } from './load/dots-agent.ts'
import type { DotsAgent } from './load/dots-agent.ts'
import { fillStore } from './load/filled-store.ts'
import { KEY_HEX, configurationOfClients } from './load/many-clients.ts'
import type { Pattern } from './load/put-client.ts'
import { startSampler } from './load/sampler.ts'
import type { Sampler } from './load/sampler.ts'

const rounds = 5

interface ServerUnderLoad {
  readonly server: DotsAgent
  readonly clients: Sampler
}

/** A whole `dots server` on SQLite with a dry-run mitigator, and its clients, connected. */
async function startServer(folder: string, pattern: Pattern): Promise<ServerUnderLoad> {
  const keyFile = join(folder, 'psk')
  writeFileSync(keyFile, KEY_HEX, { mode: 0o600 })
  const server = await startDotsAgent({
    role: 'server',
    folder,
    config: {
      listen: [{ address: '127.0.0.1', port: 0 }],
      mitigator: { kind: 'dry-run' },
      store: { path: join(folder, 'store.db') },
      ...configurationOfClients(keyFile)
    }
  })
  return { server, clients: await startSampler('put-clients.ts', [server.port, pattern]) }
}

async function inTemporaryFolder<Result>(act: (folder: string) => Promise<Result>): Promise<Result> {
  const folder = mkdtempSync(join(tmpdir(), 'breakwater-bench-'))
  try {
    return await act(folder)
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}

/**
 * Mitigation requests acknowledged per second, each on stable storage before its answer: 64 clients over DTLS with one
 * request in flight each; against what the store alone commits with as many waiting at any time.
 */
async function durable(folder: string): Promise<Measurement> {
  const { server, clients } = await startServer(folder, 'new')
  const store = await startSampler('store-commits.ts', [join(folder, 'bare.db')])
  let [value, ceiling] = [0, 0]
  try {
    for (let round = 0; round < rounds; round++) {
      value = Math.max(value, await clients.sample(1000))
      ceiling = Math.max(ceiling, await store.sample(700))
    }
  } finally {
    clients.end()
    store.end()
    await server.stop()
  }
  return { value, unit: '1/s', ceiling, ratio: value / ceiling }
}

/**
 * Time of one such request at a server that resumed 50,000 mitigations from its store, divided by the time at one that
 * resumed 100. Each request takes the place of an earlier one, so that both numbers stay what they are.
 */
async function growth(folder: string): Promise<Measurement> {
  const [small, large] = [join(folder, 'small'), join(folder, 'large')]
  await fillStore(join(small, 'store.db'), 100)
  await fillStore(join(large, 'store.db'), 50_000)
  const few = await startServer(small, 'replace')
  const many = await startServer(large, 'replace')
  let [fewPerSecond, manyPerSecond] = [0, 0]
  try {
    await checkMitigations(few.server, 100)
    await checkMitigations(many.server, 50_000)
    for (let round = 0; round < rounds; round++) {
      fewPerSecond = Math.max(fewPerSecond, await few.clients.sample(800))
      manyPerSecond = Math.max(manyPerSecond, await many.clients.sample(800))
    }
  } finally {
    for (const { server, clients } of [few, many]) {
      clients.end()
      await server.stop()
    }
  }
  return { value: fewPerSecond / manyPerSecond, unit: 'ratio' }
}

async function checkMitigations({ control }: DotsAgent, expected: number): Promise<void> {
  const mitigations = await control.mitigations()
  const active = mitigations.filter(({ state }) => state === 'active').length
  if (active !== expected) throw new Error(`${active} of ${expected} mitigations are active`)
}

export const benchmarks: readonly Benchmark[] = [
  { name: 'mitigation-put-durable', run: () => inTemporaryFolder(durable) },
  { name: 'mitigation-put-growth', run: () => inTemporaryFolder(growth) }
]
