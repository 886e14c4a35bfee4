import { Instant, Seconds, after } from '@breakwater/core'
import { describe, expect, it } from 'vitest'
import { PoolChoice } from '../../../src/client/pools/pool-choice.ts'
import type { PoolDecision } from '../../../src/client/pools/pool-choice.ts'
import type { ServerHealth } from '../../../src/client/pools/server-health.ts'
import { ServerName } from '../../../src/domain/identifier.ts'
import type { Alternatives } from '../../../src/multihoming/alternatives.ts'
import { server } from '../../multihoming/sites.ts'

const [A, B, C] = [ServerName('a'), ServerName('b'), ServerName('c')]
const [a, b, c] = ['a', 'b', 'c'].map((name, index) => server('isp', `192.0.2.${index + 1}`, name))
const START = Instant(1_000_000)

/** Servers that do as the test says. */
class Bench {
  now = START
  lists: Alternatives[] = [[a!, b!]]
  readonly health = new Map<ServerName, ServerHealth>()
  readonly asked = new Set<ServerName>()
  readonly standing = new Set<ServerName>()
  readonly choice = new PoolChoice({
    healthOf: (name) => this.health.get(name) ?? { state: 'absent' },
    isAsked: (name) => this.asked.has(name),
    standsBy: (name) => this.standing.has(name)
  })

  decide(seconds = 0): PoolDecision {
    this.now = after(this.now, Seconds(seconds))
    return this.choice.decide(this.lists, this.now)
  }

  /** @param good For how long. */
  answers(name: ServerName, good = 3600, waitsSince?: Instant): void {
    const goodSince = Instant(this.now - good * 1000)
    this.health.set(name, { state: 'answering', goodSince, answeredAt: this.now, waitsSince })
  }

  isSilent(name: ServerName, since: Instant | undefined = this.now): void {
    this.health.set(name, { state: 'silent', since, because: 'a request got no answer' })
  }

  get chosen(): string {
    return [...this.choice.chosen].join(' ')
  }
}

describe('who is asked of servers that stand in for one another', () => {
  it('is the preferred one, or the one that an earlier life asked', () => {
    const bench = new Bench()
    bench.decide()
    expect(bench.chosen).toBe('a')
    bench.asked.add(B)
    bench.decide()
    expect(bench.chosen).toBe('b')
  })

  it('is the one with which an earlier life left what stands by, if nobody is asked for anything', () => {
    const bench = new Bench()
    bench.standing.add(B)
    bench.decide()
    expect(bench.chosen).toBe('b')
    bench.asked.add(A)
    bench.decide()
    expect(bench.chosen).toBe('a')
  })

  it('is waited for, for a second, when another one is there before it', () => {
    const bench = new Bench()
    bench.health.set(A, { state: 'connecting' })
    bench.answers(B)
    expect(bench.decide().switches).toEqual([])
    expect(bench.choice.nextTimeout()).toBe(after(bench.now, Seconds(1)))
    expect(bench.decide(0.9).switches).toEqual([])
    expect(bench.decide(0.1).switches).toMatchObject([{ from: A, to: B }])
  })

  it('is left at once without a session, and never for one that is not there', () => {
    const bench = new Bench()
    bench.isSilent(B)
    expect(bench.decide().switches).toEqual([])
    bench.answers(B)
    expect(bench.decide().switches).toMatchObject([{ to: B, because: 'there is no session with it' }])
  })

  it('is left for one that has answered since it fell silent, and the other one is looked at meanwhile', () => {
    const bench = new Bench()
    bench.answers(A)
    bench.answers(B)
    bench.decide(60)
    bench.answers(A, 3600, bench.now)
    expect(bench.decide()).toMatchObject({ switches: [], looks: [B] })
    bench.isSilent(A)
    expect(bench.decide(1)).toMatchObject({ switches: [], looks: [B] })
    bench.answers(B)
    expect(bench.decide().switches).toMatchObject([
      { from: A, to: B, because: 'a request got no answer', inputs: { 'a silent for': '1.0 s' } }
    ])
  })

  it('is refreshed once more at the first answer that is missing, and stays if it answers', () => {
    const bench = new Bench()
    bench.asked.add(A)
    bench.answers(A)
    bench.answers(B)
    expect(bench.decide()).toMatchObject({ switches: [], doubts: [] })
    bench.answers(A, 3600, bench.now)
    expect(bench.decide(0.5)).toMatchObject({ switches: [], doubts: [A] })
    expect(bench.decide(60)).toMatchObject({ switches: [], doubts: [A] })
  })

  it('is left for one missing answer after two seconds, if nothing is asked of it and another one answers', () => {
    const bench = new Bench()
    bench.answers(A)
    bench.decide(60)
    bench.answers(A, 3600, bench.now)
    bench.answers(B)
    expect(bench.decide()).toMatchObject({ switches: [], doubts: [] })
    expect(bench.choice.nextTimeout()).toBe(after(bench.now, Seconds(2)))
    expect(bench.decide(1.9).switches).toEqual([])
    expect(bench.decide(0.1).switches).toMatchObject([
      { from: A, to: B, because: 'a heartbeat got no answer, and nothing is asked of it' }
    ])
  })

  it('is left without a carrier for whoever answers', () => {
    const bench = new Bench()
    bench.answers(B)
    bench.health.set(A, { state: 'silent', since: undefined, because: 'wan-1 has no carrier' })
    expect(bench.decide(20).switches).toMatchObject([{ to: B, because: 'wan-1 has no carrier' }])
  })

  it('is the preferred one again when that was good for two minutes, and changes once a minute at most', () => {
    const bench = new Bench()
    bench.answers(B)
    bench.decide()
    expect(bench.chosen).toBe('b')
    bench.answers(A, 0)
    expect(bench.decide().switches).toEqual([])
    expect(bench.choice.nextTimeout()).toBe(after(bench.now, Seconds(120)))
    expect(bench.decide(119).switches).toEqual([])
    expect(bench.decide(1).switches).toMatchObject([{ from: B, to: A }])
    bench.isSilent(A)
    bench.answers(B)
    expect(bench.decide(30).switches).toEqual([])
    expect(bench.choice.nextTimeout()).toBe(after(bench.now, Seconds(30)))
    expect(bench.decide(30).switches).toMatchObject([{ from: A, to: B }])
  })

  it('is of the others first who was good for two minutes', () => {
    const bench = new Bench()
    bench.lists = [[a!, b!, c!]]
    bench.answers(B, 60)
    bench.answers(C)
    expect(bench.decide().switches).toMatchObject([{ from: A, to: C }])
  })

  it('stays while it is of the list, and the list changes', () => {
    const bench = new Bench()
    bench.answers(B, 60)
    bench.answers(C, 10)
    bench.decide()
    expect(bench.chosen).toBe('b')
    bench.lists = [
      [a!, b!, c!],
      [b!, c!]
    ]
    expect(bench.decide()).toMatchObject({ switches: [], isOther: false })
    expect(bench.chosen).toBe('b')
    bench.lists = [[a!, c!]]
    expect(bench.decide()).toMatchObject({ switches: [{ from: A, to: C }], isOther: true })
  })
})
