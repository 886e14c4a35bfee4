import { Instant, Seconds, after } from '@breakwater/core'
import { seededEntropy } from '@breakwater/testing'
import { describe, expect, it } from 'vitest'
import { Heartbeat } from '../../src/signal/heartbeat.ts'
import type { HeartbeatInput, HeartbeatOutput } from '../../src/signal/heartbeat.ts'

const CONFIGURATION = { heartbeatIntervalSeconds: 30, missingHeartbeatsAllowed: 3 }

/** A heartbeat under a clock of its own; outputs with the second at which they came. */
class Bench {
  readonly heartbeat: Heartbeat
  readonly log: { readonly at: number; readonly output: HeartbeatOutput }[] = []
  now: Instant = Instant(0)

  constructor(configuration = CONFIGURATION, seed = 1) {
    this.heartbeat = new Heartbeat(configuration, seededEntropy(seed), this.now)
  }

  feed(input: HeartbeatInput): void {
    this.heartbeat.handle(input, this.now)
    this.#drain()
  }

  advance(seconds: number, meanwhile: () => void = () => undefined): void {
    const end = after(this.now, Seconds(seconds))
    for (
      let next = this.heartbeat.nextTimeout();
      next !== undefined && next <= end;
      next = this.heartbeat.nextTimeout()
    ) {
      this.now = next
      this.heartbeat.handleTimeout(next)
      this.#drain()
      meanwhile()
    }
    this.now = end
  }

  kinds(): string[] {
    return this.log.map(({ output }) => output.kind)
  }

  sends(): number[] {
    return this.log.filter(({ output }) => output.kind === 'send').map(({ at }) => at)
  }

  #drain(): void {
    for (let output = this.heartbeat.poll(); output !== undefined; output = this.heartbeat.poll())
      this.log.push({ at: this.now / 1000, output })
  }
}

