import { Instant, Seconds, after } from '@breakwater/core'
import { describe, expect, it } from 'vitest'
import { PoolSessions } from '../../../src/client/pools/pool-sessions.ts'
import type { PoolSituation } from '../../../src/client/pools/pool-sessions.ts'
import type { ServerHealth } from '../../../src/client/pools/server-health.ts'
import { ServerName } from '../../../src/domain/identifier.ts'
import type { Alternatives } from '../../../src/multihoming/alternatives.ts'
import { server } from '../../multihoming/sites.ts'

const [a, b, c, d] = ['a', 'b', 'c', 'd'].map((name, index) => server('isp', `192.0.2.${index + 1}`, name))
const START = Instant(1_000_000)

/** Servers that do as the test says. What the sessions are told to do is done at once. */
class Bench {
  now = START
  lists: Alternatives[] = [[a!, b!, c!]]
  chosen = 'a'
  isStarted = true
  readonly alone = new Set<ServerName>()
  readonly health = new Map<string, ServerHealth['state']>()
  readonly begun = new Set<string>()
  readonly concerned = new Set<string>()
  readonly sessions = new PoolSessions({
    healthOf: (name) => this.#healthOf(name),
    isBegun: (name) => this.begun.has(name),
    isConcerned: (name) => this.concerned.has(name)
  })

  /** @returns with whom there is to be a session. */
  decide(seconds = 0): string {
    this.now = after(this.now, Seconds(seconds))
    const { lists, alone, isStarted } = this
    const chosen = new Set(this.chosen.split(' ').map((name) => ServerName(name)))
    const situation: PoolSituation = { lists, alone, chosen, isStarted }
    const { end } = this.sessions.decide(situation, this.now)
    for (const name of end) this.begun.delete(name)
    const kept = lists.flat().filter(({ name }) => !this.sessions.spares.has(name))
    if (isStarted) for (const { name } of kept) this.begun.add(name)
    return [...new Set(kept.map(({ name }) => String(name)))].sort().join(' ')
  }

  are(state: ServerHealth['state'], ...names: string[]): this {
    for (const name of names) this.health.set(name, state)
    return this
  }

  #healthOf(name: string): ServerHealth {
    const state = this.health.get(name) ?? 'absent'
    if (state === 'answering')
      return { state, goodSince: this.now, answeredAt: this.now, waitsSince: undefined }
    return state === 'silent' ? { state, since: this.now, because: '' } : { state }
  }
}

