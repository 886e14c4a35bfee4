import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import { FakeNft, nftObstacle } from '../e2e/fake-nft.ts'
import type { Benchmark, Measurement } from './benchmark.ts'
import { startDotsAgent } from './load/dots-agent.ts'
import { KEY_HEX, configurationOfClients } from './load/many-clients.ts'
import { startSampler } from './load/sampler.ts'

const rounds = 5
const sampleMs = 2000
const requestsPerSecond = 1000
/** A round with less load than this counts for nothing. */
const leastPerSecond = 900

/**
 * By how much the 99th percentile of the response time of heartbeats grows while 1,000 mitigation requests arrive each
 * second and the mitigator hangs. The ceiling is the same percentile of the idle server, in turns with it.
 */
async function measure(folder: string, nft: FakeNft): Promise<Measurement> {
  const keyFile = join(folder, 'psk')
  writeFileSync(keyFile, KEY_HEX, { mode: 0o600 })
  const server = await startDotsAgent({
    role: 'server',
    folder,
    environment: nft.environment,
    config: {
      listen: [{ address: '127.0.0.1', port: 0 }],
      mitigator: { kind: 'nftables' },
      store: { path: join(folder, 'store.db') },
      ...configurationOfClients(keyFile)
    }
  })
  nft.hang()
  const clients = await startSampler('put-clients.ts', [server.port, 'new', String(requestsPerSecond)])
  const probe = await startSampler('heartbeat-probe.ts', [server.port])
  const samples: { readonly loaded: number; readonly idle: number; readonly rate: number }[] = []
  try {
    await clients.sample(500)
    for (let round = 0; round < rounds; round++) {
      await pause(200)
      const idle = await probe.sample(sampleMs)
      const [rate, loaded] = await Promise.all([clients.sample(sampleMs + 300), probe.sample(sampleMs)])
      samples.push({ loaded, idle, rate })
    }
  } finally {
    clients.end()
    probe.end()
    nft.release()
    await server.stop()
  }
  if (process.env['BENCH_VERBOSE'] !== undefined) console.error(JSON.stringify(samples))
  const full = samples.filter(({ rate }) => rate >= leastPerSecond)
  if (full.length === 0) throw new Error(`the load did not come about: ${JSON.stringify(samples)}`)
  // The best of each: one round with a noisy idle phase would make the excess look small.
  const idle = Math.min(...samples.map((each) => each.idle))
  const loaded = Math.min(...full.map((each) => each.loaded))
  return { value: loaded - idle, unit: 'ms', ceiling: idle, ratio: (loaded - idle) / idle }
}

async function run(): Promise<Measurement | undefined> {
  if (nftObstacle !== undefined) {
    console.error(`heartbeat-p99-under-load: ${nftObstacle}`)
    return undefined
  }
  const folder = mkdtempSync(join(tmpdir(), 'breakwater-bench-'))
  const nft = new FakeNft()
  try {
    return await measure(folder, nft)
  } finally {
    nft.remove()
    rmSync(folder, { recursive: true, force: true })
  }
}

export const benchmarks: readonly Benchmark[] = [{ name: 'heartbeat-p99-under-load', run }]
