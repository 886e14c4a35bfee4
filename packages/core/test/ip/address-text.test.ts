import { isIP } from 'node:net'
import { formatIpAddress, ipv4, ipv6, parseIpAddress } from '@breakwater/core'
import type { IpAddress } from '@breakwater/core'
import * as fc from 'fast-check'
import { Address4, Address6 } from 'ip-address'
import ipaddr from 'ipaddr.js'
import { describe, expect, test } from 'vitest'
import { anyAddress, nearlyAddress } from '../arbitrary/ip.ts'

const good: readonly (readonly [text: string, address: IpAddress])[] = [
  ['0.0.0.0', ipv4(0)],
  ['192.0.2.1', ipv4(0xc0000201)],
  ['255.255.255.255', ipv4(0xffffffff)],
  ['::', ipv6(0, 0, 0, 0)],
  ['::1', ipv6(0, 0, 0, 1)],
  ['1::', ipv6(0x10000, 0, 0, 0)],
  ['2001:DB8::aBc', ipv6(0x20010db8, 0, 0, 0xabc)],
  ['0001:0002:0003:0004:0005:0006:0007:0008', ipv6(0x10002, 0x30004, 0x50006, 0x70008)],
  ['1:2:3:4:5:6:7::', ipv6(0x10002, 0x30004, 0x50006, 0x70000)],
  ['::2:3:4:5:6:7:8', ipv6(2, 0x30004, 0x50006, 0x70008)],
  ['::192.0.2.1', ipv6(0, 0, 0, 0xc0000201)],
  ['::ffff:192.0.2.1', ipv6(0, 0, 0xffff, 0xc0000201)],
  ['64:ff9b::192.0.2.1', ipv6(0x64ff9b, 0, 0, 0xc0000201)],
  ['1:2:3:4:5:6:192.0.2.1', ipv6(0x10002, 0x30004, 0x50006, 0xc0000201)]
]

const bad: readonly (readonly [why: string, text: string])[] = [
  ['nothing', ''],
  ['a blank before', ' 1.2.3.4'],
  ['a line end behind', '1.2.3.4\n'],
  ['a line end behind IPv6', '::1\n'],
  ['three octets', '1.2.3'],
  ['five octets', '1.2.3.4.5'],
  ['an empty octet', '1..3.4'],
  ['an octet over 255', '1.2.3.256'],
  ['an octet of four digits', '1.2.3.0255'],
  ['a leading zero, octal to some', '010.2.3.4'],
  ['a double zero', '1.2.3.00'],
  ['a hexadecimal octet', '0x1.2.3.4'],
  ['a single number', '16909060'],
  ['a sign', '+1.2.3.4'],
  ['an exponent', '1e1.2.3.4'],
  ['other digits', '１.2.3.4'],
  ['a prefix length', '1.2.3.4/32'],
  ['a port', '1.2.3.4:53'],
  ['one colon', ':'],
  ['three colons', ':::'],
  ['two gaps', '1::2::3'],
  ['seven groups', '1:2:3:4:5:6:7'],
  ['nine groups', '1:2:3:4:5:6:7:8:9'],
  ['a gap that stands for nothing', '1:2:3:4::5:6:7:8'],
  ['a colon before', ':1:2:3:4:5:6:7'],
  ['a colon behind', '1:2:3:4:5:6:7:'],
  ['a group of five digits', '::00001'],
  ['a letter beyond f', '::g'],
  ['IPv4 before the end', '1.2.3.4::'],
  ['IPv4 in the middle', '::1.2.3.4:5'],
  ['IPv4 as the eighth group', '1:2:3:4:5:6:7:1.2.3.4'],
  ['short embedded IPv4', '::1.2.3'],
  ['a leading zero in embedded IPv4', '::ffff:192.0.2.01'],
  ['a zone', 'fe80::1%eth0'],
  ['brackets', '[::1]'],
  ['an IPv6 prefix length', '::/0'],
  ['a text longer than any address', '0000:0000:0000:0000:0000:0000:255.255.255.2555']
]

