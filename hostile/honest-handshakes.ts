import { spawn } from 'node:child_process'
import type { ChildProcess } from 'node:child_process'
import { EventEmitter, once } from 'node:events'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { openDtlsEndpoint } from '@breakwater/dtls'
import type { PskServer } from '../e2e/psk-server.ts'
import { loopback } from '../e2e/raw-peer.ts'

/** A flood of hellos: how many in a second, and whether those who send them prove their address. */
export interface Storm {
  readonly kind: 'spoofed' | 'verified'
  readonly hellosPerSecond: number
}

/** What became of honest handshakes. */
export interface HonestHandshakes {
  readonly storm: Storm | 'none'
  readonly tried: number
  readonly established: number
  readonly medianMs: number
  readonly p99Ms: number
  /** Hellos that came to the server meanwhile, in a second. */
  readonly hellosPerSecond: number
  /** Those that it dropped unread. */
  readonly droppedPerSecond: number
}

/** A source may send 200 hellos in a second; each handshake takes two. */
const PAUSE_MS = 15

/** The attacker, in a process of its own. */
async function start(port: number, { kind, hellosPerSecond }: Storm): Promise<ChildProcess> {
  const script = fileURLToPath(new URL('hello-storm.ts', import.meta.url))
  const child = spawn(process.execPath, [script, String(port), String(hellosPerSecond), kind], {
    stdio: ['ignore', 'pipe', 'inherit']
  })
  await once(child.stdout, 'data')
  // Until it has reached its rate.
  await sleep(1000)
  return child
}

/** The key of `home`. */
const key = new Uint8Array(32).fill(0x10)

/** @returns how long it took; undefined where nothing came of it. */
async function handshake(port: number): Promise<number | undefined> {
  const events = new EventEmitter()
  const credentials = { kind: 'psk', identity: 'home', key } as const
  const endpoint = await openDtlsEndpoint(
    { role: 'client', local: loopback(0), credentials },
    { onBatch: () => undefined, onSession: ({ kind }) => events.emit('over', kind) }
  )
  const began = performance.now()
  endpoint.connect({ remote: loopback(port), serverName: 'dots.example' })
  const [kind] = (await once(events, 'over')) as [string]
  const took = performance.now() - began
  await endpoint.destroy()
  return kind === 'established' ? took : undefined
}

/** One after the other, or, where many of them have to ask again and again, all at once. */
async function handshakes(
  port: number,
  tries: number,
  isAtOnce: boolean
): Promise<readonly (number | undefined)[]> {
  if (isAtOnce) return Promise.all(Array.from({ length: tries }, () => handshake(port)))
  const times: (number | undefined)[] = []
  for (let round = 0; round < tries; round++) {
    times.push(await handshake(port))
    await sleep(PAUSE_MS)
  }
  return times
}

function quantile(sorted: readonly number[], share: number): number {
  return sorted[Math.min(sorted.length - 1, Math.ceil(share * sorted.length) - 1)] ?? Number.NaN
}

/** Handshakes of a client in good standing, each with a session of its own, while a storm goes on. */
export async function honestHandshakes(
  server: PskServer,
  tries: number,
  storm?: Storm,
  isAtOnce = false
): Promise<HonestHandshakes> {
  const attacker = storm === undefined ? undefined : await start(server.port, storm)
  const before = await server.control.counters()
  const began = performance.now()
  let all: readonly (number | undefined)[]
  try {
    all = await handshakes(server.port, tries, isAtOnce)
  } finally {
    attacker?.kill()
    if (attacker !== undefined) await once(attacker, 'exit')
  }
  const seconds = (performance.now() - began) / 1000
  const after = await server.control.counters()
  const perSecond = (...names: readonly string[]): number =>
    Math.round(names.reduce((sum, name) => sum + (after[name] ?? 0) - (before[name] ?? 0), 0) / seconds)
  const sorted = all.filter((time) => time !== undefined).toSorted((a, b) => a - b)
  return {
    storm: storm ?? 'none',
    tried: tries,
    established: sorted.length,
    medianMs: quantile(sorted, 0.5),
    p99Ms: quantile(sorted, 0.99),
    hellosPerSecond: perSecond('dtls_hellosIn'),
    droppedPerSecond: perSecond('dtls_hellosOverRate', 'dtls_hellosOverBudget', 'dtls_hellosOverLimit')
  }
}
