import { formatIpPrefix } from '@breakwater/core'
import { describe, expect, it } from 'vitest'
import { DomainName } from '../../../src/domain/identifier.ts'
import { planNumbering } from '../../../src/multihoming/site-planner/numbering-plan.ts'
import { linkCapacity } from '../../../src/multihoming/site-planner/subnet-id.ts'
import { net } from '../sites.ts'
import { addressesOn, blocksOf, codesOf, linksOf, router, topology } from './topologies.ts'

/**
 *            provider X            provider Y
 *                │                     │
 *                A ──── D ──── E ───── B
 *                │
 *                H ──── I                    each with links of its own; H with three
 */
const X = '2001:db8:a::/48'
const Y = '2001:db8:b::/48'
const figures = [
  router('A', { exits: ['X'], from: ['D'], links: ['a'] }),
  router('B', { exits: ['Y'], from: ['E'], links: ['b'] }),
  router('D', { from: ['A', 'E'], links: ['d'] }),
  router('E', { from: ['D', 'B'], links: ['e'] }),
  router('H', { from: ['A'], links: ['h0', 'h1', 'h2'] }),
  router('I', { from: ['H'], links: ['i'] })
]

function ofX(texts: readonly string[]): string[] {
  return texts.filter((text) => text.includes('2001:db8:a:'))
}

/** One exit router, and so many that ask it. */
function star(count: number) {
  const leaves = Array.from({ length: count }, (_, index) => router(`R${index + 1}`, { from: ['A'] }))
  return topology({ X: [X] }, [router('A', { exits: ['X'] }), ...leaves])
}

describe('draft-ohira-multi6-multilink-auto-prefix-assign-00', () => {
  it('gives the blocks of figures 5 and 6', () => {
    const plan = planNumbering(topology({ X: [X] }, figures.slice(0, 1).concat(figures.slice(2))))
    expect(blocksOf(plan)).toEqual([
      'A 2001:db8:a::/48',
      'D 2001:db8:a:1000::/52',
      'E 2001:db8:a:1100::/56',
      'H 2001:db8:a:2000::/52',
      'I 2001:db8:a:2100::/56'
    ])
  })

  it('gives the links of figures 5 and 6', () => {
    const plan = planNumbering(topology({ X: [X] }, figures.slice(0, 1).concat(figures.slice(2))))
    expect(linksOf(plan, 'a', 'd', 'e', 'h0', 'h1', 'h2')).toEqual([
      'a 2001:db8:a::/64',
      'd 2001:db8:a:1000::/64',
      'e 2001:db8:a:1100::/64',
      'h0 2001:db8:a:2000::/64',
      'h1 2001:db8:a:2001::/64',
      'h2 2001:db8:a:2002::/64'
    ])
  })

  it('gives the same blocks of X when the exit of Y is a router of level 3 of X, and the other way round', () => {
    const plan = planNumbering(topology({ X: [X], Y: [Y] }, figures))
    expect(ofX(blocksOf(plan))).toEqual([
      'A 2001:db8:a::/48',
      'B 2001:db8:a:1110::/60',
      'D 2001:db8:a:1000::/52',
      'E 2001:db8:a:1100::/56',
      'H 2001:db8:a:2000::/52',
      'I 2001:db8:a:2100::/56'
    ])
    expect(blocksOf(plan, 'A', 'B', 'D', 'E').filter((text) => !text.includes('2001:db8:a:'))).toEqual([
      'A 2001:db8:b:1110::/60',
      'B 2001:db8:b::/48',
      'D 2001:db8:b:1100::/56',
      'E 2001:db8:b:1000::/52'
    ])
  })

  it('serves 15 requesting routers and refuses the 16th', () => {
    const fifteen = planNumbering(star(15))
    expect(codesOf(fifteen)).toEqual([])
    expect(blocksOf(fifteen, 'R15')).toEqual(['R15 2001:db8:a:f000::/52'])
    const sixteen = planNumbering(star(16))
    expect(blocksOf(sixteen, 'R16')).toEqual([])
    expect(sixteen.problems.map(({ place, message }) => `${place}: ${message}`)).toEqual([
      'router R16: R16 gets nothing of 2001:db8:a::/48: A serves 15 routers from 2001:db8:a::/48 and has no block left'
    ])
  })

  it('has 4096, 256, 16 and 1 links for a router of level 0, 1, 2 and 3', () => {
    const levels = [48, 52, 56, 60].map((length) => linkCapacity({ ...net(X), length }, 4))
    expect(levels).toEqual([4096, 256, 16, 1])
  })

  it('numbers as many links at level 3 as there is room for, and tells of the next', () => {
    const chain = [
      router('A', { exits: ['X'] }),
      router('B', { from: ['A'] }),
      router('C', { from: ['B'] }),
      router('D', { from: ['C'], links: ['d0', 'd1'] })
    ]
    const plan = planNumbering(topology({ X: [X] }, chain))
    expect(linksOf(plan)).toEqual(['d0 2001:db8:a:1110::/64'])
    expect(codesOf(plan)).toEqual(['LINK_CAPACITY', 'LINK_WITHOUT_PREFIX'])
  })

  it('delegates nothing below level 3', () => {
    const names = ['A', 'B', 'C', 'D', 'E']
    const chain = names.map((name, index) =>
      index === 0 ? router(name, { exits: ['X'] }) : router(name, { from: [names[index - 1] ?? ''] })
    )
    const plan = planNumbering(topology({ X: [X] }, chain))
    expect(blocksOf(plan, 'D', 'E')).toEqual(['D 2001:db8:a:1110::/60'])
    expect(plan.problems.map(({ message }) => message)).toEqual([
      'E gets nothing of 2001:db8:a::/48: D has 2001:db8:a:1110::/60, which is too small to delegate from'
    ])
  })

  it('never delegates to a router what lies inside a block that the router delegated', () => {
    const circle = [
      router('A', { exits: ['X'], from: ['C'] }),
      router('B', { from: ['A', 'C'] }),
      router('C', { from: ['B'] })
    ]
    expect(blocksOf(planNumbering(topology({ X: [X] }, circle)))).toEqual([
      'A 2001:db8:a::/48',
      'B 2001:db8:a:1000::/52',
      'C 2001:db8:a:1100::/56'
    ])
  })
})

