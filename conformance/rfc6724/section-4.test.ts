import { describe, expect, it } from 'vitest'
import type { LocalInterface } from '../../packages/dots/src/domain/local-address.ts'
import { chosenSource } from '../../packages/dots/src/multihoming/address-selection/source-selection.ts'
import {
  host,
  order,
  own,
  sourceFor,
  sourcesFor,
  to
} from '../../packages/dots/test/multihoming/selection-host.ts'
import { ip, net } from '../../packages/dots/test/multihoming/sites.ts'

/* RFC 6724 §4: candidate source addresses; §1: the choice of the user. */

const wanA: LocalInterface = { name: 'wan-a' }
const wanB: LocalInterface = { name: 'wan-b' }
const byA = { route: { interface: wanA } }

const twoLinks = host([
  own('2001:db8:a::1', { interface: wanA }),
  own('fe80::a', { interface: wanA }),
  own('2001:db8:b::1', { interface: wanB }),
  own('fe80::b', { interface: wanB })
])

describe('RFC 6724 §4', () => {
  it('the candidates are the addresses of the outgoing interface [RFC6724-4-S01]', () => {
    expect(sourcesFor(twoLinks, to('2001:db8:b::9', byA))).toEqual(['2001:db8:a::1', 'fe80::a'])
  })

  it('addresses of interfaces that forward are candidates, too, after those of the outgoing one [RFC6724-4-O01]', () => {
    const inner: LocalInterface = { name: 'inner', isForwarding: true }
    const context = host([
      own('2001:db8:b::1', { interface: inner }),
      own('2001:db8:a::1', { interface: wanA })
    ])
    expect(sourcesFor(context, to('2001:db8:b::9', byA))).toEqual(['2001:db8:a::1', '2001:db8:b::1'])
  })

  it('a global address of a loopback interface that forwards may leave by another [RFC6724-4-M01]', () => {
    const loopback: LocalInterface = { name: 'lo', isForwarding: true }
    const context = host([
      own('::1/128', { interface: loopback }),
      own('2001:db8:ffff::1/128', { interface: loopback }),
      own('fe80::a', { interface: wanA })
    ])
    expect(sourcesFor(context, to('2001:db8:9::9', byA))).toEqual(['2001:db8:ffff::1', 'fe80::a'])
  })

  it.each(['fe80::9', 'ff02::9', 'ff05::9', 'ff0e::9'])(
    'for %s only addresses of the link are candidates, forwarding or not [RFC6724-4-M02]',
    (destination) => {
      const [outer, inner] = [
        { ...wanA, link: 'x' },
        { name: 'inner', isForwarding: true }
      ]
      const context = host([
        own('2001:db8:b::1', { interface: inner }),
        own('fe80::b', { interface: inner }),
        own('2001:db8:a::1', { interface: outer }),
        own('2001:db8:a::2', { interface: { name: 'second', link: 'x' } })
      ])
      const found = sourcesFor(context, to(destination, { route: { interface: outer } }))
      expect(found).toEqual(['2001:db8:a::1', '2001:db8:a::2'])
    }
  )

  it('for a site-local destination only addresses of the site are candidates [RFC6724-4-M03]', () => {
    const inside: LocalInterface = { name: 'inside', site: 'ours', isForwarding: true }
    const outside: LocalInterface = { name: 'outside', site: 'theirs', isForwarding: true }
    const context = host([
      own('fec0:0:0:1::1', { interface: { ...wanA, site: 'ours' } }),
      own('fec0:0:0:2::1', { interface: inside }),
      own('fec0:0:0:3::1', { interface: outside })
    ])
    const route = { interface: { ...wanA, site: 'ours' } }
    expect(sourcesFor(context, to('fec0:0:0:3::9', { route }))).toEqual(['fec0:0:0:1::1', 'fec0:0:0:2::1'])
    expect(sourcesFor(context, to('2001:db8::9', { route }))).toHaveLength(3)
  })

  it('multicast and unspecified addresses are never candidates [RFC6724-4-M04]', () => {
    const context = host(['ff02::9', '::', '2001:db8::1', '0.0.0.0', '224.0.0.9', '10.0.0.1'])
    expect(sourcesFor(context, 'ff02::9')).toEqual(['2001:db8::1'])
    expect(sourcesFor(context, '::')).toEqual(['2001:db8::1'])
    expect(sourcesFor(context, '224.0.0.9')).toEqual(['10.0.0.1'])
    // Not even where the interface is unknown.
    expect(sourcesFor(context, to('0.0.0.0', { route: {} }))).toEqual(['10.0.0.1'])
  })

  it('to an IPv4 node behind a translator only addresses that it can name are candidates [RFC6724-4-M05]', () => {
    const translation = { converted: [net('64:ff9b::/96')], translatable: [net('2001:db8:64::/48')] }
    const context = host(['2001:db8:a::1', '2001:db8:64::c633:6401'], { translation })
    expect(sourcesFor(context, '64:ff9b::c000:201')).toEqual(['2001:db8:64::c633:6401'])
    expect(sourcesFor(host(['2001:db8:a::1'], { translation }), '64:ff9b::c000:201')).toEqual([])
    expect(sourceFor(context, '2001:db8:a::9')).toBe('2001:db8:a::1')
  })

  it('a chosen source that is no candidate is an error, not a suggestion [RFC6724-4-M06]', () => {
    const destination = to('2001:db8:9::9', byA)
    for (const choice of ['2001:db8:b::1', '2001:db8:77::1', 'ff02::1', '::'])
      expect(chosenSource(twoLinks, destination, ip(choice))).toEqual({
        ok: false,
        problem: 'not-a-candidate'
      })
  })

  it('a chosen source that is a candidate is respected, however little the rules like it [RFC6724-4-M07]', () => {
    const worst = own('2001:db8:a::bad', { interface: wanA, state: 'deprecated' })
    const context = { ...twoLinks, locals: [...twoLinks.locals, worst] }
    const destination = to('2001:db8:a::1:1', byA)
    expect(sourceFor(context, destination)).toBe('2001:db8:a::1')
    expect(chosenSource(context, destination, worst.address)).toEqual({ ok: true, source: worst })
  })

  it('a link-local destination of a zone is reached from that zone only', () => {
    const destination = to('fe80::9', { zone: 'wan-b', route: {} })
    expect(sourcesFor(twoLinks, destination)).toEqual(['fe80::b', '2001:db8:b::1'])
  })
})