describe('parseIpAddress', () => {
  test.each(good)('reads %s', (text, address) => {
    expect(parseIpAddress(text)).toEqual(address)
  })

  test.each(bad)('refuses %s: %j', (_why, text) => {
    expect(parseIpAddress(text)).toBeUndefined()
  })

  test('reads back what formatIpAddress writes', () => {
    fc.assert(
      fc.property(anyAddress, (address) => {
        expect(parseIpAddress(formatIpAddress(address))).toEqual(address)
      })
    )
  })

  test('agrees with ipaddr.js, ip-address and node:net about what is an address', () => {
    fc.assert(
      fc.property(nearlyAddress, (text) => {
        const family = parseIpAddress(text)?.family ?? 0
        expect({ text, family }).toEqual({ text, family: isIP(text) })
        expect({ text, family }).toEqual({ text, family: familyByIpAddress(text) })
        // ipaddr.js takes `::ffff:192.0.2.01`; RFC 4291 §2.2 (3) wants the standard IPv4 form, which has no such zeros.
        if (!/[:.]0[0-9]+(?:\.|$)/.test(text) || !text.includes('.') || !text.includes(':'))
          expect({ text, family }).toEqual({ text, family: familyByIpaddrJs(text) })
      }),
      { numRuns: 2000 }
    )
  })

  test('agrees with ipaddr.js about the bytes', () => {
    fc.assert(
      fc.property(nearlyAddress, (text) => {
        const address = parseIpAddress(text)
        fc.pre(address !== undefined)
        // ipaddr.js reads `::1.2.3.4` as `::ffff:1.2.3.4`; RFC 4291 §2.5.5 has them as two kinds of address.
        fc.pre(!/^::\d+\./.test(text))
        expect(ipaddr.parse(text).toNormalizedString()).toBe(expanded(address))
      }),
      { numRuns: 300 }
    )
  })
})

describe('formatIpAddress', () => {
  // RFC 5952 §4 and §5
  test.each([
    ['leading zeros go', '2001:0db8::0001', '2001:db8::1'],
    ['the gap is as long as it can be', '2001:db8:0:0:0:0:2:1', '2001:db8::2:1'],
    ['a single zero group is written', '2001:db8:0:1:1:1:1:1', '2001:db8:0:1:1:1:1:1'],
    ['the longest run becomes the gap', '2001:0:0:1:0:0:0:1', '2001:0:0:1::1'],
    ['the first of equal runs becomes the gap', '2001:db8:0:0:1:0:0:1', '2001:db8::1:0:0:1'],
    ['letters are small', '2001:DB8::ABCD', '2001:db8::abcd'],
    ['a gap may end the text', '1:0:0:0:0:0:0:0', '1::'],
    ['a gap may begin the text', '0:0:0:0:0:0:0:1', '::1'],
    ['a gap may be all', '0:0:0:0:0:0:0:0', '::'],
    ['IPv4-mapped addresses are mixed', '::ffff:c000:201', '::ffff:192.0.2.1'],
    ['others are not', '64:ff9b::192.0.2.1', '64:ff9b::c000:201']
  ])('%s: %s', (_rule, text, formatted) => {
    expect(format(text)).toBe(formatted)
  })

  test('agrees with ipaddr.js and ip-address', () => {
    fc.assert(
      fc.property(anyAddress, (address) => {
        const text = formatIpAddress(address)
        // Both write IPv4-mapped addresses in groups only, which RFC 5952 §5 advises against.
        fc.pre(!text.startsWith('::ffff:') || !text.includes('.'))
        if (address.family === 4) {
          expect(ipaddr.IPv4.parse(text).toString()).toBe(text)
          expect(new Address4(text).correctForm()).toBe(text)
        } else {
          expect(ipaddr.IPv6.parse(text).toRFC5952String()).toBe(text)
          expect(new Address6(text).correctForm()).toBe(text)
        }
      })
    )
  })
})

function format(text: string): string | undefined {
  const address = parseIpAddress(text)
  return address === undefined ? undefined : formatIpAddress(address)
}

function familyByIpaddrJs(text: string): number {
  if (text.includes(':')) return ipaddr.IPv6.isValid(text) ? 6 : 0
  return ipaddr.IPv4.isValidFourPartDecimal(text) ? 4 : 0
}

function familyByIpAddress(text: string): number {
  if (text.includes(':')) return Address6.isValid(text) ? 6 : 0
  return Address4.isValid(text) ? 4 : 0
}

/** Eight groups without a gap, or a dotted quad: written apart from the code under test. */
function expanded({ family, a, b, c, d }: IpAddress): string {
  if (family === 4) return [24, 16, 8, 0].map((shift) => Math.trunc(a / 2 ** shift) % 256).join('.')
  return [a, b, c, d]
    .map((word) => `${Math.trunc(word / 0x10000).toString(16)}:${(word % 0x10000).toString(16)}`)
    .join(':')
}
