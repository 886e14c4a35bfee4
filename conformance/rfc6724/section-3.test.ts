import { describe, expect, it } from 'vitest'
import { scopeOf } from '../../packages/dots/src/multihoming/address-selection/scope.ts'
import {
  host,
  order,
  own,
  policyWith,
  row,
  sourceFor,
  to
} from '../../packages/dots/test/multihoming/selection-host.ts'
import { ip, net } from '../../packages/dots/test/multihoming/sites.ts'

/* RFC 6724 §3: what is asked of addresses. */

const deprecated = { state: 'deprecated' } as const

describe('RFC 6724 §3.1', () => {
  it('scopes of unicast and multicast addresses are one scale', () => {
    const rising = ['ff01::1', 'fe80::1', 'ff04::1', 'fec0::1', 'ff08::1', '2001:db8::1'].map((text) =>
      scopeOf(ip(text))
    )
    expect(rising).toEqual([1, 2, 4, 5, 8, 14])
    expect(scopeOf(ip('ff02::1'))).toBe(scopeOf(ip('fe80::1')))
    expect(scopeOf(ip('ff05::1'))).toBe(scopeOf(ip('fec0::1')))
    expect(scopeOf(ip('ff0e::1'))).toBe(scopeOf(ip('2001:db8::1')))
    expect(scopeOf(ip('fd00::1'))).toBe(scopeOf(ip('2001:db8::1')))
  })
})

describe('RFC 6724 §3.2', () => {
  it('an IPv4 address has the attributes of its IPv4-mapped form [RFC6724-3.2-M01]', () => {
    const policy = policyWith(row('::ffff:192.0.2.0/120', 90, 4), row('::ffff:198.51.100.0/120', 80, 4))
    const context = host(['10.0.0.1', '2001:db8::1'], { policy })
    expect(order(context, '2001:db8::2', '203.0.113.1', '198.51.100.1', '192.0.2.1')).toEqual([
      '192.0.2.1 from 10.0.0.1',
      '198.51.100.1 from 10.0.0.1',
      '2001:db8::2 from 2001:db8::1',
      '203.0.113.1 from 10.0.0.1'
    ])
    expect(order(context, '2001:db8::2', '::ffff:192.0.2.1')[0]).toBe('::ffff:192.0.2.1 from 10.0.0.1')
  })

  it('IPv4 addresses are link-local when auto-configured or of the loopback, and global otherwise', () => {
    const link = ['169.254.1.1', '127.0.0.1', '::ffff:169.254.1.1'].map((text) => scopeOf(ip(text)))
    expect(link).toEqual([2, 2, 2])
    const global = ['10.0.0.1', '172.16.0.1', '192.168.0.1', '100.64.0.1', '192.0.2.1'].map((text) =>
      scopeOf(ip(text))
    )
    expect(global).toEqual([14, 14, 14, 14, 14])
  })

  it('an IPv4 address is preferred, whatever is said of its state [RFC6724-3.2-M02]', () => {
    const policy = policyWith(row('::ffff:0:0/96', 100, 4))
    const context = host([own('10.0.0.1', deprecated), '2001:db8::1'], { policy })
    expect(order(context, '2001:db8::2', '192.0.2.1')[0]).toBe('192.0.2.1 from 10.0.0.1')
  })
})

describe('RFC 6724 §3.3', () => {
  it.each(['::192.0.2.1', '::ffff:192.0.2.1', '64:ff9b::c000:201', '2002:c000:201::1'])(
    '%s embeds an IPv4 address and is of global scope [RFC6724-3.3-M01]',
    (embedding) => {
      expect(scopeOf(ip(embedding))).toBe(14)
      // Of smaller scope, it would come before the global destination.
      const equal = policyWith(row('::/96', 40, 1), row('2002::/16', 40, 1), row('::ffff:0:0/96', 40, 1))
      const context = host(['2001:db8::1', '10.0.0.1'], { policy: equal })
      expect(order(context, '2001:db8::2', embedding)[0]).toBe('2001:db8::2 from 2001:db8::1')
    }
  )

  it.each([
    ['IPv4-compatible', '::c000:207', '::c633:6407'],
    ['IPv4-mapped', '::ffff:192.0.2.7', '::ffff:198.51.100.7'],
    ['IPv4-converted', '2001:db8:64::c000:207', '2001:db8:64::c633:6407']
  ])('%s addresses are preferred, whatever is said of their state [RFC6724-3.3-M02]', (_, first, second) => {
    const translation = { converted: [net('2001:db8:64::/96')], translatable: [net('::/0')] }
    // Rule 3 would prefer the second, as it is not deprecated; the tie leaves the choice to the next rules.
    const context = host([own(`${first}/128`, deprecated), own(`${second}/128`)], { translation })
    expect(sourceFor(context, first.replace(/7$/, '6'))).toBe(first)
  })
})

describe('RFC 6724 §3.4', () => {
  it('the loopback address is of link-local scope and preferred [RFC6724-3.4-M01]', () => {
    const loopback = { name: 'lo' }
    const locals = [
      own('::1/128', { interface: loopback, ...deprecated }),
      own('fd00::1', { interface: loopback })
    ]
    expect(scopeOf(ip('::1'))).toBe(scopeOf(ip('fe80::1')))
    const route = { interface: loopback }
    expect(sourceFor(host(locals), to('2001:db8::1', { route }))).toBe('fd00::1')
    // Deprecated, it would come after the unspecific one of equal scope.
    const equals = [
      own('::1/128', { interface: loopback, ...deprecated }),
      own('fe80::1', { interface: loopback })
    ]
    expect(sourceFor(host(equals), to('::2', { route }))).toBe('::1')
  })

  it.each(['0200::7', '4000::7', 'a000::7'])(
    '%s, of a format that nobody defined, is global and preferred [RFC6724-3.4-M02]',
    (undefinedFormat) => {
      expect(scopeOf(ip(undefinedFormat))).toBe(14)
      const near = undefinedFormat.replace('7', '6')
      const context = host([own(`${undefinedFormat}/128`, deprecated), '2001:db8::1'])
      expect(sourceFor(context, near)).toBe(undefinedFormat.replace(/^0/, ''))
    }
  )
})
