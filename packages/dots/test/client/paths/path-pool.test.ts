import { array, assert, boolean, constantFrom, integer, property, record, subarray } from 'fast-check'
import type { Arbitrary } from 'fast-check'
import { Instant, Milliseconds } from '@breakwater/core'
import { describe, expect, it } from 'vitest'
import { PathPool } from '../../../src/client/paths/path-pool.ts'
import type { EvidenceTrust, PathEvidence } from '../../../src/client/paths/path-evidence.ts'
import { usedPath } from '../../../src/client/paths/used-path.ts'
import type { UsedPath } from '../../../src/client/paths/used-path.ts'
import type { LocalAddress } from '../../../src/domain/local-address.ts'
import { legalPaths } from '../../../src/multihoming/legal-path.ts'
import { domain, ip, server } from '../../multihoming/sites.ts'

/** `f1 gw1 a` */
function way(destination: string, via: string, source: string): UsedPath {
  return { name: `${destination} ${via} ${source}`, destination, via, source }
}

class Bench {
  readonly pool = new PathPool()
  now = Instant(0)

  good(path: UsedPath, reporter: string, more: Partial<PathEvidence> = {}): boolean {
    return this.#take(path, reporter, 'good', more)
  }

  bad(path: UsedPath, reporter: string, more: Partial<PathEvidence> = {}): boolean {
    return this.#take(path, reporter, 'bad', more)
  }

  pass(seconds: number): void {
    this.now = Instant(this.now + seconds * 1000)
  }

  order(...paths: readonly UsedPath[]): readonly string[] {
    return this.pool.order(paths, (path) => path, this.now).map(({ name }) => name)
  }

  state(path: UsedPath): string {
    return this.pool.standing(path, this.now).state
  }

  #take(path: UsedPath, reporter: string, verdict: 'good' | 'bad', more: Partial<PathEvidence>): boolean {
    const evidence: PathEvidence = { path, reporter, verdict, trust: 'session', because: verdict, ...more }
    return this.pool.take(evidence, this.now)
  }
}

function local(address: string, prefixLength: number, name: string): LocalAddress {
  return { address: ip(address), prefixLength, interface: { name } }
}

/*
 * draft-arifumi-multi6-tlc-fm, figure 3: two foreign addresses; gateway 1 with two local addresses, gateway 2 with three; the
 * second foreign address is behind gateway 2 only.
 */
describe('the paths of figure 3 of TLC-FM', () => {
  const isp = {
    ...domain('isp', { interfaces: ['gw1', 'gw2'] }),
    localAddresses: [
      local('198.51.100.1', 28, 'gw1'),
      local('198.51.100.17', 28, 'gw1'),
      ...['1', '17', '33'].map((last) => local(`203.0.113.${last}`, 28, 'gw2')),
      ...['a', 'b', 'c'].map((net) => local(`2001:db8:${net}::1`, 64, 'gw2'))
    ]
  }
  const dots = {
    ...server('isp', '192.0.2.1'),
    addresses: [ip('192.0.2.1'), ip('2001:db8:ffff::1')],
    transports: ['udp'] as const
  }
  const paths = legalPaths({ domains: [isp], providerIndependent: [] }, dots).paths.map(usedPath)

  it('are eight', () => {
    expect(paths).toHaveLength(8)
    expect(new Set(paths.map(({ name }) => name)).size).toBe(8)
    expect(paths.filter(({ via }) => via === 'gw1')).toHaveLength(2)
  })

  it('keep their order while nothing is known of them', () => {
    const bench = new Bench()
    expect(bench.order(...paths)).toEqual(paths.map(({ name }) => name))
  })

  it('come after the six by the other gateway, both of them, when one by the first gateway failed', () => {
    const bench = new Bench()
    const [failed, other] = paths.filter(({ via }) => via === 'gw1')
    bench.bad(failed!, 'session 1')
    expect(bench.order(...paths).slice(-2)).toEqual([other!.name, failed!.name])
  })

  it('come in the order of how many of their parts failed', () => {
    const bench = new Bench()
    bench.bad(
      paths.find(({ via }) => via === 'gw1')!,
      'session 1'
    )
    expect(paths.map((path) => bench.pool.doubt(path, bench.now)).toSorted((a, b) => a - b)).toEqual([
      0, 0, 0, 1, 1, 1, 2, 3
    ])
  })
})