/** Several exit routers of one provider each, and one router that asks them all. */
function hub(counts: Readonly<Record<string, number>>) {
  const prefixes = Object.entries(counts).map(([name, count], row) => [
    name,
    Array.from({ length: count }, (_, column) => `2001:db8:${row + 1}${column}::/48`)
  ])
  const exits = Object.keys(counts).map((name) => router(`exit-${name}`, { exits: [name] }))
  const asking = router('R', { from: exits.map(({ name }) => name), links: ['lan'] })
  return topology(Object.fromEntries(prefixes) as Record<string, string[]>, [...exits, asking])
}

describe('the limits of prefixes of one requesting router', () => {
  it('delegates five for long', () => {
    const plan = planNumbering(hub({ V: 5 }))
    expect(plan.routers.at(-1)?.blocks.map(({ lifetime }) => lifetime.preferredSeconds)).toEqual(
      Array(5).fill(604_800)
    )
  })

  it('keeps the best block of every one of seven global prefixes, two of them with a short lifetime', () => {
    const plan = planNumbering(hub({ V: 7 }))
    const blocks = plan.routers.at(-1)?.blocks ?? []
    expect(blocks.map(({ lifetime }) => lifetime.preferredSeconds)).toEqual([
      ...Array<number>(5).fill(604_800),
      0,
      0
    ])
    expect(blocks.at(-1)?.lifetime.validSeconds).toBe(7200)
    expect(addressesOn(plan, 'lan').map((text) => text.split(' ')[1])).toEqual([
      ...Array<string>(5).fill('preferred'),
      'deprecated',
      'deprecated'
    ])
  })

  it('delegates seven at most, and says which global prefix is missing', () => {
    const plan = planNumbering(hub({ V: 4, W: 4 }))
    expect(plan.routers.at(-1)?.blocks).toHaveLength(7)
    expect(plan.problems.map(({ code, message }) => `${code}: ${message}`)).toEqual([
      'TOO_MANY_PREFIXES: R gets nothing of 2001:db8:23::/48: it has 7 prefixes already, the most that a router may have',
      'TOO_MANY_ADDRESSES: lan has 7 prefixes: its hosts prefer addresses of 5 and have 7 at most'
    ])
  })

  it('takes seven at most of a provider, too', () => {
    const plan = planNumbering(hub({ V: 8 }))
    expect(plan.routers.map(({ blocks }) => blocks.length)).toEqual([7, 7])
    expect(plan.problems[0]).toMatchObject({ code: 'TOO_MANY_PREFIXES', place: 'router exit-V' })
  })

  /** Three ways to the /48 of X with five middle routers, and a longer prefix of Y behind two more. */
  const middles = ['M1', 'M2', 'M3', 'M4', 'M5', 'M6']
  const wide = [
    router('A', { exits: ['X'] }),
    router('B', { exits: ['Y'] }),
    ...middles.map((name) => router(name, { from: ['A'] })),
    router('R', { from: [...middles, 'B'], links: ['lan'] })
  ]

  it('shortens the lifetime of the one of lowest priority when the best of another global prefix comes late', () => {
    const plan = planNumbering(topology({ X: ['2001:db8:a0::/44'], Y: ['2001:db8:b::/52'] }, wide))
    const blocks = plan.routers.at(-1)?.blocks ?? []
    expect(blocks.map(({ holding, lifetime }) => [holding.domain, lifetime.preferredSeconds > 0])).toEqual([
      ...[0, 1, 2, 3].map(() => ['X', true]),
      ['X', false],
      ['Y', true]
    ])
  })

  it('refuses a sixth one that is of lower priority than all the five', () => {
    const plan = planNumbering(
      topology(
        { X: ['2001:db8:a0::/44'] },
        wide.filter(({ name }) => name !== 'B')
      )
    )
    expect(plan.routers.at(-1)?.blocks).toHaveLength(5)
    expect(codesOf(plan)).toEqual([])
  })

  it('prefers blocks of another delegating router to a second one of the same', () => {
    const routers = [
      router('A', { exits: ['X'] }),
      router('B', { from: ['A'] }),
      router('C', { from: ['A'] }),
      // Has two blocks of X, of one length, before D has any.
      router('E', { from: ['B', 'C'] }),
      router('F', { from: ['B'] }),
      router('R', { from: ['E', 'F'] })
    ]
    const plan = planNumbering(topology({ X: [X] }, routers))
    const senders = plan.routers.at(-1)?.blocks.map(({ holding }) => holding.from?.router)
    expect(senders).toEqual(['E', 'F', 'E'])
  })

  it('passes a shortened lifetime on to what is delegated from it', () => {
    const base = hub({ V: 6 })
    const plan = planNumbering({ ...base, routers: [...base.routers, router('S', { from: ['R'] })] })
    const short = (name: string): string[] =>
      (plan.routers.find((each) => each.name === name)?.blocks ?? [])
        .filter(({ lifetime }) => lifetime.preferredSeconds === 0)
        .map(({ holding }) => holding.root)
    expect(short('R')).toHaveLength(1)
    expect(short('S')).toEqual(short('R'))
  })

  it('takes the lifetimes of the provider', () => {
    const base = star(1)
    const lifetimes = new Map([[DomainName('X'), { preferredSeconds: 1800, validSeconds: 3600 }]])
    const plan = planNumbering({ ...base, lifetimes })
    expect(plan.routers[1]?.blocks[0]?.lifetime).toEqual({ preferredSeconds: 1800, validSeconds: 3600 })
    expect(
      plan.prefixes.map(({ prefix, lifetime }) => [formatIpPrefix(prefix), lifetime?.validSeconds])
    ).toEqual([[X, 3600]])
  })
})
