import { decodeUtf8, encodeUtf8, fraction, Instant } from '@breakwater/core'
import type { Entropy } from '@breakwater/core'
import { seededEntropy } from '@breakwater/testing'
import * as fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { Code, CoapSession, defaultParameters, Method, uintOption, uriPath } from '../src/index.ts'
import type { CoapSessionOutput, IncomingExchange, OutgoingExchange } from '../src/index.ts'

interface Weather {
  /** Share of datagrams that are lost, and that arrive twice. */
  readonly loss: number
  readonly doubling: number
  /** Longest way in milliseconds: the longer, the more reordering. */
  readonly latency: number
}

interface Event {
  readonly at: number
  readonly act: () => void
}

const weather: fc.Arbitrary<Weather> = fc.record({
  loss: fc.constantFrom(0, 0.1, 0.3, 0.6),
  doubling: fc.constantFrom(0, 0.2),
  latency: fc.constantFrom(10, 800, 5000)
})

/** Two sessions and what lies between them, under virtual time. */
class World {
  readonly client: CoapSession
  readonly server: CoapSession
  readonly #entropy: Entropy
  readonly #weather: Weather
  #events: Event[] = []
  now = 0
  onClient: (output: CoapSessionOutput) => void = () => undefined
  onServer: (output: CoapSessionOutput) => void = () => undefined

  constructor(seed: number, conditions: Weather) {
    this.#entropy = seededEntropy(seed)
    this.#weather = conditions
    const parameters = { ...defaultParameters, nstart: 1 + (seed & 1) }
    this.client = new CoapSession({ parameters, entropy: seededEntropy(seed + 1) })
    this.server = new CoapSession({ parameters, entropy: seededEntropy(seed + 2) })
  }

  at(moment: number, act: () => void): void {
    this.#events.push({ at: moment, act })
  }

  drain(session: CoapSession): void {
    for (let output = session.poll(); output !== undefined; output = session.poll()) {
      if (output.kind === 'send')
        this.#carry(session === this.client ? this.server : this.client, output.bytes)
      else if (session === this.client) this.onClient(output)
      else this.onServer(output)
    }
  }

