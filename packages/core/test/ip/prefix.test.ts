import {
  comparePrefixes,
  equalPrefixes,
  formatIpPrefix,
  hostPrefix,
  ipAddressToBytes,
  ipv4,
  ipv6,
  prefixContains,
  prefixContainsAddress,
  prefixKey,
  prefixOf,
  prefixesOverlap
} from '@breakwater/core'
import type { IpAddress, IpPrefix } from '@breakwater/core'
import * as fc from 'fast-check'
import { Address4, Address6 } from 'ip-address'
import ipaddr from 'ipaddr.js'
import { describe, expect, test } from 'vitest'
import { anyAddress, anyPrefix, crowdedIpv6Prefix, crowdedPrefix } from '../arbitrary/ip.ts'

const closePrefix = fc.oneof(crowdedPrefix, crowdedIpv6Prefix, anyPrefix)

describe('prefixOf', () => {
  test('clears every host bit and nothing else', () => {
    fc.assert(
      fc.property(anyAddress, fc.nat(128), (address, wish) => {
        const length = address.family === 4 ? wish % 33 : wish
        const prefix = prefixOf(address, length)
        expect(bitsOf(prefix.address)).toBe(
          bitsOf(address).slice(0, length).padEnd(bitsOf(address).length, '0')
        )
        expect(prefix.length).toBe(length)
      })
    )
  })

  test.each([-1, 33, 1.5, Number.NaN, Number.POSITIVE_INFINITY])('refuses an IPv4 length of %d', (length) => {
    expect(() => prefixOf(ipv4(0), length)).toThrow(
      expect.objectContaining({ name: 'InternalError', code: 'CORE_IP_PREFIX_LENGTH_INVALID' })
    )
  })

  test('refuses an IPv6 length of 129', () => {
    expect(() => prefixOf(ipv6(0, 0, 0, 0), 129)).toThrow(/129 is not in 0 … 128/)
  })
})

describe('containment', () => {
  test('of an address means that the first bits are the same', () => {
    fc.assert(
      fc.property(
        closePrefix,
        fc.oneof(
          anyAddress,
          closePrefix.map((each) => each.address)
        ),
        (prefix, address) => {
          expect(prefixContainsAddress(prefix, address)).toBe(
            prefix.address.family === address.family &&
              bitsOf(address).startsWith(bitsOf(prefix.address).slice(0, prefix.length))
          )
        }
      )
    )
  })

  test('agrees with ipaddr.js and ip-address', () => {
    fc.assert(
      fc.property(closePrefix, closePrefix, (outer, inner) => {
        fc.pre(outer.address.family === inner.address.family)
        const [network, length] = ipaddr.parseCIDR(formatIpPrefix(outer))
        const address = ipaddr.parse(formatIpPrefix({ ...inner }).split('/')[0] ?? '')
        expect(address.match(network, length)).toBe(prefixContainsAddress(outer, inner.address))
        expect(insideByIpAddress(inner, outer)).toBe(prefixContains(outer, inner))
      })
    )
  })

  test('is never found across families', () => {
    expect(prefixContains(prefixOf(ipv4(0), 0), prefixOf(ipv6(0, 0, 0, 0), 0))).toBe(false)
    expect(prefixesOverlap(prefixOf(ipv6(0, 0, 0, 0), 0), hostPrefix(ipv4(0)))).toBe(false)
  })

  test('one way or the other is what overlap means, in either order', () => {
    fc.assert(
      fc.property(closePrefix, closePrefix, (x, y) => {
        const either = prefixContains(x, y) || prefixContains(y, x)
        expect(prefixesOverlap(x, y)).toBe(either)
        expect(prefixesOverlap(y, x)).toBe(either)
        expect(prefixContains(x, y) && prefixContains(y, x)).toBe(equalPrefixes(x, y))
      })
    )
  })

  test('a host prefix contains its address only', () => {
    expect(prefixContainsAddress(hostPrefix(ipv4(7)), ipv4(7))).toBe(true)
    expect(prefixContainsAddress(hostPrefix(ipv4(7)), ipv4(6))).toBe(false)
    expect(hostPrefix(ipv6(0, 0, 0, 1)).length).toBe(128)
  })
})

describe('the order of prefixes', () => {
  test('puts the larger first where both begin at one address', () => {
    const wide = prefixOf(ipv4(0x0a000000), 8)
    const narrow = prefixOf(ipv4(0x0a000000), 24)
    const later = prefixOf(ipv4(0x0a000100), 24)
    expect([later, narrow, wide].toSorted(comparePrefixes)).toEqual([wide, narrow, later])
  })

  test('is 0 exactly for equal prefixes', () => {
    fc.assert(
      fc.property(closePrefix, closePrefix, (x, y) => {
        expect(comparePrefixes(x, y) === 0).toBe(equalPrefixes(x, y))
      })
    )
  })
})

describe('prefixKey', () => {
  test('is the same exactly for equal prefixes', () => {
    fc.assert(
      fc.property(closePrefix, closePrefix, (x, y) => {
        expect(prefixKey(x) === prefixKey(y)).toBe(equalPrefixes(x, y))
      })
    )
  })

  test('tells the families apart', () => {
    expect(prefixKey(prefixOf(ipv4(0), 0))).not.toBe(prefixKey(prefixOf(ipv6(0, 0, 0, 0), 0)))
  })
})

function bitsOf(address: IpAddress): string {
  return [...ipAddressToBytes(address)].map((byte) => byte.toString(2).padStart(8, '0')).join('')
}

function insideByIpAddress(inner: IpPrefix, outer: IpPrefix): boolean {
  const [innerText, outerText] = [formatIpPrefix(inner), formatIpPrefix(outer)]
  if (inner.address.family === 4) return new Address4(innerText).isInSubnet(new Address4(outerText))
  return new Address6(innerText).isInSubnet(new Address6(outerText))
}
