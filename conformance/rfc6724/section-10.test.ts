import { describe, expect, it } from 'vitest'
import { withAutomaticRows } from '../../packages/dots/src/multihoming/address-selection/automatic-rows.ts'
import { DEFAULT_POLICY } from '../../packages/dots/src/multihoming/address-selection/default-policy.ts'
import type { LocalAddress } from '../../packages/dots/src/domain/local-address.ts'
import {
  host,
  order,
  own,
  policyWith,
  row,
  sourceFor
} from '../../packages/dots/test/multihoming/selection-host.ts'

/*
 * RFC 6724 §10: every example of the RFC, in its order. Two are corrected: the first result of §10.1 is a candidate
 * (`2001:db8:3::1`), and the destination `ff00:1` of §10.6 is an address (`ff00::1`).
 */

const deprecated = (text: string): LocalAddress => own(text, { state: 'deprecated' })
const temporary = (text: string): LocalAddress => own(text, { isTemporary: true })
const home = (text: string): LocalAddress => own(text, { mobility: 'home' })
const careOf = (text: string): LocalAddress => own(text, { mobility: 'care-of' })

const sourceExamples: readonly [string, (LocalAddress | string)[], string, string][] = [
  ['2001:db8:1::1', ['2001:db8:3::1', 'fe80::1'], '2001:db8:3::1', 'appropriate scope'],
  ['ff05::1', ['2001:db8:3::1', 'fe80::1'], '2001:db8:3::1', 'appropriate scope'],
  ['2001:db8:1::1', [deprecated('2001:db8:1::1'), '2001:db8:2::1'], '2001:db8:1::1', 'same address'],
  ['fe80::1', [deprecated('fe80::2'), '2001:db8:1::1'], 'fe80::2', 'appropriate scope'],
  ['2001:db8:1::1', ['2001:db8:1::2', '2001:db8:3::2'], '2001:db8:1::2', 'longest matching prefix'],
  ['2001:db8:1::1', [careOf('2001:db8:1::2'), home('2001:db8:3::2')], '2001:db8:3::2', 'home address'],
  [
    '2002:c633:6401::1',
    [temporary('2002:c633:6401::d5e3:7953:13eb:22e8'), '2001:db8:1::2'],
    '2002:c633:6401:0:d5e3:7953:13eb:22e8',
    'matching label'
  ],
  [
    '2001:db8:1::d5e3:0:0:1',
    ['2001:db8:1::2', temporary('2001:db8:1::d5e3:7953:13eb:22e8')],
    '2001:db8:1:0:d5e3:7953:13eb:22e8',
    'temporary address'
  ]
]

describe('RFC 6724 §10.1: default source address selection', () => {
  it.each(sourceExamples)('for %s, %o: %s (prefer %s)', (destination, locals, source) => {
    expect(sourceFor(host(locals), destination)).toBe(source)
    expect(sourceFor(host(locals.toReversed()), destination)).toBe(source)
  })
})

interface Example {
  readonly sources: readonly (LocalAddress | string)[]
  readonly destinations: readonly string[]
  readonly result: readonly string[]
  readonly because: string
}

