import { ipv4 } from '@breakwater/core'
import type { PeerId, PlaintextBatch, SecureEndpoint, SessionEvent } from '@breakwater/core'
import { seededEntropy } from '@breakwater/testing'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { openDtlsEndpoint } from '../src/index.ts'
import { eventually } from './eventually.ts'

const psk = Buffer.from('0123456789abcdef')
const local = { address: ipv4(0x7f000001), port: 0 }
const preSharedKeys = new Map([['site-1', psk]])
const credentials = { kind: 'psk', identity: 'site-1', key: psk } as const

const seed = Number(process.env['SEED'] ?? Date.now() % 1_000_000)
const entropy = seededEntropy(seed)
const below = (bound: number): number => entropy.uint32() % bound

class Fault extends Error {}
const uncaught: unknown[] = []
const remember = (error: unknown): void => void uncaught.push(error)
let others: NodeJS.UncaughtExceptionListener[] = []
beforeAll(() => {
  others = process.listeners('uncaughtException')
  process.removeAllListeners('uncaughtException').on('uncaughtException', remember)
})
afterAll(() => {
  process.removeAllListeners('uncaughtException')
  for (const listener of others) process.on('uncaughtException', listener)
})

/** An endpoint whose handlers turn on it, and that writes down what must not happen. */
class Unruly {
  readonly wrongs: string[] = []
  established = 0
  #endpoint: SecureEndpoint | undefined
  #server: SecureEndpoint | undefined
  #destroyed = false
  readonly #state = new Map<PeerId, 'up' | 'gone'>()

  async open(server?: SecureEndpoint): Promise<SecureEndpoint> {
    this.#server = server
    const limits = { peers: 6, handshaking: 4 }
    this.#endpoint = await openDtlsEndpoint(
      server === undefined
        ? { role: 'server', local, preSharedKeys, limits }
        : { role: 'client', local, credentials },
      this
    )
    return this.#endpoint
  }

  connect(): void {
    if (this.#server !== undefined)
      this.#endpoint?.connect({ remote: this.#server.local, serverName: 'server.example' })
  }

  destroy(): Promise<void> {
    this.#destroyed = true
    return this.#endpoint?.destroy() ?? Promise.resolve()
  }

  onSession(event: SessionEvent): void {
    const { kind, peer } = event
    const before = this.#state.get(peer)
    if (this.#destroyed) this.wrongs.push(`${kind} after destroy`)
    if (before !== (kind === 'closed' ? 'up' : undefined))
      this.wrongs.push(`${kind} of one that is ${before}`)
    this.#state.set(peer, kind === 'established' ? 'up' : 'gone')
    if (kind === 'established') {
      this.established++
      this.#endpoint?.send(peer, Buffer.from('hello'))
    }
    if (below(3) === 0) this.#misbehave(peer)
  }

  onBatch(batch: PlaintextBatch): void {
    if (this.#destroyed) this.wrongs.push('data after destroy')
    for (let index = 0; index < batch.count; index++)
      if (this.#state.get(batch.peer(index)) !== 'up') this.wrongs.push('data of a stranger')
    this.#misbehave(batch.peer(below(batch.count)))
  }

  #misbehave(peer: PeerId): void {
    const endpoint = this.#endpoint
    if (endpoint === undefined) return
    const acts = [
      () => endpoint.close(peer),
      () => void this.destroy(),
      () => {
        throw new Fault('a broken handler')
      },
      () => this.connect(),
      () => [...this.#state.keys()].forEach((each) => endpoint.close(each)),
      () => void Promise.resolve().then(() => endpoint.close(peer)),
      () => process.nextTick(() => void this.destroy()),
      () => Array.from({ length: 1500 }, () => endpoint.send(peer, new Uint8Array(1 + below(200))))
    ]
    const act =
      acts[below(2 * acts.length)] ?? (() => Array.from({ length: 20 }, () => endpoint.send(peer, psk)))
    act()
  }
}

it(`keeps its promises to handlers that close, connect, destroy and throw from within (SEED=${seed})`, async () => {
  let established = 0
  for (let round = 0; round < 30; round++) {
    const server = new Unruly()
    const reached = await server.open()
    const clients = Array.from({ length: 4 }, () => new Unruly())
    const all = [server, ...clients]
    for (const client of clients) await client.open(reached)
    for (const client of [...clients, ...clients]) client.connect()
    const until = performance.now() + 20
    await eventually('a moment', () => performance.now() > until)
    await Promise.all(all.map((each) => each.destroy()))
    expect(all.flatMap(({ wrongs }) => wrongs)).toEqual([])
    established += all.reduce((sum, each) => sum + each.established, 0)
  }
  expect(established).toBeGreaterThan(60)
  expect(uncaught.filter((error) => !(error instanceof Fault))).toEqual([])
})