describe('heartbeats of one session', () => {
  it('the first comes after half to one interval, the others one interval or up to a tenth more apart', () => {
    for (let seed = 0; seed < 50; seed++) {
      const bench = new Bench(CONFIGURATION, seed)
      bench.advance(600)
      const [first = 0, ...others] = bench.sends()
      expect(first).toBeGreaterThanOrEqual(15)
      expect(first).toBeLessThanOrEqual(30)
      for (const [index, at] of others.entries()) {
        const gap = at - (index === 0 ? first : (others[index - 1] ?? 0))
        expect(gap).toBeGreaterThanOrEqual(30 - 1e-9)
        expect(gap).toBeLessThanOrEqual(33 + 1e-9)
      }
    }
  })

  it('an interval of 0 switches them off, and another one on again', () => {
    const bench = new Bench({ ...CONFIGURATION, heartbeatIntervalSeconds: 0 })
    expect(bench.heartbeat.nextTimeout()).toBeUndefined()
    bench.feed({ kind: 'configuration', configuration: CONFIGURATION })
    bench.advance(40)
    expect(bench.kinds()).toEqual(['send'])
  })

  it('silence is reported when as many as allowed went unanswered and nothing came', () => {
    const bench = new Bench()
    bench.advance(30 * 4.5)
    expect(bench.kinds()).toEqual(['send', 'send', 'send', 'silent', 'send'])
    expect(bench.log[3]?.output).toEqual({ kind: 'silent', count: 3 })
  })

  it('when something else came, heartbeats are unanswered but the peer is not silent', () => {
    const bench = new Bench()
    bench.advance(150, () => bench.feed({ kind: 'traffic' }))
    expect(bench.kinds()).toContain('unanswered')
    expect(bench.kinds()).not.toContain('silent')
  })

  it('unanswered becomes silent when the traffic stops, too, and each is said once', () => {
    const bench = new Bench()
    bench.advance(300, () => bench.feed({ kind: 'traffic' }))
    bench.advance(600)
    expect(bench.kinds().filter((kind) => kind !== 'send')).toEqual(['unanswered', 'silent'])
  })

  it('an answer ends all that, and the count starts again', () => {
    const bench = new Bench()
    bench.advance(200)
    bench.feed({ kind: 'answered' })
    expect(bench.kinds().at(-1)).toBe('answered-again')
    expect(bench.heartbeat.unansweredCount).toBe(0)
    bench.advance(65)
    expect(bench.kinds().filter((kind) => kind === 'silent')).toHaveLength(1)
  })

  it('answers that come keep everything quiet', () => {
    const bench = new Bench()
    bench.advance(3600, () => bench.feed({ kind: 'answered' }))
    expect(new Set(bench.kinds())).toEqual(new Set(['send']))
  })

  it('tells the peer whether its own came in the last two intervals; a young session has the benefit of the doubt', () => {
    const bench = new Bench()
    expect(bench.heartbeat.hearsPeer(Instant(60_000))).toBe(true)
    expect(bench.heartbeat.hearsPeer(Instant(60_001))).toBe(false)
    bench.now = Instant(100_000)
    bench.feed({ kind: 'peer-heartbeat', peerHeartbeatStatus: true })
    expect(bench.heartbeat.hearsPeer(Instant(160_000))).toBe(true)
    expect(bench.heartbeat.hearsPeer(Instant(160_001))).toBe(false)
  })

  it('a peer that does not hear us gets one at once, but never two within 15 seconds', () => {
    const bench = new Bench()
    bench.feed({ kind: 'peer-heartbeat', peerHeartbeatStatus: false })
    bench.now = Instant(14_999)
    bench.feed({ kind: 'peer-heartbeat', peerHeartbeatStatus: false })
    bench.now = Instant(15_000)
    bench.feed({ kind: 'peer-heartbeat', peerHeartbeatStatus: false })
    expect(bench.sends()).toEqual([0, 15])
  })

  it('new values take nothing of the old ones along: no debt of heartbeats, and no pause that was allowed', () => {
    const bench = new Bench({ heartbeatIntervalSeconds: 240, missingHeartbeatsAllowed: 20 })
    bench.advance(1000)
    expect(bench.heartbeat.unansweredCount).toBeGreaterThanOrEqual(3)
    bench.feed({ kind: 'peer-heartbeat', peerHeartbeatStatus: true })
    bench.advance(200)
    bench.feed({ kind: 'configuration', configuration: CONFIGURATION })
    expect(bench.heartbeat.hearsPeer(bench.now)).toBe(true)
    const before = bench.log.length
    bench.advance(70)
    expect(bench.kinds().slice(before)).not.toContain('silent')
    bench.advance(130)
    expect(bench.kinds().slice(before)).toContain('silent')
  })

  it('after a time without heartbeats, the peer is not blamed for having sent none', () => {
    const bench = new Bench({ heartbeatIntervalSeconds: 0, missingHeartbeatsAllowed: 3 })
    bench.advance(1000)
    bench.feed({ kind: 'configuration', configuration: CONFIGURATION })
    bench.advance(40)
    expect(bench.log.map(({ output }) => output)).toEqual([{ kind: 'send', peerHeartbeatStatus: true }])
  })

  it('a pause that was too long stays one', () => {
    const bench = new Bench()
    bench.advance(100)
    bench.feed({ kind: 'configuration', configuration: { ...CONFIGURATION, heartbeatIntervalSeconds: 45 } })
    expect(bench.heartbeat.hearsPeer(bench.now)).toBe(false)
  })

  it('the values that it has already move nothing', () => {
    const bench = new Bench()
    bench.advance(100)
    const { unansweredCount } = bench.heartbeat
    const next = bench.heartbeat.nextTimeout()
    bench.feed({ kind: 'configuration', configuration: { ...CONFIGURATION } })
    expect(bench.heartbeat.nextTimeout()).toBe(next)
    expect(bench.heartbeat.unansweredCount).toBe(unansweredCount)
  })
})