const default2: readonly Example[] = [
  {
    sources: ['2001:db8:1::2', 'fe80::1', '169.254.13.78'],
    destinations: ['2001:db8:1::1', '198.51.100.121'],
    result: ['2001:db8:1::1 from 2001:db8:1::2', '198.51.100.121 from 169.254.13.78'],
    because: 'prefer matching scope'
  },
  {
    sources: ['fe80::1', '198.51.100.117'],
    destinations: ['2001:db8:1::1', '198.51.100.121'],
    result: ['198.51.100.121 from 198.51.100.117', '2001:db8:1::1 from fe80::1'],
    because: 'prefer matching scope'
  },
  {
    sources: ['2001:db8:1::2', 'fe80::1', '10.1.2.4'],
    destinations: ['2001:db8:1::1', '10.1.2.3'],
    result: ['2001:db8:1::1 from 2001:db8:1::2', '10.1.2.3 from 10.1.2.4'],
    because: 'prefer higher precedence'
  },
  {
    sources: ['2001:db8:1::2', 'fe80::2'],
    destinations: ['2001:db8:1::1', 'fe80::1'],
    result: ['fe80::1 from fe80::2', '2001:db8:1::1 from 2001:db8:1::2'],
    because: 'prefer smaller scope'
  },
  {
    sources: [careOf('2001:db8:1::2'), home('2001:db8:3::1'), careOf('fe80::2')],
    destinations: ['2001:db8:1::1', 'fe80::1'],
    result: ['2001:db8:1::1 from 2001:db8:3::1', 'fe80::1 from fe80::2'],
    because: 'prefer home address'
  },
  {
    sources: ['2001:db8:1::2', deprecated('fe80::2')],
    destinations: ['2001:db8:1::1', 'fe80::1'],
    result: ['2001:db8:1::1 from 2001:db8:1::2', 'fe80::1 from fe80::2'],
    because: 'avoid deprecated addresses'
  },
  {
    sources: ['2001:db8:1::2', '2001:db8:3f44::2', 'fe80::2'],
    destinations: ['2001:db8:1::1', '2001:db8:3ffe::1'],
    result: ['2001:db8:1::1 from 2001:db8:1::2', '2001:db8:3ffe::1 from 2001:db8:3f44::2'],
    because: 'longest matching prefix'
  },
  {
    sources: ['2002:c633:6401::2', 'fe80::2'],
    destinations: ['2002:c633:6401::1', '2001:db8:1::1'],
    result: ['2002:c633:6401::1 from 2002:c633:6401::2', '2001:db8:1::1 from 2002:c633:6401::2'],
    because: 'prefer matching label'
  },
  {
    sources: ['2002:c633:6401::2', '2001:db8:1::2', 'fe80::2'],
    destinations: ['2002:c633:6401::1', '2001:db8:1::1'],
    result: ['2001:db8:1::1 from 2001:db8:1::2', '2002:c633:6401::1 from 2002:c633:6401::2'],
    because: 'prefer higher precedence'
  }
]

describe('RFC 6724 §10.2: default destination address selection', () => {
  it.each(default2)('from $sources: $result ($because)', ({ sources, destinations, result }) => {
    expect(order(host(sources), ...destinations)).toEqual(result)
    expect(order(host(sources), ...destinations.toReversed())).toEqual(result)
  })
})

describe('RFC 6724 §10.3: configuring preference for IPv4', () => {
  const policy = policyWith(row('::ffff:0:0/96', 100, 4))

  it.each([
    [
      ['2001:db8::2', 'fe80::1', '169.254.13.78'],
      ['2001:db8::1', '198.51.100.121'],
      ['2001:db8::1 from 2001:db8::2', '198.51.100.121 from 169.254.13.78']
    ],
    [
      ['fe80::1', '198.51.100.117'],
      ['2001:db8::1', '198.51.100.121'],
      ['198.51.100.121 from 198.51.100.117', '2001:db8::1 from fe80::1']
    ],
    [
      ['2001:db8::2', 'fe80::1', '10.1.2.4'],
      ['2001:db8::1', '10.1.2.3'],
      ['10.1.2.3 from 10.1.2.4', '2001:db8::1 from 2001:db8::2']
    ]
  ])('from %o to %o: %o', (sources, destinations, result) => {
    expect(order(host(sources, { policy }), ...destinations)).toEqual(result)
  })
})

describe('RFC 6724 §10.4: configuring preference for link-local addresses', () => {
  const policy = policyWith(row('fe80::/10', 33, 1))

  it('global destinations come first', () => {
    expect(order(host(['2001:db8::2', 'fe80::2'], { policy }), 'fe80::1', '2001:db8::1')).toEqual([
      '2001:db8::1 from 2001:db8::2',
      'fe80::1 from fe80::2'
    ])
  })

  it('but not from a deprecated address', () => {
    const context = host([deprecated('2001:db8::2'), 'fe80::2'], { policy })
    expect(order(context, '2001:db8::1', 'fe80::1')).toEqual([
      'fe80::1 from fe80::2',
      '2001:db8::1 from 2001:db8::2'
    ])
  })
})