describe('the path pool', () => {
  it('starts a third session by gateway 2 when gateway 1 failed two others', () => {
    const bench = new Bench()
    for (const [reporter, destination] of [
      ['one', 'f1'],
      ['two', 'f2']
    ] as const) {
      bench.good(way(destination, 'gw1', 'a'), reporter)
      bench.pass(5)
      bench.bad(way(destination, 'gw1', 'a'), reporter)
    }
    const third = [way('f3', 'gw1', 'a'), way('f3', 'gw2', 'b')]
    expect(bench.order(...third)).toEqual(['f3 gw2 b', 'f3 gw1 a'])
    expect(bench.pool.standing(third[0]!, bench.now)).toMatchObject({
      state: 'suspect',
      inheritedFrom: 'via gw1'
    })
  })

  it('does not prefer TCP because UDP failed by the same path, unless TCP does well there', () => {
    const bench = new Bench()
    const [udp, tcp] = ['udp', 'tcp'].map((name) => ({ ...way('f1', 'gw1', 'a'), name }))
    for (let count = 0; count < 3; count++) {
      bench.bad(udp!, 'one')
      bench.pass(3)
    }
    expect(bench.order(udp!, tcp!)).toEqual(['udp', 'tcp'])
    bench.good(tcp!, 'two')
    expect(bench.order(udp!, tcp!)).toEqual(['tcp', 'udp'])
  })

  it('forgets a failure of others with a half-life of 30 seconds', () => {
    const bench = new Bench()
    const [failed, other] = [way('f1', 'gw1', 'a'), way('f2', 'gw1', 'b')]
    bench.bad(failed, 'one')
    expect(bench.pool.standing(other, bench.now).score).toBe(-0.5)
    bench.pass(30)
    expect(bench.pool.standing(other, bench.now).score).toBe(-0.25)
    expect(bench.state(other)).toBe('unknown')
  })

  it('believes what a session learnt itself, unless others failed after that', () => {
    const bench = new Bench()
    const own = way('f1', 'gw1', 'a')
    bench.good(own, 'one')
    bench.pass(5)
    bench.bad(way('f2', 'gw1', 'b'), 'two')
    bench.bad(way('f3', 'gw1', 'c'), 'three')
    expect(bench.state(way('f4', 'gw1', 'd'))).toBe('suspect')
    expect(bench.state(own)).toBe('suspect')
    bench.pass(5)
    bench.good(own, 'one')
    expect(bench.state(own)).toBe('up')
  })

  it('gives every session one vote in a second: a fast reporter does not outvote a slow one', () => {
    const bench = new Bench()
    const path = way('f1', 'gw1', 'a')
    for (let count = 0; count < 100; count++) bench.bad(path, 'fast')
    bench.good(path, 'slow')
    expect(bench.pool.standing(path, bench.now).score).toBe(0.25)
  })

  it('calls a path suspect after one time-out and down after three', () => {
    const bench = new Bench()
    const path = way('f1', 'gw1', 'a')
    const states = ['good', 'bad', 'bad', 'bad', 'good'].map((verdict) => {
      if (verdict === 'good') bench.good(path, 'one')
      else bench.bad(path, 'one')
      bench.pass(3)
      return bench.state(path)
    })
    expect(states).toEqual(['up', 'suspect', 'suspect', 'down', 'suspect'])
  })

  it('is fast down and slow up: a path that flaps stays suspect until nothing was bad for two minutes', () => {
    const bench = new Bench()
    const path = way('f1', 'gw1', 'a')
    for (let flap = 0; flap < 1000; flap++) {
      bench.bad(path, 'one')
      bench.pass(5)
      bench.good(path, 'one')
      expect(bench.state(path)).not.toBe('up')
      bench.pass(5)
    }
    for (let heartbeat = 0; heartbeat < 4; heartbeat++) {
      bench.good(path, 'one')
      bench.pass(30)
    }
    bench.good(path, 'one')
    expect(bench.state(path)).toBe('up')
    const calm = new Bench()
    calm.good(path, 'one')
    expect(bench.state(path)).toBe(calm.state(path))
  })

  it('changes nothing because of ICMP, which anybody can forge: it is a reason to look', () => {
    const bench = new Bench()
    const path = way('f1', 'gw1', 'a')
    bench.good(path, 'one')
    const before = bench.pool.standing(path, bench.now)
    for (let count = 0; count < 1000; count++)
      expect(bench.bad(path, `forger ${count}`, { trust: 'hint', isFinal: true })).toBe(false)
    expect(bench.pool.standing(path, bench.now)).toEqual(before)
    expect(bench.order(way('f1', 'gw1', 'a'), way('f1', 'gw2', 'b'))[0]).toBe('f1 gw1 a')
  })

  it('lets no answer of a resolver displace what a session learnt, for a minute', () => {
    const bench = new Bench()
    const path = way('f1', 'gw1', 'a')
    bench.bad(path, 'one')
    expect(bench.good(path, 'resolver', { trust: 'cookie' })).toBe(false)
    bench.pass(61)
    expect(bench.good(path, 'resolver', { trust: 'cookie' })).toBe(true)
  })

  it('takes a lost carrier at once, and its return as no proof', () => {
    const bench = new Bench()
    const [first, second] = [way('f1', 'wan1', 'a'), way('f1', 'wan2', 'b')]
    bench.good(first, 'one')
    bench.pool.link({ kind: 'link', interface: 'wan1', isUp: false })
    expect(bench.order(first, second)).toEqual(['f1 wan2 b', 'f1 wan1 a'])
    expect(bench.pool.standing(first, bench.now).because).toBe('wan1 has no carrier')
    bench.pool.link({ kind: 'link', interface: 'wan1', isUp: true })
    expect(bench.state(first)).toBe('up')
  })
})

