import { Minutes, Seconds, after } from '@breakwater/core'
import type { WallTime } from '@breakwater/core'
import type { Consent } from '@breakwater/dots'
import { plaintextOf, prefix } from '@breakwater/testing'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { ISP_A, ISP_B, TwoProviders, site, targetOf } from '../../packages/dots/test/client/two-providers.ts'

let world: TwoProviders

beforeEach(() => {
  world = new TwoProviders()
})

afterEach(() => world.close())

function consent(from: WallTime, until: WallTime): Consent {
  const prefixes = [prefix('198.51.100.0/28')]
  return { name: 'b-helps-a', of: ISP_A, to: ISP_B, prefixes, givenBy: 'A. Admin', from, until }
}

/** `PUT` and `DELETE` about mitigations that isp-b heard. */
function heardByB(): string[] {
  return world.mitigationRequests().filter((text) => text.endsWith('isp-b') && !text.startsWith('GET'))
}

async function startWithConsent(from: number, until: number): Promise<void> {
  const begin = world.clock.wallClock()
  const given = consent(after(begin, Minutes(from)), after(begin, Minutes(until)))
  await world.start({ site: { ...site, consents: [given] } })
}

describe('RFC 9284 §6', () => {
  it("nothing of one link's prefixes, addresses or cuid reaches the server of the other [RFC9284-6-S01]", async () => {
    const said = { 'wan-a': '', 'wan-b': '' }
    world.network.tap((entry) => {
      const bytes = entry.from === 'site' && entry.fate.kind === 'sent' ? plaintextOf(entry.bytes) : undefined
      if (bytes === undefined) return
      const via = entry.path.interface === 'wan-a' ? 'wan-a' : 'wan-b'
      said[via] += `${String.fromCharCode(...bytes)}\n`
    })
    await world.start()
    world.protect('all', targetOf('198.51.100.7/32', '100.64.7.7/32'))
    await world.advance(Minutes(5))
    world.protect('all', targetOf('198.51.100.0/28', '100.64.7.0/28'))
    await world.advance(Minutes(5))
    world.release('all')
    await world.advance(Seconds(30))
    expect(said['wan-a']).toContain('198.51.100.7/32')
    expect(said['wan-b']).toContain('100.64.7.7/32')
    for (const secret of ['100.64.7', 'isp-b']) expect(said['wan-a']).not.toContain(secret)
    for (const secret of ['198.51.100', 'isp-a']) expect(said['wan-b']).not.toContain(secret)
  })

  describe('with a consent of an hour for a part of isp-a’s prefix', () => {
    const TARGET = '198.51.100.7/32'

    it('the other server hears of that part, and the log of the use [RFC9284-6-S01]', async () => {
      await startWithConsent(0, 60)
      world.protect('consented', targetOf(TARGET))
      await world.advance(Seconds(5))
      expect(heardByB()).toContain('PUT isp-b')
      expect(world.events.filter(({ kind }) => kind === 'consent-used')).toMatchObject([
        { protection: 'consented', server: 'isp-b', consent: { name: 'b-helps-a', givenBy: 'A. Admin' } }
      ])
    })

    it('it hears of nothing else [RFC9284-6-S01]', async () => {
      await startWithConsent(0, 60)
      world.protect('beside', targetOf('198.51.100.128/25'))
      world.protect('around', targetOf('198.51.100.0/24'))
      await world.advance(Seconds(5))
      const named = world.sent
        .filter((request) => world.ispAt(request) === 'isp-b')
        .flatMap((each) => each.prefixes)
      expect([...new Set(named)]).toEqual([prefix('198.51.100.0/28')])
    })

    it.each([
      ['expired', -120, -60],
      ['not begun', 60, 120]
    ])('a consent that has %s is none [RFC9284-6-S01]', async (_, from, until) => {
      await startWithConsent(from, until)
      world.protect('none', targetOf(TARGET))
      await world.advance(Minutes(10))
      expect(heardByB()).toEqual([])
      expect(world.state('none')).toBe('protected')
    })

    it('when it expires, the protection goes on without it [RFC9284-6-S01]', async () => {
      await startWithConsent(0, 60)
      world.protect('ends', targetOf(TARGET))
      await world.advance(Minutes(59))
      const before = world.sent.length
      await world.advance(Minutes(2))
      world.release('ends')
      world.protect('later', targetOf(TARGET))
      await world.advance(Minutes(30))
      const since = world.sent.slice(before).filter((request) => world.ispAt(request) === 'isp-b')
      expect(since.flatMap((each) => each.prefixes)).toEqual([])
      expect(world.state('later')).toBe('protected')
    })
  })
})