describe('RFC 6724 §10.5: configuring a multihomed site', () => {
  const sources = ['2001:db8:1aaa::a', '2001:db8:70aa::a', 'fe80::a']
  const policy = policyWith(row('2001:db8:1aaa::/48', 43, 6), row('2001:db8:1bbb::/48', 43, 6))

  it('by default, the other site is reached by the normal provider, and a third by the expensive one', () => {
    expect(order(host(sources), '2001:db8:1bbb::b', '2001:db8:70bb::b')).toEqual([
      '2001:db8:70bb::b from 2001:db8:70aa::a',
      '2001:db8:1bbb::b from 2001:db8:1aaa::a'
    ])
    expect(order(host(sources), '2001:db8:6ccc::c', '2001:db8:1ccc::c')).toEqual([
      '2001:db8:1ccc::c from 2001:db8:1aaa::a',
      '2001:db8:6ccc::c from 2001:db8:70aa::a'
    ])
  })

  it('with rows for both sites, it is the other way round', () => {
    expect(order(host(sources, { policy }), '2001:db8:70bb::b', '2001:db8:1bbb::b')).toEqual([
      '2001:db8:1bbb::b from 2001:db8:1aaa::a',
      '2001:db8:70bb::b from 2001:db8:70aa::a'
    ])
    expect(order(host(sources, { policy }), '2001:db8:1ccc::c', '2001:db8:6ccc::c')).toEqual([
      '2001:db8:6ccc::c from 2001:db8:70aa::a',
      '2001:db8:1ccc::c from 2001:db8:70aa::a'
    ])
  })
})

describe('RFC 6724 §10.6: configuring preference for unique local addresses', () => {
  const sources = ['2001:db8:1::1', 'fd11:1111:1111:1::1']
  const policy = policyWith(row('fd11:1111:1111::/48', 45, 14))

  it.each([
    ['by default', DEFAULT_POLICY],
    ['with a row for the own site', policy]
  ])('%s, a global destination comes before one of another site', (_, table) => {
    expect(order(host(sources, { policy: table }), 'fd22:2222:2222:2::2', '2001:db8:2::2')).toEqual([
      '2001:db8:2::2 from 2001:db8:1::1',
      'fd22:2222:2222:2::2 from fd11:1111:1111:1::1'
    ])
  })

  it.each([
    ['a row of the operator’s', policy],
    [
      'an automatic row',
      withAutomaticRows(
        DEFAULT_POLICY,
        sources.map((text) => own(text))
      )
    ]
  ])('%s puts a destination within the site first', (_, table) => {
    expect(order(host(sources, { policy: table }), '2001:db8:2::2', 'fd11:1111:1111:2::2')).toEqual([
      'fd11:1111:1111:2::2 from fd11:1111:1111:1::1',
      '2001:db8:2::2 from 2001:db8:1::1'
    ])
  })

  it('a multicast destination is not served from a unique local address for its longer match', () => {
    expect(sourceFor(host(sources), 'ff00::1')).toBe('2001:db8:1::1')
  })
})

describe('RFC 6724 §10.7: configuring preference for 6to4', () => {
  it('by default, translated IPv4 comes before 6to4', () => {
    expect(order(host(['2002:c633:6401::2', '10.1.2.3']), '2001:db8:1::1', '203.0.113.1')).toEqual([
      '203.0.113.1 from 10.1.2.3',
      '2001:db8:1::1 from 2002:c633:6401::2'
    ])
  })

  const sources = ['2002:c633:6401:1::1', '10.1.2.3']
  it.each([
    ['a row of the operator’s', policyWith(row('2002:c633:6401::/48', 45, 14))],
    [
      'an automatic row',
      withAutomaticRows(
        DEFAULT_POLICY,
        sources.map((text) => own(text))
      )
    ]
  ])('%s puts a destination within the site first', (_, table) => {
    expect(order(host(sources, { policy: table }), '203.0.113.1', '2002:c633:6401:2::2')).toEqual([
      '2002:c633:6401:2::2 from 2002:c633:6401:1::1',
      '203.0.113.1 from 10.1.2.3'
    ])
  })
})
