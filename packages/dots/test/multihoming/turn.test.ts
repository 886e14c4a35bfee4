import { formatIpPrefix } from '@breakwater/core'
import type { IpPrefix } from '@breakwater/core'
import { describe, expect, it } from 'vitest'
import type { AskingPolicy } from '../../src/domain/asking-policy.ts'
import { DomainName } from '../../src/domain/identifier.ts'
import type { Site } from '../../src/domain/site.ts'
import { explain } from '../../src/multihoming/plan.ts'
import { place } from '../../src/multihoming/placement.ts'
import type { PlacementOptions } from '../../src/multihoming/placement.ts'
import { compileSite } from '../../src/multihoming/site-plan.ts'
import type { TurnState } from '../../src/multihoming/turn.ts'
import { domain, server, target, twoProviders } from './sites.ts'

const THIRD = domain('isp-c', {
  prefixes: ['192.0.2.192/28'],
  sources: ['192.0.2.193'],
  interfaces: ['wan-c'],
  servers: [server('isp-c', '192.0.2.65', 'isp-c/1'), server('isp-c', '192.0.2.66', 'isp-c/2')]
})

const threeProviders: Site = { ...twoProviders, domains: [...twoProviders.domains, THIRD] }

const OWN = ['203.0.113.1/32', '203.0.113.9/32', '203.0.113.128/25']

/** `203.0.113.1/32: isp-a` for each part. */
function askedBy(policy: AskingPolicy, prefixes: string[], options: PlacementOptions = {}): string[] {
  const { parts } = place(target(...prefixes), compileSite(threeProviders), { ...options, policy })
  return parts.flatMap((part) =>
    part.prefixes.map((prefix) => `${formatIpPrefix(prefix)}: ${part.servers.join(' ')}`)
  )
}

/** What is known, by the first word of the key `server prefix` or by the server alone. */
function known(states: Record<string, TurnState>): PlacementOptions {
  return {
    turnState: (name: string, prefix: IpPrefix) => states[`${name} ${formatIpPrefix(prefix)}`] ?? states[name]
  }
}

function without(...lost: string[]): PlacementOptions {
  return { isAvailable: (name) => !lost.includes(name) }
}

function ownerOf(placed: readonly string[]): Map<string, string> {
  return new Map(placed.map((each) => each.split(': ') as [string, string]))
}

describe('one domain after another (policy serial)', () => {
  it('asks the first with a session, and all servers of its own', () => {
    expect(askedBy('serial', ['203.0.113.1/32'])).toEqual(['203.0.113.1/32: isp-a'])
    expect(askedBy('serial', ['203.0.113.1/32'], without('isp-a', 'isp-b'))).toEqual([
      '203.0.113.1/32: isp-c/1 isp-c/2'
    ])
  })

  it('asks the next one of what the first refused, and of nothing else', () => {
    const placed = askedBy(
      'serial',
      ['203.0.113.1/32', '203.0.113.9/32'],
      known({ 'isp-a 203.0.113.1/32': 'passed' })
    )
    expect(placed).toEqual(['203.0.113.1/32: isp-b', '203.0.113.9/32: isp-a'])
  })

  it('stays with who is asked when one before it is there again', () => {
    expect(askedBy('serial', ['203.0.113.1/32'], known({ 'isp-b': 'asked' }))).toEqual([
      '203.0.113.1/32: isp-b'
    ])
  })

  it('leaves a server that the attack is too much for in place, and asks the next one beside it', () => {
    expect(askedBy('serial', ['203.0.113.1/32'], known({ 'isp-a': 'short' }))).toEqual([
      '203.0.113.1/32: isp-a isp-b'
    ])
  })

  it('takes the attachments of one provider for one', () => {
    const providers = [
      { name: 'isp', domains: [DomainName('isp-a'), DomainName('isp-c')], attachments: 'all' }
    ] as const
    const asked = (options: PlacementOptions): string[] =>
      place(target('203.0.113.1/32'), compileSite({ ...threeProviders, providers }), {
        ...options,
        policy: 'serial'
      }).parts.flatMap(({ servers }) => servers)
    expect(asked({})).toEqual(['isp-a', 'isp-c/1', 'isp-c/2'])
    expect(asked(without('isp-a', 'isp-c/1', 'isp-c/2'))).toEqual(['isp-b'])
  })

  it('asks all when nobody is left: without a session, and when all have refused', () => {
    const all = ['203.0.113.1/32: isp-a isp-b isp-c/1 isp-c/2']
    expect(askedBy('serial', ['203.0.113.1/32'], without('isp-a', 'isp-b', 'isp-c/1', 'isp-c/2'))).toEqual(
      all
    )
    const refused = known({ 'isp-a': 'passed', 'isp-b': 'passed', 'isp-c/1': 'passed', 'isp-c/2': 'passed' })
    expect(askedBy('serial', ['203.0.113.1/32'], refused)).toEqual(all)
    const mixed = { ...known({ 'isp-a': 'passed', 'isp-b': 'passed' }), ...without('isp-c/1', 'isp-c/2') }
    expect(askedBy('serial', ['203.0.113.1/32'], mixed)).toEqual(all)
  })

  it('changes nothing for what a provider assigned', () => {
    expect(askedBy('serial', ['100.64.7.1/32'])).toEqual(['100.64.7.1/32: isp-b'])
    expect(askedBy('divide', ['100.64.7.1/32'])).toEqual(['100.64.7.1/32: isp-b'])
  })
})