describe('source and destination of different families', () => {
  it('an IPv4 destination has no source on a host that has IPv6 alone, and comes last', () => {
    const context = host(['2001:db8::1', 'fe80::1'])
    expect(order(context, '192.0.2.1', '2001:db8:9::1')).toEqual([
      '2001:db8:9::1 from 2001:db8::1',
      '192.0.2.1 from nowhere'
    ])
  })

  it('the same destination by NAT64 is an IPv6 destination, with an IPv6 source', () => {
    const context = host(['2001:db8::1', 'fe80::1'])
    expect(order(context, '192.0.2.1', '64:ff9b::c000:201')).toEqual([
      '64:ff9b::c000:201 from 2001:db8::1',
      '192.0.2.1 from nowhere'
    ])
  })

  it('an IPv6 destination has no source on a host that has IPv4 alone', () => {
    expect(order(host(['10.0.0.1']), '2001:db8::1', '192.0.2.1')).toEqual([
      '192.0.2.1 from 10.0.0.1',
      '2001:db8::1 from nowhere'
    ])
  })

  it('an IPv4-mapped destination takes IPv4 sources, as the packets are IPv4', () => {
    expect(sourcesFor(host(['2001:db8::1', '10.0.0.1']), '::ffff:192.0.2.1')).toEqual(['10.0.0.1'])
  })
})