describe('what is the matter with a path', () => {
  const path = way('f1', 'gw1', 'a')

  function unanswered(bench: Bench): void {
    bench.good(path, 'one')
    const sentAt = bench.now
    bench.pass(1)
    bench.bad(path, 'one', { sentAt })
  }

  it('is that the link is full inbound when the peer says that it hears what gets no answer', () => {
    const bench = new Bench()
    unanswered(bench)
    bench.good(path, 'one', { direction: 'inward' })
    bench.good(path, 'one', { direction: 'outward' })
    expect(bench.pool.record(path)?.condition).toBe('inbound-full')
  })

  it('is that nothing gets out when the peer says that it hears nothing; that alone switches nothing', () => {
    const bench = new Bench()
    unanswered(bench)
    bench.good(path, 'one', { direction: 'inward' })
    bench.bad(path, 'one', { direction: 'outward' })
    expect(bench.pool.record(path)?.condition).toBe('outbound-broken')
    const idle = new Bench()
    idle.good(path, 'one')
    for (let count = 0; count < 10; count++) idle.bad(path, 'one', { direction: 'outward' })
    expect(idle.pool.record(path)).toMatchObject({ inward: 'up', outward: 'suspect', condition: 'clear' })
  })

  it('is that the link is dead when nothing is heard any more', () => {
    const bench = new Bench()
    unanswered(bench)
    expect(bench.pool.record(path)?.condition).toBe('late')
    bench.bad(path, 'one')
    bench.bad(path, 'one')
    expect(bench.pool.record(path)?.condition).toBe('dead')
  })
})

describe('whatever evidence comes', () => {
  const paths = ['f1', 'f2'].flatMap((to) =>
    ['gw1', 'gw2'].flatMap((via) => ['a', 'b'].map((from) => way(to, via, from)))
  )
  const step = record({
    path: constantFrom(...paths),
    reporter: constantFrom('one', 'two', 'three'),
    verdict: constantFrom<'good' | 'bad'>('good', 'bad'),
    trust: constantFrom<EvidenceTrust>('session', 'cookie', 'hint'),
    direction: constantFrom<'inward' | 'outward' | undefined>('inward', 'outward', undefined),
    isFinal: boolean(),
    link: constantFrom('gw1', 'gw2', undefined),
    isUp: boolean(),
    wait: integer({ min: 0, max: 100_000 })
  })

  function play(steps: readonly (typeof step extends Arbitrary<infer Step> ? Step : never)[]): Bench {
    const bench = new Bench()
    for (const { path, reporter, verdict, trust, direction, isFinal, link, isUp, wait } of steps) {
      if (link !== undefined) bench.pool.link({ kind: 'link', interface: link, isUp })
      const more = {
        trust,
        ...(direction === undefined ? {} : { direction }),
        ...(isFinal ? { isFinal } : {}),
        roundTrip: Milliseconds(wait)
      }
      if (verdict === 'good') bench.good(path, reporter, more)
      else bench.bad(path, reporter, more)
      bench.pass(wait / 1000)
    }
    return bench
  }

  it('the order holds every legal path once and nothing else, and is the same again', () => {
    assert(
      property(array(step, { maxLength: 60 }), subarray(paths), (steps, legal) => {
        const order = play(steps).order(...legal)
        expect(order.toSorted()).toEqual(legal.map(({ name }) => name).toSorted())
        expect(play(steps).order(...legal)).toEqual(order)
      })
    )
  })

  it('scores stay between -1 and 1, and a doubt of others goes away by itself', () => {
    assert(
      property(array(step, { maxLength: 60 }), (steps) => {
        const bench = play(steps)
        for (const path of paths)
          expect(Math.abs(bench.pool.standing(path, bench.now).score)).toBeLessThanOrEqual(1)
        for (const name of ['gw1', 'gw2']) bench.pool.link({ kind: 'link', interface: name, isUp: true })
        bench.pass(300)
        expect(bench.order(...paths)).toEqual(paths.map(({ name }) => name))
      })
    )
  })
})
