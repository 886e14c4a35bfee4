import { ipv4, ipv6, prefixOf } from '@breakwater/core'
import type { IpAddress, IpPrefix } from '@breakwater/core'
import * as fc from 'fast-check'

/** Words with long runs of equal bits, so that zero groups, edges and neighbours come up often. */
const word = fc.oneof(fc.constantFrom(0, 1, 0xffff, 0x10000, 0x80000000, 0xffffffff), fc.nat(0xffffffff))

export const anyIpv4: fc.Arbitrary<IpAddress> = word.map(ipv4)

export const anyIpv6: fc.Arbitrary<IpAddress> = fc
  .tuple(word, word, word, word)
  .map(([a, b, c, d]) => ipv6(a, b, c, d))

export const anyAddress: fc.Arbitrary<IpAddress> = fc.oneof(anyIpv4, anyIpv6)

export const anyPrefix: fc.Arbitrary<IpPrefix> = fc.oneof(
  fc.tuple(anyIpv4, fc.nat(32)).map(([address, length]) => prefixOf(address, length)),
  fc.tuple(anyIpv6, fc.nat(128)).map(([address, length]) => prefixOf(address, length))
)

/** IPv4 addresses of 10.0.0.0/26: few, so that prefixes of them nest and touch. */
export const crowdedAddress: fc.Arbitrary<IpAddress> = fc.nat(63).map((low) => ipv4(0x0a000000 + low))

export const crowdedPrefix: fc.Arbitrary<IpPrefix> = fc
  .tuple(crowdedAddress, fc.integer({ min: 26, max: 32 }))
  .map(([address, length]) => prefixOf(address, length))

/** IPv6 prefixes that nest around every word boundary. */
export const crowdedIpv6Prefix: fc.Arbitrary<IpPrefix> = fc
  .tuple(
    fc.constantFrom(
      ipv6(0x20010db8, 0, 0, 0),
      ipv6(0x20010db8, 1, 0, 1),
      ipv6(0x20010db8, 0x80000000, 1, 0),
      ipv6(0x20010db8, 0x80000000, 0x80000000, 0x80000000),
      ipv6(0x20010db9, 0, 0, 0xffffffff)
    ),
    fc.constantFrom(0, 1, 31, 32, 33, 63, 64, 65, 95, 96, 97, 127, 128)
  )
  .map(([address, length]) => prefixOf(address, length))

/** Texts that are nearly addresses: a good one with a few characters taken out, put in or replaced. */
export const nearlyAddress: fc.Arbitrary<string> = fc
  .tuple(
    fc.constantFrom(
      '1.2.3.4',
      '255.255.255.255',
      '0.0.0.0',
      '::',
      '::1',
      '1::',
      '2001:db8::1',
      '1:2:3:4:5:6:7:8',
      '::ffff:192.0.2.1',
      '1:2:3:4:5:6:7.8.9.10',
      '1:2:3:4:5:6:7::'
    ),
    fc.array(
      fc.record({
        at: fc.nat(40),
        remove: fc.nat(1),
        insert: fc.constantFrom('', '0', '1', '9', 'a', 'F', 'g', ':', '::', '.', ' ', '-', 'x')
      }),
      { maxLength: 3 }
    )
  )
  .map(([text, edits]) =>
    edits.reduce<string>((edited, { at, remove, insert }) => {
      const place = at % (edited.length + 1)
      return edited.slice(0, place) + insert + edited.slice(place + remove)
    }, text)
  )
