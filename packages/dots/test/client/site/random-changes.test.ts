import { Milliseconds, Minutes, Seconds } from '@breakwater/core'
import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { compileSite } from '../../../src/multihoming/site-plan.ts'
import { place } from '../../../src/multihoming/placement.ts'
import type { Site } from '../../../src/domain/site.ts'
import type { Target } from '../../../src/domain/target.ts'
import { domain, net, server, target } from '../../multihoming/sites.ts'
import { PlayedSite } from './played-site.ts'

/*
 * Three providers that come and go. Each of six prefixes is assigned by one of them or by nobody, and changes hands; a
 * seventh is the site's own. The source towards a provider is of a prefix that it assigned, or of none.
 */
const NAMES = ['isp-a', 'isp-b', 'isp-c'] as const
const PREFIXES = [0, 1, 2, 3, 4, 5].map((index) => `198.51.100.${16 * index}/28`)
const OWN = '203.0.113.0/28'
const HOSTS = [
  ...PREFIXES.map((text) => text.replace(/\d+\/28/, (end) => `${parseInt(end) + 7}/32`)),
  '203.0.113.7/32'
]

interface Shape {
  readonly present: readonly boolean[]
  readonly owners: readonly number[]
  readonly sources: readonly number[]
}

function siteOf({ present, owners, sources }: Shape): Site {
  const domains = NAMES.flatMap((name, index) => {
    if (present[index] !== true) return []
    const prefixes = PREFIXES.filter((_, each) => owners[each] === index)
    const outside = `192.0.2.${100 + 10 * index + (sources[index] ?? 0)}`
    // The first host of what it assigned, which may be another provider's at the next change.
    const source =
      sources[index] === 0
        ? (prefixes[0]?.replace(/\d+\/28/, (end) => `${parseInt(end) + 1}`) ?? outside)
        : outside
    const own = { ...server(name, `192.0.2.${index + 1}`), transports: ['udp'] as const }
    return [domain(name, { prefixes, sources: [source], interfaces: [`wan-${index}`], servers: [own] })]
  })
  return { domains, providerIndependent: [{ prefix: net(OWN) }] }
}

const shape: fc.Arbitrary<Shape> = fc
  .record({
    present: fc.tuple(fc.boolean(), fc.boolean(), fc.boolean()),
    owners: fc.array(fc.integer({ min: 0, max: 3 }), { minLength: 6, maxLength: 6 }),
    sources: fc.tuple(fc.nat(1), fc.nat(1), fc.nat(1))
  })
  // A site without any domain is none.
  .map((each) => (each.present.includes(true) ? each : { ...each, present: [true, false, false] }))

type Step =
  | { readonly kind: 'site'; readonly shape: Shape }
  | {
      readonly kind: 'protect'
      readonly id: number
      readonly hosts: readonly number[]
      readonly partly: boolean
    }
  | { readonly kind: 'release'; readonly id: number }
  | { readonly kind: 'lose' | 'mute' | 'heal'; readonly provider: number }
  | { readonly kind: 'wait'; readonly milliseconds: number }

const id = fc.nat(4)
const provider = fc.nat(2)
const step: fc.Arbitrary<Step> = fc.oneof(
  { weight: 4, arbitrary: fc.record({ kind: fc.constant('site' as const), shape }) },
  {
    weight: 3,
    arbitrary: fc.record({
      kind: fc.constant('protect' as const),
      id,
      hosts: fc.uniqueArray(fc.nat(6), { minLength: 1, maxLength: 3 }),
      partly: fc.boolean()
    })
  },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('release' as const), id }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constantFrom('lose' as const, 'mute', 'heal'), provider }) },
  {
    weight: 4,
    arbitrary: fc.record({
      kind: fc.constant('wait' as const),
      milliseconds: fc.constantFrom(0, 15, 30, 3500, 40_000, 70_000, 400_000)
    })
  }
)

function act(world: PlayedSite, each: Step): void {
  switch (each.kind) {
    case 'site':
      world.change(siteOf(each.shape))
      return
    case 'protect':
      world.protect(`p${each.id}`, target(...each.hosts.map((host) => HOSTS[host] ?? '')), {
        allowPartial: each.partly
      })
      return
    case 'release':
      world.release(`p${each.id}`)
      return
    case 'lose':
      world.lose(NAMES[each.provider] ?? '')
      return
    case 'mute':
      world.mute.add(NAMES[each.provider] ?? '')
      return
    case 'heal':
      world.mute.delete(NAMES[each.provider] ?? '')
      return
    case 'wait':
      world.pass(Milliseconds(each.milliseconds))
  }
}

const SETTLED = ['protected', 'partly-protected', 'waiting', 'refused']

describe('however a site changes, whatever is protected meanwhile', () => {
  it(
    'nobody is asked about what is not its own, all is served, waiting or refused, and nothing is left at the end',
    { timeout: 120_000 },
    () => {
      fc.assert(
        fc.property(shape, fc.array(step, { minLength: 10, maxLength: 25 }), (first, steps) => {
          const world = new PlayedSite(siteOf(first))
          world.pass(Seconds(1))
          for (const each of steps) act(world, each)
          world.mute.clear()
          world.pass(Minutes(16))
          expect(world.wrong).toEqual([])
          const { protections, sessions, requests } = world.client.status(world.now)
          for (const { state } of protections) expect(SETTLED).toContain(state)
          const present = world.site.domains.map(({ name }) => name as string)
          expect(sessions.map((each) => `${each.server} ${each.state}`).toSorted()).toEqual(
            present.map((name) => `${name} established`)
          )
          expect(world.open.toSorted()).toEqual(present)
          for (const { state, target: asked } of protections) {
            const wanted = wantedOf(world.site, asked)
            if (state === 'protected' || state === 'partly-protected')
              for (const [name, part] of wanted) expect(world.covers(name, part)).toBe(true)
          }
          expect(requests.every((each) => each.state === 'in-force')).toBe(true)
          for (const each of protections) world.release(each.id)
          world.pass(Minutes(2))
          expect(world.client.status(world.now).protections).toEqual([])
          expect(world.client.status(world.now).requests).toEqual([])
          for (const name of present) expect([...(world.standing.get(name)?.values() ?? [])]).toEqual([])
          world.feed({ kind: 'stop' })
          world.pass(Seconds(1))
          expect(world.open).toEqual([])
          expect(world.client.nextTimeout()).toBeUndefined()
        }),
        { numRuns: 150 }
      )
    }
  )
})

function wantedOf(site: Site, asked: Target): (readonly [string, Target])[] {
  const { assignments } = place(asked, compileSite(site), { allowPartial: true })
  return assignments.map((each) => [each.server, each.target] as const)
}