describe('each prefix at one domain (policy divide)', () => {
  const MANY = Array.from({ length: 120 }, (_, index) => `203.0.113.${2 * index}/32`)

  it('gives every domain its share, the same in any order and in any company', () => {
    const owners = ownerOf(askedBy('divide', MANY))
    for (const owner of ['isp-a', 'isp-b', 'isp-c/1 isp-c/2'])
      expect([...owners.values()].filter((each) => each === owner).length).toBeGreaterThan(25)
    expect(ownerOf(askedBy('divide', MANY.toReversed()))).toEqual(owners)
    for (const one of MANY.slice(0, 9))
      expect(askedBy('divide', [one])).toEqual([`${one}: ${owners.get(one)}`])
  })

  it('divides what a lost domain had among the others, and leaves the rest where it is', () => {
    const before = ownerOf(askedBy('divide', MANY))
    const after = ownerOf(askedBy('divide', MANY, without('isp-b')))
    for (const [prefix, owner] of before)
      if (owner === 'isp-b') expect(after.get(prefix)).not.toBe('isp-b')
      else expect(after.get(prefix)).toBe(owner)
  })

  it('asks every prefix of somebody, whatever is lost and whoever refused', () => {
    const losses = [[], ['isp-a'], ['isp-a', 'isp-b'], ['isp-a', 'isp-b', 'isp-c/1', 'isp-c/2']]
    for (const lost of losses)
      for (const refusing of losses) {
        const states = Object.fromEntries(refusing.map((name) => [name, 'passed' as const]))
        const owners = ownerOf(askedBy('divide', MANY, { ...without(...lost), ...known(states) }))
        expect([...owners.keys()].sort()).toEqual(MANY.toSorted())
        for (const owner of owners.values()) expect(owner).not.toBe('')
      }
  })
})

describe('dots plan', () => {
  const plan = compileSite(threeProviders)

  it('says from what a policy deviates, who is asked, and whose turn it is not', () => {
    const { verdict, parts } = explain(target('203.0.113.1/32'), plan, { policy: 'serial' })
    expect(verdict).toBe('placed')
    expect(parts[0]?.deviation).toEqual({
      policy: 'serial',
      text:
        'policy serial deviates from RFC 9284 §5.2, by which every server of every domain is asked: ' +
        'isp-b and isp-c/1 and isp-c/2 would be asked, too'
    })
    expect(parts[0]?.asked.map(({ text }) => text)).toEqual([
      'it is the turn of isp-a, and not every server is asked (policy serial, a deviation from RFC 9284 §5.2)'
    ])
    expect(parts[0]?.notAsked.map(({ server: name, text }) => `${name}: ${text}`)).toContain(
      'isp-b: it is not the turn of isp-b (policy serial, a deviation from RFC 9284 §5.2)'
    )
  })

  it('speaks of no deviation where there is none', () => {
    const deviations = (['all', 'serial', 'divide'] as const).map(
      (policy) =>
        explain(target(policy === 'all' ? '203.0.113.1/32' : '100.64.7.1/32'), plan, { policy }).parts[0]
          ?.deviation
    )
    expect(deviations).toEqual([undefined, undefined, undefined])
  })

  it('does not warn of two diverting servers of which one is asked', () => {
    const diverting: Site = {
      ...twoProviders,
      domains: twoProviders.domains.map((each) => ({
        ...each,
        servers: each.servers.map((own) => ({ ...own, action: 'divert' as const }))
      }))
    }
    const warningsOf = (policy: AskingPolicy): number =>
      explain(target(...OWN), compileSite(diverting), { policy }).warnings.length
    expect(warningsOf('all')).toBe(1)
    expect(warningsOf('serial')).toBe(0)
    expect(warningsOf('divide')).toBe(0)
  })
})