  #carry(to: CoapSession, bytes: Uint8Array): void {
    const copies = fraction(this.#entropy) < this.#weather.doubling ? 2 : 1
    for (let copy = 0; copy < copies; copy++) {
      if (fraction(this.#entropy) < this.#weather.loss) continue
      this.at(this.now + fraction(this.#entropy) * this.#weather.latency, () => {
        to.handle({ kind: 'datagram', bytes }, Instant(this.now))
        this.drain(to)
      })
    }
  }

  /** Until nothing is underway and no session waits for anything. */
  run(): void {
    for (let steps = 0; this.#step(); steps++)
      if (steps > 50_000) throw new Error('the world never comes to rest')
  }

  #step(): boolean {
    this.#events.sort((a, b) => a.at - b.at)
    const event = this.#events[0]
    const timeouts = [this.client, this.server].map((session) => session.nextTimeout() ?? Infinity)
    const wakeUp = Math.min(...timeouts)
    if (event === undefined && wakeUp === Infinity) return false
    if (event !== undefined && event.at <= wakeUp) {
      this.#events.shift()
      this.now = Math.max(this.now, event.at)
      event.act()
      return true
    }
    this.now = Math.max(this.now, wakeUp)
    for (const session of [this.client, this.server]) {
      session.handleTimeout(Instant(this.now))
      this.drain(session)
    }
    return true
  }
}

describe('two sessions with bad weather between them', () => {
  test('each request is processed at most once and ends exactly once, with its own response', () => {
    const run = fc.tuple(fc.nat(), weather, fc.integer({ min: 1, max: 12 }))
    fc.assert(
      fc.property(run, ([seed, conditions, count]) => {
        const world = new World(seed, conditions)
        const processed = new Map<string, number>()
        const ended = new Map<number, string>()
        world.onServer = (output) => {
          if (output.kind !== 'request') return
          const { exchange } = output
          const body = decodeUtf8(output.request.payload)
          processed.set(body, (processed.get(body) ?? 0) + 1)
          // Now and then later than the acknowledgement delay.
          world.at(world.now + (Number(body) % 3) * 900, () => {
            const response = { code: Code.changed, options: [], payload: encodeUtf8(`re ${body}`) }
            world.server.handle({ kind: 'respond', exchange, response }, Instant(world.now))
            world.drain(world.server)
          })
        }
        world.onClient = (output) => {
          if (output.kind !== 'response' && output.kind !== 'failed') return
          const how = output.kind === 'failed' ? output.reason : decodeUtf8(output.response.payload)
          if (ended.has(output.exchange)) throw new Error(`exchange ${output.exchange} ended twice`)
          ended.set(output.exchange, how)
        }
        for (let exchange = 1; exchange <= count; exchange++)
          world.at(exchange * 100, () => {
            const request = {
              method: Method.post,
              options: uriPath('x'),
              payload: encodeUtf8(String(exchange))
            }
            world.client.handle(
              { kind: 'request', exchange: exchange as OutgoingExchange, request, confirmable: true },
              Instant(world.now)
            )
            world.drain(world.client)
          })
        world.run()
        expect(ended.size).toBe(count)
        for (const [exchange, how] of ended) expect([`re ${exchange}`, 'timeout', 'reset']).toContain(how)
        for (const times of processed.values()) expect(times).toBe(1)
        if (conditions.loss === 0) expect(new Set(ended.values())).not.toContain('timeout')
      }),
      { numRuns: 60 }
    )
  })

  test('an observer ends up with the latest state, or the server has given it up [RFC7641-4.5-M01]', () => {
    const run = fc.tuple(fc.nat(), weather, fc.integer({ min: 1, max: 20 }))
    let agreed = 0
    fc.assert(
      fc.property(run, ([seed, conditions, changes]) => {
        const world = new World(seed, conditions)
        let observer: IncomingExchange | undefined
        let gone = false
        let state = 0
        const seen: number[] = []
        let failed = false
        world.onServer = (output) => {
          if (output.kind === 'observer-gone') gone = true
          if (output.kind !== 'request') return
          observer = output.exchange
          const response = {
            code: Code.content,
            options: [uintOption(6, 0)],
            payload: encodeUtf8(String(state))
          }
          world.server.handle({ kind: 'respond', exchange: output.exchange, response }, Instant(world.now))
        }
        world.onClient = (output) => {
          if (output.kind === 'failed') failed = true
          if (output.kind === 'response') seen.push(Number(decodeUtf8(output.response.payload)))
        }
        world.at(0, () => {
          const request = {
            method: Method.get,
            options: [uintOption(6, 0), ...uriPath('x')],
            payload: new Uint8Array(0)
          }
          world.client.handle(
            { kind: 'request', exchange: 1 as OutgoingExchange, request, confirmable: true },
            Instant(0)
          )
          world.drain(world.client)
        })
        for (let change = 1; change <= changes; change++)
          world.at(20_000 + change * 1700, () => {
            state = change
            if (observer === undefined || gone) return
            const response = { code: Code.content, options: [], payload: encodeUtf8(String(change)) }
            // The last one, at the least, is Confirmable.
            const confirmable = change === changes || change % 4 === 0
            world.server.handle(
              { kind: 'notify', exchange: observer, response, confirmable },
              Instant(world.now)
            )
            world.drain(world.server)
          })
        world.run()
        expect(seen).toEqual(seen.toSorted((a, b) => a - b))
        if (failed || gone || observer === undefined) return
        expect(seen.at(-1)).toBe(changes)
        agreed++
      }),
      { numRuns: 60 }
    )
    expect(agreed).toBeGreaterThan(10)
  })
})
