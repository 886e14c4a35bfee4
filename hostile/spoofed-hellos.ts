import { randomBytes } from 'node:crypto'
import { ipv4 } from '@breakwater/core'
import { MemoryEngine } from '../packages/dtls/src/memory-engine.ts'
import { ForgingClient } from '../packages/dtls/test/forging-client.ts'

/** What came of a flood of hellos from forged addresses. */
export interface Flood {
  readonly hellos: number
  readonly answered: number
  readonly bytesOutPerByteIn: number
  readonly packetsOutPerPacketIn: number
  readonly residentBytesBefore: number
  readonly residentBytesGrown: number
  readonly peers: number
  readonly deadlines: number
  readonly seconds: number
}

function resident(): number {
  globalThis.gc?.()
  return process.memoryUsage.rss()
}

/**
 * Feeds an engine with hellos, each from another address, with the limits of rate as wide as they go: each is answered.
 * RFC 4732 §4.1.1: nothing may be kept for them. Needs `--expose-gc` for figures that mean something.
 */
export function spoofedHellos(hellos: number): Flood {
  const server = new MemoryEngine({
    role: 'server',
    local: { address: ipv4(0xc0000201), port: 4646 },
    preSharedKeys: new Map([['site-1', randomBytes(16)]]),
    limits: { hellosPerSecondPerSource: 1_000_000, unverifiedHellosPerSecond: 1_000_000 }
  })
  const forger = new ForgingClient(server, server.local, 'site-1', randomBytes(16))
  const hello = forger.hello()
  let [bytesOut, packetsOut] = [0, 0]
  const feed = (from: number, to: number): void => {
    for (let index = from; index < to; index++) {
      // Knuth's multiplier: every address once.
      const address = ipv4(Math.imul(index, 2_654_435_761) >>> 0)
      server.feed({ address, port: 1 + (index % 65_535) }, hello)
      for (const { bytes } of server.take().datagrams) {
        bytesOut += bytes.length
        packetsOut++
      }
    }
  }
  // What the runtime needs once is not kept for a hello: 20,000 of them come before the first look.
  const warm = 20_000
  feed(0, warm)
  const residentBytesBefore = resident()
  const started = performance.now()
  feed(warm, warm + hellos)
  const seconds = (performance.now() - started) / 1000
  const residentBytesGrown = resident() - residentBytesBefore
  const { peers = 0, deadlines = 0 } = server.stats()
  const all = hellos + warm
  return {
    hellos,
    answered: packetsOut,
    bytesOutPerByteIn: bytesOut / (all * hello.length),
    packetsOutPerPacketIn: packetsOut / all,
    residentBytesBefore,
    residentBytesGrown,
    peers,
    deadlines,
    seconds
  }
}
