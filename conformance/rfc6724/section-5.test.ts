import { describe, expect, it } from 'vitest'
import type { LocalInterface } from '../../packages/dots/src/domain/local-address.ts'
import { host, own, sourceFor, sourcesFor, to } from '../../packages/dots/test/multihoming/selection-host.ts'
import { ip } from '../../packages/dots/test/multihoming/sites.ts'

/* RFC 6724 §5: source address selection. Each rule is seen to decide where all later ones say the opposite. */

const lan: LocalInterface = { name: 'lan' }
const other: LocalInterface = { name: 'other', isForwarding: true }
const router = ip('fe80::1:1')
const stranger = ip('fe80::2:2')
const destination = to('2001:db8:a::1', { route: { interface: lan, nextHop: router } })

describe('RFC 6724 §5', () => {
  it('a tie goes to the next rule, and so on in order, until one decides [RFC6724-5-M01]', () => {
    // Each is worse than the one before by one rule only, and better by all that follow.
    const ladder = [
      own('2001:db8:a::1', {
        state: 'deprecated',
        mobility: 'care-of',
        interface: other,
        advertisedBy: [stranger]
      }),
      own('2001:db8:a:1::3'),
      own('2001:db8:a::2', { state: 'deprecated' }),
      own('2001:db8:a::4', { state: 'deprecated', mobility: 'home' }),
      own('2001:db8:a::5', { state: 'deprecated', mobility: 'care-of' }),
      own('2001:db8:a::6', { state: 'deprecated', mobility: 'care-of', interface: other }),
      own('2001:db8:a::7', {
        state: 'deprecated',
        mobility: 'care-of',
        interface: other,
        advertisedBy: [stranger]
      }),
      own('fd00::8', {
        state: 'deprecated',
        mobility: 'care-of',
        interface: other,
        advertisedBy: [stranger],
        isTemporary: true
      }),
      own('fe80::9')
    ]
    const expected = ['2001:db8:a::1', '2001:db8:a:1::3', '2001:db8:a::2', '2001:db8:a::4', '2001:db8:a::5']
    expected.push('2001:db8:a::6', '2001:db8:a::7', 'fd00::8', 'fe80::9')
    expect(sourcesFor(host(ladder), destination)).toEqual(expected)
    expect(sourcesFor(host(ladder.toReversed()), destination)).toEqual(expected)
  })

  it('rules 7 and 8 break the ties of rule 6 [RFC6724-5-M01]', () => {
    const ladder = [
      own('2001:db8:b::1', { isTemporary: true }),
      own('2001:db8:a::2'),
      own('2001:db8:b::3'),
      own('3000::4')
    ]
    const expected = ['2001:db8:b::1', '2001:db8:a::2', '2001:db8:b::3', '3000::4']
    expect(sourcesFor(host(ladder.toReversed()), destination)).toEqual(expected)
  })

  it('what no rule tells apart stays in the order that it came in', () => {
    const equals = ['2001:db8:a::4', '2001:db8:a::3', '2001:db8:a::5']
    expect(sourcesFor(host(equals), destination)).toEqual(equals)
  })

  it('rule 2 takes the smallest scope that is large enough, else the largest', () => {
    const all = host(['2001:db8::1', 'fec0::1', 'fe80::1'])
    expect(sourcesFor(all, '2001:db8::9')).toEqual(['2001:db8::1', 'fec0::1', 'fe80::1'])
    expect(sourcesFor(all, 'fec0::9')).toEqual(['fec0::1', '2001:db8::1', 'fe80::1'])
    expect(sourcesFor(all, 'fe80::9')).toEqual(['fe80::1', 'fec0::1', '2001:db8::1'])
  })

  it('rule 3 avoids an optimistic address as it does a deprecated one', () => {
    const locals = [own('2001:db8:a::2', { state: 'optimistic' }), own('2001:db8:b::2')]
    expect(sourceFor(host(locals), destination)).toBe('2001:db8:b::2')
  })

  it('rule 5.5 prefers the prefix of the router that the packet is sent to, whichever that is', () => {
    const locals = [
      own('2001:db8:1::1', { advertisedBy: [router] }),
      own('2001:db8:2::1', { advertisedBy: [stranger] }),
      own('2001:db8:3::1', { advertisedBy: [stranger, router] })
    ]
    const by = (nextHop: typeof router): string[] =>
      sourcesFor(host(locals), to('2001:db8:2::9', { route: { interface: lan, nextHop } }))
    expect(by(router)).toEqual(['2001:db8:3::1', '2001:db8:1::1', '2001:db8:2::1'])
    expect(by(stranger)).toEqual(['2001:db8:2::1', '2001:db8:3::1', '2001:db8:1::1'])
  })

  const mobile = host([
    own('2001:db8:a::1', { mobility: 'care-of' }),
    own('2001:db8:b::1', { mobility: 'home' })
  ])
  const hidden = host([own('2001:db8:a::1'), own('2001:db8:b::1', { isTemporary: true })])
  const target = '2001:db8:a::9'

  it('a user may prefer care-of addresses [RFC6724-5-M02]', () => {
    expect(sourceFor(mobile, target)).toBe('2001:db8:b::1')
    expect(sourceFor({ ...mobile, preferences: { prefersCareOf: true } }, target)).toBe('2001:db8:a::1')
  })

  it('an address that is both stays first in either sense', () => {
    const locals = [...mobile.locals, own('2001:db8:c::1', { mobility: 'at-home' })]
    for (const prefersCareOf of [false, true])
      expect(sourceFor(host(locals, { preferences: { prefersCareOf } }), target)).toBe('2001:db8:c::1')
  })

  it('that a user prefers care-of addresses changes nothing for others [RFC6724-5-M03]', () => {
    const before = sourcesFor(mobile, target)
    sourcesFor({ ...mobile, preferences: { prefersCareOf: true } }, target)
    expect(sourcesFor(mobile, target)).toEqual(before)
    expect(before[0]).toBe('2001:db8:b::1')
  })

  it('a user may prefer public addresses [RFC6724-5-M04]', () => {
    expect(sourceFor(hidden, target)).toBe('2001:db8:b::1')
    expect(sourceFor({ ...hidden, preferences: { prefersPublic: true } }, target)).toBe('2001:db8:a::1')
  })

  it('that a user prefers public addresses changes nothing for others [RFC6724-5-M05]', () => {
    const before = sourcesFor(hidden, target)
    sourcesFor({ ...hidden, preferences: { prefersPublic: true } }, target)
    expect(sourcesFor(hidden, target)).toEqual(before)
    expect(before[0]).toBe('2001:db8:b::1')
  })
})
