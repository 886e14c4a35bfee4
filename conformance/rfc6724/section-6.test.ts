import { describe, expect, it } from 'vitest'
import type { LocalInterface } from '../../packages/dots/src/domain/local-address.ts'
import { host, order, own, policyWith, row, to } from '../../packages/dots/test/multihoming/selection-host.ts'

/* RFC 6724 §6: destination address selection; §8: how old what it goes by may be. */

const deprecated = { state: 'deprecated' } as const
const careOf = { mobility: 'care-of' } as const

/** Without the sources. */
function texts(list: readonly string[]): string[] {
  return list.map((text) => text.replace(/ .*/, ''))
}

describe('RFC 6724 §6', () => {
  it('an IPv4 address is looked up as its IPv4-mapped form [RFC6724-6-M01]', () => {
    const policy = policyWith(row('::ffff:192.0.2.0/120', 50, 4), row('c000:200::/24', 1, 1))
    const context = host(['10.0.0.1', '2001:db8::1'], { policy })
    expect(order(context, '2001:db8::2', '192.0.2.1')[0]).toBe('192.0.2.1 from 10.0.0.1')
    expect(order(host(['10.0.0.1', '2001:db8::1']), '192.0.2.1', '2001:db8::2')[0]).toBe(
      '2001:db8::2 from 2001:db8::1'
    )
  })

  const tunnel: LocalInterface = { name: 'tunnel', isEncapsulating: true }
  const inTunnel = { interface: tunnel }
  const route = { interface: tunnel }

  // Of each pair the first is preferred by the rule, and the second by every later one that can tell them apart.
  it.each([
    ['rule 1, a source', host([own('fe80::1', deprecated)]), '2001:db8:b::1', '192.0.2.1'],
    [
      'rule 1, known to be reachable',
      host(['2001:db8:a::1', '10.0.0.1']),
      '10.0.0.9',
      to('2001:db8:a::9', { isUnreachable: true })
    ],
    ['rule 2, matching scope', host([own('2001:db8:a::1', deprecated)]), '2001:db8:a::9', 'fe80::9'],
    [
      'rule 3, no deprecated source',
      host([own('2001:db8:a::1', careOf), own('fe80::1', deprecated)]),
      '2001:db8:a::9',
      'fe80::9'
    ],
    [
      'rule 4, a home address',
      host([own('2001:db8:a::1', { mobility: 'home' }), own('fe80::1', careOf)]),
      '2002::9',
      'fe80::9'
    ],
    [
      'rule 5, matching label',
      host(['2001:db8:a::1', '10.0.0.1']),
      '10.0.0.9',
      '2002::9',
      policyWith(row('2002::/16', 99, 2))
    ],
    [
      'rule 6, higher precedence',
      host(['2001:db8:a::1', 'fe80::1']),
      to('2001:db8:a::9'),
      'fe80::9',
      policyWith(row('fe80::/10', 30, 1))
    ],
    [
      'rule 7, native transport',
      host(['2001:db8:a::1', own('fe80::1', inTunnel)]),
      '2001:db8:9::9',
      to('fe80::9', { route })
    ],
    ['rule 8, smaller scope', host(['2001:db8:a::1', 'fe80::1/10']), 'fe80::9', '2001:db8:a::9'],
    ['rule 9, longest matching prefix', host(['2001:db8:a::1']), '2001:db8:a::9', '2001:db8:b::9']
  ] as const)(
    '%s, decides before every later rule [RFC6724-6-M02] [RFC6724-6-M03]',
    (_, context, first, second, policy?) => {
      const table = policy === undefined ? context : { ...context, policy }
      const [preferred] = order(table, first)
      expect(order(table, first, second)[0]).toBe(preferred)
      expect(order(table, second, first)[0]).toBe(preferred)
    }
  )

  it('rule 10: what no rule tells apart stays in the order that it came in', () => {
    const context = host(['2001:db8:a::1'])
    const destinations = ['2001:db8:b::3', '2001:db8:b::1', '2001:db8:b::2']
    expect(order(context, ...destinations)).toEqual(destinations.map((each) => `${each} from 2001:db8:a::1`))
  })

  it('rule 9 says nothing between families, and rule 10 leaves them where they are', () => {
    const policy = policyWith(row('::ffff:0:0/96', 40, 4))
    const context = host(['2001:db8:a::1', '10.0.0.1'], { policy })
    expect(texts(order(context, '10.0.0.9', '2001:db8:b::9', '2001:db8:a::9'))).toEqual([
      '10.0.0.9',
      '2001:db8:a::9',
      '2001:db8:b::9'
    ])
    expect(texts(order(context, '2001:db8:b::9', '2001:db8:a::9', '10.0.0.9'))).toEqual([
      '2001:db8:a::9',
      '2001:db8:b::9',
      '10.0.0.9'
    ])
  })
})

describe('RFC 6724 §8', () => {
  it('an order is made of what is known when it is asked for: nothing is remembered [RFC6724-8-M01]', () => {
    const destinations = ['2001:db8:a::9', '10.0.0.9'] as const
    const fresh = host(['2001:db8:a::1', '10.0.0.1'])
    const stale = { ...fresh, locals: [own('2001:db8:a::1', deprecated), own('10.0.0.1')] }
    const gone = { ...fresh, locals: [own('10.0.0.1')] }
    expect(order(fresh, ...destinations)[0]).toBe('2001:db8:a::9 from 2001:db8:a::1')
    expect(order(stale, ...destinations)[0]).toBe('10.0.0.9 from 10.0.0.1')
    expect(order(gone, ...destinations)).toEqual(['10.0.0.9 from 10.0.0.1', '2001:db8:a::9 from nowhere'])
    expect(order(fresh, ...destinations)[0]).toBe('2001:db8:a::9 from 2001:db8:a::1')
  })

  it('where the outgoing interface is not known, addresses of all count [RFC6724-8-O01]', () => {
    const locals = [own('2001:db8:a::1', { interface: { name: 'wan-a' } }), own('fe80::1')]
    expect(order(host(locals), to('2001:db8:9::9', { route: {} }))).toEqual([
      '2001:db8:9::9 from 2001:db8:a::1'
    ])
  })
})
