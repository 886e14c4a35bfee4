import { createInterface } from 'node:readline'

import type { Namespace } from '../backends/netns/namespace.ts'

/** Legitimate traffic: one TCP stream, measured where it is sent. */
export interface LegitimateTraffic {
  /** Throughput of the last half second in Mbit/s; undefined before the first measurement. */
  current(): number | undefined
  /** Mean of the samples of the last `seconds`; undefined when there is none. */
  mean(seconds: number): number | undefined
  /** Fails when the stream broke instead of slowing down. */
  alive(): boolean
}

/** Seconds between two measurements. */
const sampleSeconds = 0.5

/**
 * Sends TCP from the internet to an address of the home for at most `seconds`, with iperf3.
 * Resolves when the first measurement is in.
 */
export async function startLegitimateTraffic(options: {
  readonly from: Namespace
  readonly to: Namespace
  readonly address: string
  readonly seconds: number
}): Promise<LegitimateTraffic> {
  const { from, to, address, seconds } = options
  const server = to.start(['iperf3', '--server', '--one-off', '--bind', address])
  await listening(to, 5201)
  const client = from.start(
    `iperf3 --client ${address} --time ${seconds} --interval ${sampleSeconds} --format m --forceflush`.split(
      ' '
    )
  )
  const samples: { readonly atMs: number; readonly mbps: number }[] = []
  let said = ''
  const first = new Promise<void>((resolve, reject) => {
    client.on('exit', () => reject(new Error(`iperf3 ended early: ${said}`)))
    client.stderr?.on('data', (text) => (said += String(text)))
    if (client.stdout !== null)
      createInterface({ input: client.stdout }).on('line', (line) => {
        const mbps = throughputIn(line)
        if (mbps === undefined) return
        samples.push({ atMs: performance.now(), mbps })
        resolve()
      })
  })
  server.stdout?.resume()
  await first
  return {
    current: () => samples.at(-1)?.mbps,
    mean: (span) => {
      const since = performance.now() - span * 1000
      const recent = samples.filter((sample) => sample.atMs >= since)
      return recent.length === 0 ? undefined : recent.reduce((sum, { mbps }) => sum + mbps, 0) / recent.length
    },
    alive: () => client.exitCode === null
  }
}

/** `[  5]   0.00-0.50   sec   640 KBytes  10.5 Mbits/sec …` → 10.5 */
function throughputIn(line: string): number | undefined {
  const match = /sec\s+[\d.]+ \w*Bytes\s+([\d.]+) Mbits\/sec/.exec(line)
  return match?.[1] === undefined || /sender|receiver/.test(line) ? undefined : Number(match[1])
}

async function listening(host: Namespace, port: number): Promise<void> {
  for (let attempt = 0; attempt < 100; attempt++) {
    if ((await host.exec(['ss', '-Hltn', `sport = :${port}`])).trim() !== '') return
    await new Promise((resolve) => setTimeout(resolve, 20))
  }
  throw new Error(`nothing listens on port ${port} in ${host.name}`)
}