describe('sessions with servers that stand in for one another', () => {
  it('are with the one that is asked, and with the next one', () => {
    const bench = new Bench()
    expect(bench.decide()).toBe('a b')
    bench.are('answering', 'a', 'b')
    expect(bench.decide(3600)).toBe('a b')
    bench.chosen = 'c'
    expect(bench.are('answering', 'c').decide()).toBe('a b c')
    expect(bench.decide(119)).toBe('a b c')
    expect(bench.decide(1)).toBe('a c')
  })

  it.each(['silent', 'absent'] as const)('are with the one after the next, where that is %s', (state) => {
    const bench = new Bench().are('answering', 'a', 'b')
    bench.decide()
    expect(bench.are(state, 'b').decide()).toBe('a b c')
  })

  it('wait three seconds for a first one with the next', () => {
    const bench = new Bench().are('answering', 'a').are('connecting', 'b')
    expect(bench.decide()).toBe('a b')
    expect(bench.sessions.nextTimeout()).toBe(after(START, Seconds(3)))
    expect(bench.decide(2.9)).toBe('a b')
    expect(bench.decide(0.1)).toBe('a b c')
  })

  it('go on trying whoever is preferred and missing, so that it is found again', () => {
    const bench = new Bench().are('answering', 'a', 'b')
    bench.decide()
    bench.chosen = 'b'
    expect(bench.are('absent', 'a').decide()).toBe('a b c')
    expect(bench.are('answering', 'c').decide(3600)).toBe('a b c')
  })

  it('reach as far as somebody answers, and no further', () => {
    const bench = new Bench()
    bench.lists = [[a!, b!, c!, d!]]
    bench.are('answering', 'a', 'b')
    expect(bench.decide()).toBe('a b')
    bench.are('absent', 'a', 'b')
    expect(bench.decide()).toBe('a b c')
    bench.are('answering', 'c')
    expect(bench.decide(60)).toBe('a b c')
    bench.are('absent', 'c')
    expect(bench.decide()).toBe('a b c d')
  })

  it('end when there was one too many for two minutes, and not for every answer that is late', () => {
    const bench = new Bench().are('answering', 'a', 'b')
    bench.decide()
    bench.are('silent', 'b').decide()
    bench.are('answering', 'b', 'c')
    for (let minute = 0; minute < 10; minute++) {
      expect(bench.decide(60)).toBe('a b c')
      bench.are('silent', 'b').decide()
      bench.are('answering', 'b')
    }
    bench.decide()
    expect(bench.sessions.nextTimeout()).toBe(after(bench.now, Seconds(120)))
    expect(bench.decide(120)).toBe('a b')
  })

  it('stay where something of ours is left', () => {
    const bench = new Bench().are('answering', 'a', 'b', 'c')
    bench.begun.add('c')
    bench.concerned.add('c')
    expect(bench.decide(3600)).toBe('a b c')
    bench.concerned.delete('c')
    bench.decide()
    expect(bench.decide(120)).toBe('a b')
  })

  it('are with whoever is asked or stands by in some list, and with those that nobody stands in for elsewhere', () => {
    const bench = new Bench().are('answering', 'a', 'b', 'c', 'd')
    bench.lists = [
      [a!, b!, c!, d!],
      [c!, d!]
    ]
    bench.chosen = 'a c'
    expect(bench.decide()).toBe('a c d')
    bench.lists = [[a!, b!, c!, d!]]
    bench.chosen = 'a'
    bench.alone.add(d!.name)
    bench.decide()
    expect(bench.decide(120)).toBe('a d')
  })

  it('are with two of the attachments of one provider, however their lists begin', () => {
    const bench = new Bench().are('answering', 'a', 'b', 'c')
    bench.lists = [
      [a!, b!, c!],
      [b!, a!, c!],
      [c!, a!, b!]
    ]
    expect(bench.decide()).toBe('a b')
    bench.chosen = 'a b'
    expect(bench.decide(3600)).toBe('a b')
    bench.chosen = 'b'
    expect(bench.are('absent', 'a').decide()).toBe('a b c')
    expect(bench.decide(3600)).toBe('a b c')
    bench.chosen = 'a b'
    bench.are('answering', 'a').decide()
    expect(bench.decide(120)).toBe('a b')
  })

  it('wait for nobody before the client has started', () => {
    const bench = new Bench()
    bench.isStarted = false
    bench.decide()
    expect(bench.decide(60)).toBe('a b')
    expect(bench.sessions.nextTimeout()).toBeUndefined()
  })

  it('are with everybody where they stand in for one another no more', () => {
    const bench = new Bench().are('answering', 'a', 'b')
    bench.decide()
    bench.lists = []
    const situation = {
      lists: [],
      alone: new Set<ServerName>(),
      chosen: new Set<ServerName>(),
      isStarted: true
    }
    expect(bench.sessions.decide(situation, bench.now)).toEqual({ begin: ['c'], end: [] })
  })

  it('wait for nothing any more where the pool goes while a first session is waited for', () => {
    const bench = new Bench().are('connecting', 'b')
    bench.decide()
    expect(bench.sessions.nextTimeout()).toBe(bench.now + 3000)
    // Nobody may pass over the next decision, which ends the wait: its time would come again and again.
    expect(bench.sessions.isIdle).toBe(false)
    bench.lists = []
    bench.decide()
    expect(bench.sessions.nextTimeout()).toBeUndefined()
    expect(bench.sessions.isIdle).toBe(true)
  })
})
