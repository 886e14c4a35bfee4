import { readFileSync } from 'node:fs'
import { expect } from 'vitest'
import { until } from './dots-process.ts'
import { PskServer } from './psk-server.ts'
import { lifetime, map, prefixes, requestBody } from './raw-cbor.ts'
import type { Cbor } from './raw-cbor.ts'
import { asDotsCbor, mitigate } from './raw-peer.ts'
import type { RawPeer, RawRequest } from './raw-peer.ts'

export const refused = 'dots_server_requests_total{refused}'
export const malformed = 'dots_server_datagrams_malformed_total'

/** A body that is right. */
export const good: Cbor = requestBody(prefixes('203.0.113.9/32'), lifetime(600))

/** A body that is right, with one more member in its scope. */
export function scopeWith(key: number, value: Cbor): Cbor {
  return requestBody(prefixes('203.0.113.9/32'), lifetime(60), [key, value])
}

/** The body of a heartbeat. */
export const heartbeatBody: Cbor = map([49, map([51, Uint8Array.of(0xf5)])])

/** A PUT that is right but for what the caller changes. */
export function put(payload: Uint8Array = good, ...parameters: readonly string[]): RawRequest {
  return {
    path: mitigate(...(parameters.length === 0 ? ['cuid=home', 'mid=77'] : parameters)),
    options: [asDotsCbor],
    payload
  }
}

/**
 *   raw peers ── real DTLS on 127.0.0.1 ── one `dots server` process ── SQLite, dry-run mitigator
 *
 * `home` and `branch` are clients, `stranger` is not. One mitigation of home's is there; what is asked may not change it.
 */
export class SettledServer {
  readonly server: PskServer
  readonly home: RawPeer
  readonly branch: RawPeer
  #settled: unknown

  static async start(): Promise<SettledServer> {
    const server = new PskServer({ more: 'activeButTerminatingSeconds: 0' })
    await server.start()
    const settled = new SettledServer(server, await server.connect('home'), await server.connect('branch'))
    await settled.#grant('203.0.113.1/32', 'mid=1')
    return settled
  }

  private constructor(server: PskServer, home: RawPeer, branch: RawPeer) {
    this.server = server
    this.home = home
    this.branch = branch
  }

  /** Nothing is different from what was granted, except for what time changes by itself. */
  async expectUnchanged(): Promise<void> {
    expect(await this.#state()).toEqual(this.#settled)
  }

  /** Runs `act` and expects a counter to have moved by so much. */
  async counting(name: string, by: number, act: () => Promise<void>): Promise<void> {
    const before = await this.server.counter(name)
    await act()
    expect((await this.server.counter(name)) - before, name).toBe(by)
  }

  /** Home asks and gets this code with a diagnostic; the counter moves by one. */
  async expectRefusal(request: RawRequest, code: string, says: RegExp, counter = refused): Promise<void> {
    await this.counting(counter, 1, async () => {
      const answer = await this.home.ask(request)
      expect(`${answer.code} ${answer.text}`).toMatch(new RegExp(`^${code} .*${says.source}`))
    })
  }

  /** No complaints in the log, a good request is granted, and nothing else is in the store. */
  async expectGoodAsNew(): Promise<void> {
    expect(this.server.process?.log).not.toMatch(
      /uncaught|unhandled|InternalError|"level":(50|60)|store-failed/i
    )
    await this.#grant('203.0.113.2/32', 'mid=2')
    await this.server.kill()
    expect(this.server.storedKeys()).toEqual(['home/1', 'home/2'])
    await this.server.start()
  }

  async remove(): Promise<void> {
    await Promise.all([this.home.close(), this.branch.close()])
    await this.server.remove()
  }

  residentMegabytes(): number {
    const status = readFileSync(`/proc/${this.server.pid}/status`, 'utf8')
    return Number(/VmRSS:\s+(\d+) kB/.exec(status)?.[1]) / 1024
  }

  async #grant(prefix: string, mid: string): Promise<void> {
    const answer = await this.home.ask(put(requestBody(prefixes(prefix), lifetime(600)), 'cuid=home', mid))
    expect(answer.code).toBe('2.01')
    await until(
      async () => {
        const all = await this.server.control.mitigations()
        return all.every(({ state }) => state === 'active') ? true : undefined
      },
      () => `${prefix} did not become active`
    )
    this.#settled = await this.#state()
  }

  async #state(): Promise<unknown> {
    const all = await this.server.control.mitigations()
    return all.map((each) => ({ ...each, remainingLifetimeSeconds: undefined }))
  }
}
